//! The options of a socket.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::Socket;
use crate::driver::{Queueing, RECONNECT_INTERVAL_MAX, ReconnectPolicy, SocketOptions};
use crate::pattern::{RoutingId, RoutingIdError};
use crate::session::{Heartbeat, Limits};
use crate::wire::metadata::Metadata;

/// Makes a socket with options other than the defaults.
///
/// The options have the names and defaults of libzmq, except where a default of "no limit" would
/// let a peer exhaust the memory.
///
/// ```
/// use std::time::Duration;
/// use zmtp::{PushSocket, Socket};
///
/// let socket = PushSocket::builder()
///     .send_high_water_mark(10_000)
///     .linger(Duration::from_secs(1))
///     .build();
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<S> {
    pub(crate) options: SocketOptions,
    socket: PhantomData<fn() -> S>,
}

impl<S: Socket> Builder<S> {
    pub(crate) fn new() -> Self {
        Self {
            options: SocketOptions::default(),
            socket: PhantomData,
        }
    }

    /// Makes the socket.
    pub fn build(self) -> S {
        S::from_builder(self)
    }

    /// How many messages wait for one peer before sending waits (PUB: before messages to it are
    /// dropped); 0 for no mark. Default: 1000.
    ///
    /// Where sending waits, a connection also queues no more than about 1 MiB.
    pub fn send_high_water_mark(mut self, messages: usize) -> Self {
        self.options.send_high_water_mark = messages;
        self
    }

    /// How many messages from one peer wait to be received before no more are read from it; 0 for
    /// no mark. Default: 1000.
    ///
    /// A connection also queues no more than about 1 MiB.
    pub fn receive_high_water_mark(mut self, messages: usize) -> Self {
        self.options.receive_high_water_mark = messages;
        self
    }

    /// How long a closed or dropped socket still sends what is queued; zero drops it.
    /// Default: until all is sent.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.options.linger = Some(linger);
        self
    }

    /// The name under which ROUTER peers address this socket. Default: they choose one.
    ///
    /// # Errors
    ///
    /// A routing id has 1 to 255 octets and does not begin with a zero octet.
    pub fn routing_id(mut self, routing_id: impl AsRef<[u8]>) -> Result<Self, RoutingIdError> {
        self.options.routing_id = Some(RoutingId::new(routing_id.as_ref())?);
        Ok(self)
    }

    /// How long after a failure a connection is tried again. The delay doubles with every failure
    /// up to [`Self::reconnect_interval_max`], and varies at random. Zero: never, as in libzmq.
    /// Default: 100 ms.
    pub fn reconnect_interval(mut self, interval: Duration) -> Self {
        let max = match self.options.reconnect {
            ReconnectPolicy::Backoff { max, .. } => max,
            ReconnectPolicy::Never => RECONNECT_INTERVAL_MAX,
        };
        self.options.reconnect = match interval {
            Duration::ZERO => ReconnectPolicy::Never,
            initial => ReconnectPolicy::Backoff { initial, max },
        };
        self
    }

    /// The longest time between two attempts to connect. Default: 5 s.
    pub fn reconnect_interval_max(mut self, max: Duration) -> Self {
        if let ReconnectPolicy::Backoff { max: current, .. } = &mut self.options.reconnect {
            *current = max;
        }
        self
    }

    /// Queues messages only for peers that are connected, and drops what is still queued for a peer
    /// when its connection ends. Default: messages for a peer that the socket connects to wait until
    /// it comes, or comes back.
    pub fn immediate(mut self) -> Self {
        self.options.queueing = Queueing::WhileConnected;
        self
    }

    /// Connects once and never again.
    pub fn no_reconnect(mut self) -> Self {
        self.options.reconnect = ReconnectPolicy::Never;
        self
    }

    /// How long establishing a connection may take. Default: as long as the operating system
    /// tries.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = Some(timeout);
        self
    }

    /// How long greeting and handshake may take in all. Default: 30 s.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.options.handshake_timeout = Some(timeout);
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

    /// Properties announced to every peer, with names that begin with `X-`.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.options.metadata = metadata;
        self
    }

    /// How many connections the operating system keeps ready to be accepted. Default: 1024.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.options.backlog = connections;
        self
    }

    /// How many accepted connections may be open; more are closed as they come.
    /// Default: 65 536.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.options.max_connections = connections;
        self
    }

    /// How many accepted connections may be in their handshake; half of that from one address.
    /// The oldest makes room for the newest. Default: 8192.
    pub fn max_half_open(mut self, connections: usize) -> Self {
        self.options.max_half_open = connections;
        self
    }
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("options", &self.options)
            .finish()
    }
}
