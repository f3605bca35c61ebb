//! When a connector comes back, and when not.

use std::io;
use std::time::{Duration, Instant};

use tests::bytes::{claim, command, error, greeting, greeting_with_mechanism, message, ready};
use tests::raw_peer::{RawPeer, within};
use tests::reserved_port::ReservedPort;
use tokio::net::TcpListener;
use tokio::time::timeout;
use zmtp::{DealerSocket, Message, Monitor, PullSocket, Socket, SocketEvent, SubSocket};

use crate::suite::expect_message;

const INTERVAL: Duration = Duration::from_millis(20);

/// Long enough for several attempts, were any made.
const QUIET: Duration = Duration::from_millis(300);

struct Server {
    listener: TcpListener,
    endpoint: String,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
        Self { listener, endpoint }
    }

    async fn accept(&self) -> RawPeer {
        RawPeer::accept(&self.listener).await.unwrap()
    }

    /// Accepts one connection, sends these octets and waits for the socket to close.
    async fn refuse_with(&self, octets: &[u8]) {
        let mut peer = self.accept().await;
        peer.send(octets).await.unwrap();
        peer.recv_until_closed().await.unwrap();
    }

    async fn is_left_alone(&self) -> bool {
        timeout(QUIET, self.listener.accept()).await.is_err()
    }
}

async fn connector(server: &Server) -> PullSocket {
    let pull = PullSocket::builder().reconnect_interval(INTERVAL).build();
    pull.connect(server.endpoint.as_str()).await.unwrap();
    pull
}

/// ZMTP31-093, ZMTP31-100, INT-033, INT-013.
#[tokio::test]
async fn an_unexpected_close_is_followed_by_another_attempt() {
    let server = Server::start().await;
    let mut pull = connector(&server).await;
    drop(server.accept().await);
    let mut peer = server.accept().await;
    peer.send(&greeting(3, 1)).await.unwrap();
    drop(peer);
    let mut peer = server.accept().await;
    peer.handshake("PUSH").await.unwrap();
    peer.send(&message(&[b"first"])).await.unwrap();
    expect_message(&mut pull, &[b"first"]).await.unwrap();
    drop(peer);
    let mut peer = server.accept().await;
    peer.handshake("PUSH").await.unwrap();
    peer.send(&message(&[b"second"])).await.unwrap();
    expect_message(&mut pull, &[b"second"]).await.unwrap();
}

/// ZMTP31-016, INT-016, INT-033.
#[tokio::test]
async fn a_silent_server_is_tried_again_after_the_deadline() {
    let server = Server::start().await;
    let _pull = connector(&server).await;
    let mut first = server.accept().await;
    assert_eq!(first.recv_until_closed().await.unwrap(), greeting(3, 1));
    drop(first);
    server.accept().await;
}

/// ZMTP31-061, ZMTP31-095, INT-033, LZ-079.
#[tokio::test]
async fn an_error_is_final() {
    let server = Server::start().await;
    let _pull = connector(&server).await;
    server
        .refuse_with(&[greeting(3, 1), error("400")].concat())
        .await;
    assert!(server.is_left_alone().await);
}

/// ZMTP31-008, INT-033.
#[tokio::test]
async fn another_mechanism_is_final() {
    let server = Server::start().await;
    let _pull = connector(&server).await;
    server
        .refuse_with(&greeting_with_mechanism(3, 1, b"CURVE"))
        .await;
    assert!(server.is_left_alone().await);
}

/// ZMTP31-082, INT-033, LZ-079.
#[tokio::test]
async fn an_unfit_socket_type_is_final() {
    let server = Server::start().await;
    let _pull = connector(&server).await;
    server
        .refuse_with(&[greeting(3, 1), ready("PUB")].concat())
        .await;
    assert!(server.is_left_alone().await);
}

/// INT-033.
#[tokio::test]
async fn a_malformed_handshake_is_final() {
    let server = Server::start().await;
    let _pull = connector(&server).await;
    server
        .refuse_with(&[greeting(3, 1), command("FOO", b"")].concat())
        .await;
    assert!(server.is_left_alone().await);
}

/// LZ-024, LZ-079: only a handshake that fails would fail again the same way.
#[tokio::test]
async fn a_fault_after_the_handshake_is_retried() {
    let server = Server::start().await;
    let _pull = connector(&server).await;
    let octets = [greeting(3, 1), ready("PUSH"), claim(0, 1 << 62)].concat();
    server.refuse_with(&octets).await;
    server.accept().await;
}

