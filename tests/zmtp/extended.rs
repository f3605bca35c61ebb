//! XPUB, XSUB and PAIR, in bytes.

use std::net::SocketAddr;
use std::time::Duration;

use tests::bytes::{MORE, command, frame, greeting, message, ping, property, ready};
use tests::raw_peer::{RawPeer, within};
use zmtp::{Message, PairSocket, Socket, SocketEvent, TryRecvError, XPubSocket, XSubSocket};

use crate::suite::address;

const WINDOW: Duration = Duration::from_millis(50);

async fn bound(socket: &impl Socket) -> SocketAddr {
    address(&socket.bind("tcp://127.0.0.1:*").await.unwrap())
}

async fn peer_of(address: SocketAddr, socket_type: &str, minor: u8) -> RawPeer {
    let mut peer = RawPeer::connect(address).await.unwrap();
    let greeting = greeting(3, minor);
    peer.handshake_with(&greeting, &ready(socket_type))
        .await
        .unwrap();
    // The socket has sent its READY, but perhaps not yet read ours.
    tell(&mut peer, b"").await;
    peer
}

async fn peer(address: SocketAddr, socket_type: &str) -> RawPeer {
    peer_of(address, socket_type, 1).await
}

/// Sends octets, and waits until the socket has read them all.
async fn tell(peer: &mut RawPeer, octets: &[u8]) {
    let all = [octets, &ping(0, b"fence")].concat();
    peer.send(&all).await.unwrap();
    let answer = peer.recv_frame().await.unwrap();
    assert!(answer.is_command("PONG"), "{answer:?}");
}

async fn soon<T, E: std::fmt::Debug>(operation: impl Future<Output = Result<T, E>>) -> T {
    within(async { Ok(operation.await) })
        .await
        .unwrap()
        .unwrap()
}

/// PUBSUB-022, PUBSUB-024, PUBSUB-026, PUBSUB-029, LZ-042.
#[tokio::test]
async fn an_xpub_receives_both_forms_as_messages() {
    for minor in [0, 1] {
        for (on, off) in [
            (command("SUBSCRIBE", b"A"), command("CANCEL", b"A")),
            (frame(0, b"\x01A"), frame(0, b"\0A")),
        ] {
            let mut xpub = XPubSocket::new();
            let mut subscriber = peer_of(bound(&xpub).await, "SUB", minor).await;
            tell(&mut subscriber, &[&on[..], &on, &off, &on].concat()).await;
            drop(subscriber);
            let events = [&b"\x01A"[..], b"\0A", b"\x01A", b"\0A"];
            for expected in events {
                assert_eq!(soon(xpub.recv()).await, Message::from(expected));
            }
            assert_eq!(xpub.try_recv(), Err(TryRecvError::Empty));
        }
    }
}

/// PUBSUB-025, PUBSUB-027, LZ-041, LZ-042: from the first part that is no subscription on it is a
/// message.
#[tokio::test]
async fn each_part_may_be_a_subscription() {
    let mut xpub = XPubSocket::new();
    let mut subscriber = peer(bound(&xpub).await, "XSUB").await;
    tell(&mut subscriber, &message(&[b"\x01A", b"\x01B", b"\0A"])).await;
    for expected in [&b"\x01A"[..], b"\x01B", b"\0A"] {
        assert_eq!(soon(xpub.recv()).await, Message::from(expected));
    }
    tell(
        &mut subscriber,
        &message(&[b"for you", b"\x01 not a topic"]),
    )
    .await;
    let received = soon(xpub.recv()).await;
    assert_eq!(
        received,
        Message::from([&b"for you"[..], b"\x01 not a topic"])
    );
    xpub.send("B1").await.unwrap();
    assert_eq!(subscriber.recv_message().await.unwrap(), [b"B1"]);
}

/// PUBSUB-014, PUBSUB-017, PUBSUB-018.
#[tokio::test]
async fn an_xpub_sends_what_begins_with_a_topic_unchanged() {
    let xpub = XPubSocket::new();
    let mut subscriber = peer(bound(&xpub).await, "SUB").await;
    tell(&mut subscriber, &command("SUBSCRIBE", b"\0\xff")).await;
    for other in [&b""[..], b"\0", b"\xff\0", b"x\0\xff"] {
        xpub.send(Message::from([other, b"\0\xff"])).await.unwrap();
    }
    let parts = [&b"\0\xff"[..], b"", b"\x01", &[0; 300]];
    xpub.send(Message::from(parts)).await.unwrap();
    assert_eq!(subscriber.recv_message().await.unwrap(), parts);
}

