//! What a PAIR says, and what becomes of a second peer.

use std::time::Duration;

use tests::bytes::{message, ready};
use tests::raw_peer::{RawPeer, within};
use zmtp::{Message, PairSocket, Socket, TrySendError};

use crate::suite::address;

const WINDOW: Duration = Duration::from_millis(30);

/// PAIR-003, PAIR-010.
#[tokio::test]
async fn messages_have_no_envelope_and_ready_no_identity() {
    let builder = PairSocket::builder().routing_id("ignored").unwrap();
    let mut pair = builder.build();
    let endpoint = pair.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    let answer = peer.handshake("PAIR").await.unwrap();
    assert_eq!(answer.body, ready("PAIR")[2..]);
    let sent = within(async { Ok(pair.send(["", "\x01A", "body"]).await) });
    sent.await.unwrap().unwrap();
    let octets = message(&[b"", b"\x01A", b"body"]);
    assert_eq!(peer.recv(octets.len()).await.unwrap(), octets);
    peer.send(&octets).await.unwrap();
    let received = within(async { Ok(pair.recv().await.unwrap()) });
    let expected = Message::from(["", "\x01A", "body"]);
    assert_eq!(received.await.unwrap(), expected);
}

/// PAIR-001, PAIR-004, PAIR-008, PAIR-009.
#[tokio::test]
async fn a_second_peer_is_closed_and_a_later_one_begins_anew() {
    let mut pair = PairSocket::new();
    let endpoint = pair.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut first = RawPeer::connect(address(&endpoint)).await.unwrap();
    first.handshake("PAIR").await.unwrap();
    let mut second = RawPeer::connect(address(&endpoint)).await.unwrap();
    second.handshake("PAIR").await.unwrap();
    // It may be gone before this is written.
    let _ = second.send(&message(&[b"from the second"])).await;
    assert_eq!(second.recv_until_closed().await.unwrap(), b"");
    first.send(&message(&[b"from the first"])).await.unwrap();
    let received = within(async { Ok(pair.recv().await.unwrap()) });
    assert_eq!(received.await.unwrap(), Message::from("from the first"));
    pair.try_send("to the first").unwrap();
    let octets = message(&[b"to the first"]);
    assert_eq!(first.recv(octets.len()).await.unwrap(), octets);

    first.finish().await.unwrap();
    first.recv_until_closed().await.unwrap();
    within(async {
        while !matches!(pair.try_send("nobody"), Err(TrySendError::Full(_))) {
            tokio::task::yield_now().await;
        }
        Ok(())
    })
    .await
    .unwrap();
    let mut third = RawPeer::connect(address(&endpoint)).await.unwrap();
    third.handshake("PAIR").await.unwrap();
    assert_eq!(third.recv_for(WINDOW).await.unwrap(), b"");
    let sent = within(async { Ok(pair.send("to the third").await) });
    sent.await.unwrap().unwrap();
    let octets = message(&[b"to the third"]);
    assert_eq!(third.recv(octets.len()).await.unwrap(), octets);
}

/// PAIR-009: nor does it keep others from asking, though it stays to be told why.
#[tokio::test]
async fn a_second_peer_makes_room_where_few_may_connect() {
    let pair = PairSocket::builder().max_connections(2).build();
    let endpoint = pair.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peers = Vec::new();
    for _ in 0..4 {
        let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
        peer.handshake("PAIR").await.unwrap();
        if !peers.is_empty() {
            assert_eq!(peer.recv_until_closed().await.unwrap(), b"");
        }
        peers.push(peer);
    }
}
