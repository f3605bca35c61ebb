//! How connections are made, and made again.

use std::time::Duration;

use super::Builder;
use crate::driver::ReconnectStop;
use crate::socket::Socket;
use crate::transport::SocksProxy;

impl<S: Socket> Builder<S> {
    /// How long after a failure a connection is tried again. The delay doubles with every failure
    /// up to [`Self::reconnect_interval_max`], and varies at random. Zero: never, as in libzmq.
    /// Default: 100 ms.
    pub fn reconnect_interval(mut self, interval: Duration) -> Self {
        self.options.reconnect.initial = Some(interval).filter(|interval| !interval.is_zero());
        self
    }

    /// The longest time between two attempts to connect. Default: 5 s.
    pub fn reconnect_interval_max(mut self, max: Duration) -> Self {
        self.options.reconnect.max = max;
        self
    }

    /// Connects once and never again.
    pub fn no_reconnect(mut self) -> Self {
        self.options.reconnect.initial = None;
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

    /// Makes tcp connections through a SOCKS5 proxy, which also resolves the names of hosts. A
    /// connection that the proxy refuses is tried again as one that is refused by the peer.
    /// [`SocketEvent::Connected`](crate::SocketEvent::Connected) and
    /// [`peer_address`](crate::Socket::peer_address) tell the address of the proxy. Default: none.
    pub fn socks_proxy(mut self, proxy: SocksProxy) -> Self {
        self.options.transport.tcp.proxy = Some(proxy);
        self
    }

    /// How long establishing a connection may take, with the resolution of its name and the dealings
    /// with a proxy. Zero, as in libzmq, and by default: as long as the operating system tries, and
    /// 30 s for the proxy.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::PushSocket;

    // INT-033
    #[test]
    fn the_longest_interval_stands_whatever_is_said_before_and_after_it() {
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(60));
        let builder = PushSocket::builder()
            .no_reconnect()
            .reconnect_interval_max(long)
            .reconnect_interval(Duration::ZERO)
            .reconnect_interval(short);
        assert_eq!(builder.options.reconnect.max, long);
        assert_eq!(builder.options.reconnect.initial, Some(short));
    }
}
