//! What is said and accepted on a connection.

use std::time::Duration;

use super::Builder;
use crate::pattern::{RoutingId, RoutingIdError};
use crate::session::{Heartbeat, Limits};
use crate::socket::Socket;
use crate::wire::metadata::{Metadata, Resource};

impl<S: Socket> Builder<S> {
    /// The name under which ROUTER peers address this socket. Default: they choose one.
    ///
    /// # Errors
    ///
    /// A routing id has 1 to 255 octets and does not begin with a zero octet.
    pub fn routing_id(mut self, routing_id: impl AsRef<[u8]>) -> Result<Self, RoutingIdError> {
        self.options.routing_id = Some(RoutingId::new(routing_id.as_ref())?);
        Ok(self)
    }

    /// How long greeting and handshake may take in all; zero for as long as the peer likes, which
    /// lets silent peers hold their places. Default: 30 s.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.options.handshake_timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        self
    }

    /// Sends PINGs and closes connections that fall silent. Default: none are sent; those of peers
    /// are always answered.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.options.heartbeat = Some(heartbeat);
        self
    }

    /// What peers may ask of this socket's memory.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Asks the peers that this socket connects to for one of the services behind their address; they
    /// find it in [`PeerInfo::resource`](crate::session::PeerInfo::resource). Default: none.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.options.resource = Some(resource);
        self
    }

    /// Properties announced to every peer, with names that begin with `X-`.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.options.metadata = metadata;
        self
    }
}