/// PUBSUB-015, PUBSUB-016, PUBSUB-019, PUBSUB-020, INT-039.
#[tokio::test]
async fn an_xpub_hears_and_drops_for_a_subscriber_that_does_not_read() {
    let mut xpub = XPubSocket::builder().send_high_water_mark(2).build();
    let at = bound(&xpub).await;
    let mut deaf = peer(at, "XSUB").await;
    let mut other = peer(at, "SUB").await;
    tell(&mut deaf, &command("SUBSCRIBE", b"large")).await;
    tell(&mut other, &command("SUBSCRIBE", b"small")).await;
    let mut large = b"large".to_vec();
    large.resize(1 << 20, 0);
    for _ in 0..100 {
        xpub.try_send(large.clone()).unwrap();
        tokio::task::yield_now().await;
    }
    assert!(xpub.dropped() > 0);
    xpub.send("small").await.unwrap();
    assert_eq!(other.recv_message().await.unwrap(), [b"small"]);
    deaf.send(&message(&[b"still talking"])).await.unwrap();
    while soon(xpub.recv()).await != Message::from("still talking") {}
}

/// PUBSUB-021, PUBSUB-049.
#[tokio::test]
async fn the_peers_of_xpub_and_xsub_are_heard_in_turn() {
    let mut xpub = XPubSocket::new();
    let at = bound(&xpub).await;
    let mut xsub = XSubSocket::new();
    let xsub_at = bound(&xsub).await;
    let mut peers = Vec::new();
    for name in [b"a", b"b"] {
        for (at, socket_type) in [(at, "XSUB"), (xsub_at, "PUB")] {
            let mut peer = peer(at, socket_type).await;
            tell(&mut peer, &message(&[name]).repeat(20)).await;
            peers.push(peer);
        }
    }
    let mut orders = [Vec::new(), Vec::new()];
    for _ in 0..40 {
        orders[0].push(soon(xpub.recv()).await);
        orders[1].push(soon(xsub.recv()).await);
    }
    for order in orders {
        assert!(order.windows(2).all(|two| two[0] != two[1]), "{order:?}");
    }
}

/// PUBSUB-043, PUBSUB-054, LZ-040: what the application sends is translated for each peer.
#[tokio::test]
async fn an_xsub_subscribes_in_the_form_of_each_peer() {
    let xsub = XSubSocket::new();
    let at = bound(&xsub).await;
    let mut new = peer_of(at, "XPUB", 1).await;
    let mut old = peer_of(at, "XPUB", 0).await;
    for octets in [&b"\x01A"[..], b"\x01A", b"\0A", b"\0A", b"\0unknown"] {
        xsub.send(octets).await.unwrap();
    }
    xsub.send("end").await.unwrap();
    let commands = [
        command("SUBSCRIBE", b"A"),
        command("SUBSCRIBE", b"A"),
        command("CANCEL", b"A"),
        message(&[b"end"]),
    ]
    .concat();
    assert_eq!(new.recv(commands.len()).await.unwrap(), commands);
    let messages = [&b"\x01A"[..], b"\x01A", b"\0A", b"end"];
    for expected in messages {
        assert_eq!(old.recv_message().await.unwrap(), [expected]);
    }
}

/// PUBSUB-044, PUBSUB-047, PUBSUB-050, PUBSUB-052: messages of an XSUB go to all its publishers,
/// and everything that they send is received.
#[tokio::test]
async fn an_xsub_talks_with_all_its_publishers() {
    let mut xsub = XSubSocket::new();
    let at = bound(&xsub).await;
    let mut publishers = [peer(at, "PUB").await, peer(at, "XPUB").await];
    let parts = [&b"hello"[..], b"", &[0xff; 300]];
    xsub.send(Message::from(parts)).await.unwrap();
    for publisher in &mut publishers {
        assert_eq!(publisher.recv_message().await.unwrap(), parts);
        publisher.send(&message(&parts)).await.unwrap();
        assert_eq!(soon(xsub.recv()).await, Message::from(parts));
    }
}

