//! What a monitor tells of raw peers, and what the log says of them.

use std::net::SocketAddr;
use std::time::Duration;

use tests::bytes::{frame, greeting, message, ready};
use tests::raw_peer::{RawPeer, within};
use tests::recorder::Recorder;
use tests::reserved_port::ReservedPort;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use zmtp::session::Heartbeat;
use zmtp::{DisconnectReason, Monitor, PullSocket, Socket, SocketEvent};

use crate::suite::{address, expect_message};

const INTERVAL: Duration = Duration::from_millis(10);

async fn next(monitor: &mut Monitor) -> SocketEvent {
    within(async { Ok(monitor.recv().await) })
        .await
        .unwrap()
        .expect("the socket is open")
}

/// INT-048, ZMTP31-159.
#[tokio::test]
async fn the_life_of_an_accepted_peer_is_told() {
    let pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let bound = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let SocketEvent::Listening { endpoint } = next(&mut monitor).await else {
        panic!("not listening");
    };
    assert_eq!(endpoint, bound);

    let mut peer = RawPeer::connect(address(&bound)).await.unwrap();
    let SocketEvent::Accepted { peer: id, address } = next(&mut monitor).await else {
        panic!("not accepted");
    };
    assert!(address.to_string().contains("127.0.0.1"), "{address}");
    peer.handshake("PUSH").await.unwrap();
    let SocketEvent::HandshakeSucceeded { peer: same, info } = next(&mut monitor).await else {
        panic!("no handshake");
    };
    assert_eq!(same, id);
    assert_eq!(info.socket_type.as_str(), "PUSH");
    drop(peer);
    let SocketEvent::Disconnected { peer: same, reason } = next(&mut monitor).await else {
        panic!("not disconnected");
    };
    assert_eq!(same, id);
    assert!(
        matches!(
            reason,
            DisconnectReason::PeerClosed | DisconnectReason::Io(_)
        ),
        "{reason}"
    );
}

/// INT-048, INT-049: a fault is told with what was wrong, and logged with where it came from.
#[tokio::test]
async fn a_fault_is_told_as_what_it_is() {
    let pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let at = address(&pull.bind("tcp://127.0.0.1:*").await.unwrap());
    let recorder = Recorder::start();
    for octets in [
        [greeting(3, 1), ready("PUB")].concat(),
        [greeting(3, 1), ready("PUSH"), frame(0x80, b"x")].concat(),
    ] {
        let mut peer = RawPeer::connect(at).await.unwrap();
        peer.send(&octets).await.unwrap();
        peer.recv_until_closed().await.unwrap();
        drop(peer);
        let reason = loop {
            match next(&mut monitor).await {
                SocketEvent::HandshakeFailed { reason, .. }
                | SocketEvent::Disconnected { reason, .. } => break reason,
                _ => {}
            }
        };
        assert!(matches!(reason, DisconnectReason::Protocol(_)), "{reason}");
        recorder.wait_for_warning().await.unwrap();
        let warnings = recorder.take_warnings();
        assert!(
            warnings
                .iter()
                .any(|warning| warning.text.contains("127.0.0.1")),
            "{warnings:?}"
        );
    }
}

/// INT-049: what the log was spared is counted, and told at the latest when the socket closes.
#[tokio::test]
async fn warnings_that_were_left_out_are_told_when_the_socket_closes() {
    let pull = PullSocket::new();
    let at = address(&pull.bind("tcp://127.0.0.1:*").await.unwrap());
    let recorder = Recorder::start();
    // Until one is left out behind the last that was written.
    for attempt in 0.. {
        assert!(attempt < 1000, "the log is not flooded");
        let mut peer = RawPeer::connect(at).await.unwrap();
        peer.handshake("PUSH").await.unwrap();
        peer.send(&frame(0x80, b"x")).await.unwrap();
        peer.recv_until_closed().await.unwrap();
        drop(peer);
        recorder.wait_for("connection closed").await.unwrap();
        if recorder.take_warnings().is_empty() {
            break;
        }
    }
    pull.close().await;
    recorder
        .wait_for("warnings were left out before the end")
        .await
        .unwrap();
    let warnings = recorder.take_warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].text.contains("left_out="), "{warnings:?}");
}

/// INT-048.
#[tokio::test]
async fn attempts_to_connect_are_told() {
    let port = ReservedPort::new().unwrap();
    let pull = PullSocket::builder().reconnect_interval(INTERVAL).build();
    let mut monitor = pull.monitor();
    pull.connect(port.endpoint()).await.unwrap();
    assert!(matches!(
        next(&mut monitor).await,
        SocketEvent::Connecting { .. }
    ));
    assert!(matches!(
        next(&mut monitor).await,
        SocketEvent::ConnectFailed { .. }
    ));
    assert!(matches!(
        next(&mut monitor).await,
        SocketEvent::ConnectRetried { .. }
    ));
    let listener = TcpListener::bind(port.address()).await.unwrap();
    let mut server = RawPeer::accept(&listener).await.unwrap();
    while !matches!(next(&mut monitor).await, SocketEvent::Connected { .. }) {}
    server.handshake("PUSH").await.unwrap();
    assert!(matches!(
        next(&mut monitor).await,
        SocketEvent::HandshakeSucceeded { .. }
    ));
}

/// INT-018: a host that does not answer at all, which the handshake timeout would not notice.
#[tokio::test]
async fn connecting_has_a_timeout_of_its_own() {
    let listening = TcpSocket::new_v4().unwrap();
    listening.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listening.listen(1).unwrap();
    let at = listener.local_addr().unwrap();
    let _queue = fill(at).await;
    let pull = PullSocket::builder()
        .connect_timeout(Duration::from_millis(50))
        .build();
    let mut monitor = pull.monitor();
    pull.connect(format!("tcp://{at}")).await.unwrap();
    let error = loop {
        match next(&mut monitor).await {
            SocketEvent::ConnectFailed { error, .. } => break error,
            SocketEvent::Connecting { .. } => {}
            event => panic!("{event:?}"),
        }
    };
    assert_eq!(error, std::io::ErrorKind::TimedOut);
}

/// Connects until the queue of a listener that accepts nothing is full.
async fn fill(at: SocketAddr) -> Vec<TcpStream> {
    let mut queue = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(200), TcpStream::connect(at)).await {
        queue.push(stream.unwrap());
    }
    queue
}

/// LZ-032: heartbeats that were asked for go to peers of 3.0 as well.
#[tokio::test]
async fn peers_of_3_0_are_pinged_if_heartbeats_are_asked_for() {
    let mut pull = PullSocket::builder()
        .heartbeat(Heartbeat::new(Duration::from_millis(50)))
        .build();
    let at = address(&pull.bind("tcp://127.0.0.1:*").await.unwrap());
    let mut peer = RawPeer::connect(at).await.unwrap();
    peer.handshake_with(&greeting(3, 0), &ready("PUSH"))
        .await
        .unwrap();
    assert!(peer.recv_frame().await.unwrap().is_command("PING"));
    peer.send(&message(&[b"here"])).await.unwrap();
    expect_message(&mut pull, &[b"here"]).await.unwrap();
}

/// LZ-080, INT-035.
#[tokio::test]
async fn an_interval_of_zero_means_never() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let pull = PullSocket::builder()
        .reconnect_interval(Duration::ZERO)
        .build();
    pull.connect(endpoint).await.unwrap();
    drop(RawPeer::accept(&listener).await.unwrap());
    let again = timeout(Duration::from_millis(300), listener.accept()).await;
    assert!(again.is_err());
}