/// ZMTP31-094, INT-034, LZ-078.
#[tokio::test]
async fn the_delay_grows_until_a_connection_lasts() {
    let server = Server::start().await;
    let pull = PullSocket::builder()
        .reconnect_interval(INTERVAL)
        .reconnect_interval_max(INTERVAL * 8)
        .build();
    let mut monitor = pull.monitor();
    pull.connect(server.endpoint.as_str()).await.unwrap();
    let mut delays = Vec::new();
    let mut last = Instant::now();
    for _ in 0..6 {
        drop(server.accept().await);
        last = Instant::now();
        delays.push(next_delay(&mut monitor).await);
    }
    // TCP succeeded each time and must not have reset it.
    assert!(delays[4] >= INTERVAL * 4, "{delays:?}");
    let mut peer = server.accept().await;
    // It is waited for, and not only told.
    assert!(last.elapsed() >= delays[5], "{delays:?}");
    peer.handshake("PUSH").await.unwrap();
    tokio::time::sleep(INTERVAL * 9).await;
    drop(peer);
    let delay = next_delay(&mut monitor).await;
    assert!(delay < INTERVAL * 4, "{delay:?} after {delays:?}");
    server.accept().await;
}

/// How long the socket waits until it connects again.
async fn next_delay(monitor: &mut Monitor) -> Duration {
    let retried = async {
        loop {
            if let Some(SocketEvent::ConnectRetried { delay, .. }) = monitor.recv().await {
                return Ok(delay);
            }
        }
    };
    within(retried).await.unwrap()
}

/// INT-035, LZ-080.
#[tokio::test]
async fn reconnection_can_be_turned_off() {
    let server = Server::start().await;
    let pull = PullSocket::builder().no_reconnect().build();
    pull.connect(server.endpoint.as_str()).await.unwrap();
    drop(server.accept().await);
    assert!(server.is_left_alone().await);
}

/// ZMTP31-099, PIPE-003.
#[tokio::test]
async fn a_connect_may_come_before_the_server() -> io::Result<()> {
    let port = ReservedPort::new()?;
    let mut pull = PullSocket::builder().reconnect_interval(INTERVAL).build();
    let connecting = pull.connect(port.endpoint()).await;
    connecting.map_err(io::Error::other)?;
    tokio::task::yield_now().await;
    let listener = TcpListener::bind(port.address()).await?;
    let mut peer = RawPeer::accept(&listener).await?;
    peer.handshake("PUSH").await?;
    peer.send(&message(&[b"hello"])).await?;
    expect_message(&mut pull, &[b"hello"]).await
}

/// ZMTP31-097, PUBSUB-038, PUBSUB-039, LZ-039.
#[tokio::test]
async fn a_new_connection_gets_each_distinct_topic_once() {
    let server = Server::start().await;
    let sub = SubSocket::builder().reconnect_interval(INTERVAL).build();
    sub.subscribe("a");
    sub.subscribe("a");
    sub.connect(server.endpoint.as_str()).await.unwrap();
    sub.subscribe("b");
    for _ in 0..2 {
        let mut peer = server.accept().await;
        peer.handshake("PUB").await.unwrap();
        let one = command("SUBSCRIBE", b"a");
        let octets = peer.recv(one.len() * 2).await.unwrap();
        let mut topics: Vec<u8> = octets
            .chunks(one.len())
            .map(|topic| topic[one.len() - 1])
            .collect();
        topics.sort_unstable();
        assert_eq!(topics, b"ab");
        let more = peer.recv_for(Duration::from_millis(20)).await.unwrap();
        assert_eq!(more, b"");
    }
}

/// A receiver that is slow to take what the lost connection brought does not keep the next one out.
#[tokio::test]
async fn a_full_inbox_does_not_keep_a_new_connection_from_its_handshake() {
    let server = Server::start().await;
    let mut dealer = DealerSocket::builder()
        .reconnect_interval(INTERVAL)
        .receive_high_water_mark(1)
        .build();
    dealer.connect(server.endpoint.as_str()).await.unwrap();
    let mut peer = server.accept().await;
    peer.handshake("DEALER").await.unwrap();
    peer.send(&message(&[b"first"])).await.unwrap();
    within(async {
        while dealer.handle().counters().queued.incoming == 0 {
            tokio::task::yield_now().await;
        }
        Ok(())
    })
    .await
    .unwrap();
    drop(peer);
    // Nothing is read while the inbox is full: that the peer is gone shows when it is written to.
    let accepted = async {
        loop {
            let _ = dealer.try_send("into the void");
            if let Ok(peer) = timeout(INTERVAL, server.accept()).await {
                return Ok(peer);
            }
        }
    };
    let mut peer = within(accepted).await.unwrap();
    peer.handshake("DEALER").await.unwrap();
    peer.send(&message(&[b"second"])).await.unwrap();
    for expected in ["first", "second"] {
        let received = within(async { Ok(dealer.recv().await) }).await.unwrap();
        assert_eq!(received.unwrap(), Message::from(expected));
    }
}
