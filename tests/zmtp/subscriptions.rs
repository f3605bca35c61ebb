//! What a SUB socket asks of its publishers, in bytes.

use std::time::Duration;

use tests::bytes::{command, frame, greeting, message, ready};
use tests::raw_peer::{RawPeer, within};
use zmtp::{Socket, SubSocket};

use crate::suite::address;

/// How long to wait for octets that must not come.
const WINDOW: Duration = Duration::from_millis(30);

async fn publisher(sub: &SubSocket, minor: u8) -> RawPeer {
    let endpoint = sub.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    let greeting = greeting(3, minor);
    peer.handshake_with(&greeting, &ready("PUB")).await.unwrap();
    peer
}

async fn expect(peer: &mut RawPeer, octets: &[u8]) {
    assert_eq!(peer.recv(octets.len()).await.unwrap(), octets);
}

/// ZMTP31-106, ZMTP31-107, ZMTP31-108, ZMTP30-008, ZMTP30-009, ZMTP30-012, LZ-036.
#[tokio::test]
async fn each_publisher_gets_the_form_of_its_version() {
    let sub = SubSocket::new();
    let mut old = publisher(&sub, 0).await;
    let mut new = publisher(&sub, 1).await;
    sub.subscribe("A");
    expect(&mut old, &frame(0, b"\x01A")).await;
    expect(&mut new, &command("SUBSCRIBE", b"A")).await;
    sub.unsubscribe("A");
    expect(&mut old, &frame(0, b"\0A")).await;
    expect(&mut new, &command("CANCEL", b"A")).await;
}

/// ZMTP31-112, INT-009, LZ-038.
#[tokio::test]
async fn only_the_first_subscription_and_the_last_cancellation_are_sent() {
    let sub = SubSocket::new();
    let mut peer = publisher(&sub, 1).await;
    sub.subscribe("A");
    sub.subscribe("A");
    expect(&mut peer, &command("SUBSCRIBE", b"A")).await;
    sub.unsubscribe("A");
    assert_eq!(peer.recv_for(WINDOW).await.unwrap(), b"");
    sub.unsubscribe("A");
    expect(&mut peer, &command("CANCEL", b"A")).await;
    assert_eq!(peer.recv_for(WINDOW).await.unwrap(), b"");
}

/// PUBSUB-040.
#[tokio::test]
async fn cancelling_what_was_never_subscribed_sends_nothing() {
    let sub = SubSocket::new();
    let mut peer = publisher(&sub, 1).await;
    // Whether the caller is told is not for this test.
    sub.unsubscribe("A");
    assert_eq!(peer.recv_for(WINDOW).await.unwrap(), b"");
}

/// ZMTP31-032, ZMTP31-115, ZMTP30-010, LZ-025, LZ-026.
#[tokio::test]
async fn topics_of_every_length_are_framed_right() {
    let sub = SubSocket::new();
    let mut old = publisher(&sub, 0).await;
    let mut new = publisher(&sub, 1).await;
    for count in [0, 1, 244, 245, 246, 247, 248, 249, 254, 255, 256, 70_000] {
        let topic = vec![0; count];
        sub.subscribe(&topic[..]);
        expect(&mut new, &command("SUBSCRIBE", &topic)).await;
        expect(&mut old, &frame(0, &[&[1], &topic[..]].concat())).await;
        sub.unsubscribe(&topic[..]);
        expect(&mut new, &command("CANCEL", &topic)).await;
        expect(&mut old, &frame(0, &[&[0], &topic[..]].concat())).await;
    }
}

/// PUBSUB-038.
#[tokio::test]
async fn topics_from_before_the_handshake_are_sent_after_it() {
    let sub = SubSocket::new();
    sub.subscribe("early");
    let mut peer = publisher(&sub, 1).await;
    expect(&mut peer, &command("SUBSCRIBE", b"early")).await;
}

/// PUBSUB-036, PUBSUB-042, LZ-043, PUBSUB-037.
#[tokio::test]
async fn messages_pass_unchanged_and_cancelled_topics_are_filtered() {
    let mut sub = SubSocket::new();
    let mut peer = publisher(&sub, 1).await;
    sub.subscribe("A");
    sub.subscribe("B");
    expect(
        &mut peer,
        &[command("SUBSCRIBE", b"A"), command("SUBSCRIBE", b"B")].concat(),
    )
    .await;
    sub.unsubscribe("A");
    peer.send(&[message(&[b"A", b"late"]), message(&[b"B", b"\0\x01"])].concat())
        .await
        .unwrap();
    let received = within(async { Ok(sub.recv().await) })
        .await
        .unwrap()
        .unwrap();
    let parts: Vec<&[u8]> = received.iter().map(|part| part.as_slice()).collect();
    assert_eq!(parts, [&b"B"[..], b"\0\x01"]);
}
