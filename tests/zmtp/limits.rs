//! What a peer can make large, and how large it gets.

use std::time::Duration;

use tests::bytes::{claim, frame, greeting, message, ping, ready};
use tests::raw_peer::RawPeer;
use tests::usage::{address_space, resident_memory};
use zmtp::session::Limits;
use zmtp::{PullSocket, Socket};

use crate::suite::{address, expect_message};

/// How much address space or memory one test may take for reasons of its own.
const NOISE: u64 = 512 << 20;

fn memory() -> (u64, u64) {
    (address_space(), resident_memory())
}

/// ZMTP31-036, INT-022, LZ-023.
#[tokio::test]
async fn claimed_octets_take_no_memory_until_they_come() {
    let pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let before = memory();
    let mut peers = Vec::new();
    for _ in 0..16 {
        let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
        peer.handshake("PUSH").await.unwrap();
        // Just within the limit, so that the claim is believed and the body awaited.
        let octets = [ping(0, b""), claim(0, 250 << 20), b"x".to_vec()].concat();
        peer.send(&octets).await.unwrap();
        assert!(peer.recv_frame().await.unwrap().is_command("PONG"));
        peers.push(peer);
    }
    let after = memory();
    assert!(
        after.0 - before.0.min(after.0) < NOISE,
        "{before:?} {after:?}"
    );
}

/// ZMTP31-054, INT-021, LZ-024, LZ-027.
#[tokio::test]
async fn messages_over_a_limit_end_the_connection() {
    let mut limits = Limits::default();
    limits.max_frame_size = 1000;
    limits.max_message_size = 4000;
    limits.max_parts_per_message = 10;
    let pull = PullSocket::builder().limits(limits).build();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let over = [
        frame(0, &[0; 1001]),
        [frame(1, b"a"), frame(0, &[0; 1001])].concat(),
        [frame(1, &[0; 1000]).repeat(4), frame(0, &[0; 1000])].concat(),
        frame(1, b"").repeat(11),
    ];
    for octets in over {
        let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
        peer.handshake("PUSH").await.unwrap();
        peer.send(&octets).await.unwrap();
        assert_eq!(peer.recv_until_closed().await.unwrap(), b"");
    }
}

/// ZMTP31-054, INT-021: the limits of messages are not those of the handshake, which no READY would fit
/// into.
#[tokio::test]
async fn a_handshake_is_longer_than_the_messages_that_follow_may_be() {
    let mut limits = Limits::default();
    limits.max_frame_size = 4;
    let mut pull = PullSocket::builder().limits(limits).build();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    peer.handshake("PUSH").await.unwrap();
    peer.send(&[message(&[b"four"]), message(&[b"fives"])].concat())
        .await
        .unwrap();
    expect_message(&mut pull, &[b"four"]).await.unwrap();
    assert_eq!(peer.recv_until_closed().await.unwrap(), b"");
}

/// ZMTP31-054.
#[tokio::test]
async fn messages_at_the_limit_are_delivered() {
    let mut limits = Limits::default();
    limits.max_frame_size = 1000;
    limits.max_parts_per_message = 3;
    let mut pull = PullSocket::builder().limits(limits).build();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    peer.handshake("PUSH").await.unwrap();
    let parts = [&[7; 1000][..], b"", b"c"];
    peer.send(&message(&parts)).await.unwrap();
    expect_message(&mut pull, &parts).await.unwrap();
}

/// ZMTP31-054.
#[tokio::test]
async fn an_endless_message_ends_the_connection() {
    let pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    peer.handshake("PUSH").await.unwrap();
    let before = memory();
    let parts = frame(1, b"").repeat(10_000);
    while peer.send(&parts).await.is_ok() {}
    let after = memory();
    assert!(
        after.1 - before.1.min(after.1) < NOISE,
        "{before:?} {after:?}"
    );
}

/// ZMTP31-039, ZMTP31-050, PIPE-018, LZ-073.
#[tokio::test]
async fn an_unfinished_message_is_dropped_with_its_connection() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let cut = [
        [message(&[b"good"]), b"\x00\x05he".to_vec()].concat(),
        [message(&[b"good"]), frame(1, b"half"), frame(1, b"way")].concat(),
        [message(&[b"good"]), vec![1]].concat(),
    ];
    for octets in cut {
        let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
        peer.handshake("PUSH").await.unwrap();
        peer.send(&octets).await.unwrap();
        peer.finish().await.unwrap();
        expect_message(&mut pull, &[b"good"]).await.unwrap();
        peer.recv_until_closed().await.unwrap();
    }
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    peer.handshake("PUSH").await.unwrap();
    peer.send(&message(&[b"next"])).await.unwrap();
    expect_message(&mut pull, &[b"next"]).await.unwrap();
}

/// ZMTP31-142, ZMTP31-143, INT-027, LZ-034.
#[tokio::test]
async fn a_flood_of_pings_that_nobody_reads_makes_nothing_grow() {
    let pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    peer.handshake("PUSH").await.unwrap();
    let before = memory();
    let pings = ping(0, b"0123456789abcdef").repeat(10_000);
    let flood = async {
        for _ in 0..400 {
            if peer.send(&pings).await.is_err() {
                break;
            }
        }
    };
    // The socket stops reading, closes, or drops answers; it does not store them.
    let _ = tokio::time::timeout(Duration::from_secs(2), flood).await;
    let after = memory();
    assert!(
        after.1 - before.1.min(after.1) < 64 << 20,
        "{before:?} {after:?}"
    );
}

/// INT-026.
#[tokio::test]
async fn a_full_receive_queue_stops_the_sender() {
    let mut pull = PullSocket::builder().receive_high_water_mark(10).build();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    peer.handshake("PUSH").await.unwrap();
    let body = vec![7; 64 << 10];
    let block = message(&[&body]);
    let mut sent = 0;
    let fill = async {
        while sent < 4096 {
            peer.send(&block).await.unwrap();
            sent += 1;
        }
    };
    let filled = tokio::time::timeout(Duration::from_millis(500), fill).await;
    assert!(filled.is_err(), "256 MiB went into a queue of ten messages");
    expect_message(&mut pull, &[&body]).await.unwrap();
}

/// INT-023, INT-024, ZMTP31-158, ZMTP31-092.
#[tokio::test]
async fn connections_beyond_the_limit_are_closed() {
    let mut pull = PullSocket::builder().max_connections(2).build();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut first = RawPeer::connect(address(&endpoint)).await.unwrap();
    first.handshake("PUSH").await.unwrap();
    let mut second = RawPeer::connect(address(&endpoint)).await.unwrap();
    second.handshake("PUSH").await.unwrap();
    let mut third = RawPeer::connect(address(&endpoint)).await.unwrap();
    // The close may come as a reset, because the greeting was not read.
    let _ = third.send(&[greeting(3, 1), ready("PUSH")].concat()).await;
    third.recv_until_closed().await.unwrap();
    first.send(&message(&[b"still here"])).await.unwrap();
    expect_message(&mut pull, &[b"still here"]).await.unwrap();
}