/// PUBSUB-045, PUBSUB-046, PUBSUB-051, INT-039.
#[tokio::test]
async fn an_xsub_drops_for_a_publisher_that_does_not_read() {
    let mut xsub = XSubSocket::builder().send_high_water_mark(2).build();
    let mut deaf = peer(bound(&xsub).await, "XPUB").await;
    let large = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        xsub.try_send(large.clone()).unwrap();
        tokio::task::yield_now().await;
    }
    deaf.send(&message(&[b"still talking"])).await.unwrap();
    assert_eq!(soon(xsub.recv()).await, Message::from("still talking"));
    let mut sent = 0;
    while let Ok(parts) = tokio::time::timeout(WINDOW * 4, deaf.recv_message()).await {
        assert_eq!(parts.unwrap(), [&large[..]]);
        sent += 1;
    }
    assert!(sent < 100, "nothing was dropped");
}

/// PUBSUB-033, PUBSUB-046, PUBSUB-048.
#[tokio::test]
async fn a_full_xsub_stops_reading() {
    let mut xsub = XSubSocket::builder().receive_high_water_mark(10).build();
    let mut publisher = peer(bound(&xsub).await, "PUB").await;
    let body = vec![b'x'; 64 << 10];
    let one = message(&[&body]);
    let mut sent: usize = 0;
    let window = Duration::from_millis(300);
    while let Ok(result) = tokio::time::timeout(window, publisher.send(&one)).await {
        result.unwrap();
        sent += 1;
        assert!(sent < 2000, "it reads on");
    }
    for _ in 0..sent {
        assert_eq!(soon(xsub.recv()).await, Message::from(body.clone()));
    }
}

/// PAIR-003, PAIR-008, PAIR-010.
#[tokio::test]
async fn a_pair_sends_messages_and_nothing_else() {
    let mut pair = PairSocket::new();
    let at = bound(&pair).await;
    let mut peer = RawPeer::connect(at).await.unwrap();
    let answer = peer
        .handshake_with(&greeting(3, 1), &ready("PAIR"))
        .await
        .unwrap();
    let expected = [&b"\x05READY"[..], &property("Socket-Type", b"PAIR")].concat();
    assert_eq!(answer.body, expected);
    let parts = [&b""[..], b"\0", &[7; 300]];
    pair.send(Message::from(parts)).await.unwrap();
    assert_eq!(peer.recv_message().await.unwrap(), parts);
    peer.send(&message(&parts)).await.unwrap();
    assert_eq!(soon(pair.recv()).await, Message::from(parts));
}

/// PAIR-001, PAIR-009, LZ-072: the second one is closed, and may come in when the first has left.
#[tokio::test]
async fn the_second_peer_of_a_pair_is_closed() {
    let mut pair = PairSocket::new();
    let mut monitor = pair.monitor();
    let at = bound(&pair).await;
    let mut first = peer(at, "PAIR").await;
    let mut second = RawPeer::connect(at).await.unwrap();
    let octets = [greeting(3, 1), ready("PAIR"), message(&[b"second"])].concat();
    second.send(&octets).await.unwrap();
    second.recv_until_closed().await.unwrap();
    first
        .send(&[frame(MORE, b"fi"), frame(0, b"rst")].concat())
        .await
        .unwrap();
    assert_eq!(soon(pair.recv()).await, Message::from(["fi", "rst"]));
    pair.send("to the first").await.unwrap();
    assert_eq!(first.recv_message().await.unwrap(), [b"to the first"]);
    // Half a message is left behind, and nobody gets to see it.
    tell(&mut first, &frame(MORE, b"half")).await;
    drop(first);
    while !matches!(
        soon(async { monitor.recv().await.ok_or(()) }).await,
        SocketEvent::Disconnected { .. }
    ) {}
    let mut third = peer(at, "PAIR").await;
    third.send(&message(&[b"third"])).await.unwrap();
    assert_eq!(soon(pair.recv()).await, Message::from("third"));
}

/// PAIR-005, PAIR-006, PAIR-007, INT-039.
#[tokio::test]
async fn a_full_pair_waits() {
    let mut pair = PairSocket::builder().send_high_water_mark(2).build();
    let mut peer = peer(bound(&pair).await, "PAIR").await;
    let large = vec![b'x'; 1 << 20];
    let mut sent = 0;
    while let Ok(result) = tokio::time::timeout(WINDOW, pair.send(large.clone())).await {
        result.unwrap();
        sent += 1;
        assert!(sent < 100, "it never waits");
    }
    for _ in 0..sent {
        assert_eq!(peer.recv_message().await.unwrap(), [&large[..]]);
    }
    soon(pair.send("more")).await;
    assert_eq!(peer.recv_message().await.unwrap(), [b"more"]);
}
