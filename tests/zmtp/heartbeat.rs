//! PING and PONG.

use std::time::Duration;

use tests::bytes::{frame, message, ping, pong};
use tests::raw_peer::RawPeer;
use zmtp::session::Heartbeat;
use zmtp::{
    DealerSocket, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, Socket, SubSocket, XPubSocket, XSubSocket,
};

use crate::suite::{Role, address, expect_message};

async fn connected(pull: &PullSocket) -> RawPeer {
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    peer.handshake("PUSH").await.unwrap();
    peer
}

/// ZMTP31-132, ZMTP31-133.
#[tokio::test]
async fn a_pong_returns_the_context_of_its_ping() {
    let pull = PullSocket::new();
    let mut peer = connected(&pull).await;
    for context in [&b""[..], b"LOL", &[0xff; 16]] {
        peer.send(&ping(0, context)).await.unwrap();
        let answer = peer.recv_frame().await.unwrap();
        assert_eq!(frame(answer.flags, &answer.body), pong(context));
    }
}

/// ZMTP31-135.
#[tokio::test]
async fn pongs_come_in_the_order_of_their_pings() {
    let pull = PullSocket::new();
    let mut peer = connected(&pull).await;
    let pings = [ping(0, b"1"), ping(0, b"2"), ping(0, b"3")].concat();
    peer.send(&pings).await.unwrap();
    let pongs = [pong(b"1"), pong(b"2"), pong(b"3")].concat();
    assert_eq!(peer.recv(pongs.len()).await.unwrap(), pongs);
}

/// ZMTP31-136.
#[tokio::test]
async fn a_ping_within_a_message_is_answered_before_the_message_ends() {
    let mut pull = PullSocket::new();
    let mut peer = connected(&pull).await;
    peer.send(&[frame(1, b"a"), ping(0, b"x")].concat())
        .await
        .unwrap();
    let expected = pong(b"x");
    assert_eq!(peer.recv(expected.len()).await.unwrap(), expected);
    peer.send(&frame(0, b"b")).await.unwrap();
    expect_message(&mut pull, &[b"a", b"b"]).await.unwrap();
}

/// ZMTP31-144, ZMTP30-014.
#[tokio::test]
async fn a_3_0_peer_gets_its_pong_too() {
    let pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    let greeting = tests::bytes::greeting(3, 0);
    let ready = tests::bytes::ready("PUSH");
    peer.handshake_with(&greeting, &ready).await.unwrap();
    peer.send(&ping(0, b"x")).await.unwrap();
    assert_eq!(peer.recv(pong(b"x").len()).await.unwrap(), pong(b"x"));
}

/// ZMTP31-140.
#[tokio::test]
async fn a_peer_that_outlives_its_own_time_to_live_is_closed() {
    for role in Role::BOTH {
        let pull = PullSocket::new();
        let mut peer = role.peer_of(&pull).await.unwrap();
        peer.handshake("PUSH").await.unwrap();
        peer.send(&ping(1, b"")).await.unwrap();
        assert_eq!(peer.recv_until_closed().await.unwrap(), pong(b""));
    }
}

/// ZMTP31-131, LZ-029.
#[tokio::test]
async fn a_long_time_to_live_does_not_overflow() {
    let pull = PullSocket::new();
    let mut peer = connected(&pull).await;
    peer.send(&ping(656, b"")).await.unwrap();
    let answer = pong(b"");
    assert_eq!(peer.recv(answer.len()).await.unwrap(), answer);
    // 656 tenths of a second would be 64 ms in 16 bits.
    let more = peer.recv_for(Duration::from_millis(200)).await.unwrap();
    assert_eq!(more, b"");
}

/// ZMTP31-128, ZMTP31-139, LZ-028, LZ-033.
#[tokio::test]
async fn a_silent_peer_is_pinged_and_then_closed() {
    let interval = Duration::from_millis(50);
    for role in Role::BOTH {
        let pull = PullSocket::builder()
            .heartbeat(Heartbeat::new(interval))
            .build();
        let mut peer = role.peer_of(&pull).await.unwrap();
        peer.handshake("PUSH").await.unwrap();
        let first = peer.recv_frame().await.unwrap();
        assert!(first.is_command("PING"), "{first:?}");
        peer.recv_until_closed().await.unwrap();
    }
}

/// ZMTP31-138, LZ-033.
#[tokio::test]
async fn any_traffic_is_a_sign_of_life() {
    // So long that a busy machine does not take as long for a message.
    let interval = Duration::from_millis(600);
    let mut pull = PullSocket::builder()
        .heartbeat(Heartbeat::new(interval))
        .build();
    let mut peer = connected(&pull).await;
    for _ in 0..10 {
        peer.send(&message(&[b"busy"])).await.unwrap();
        expect_message(&mut pull, &[b"busy"]).await.unwrap();
        peer.recv_for(interval / 3).await.unwrap();
    }
}

/// ZMTP31-140.
#[tokio::test]
async fn the_time_to_live_of_a_peer_binds_sockets_of_every_type() {
    outlives::<ReqSocket>("REP").await;
    outlives::<RepSocket>("REQ").await;
    outlives::<DealerSocket>("ROUTER").await;
    outlives::<RouterSocket>("DEALER").await;
    outlives::<PushSocket>("PULL").await;
    outlives::<PullSocket>("PUSH").await;
    outlives::<PubSocket>("SUB").await;
    outlives::<SubSocket>("PUB").await;
    outlives::<XPubSocket>("SUB").await;
    outlives::<XSubSocket>("PUB").await;
    outlives::<PairSocket>("PAIR").await;
}

/// A peer of the type names a tenth of a second, is silent, and is closed.
async fn outlives<S: Socket>(peer_type: &str) {
    let socket = S::new();
    let endpoint = socket.bind("tcp://127.0.0.1:*").await;
    let endpoint = endpoint.expect("a port is free");
    let peer = RawPeer::connect(address(&endpoint)).await;
    let mut peer = peer.expect("it listens");
    let handshake = peer.handshake(peer_type).await;
    handshake.expect("a legal handshake");
    let sent = peer.send(&ping(1, b"context")).await;
    sent.expect("it is open");
    let answer = peer.recv_until_closed().await;
    assert_eq!(answer.expect(peer_type), pong(b"context"), "{peer_type}");
}

/// INT-014.
#[tokio::test]
async fn the_longest_time_to_live_that_libzmq_understands_is_sent_as_it_is() {
    let heartbeat = Heartbeat::new(Duration::from_millis(20))
        .with_timeout(Duration::from_secs(60))
        .with_ttl(Duration::from_millis(65_599))
        .unwrap();
    let pull = PullSocket::builder().heartbeat(heartbeat).build();
    let mut peer = connected(&pull).await;
    let expected = ping(655, b"");
    assert_eq!(peer.recv(expected.len()).await.unwrap(), expected);
}
