//! How connections are made, and made again.

use std::time::Duration;

use super::Builder;
use crate::driver::{RECONNECT_INTERVAL_MAX, ReconnectPolicy, ReconnectStop};
use crate::socket::Socket;

impl<S: Socket> Builder<S> {
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

    /// Connects once and never again.
    pub fn no_reconnect(mut self) -> Self {
        self.options.reconnect = ReconnectPolicy::Never;
        self
    }

    /// What ends the attempts to connect to an endpoint. Default: nothing but a peer that refuses for
    /// good, which is one that says ERROR, breaks the protocol in its handshake, or has another
    /// mechanism or a socket type that does not fit.
    ///
    /// [`SocketEvent::ConnectGivenUp`](crate::SocketEvent::ConnectGivenUp) tells of it. The socket
    /// can be connected to the endpoint again.
    pub fn reconnect_stop(mut self, events: impl IntoIterator<Item = ReconnectStop>) -> Self {
        self.options.reconnect_stop = events.into_iter().collect();
        self
    }

    /// How long establishing a connection may take. Default: as long as the operating system
    /// tries.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = Some(timeout);
        self
    }
}
