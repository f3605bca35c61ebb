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

    /// On Linux alone every address of the network 127.0.0.0/8 is the machine's own.
    #[cfg(target_os = "linux")]
    mod names {
        use std::collections::VecDeque;
        use std::net::SocketAddr;
        use std::sync::{Arc, Mutex};

        use super::super::*;
        use crate::driver::SocketEvent;
        use crate::message::Message;
        use crate::socket::{PullSocket, PushSocket};
        use crate::transport::Resolver;

        async fn soon<T>(future: impl Future<Output = T>) -> T {
            let limit = Duration::from_secs(20);
            tokio::time::timeout(limit, future)
                .await
                .expect("took too long")
        }

        // INT-036
        #[tokio::test]
        async fn a_peer_that_moved_to_another_address_is_found_again_by_its_name() {
            let (mut here, mut there) = (PullSocket::new(), PullSocket::new());
            let endpoint = here.bind("tcp://127.0.0.1:*").await.unwrap();
            let address: SocketAddr = endpoint.to_string()["tcp://".len()..].parse().unwrap();
            let moved = SocketAddr::from(([127, 0, 0, 2], address.port()));
            there.bind(format!("tcp://{moved}")).await.unwrap();

            let answers = Arc::new(Mutex::new(VecDeque::from([address, moved])));
            let mut builder = PushSocket::builder().reconnect_interval(Duration::from_millis(1));
            builder.options.transport.tcp.resolver = Resolver::Scripted(Arc::clone(&answers));
            let mut push = builder.build();
            push.connect(format!("tcp://peer.test:{}", address.port()))
                .await
                .unwrap();
            push.send("here").await.unwrap();
            assert_eq!(soon(here.recv()).await.unwrap(), Message::from("here"));
            let mut monitor = push.monitor();
            here.close().await;
            let is_lost = |event| matches!(event, Some(SocketEvent::Disconnected { .. }));
            soon(async { while !is_lost(monitor.recv().await) {} }).await;
            push.send("there").await.unwrap();
            assert_eq!(soon(there.recv()).await.unwrap(), Message::from("there"));
            assert!(answers.lock().unwrap().is_empty());
        }
    }
}
