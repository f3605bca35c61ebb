//! What a PUB socket sends to which subscriber, in bytes.

use std::time::Duration;

use tests::bytes::{command, frame, greeting, message, ping, pong, ready};
use tests::raw_peer::{RawPeer, within};
use tests::recorder::Recorder;
use zmtp::{PubSocket, Socket};

use crate::suite::address;

const WINDOW: Duration = Duration::from_millis(30);

async fn subscriber(publisher: &PubSocket, minor: u8) -> RawPeer {
    let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut peer = RawPeer::connect(address(&endpoint)).await.unwrap();
    let greeting = greeting(3, minor);
    peer.handshake_with(&greeting, &ready("SUB")).await.unwrap();
    peer
}

/// Sends octets and waits until the socket has dealt with them.
async fn tell(peer: &mut RawPeer, octets: &[u8]) {
    let fence = ping(0, b"fence");
    peer.send(&[octets, &fence].concat()).await.unwrap();
    let answer = pong(b"fence");
    assert_eq!(peer.recv(answer.len()).await.unwrap(), answer);
}

fn subscribe(topic: &[u8]) -> Vec<u8> {
    command("SUBSCRIBE", topic)
}

fn cancel(topic: &[u8]) -> Vec<u8> {
    command("CANCEL", topic)
}

fn subscribe_message(topic: &[u8]) -> Vec<u8> {
    frame(0, &[&[1], topic].concat())
}

fn cancel_message(topic: &[u8]) -> Vec<u8> {
    frame(0, &[&[0], topic].concat())
}

/// ZMTP31-109, PUBSUB-010, LZ-036.
#[tokio::test]
async fn both_forms_are_understood_from_both_versions() {
    for minor in [0, 1] {
        for (on, off) in [
            (subscribe(b"A"), cancel(b"A")),
            (subscribe_message(b"A"), cancel_message(b"A")),
        ] {
            let publisher = PubSocket::new();
            let mut peer = subscriber(&publisher, minor).await;
            tell(&mut peer, &on).await;
            publisher.try_send("A1").unwrap();
            assert_eq!(peer.recv_message().await.unwrap(), [b"A1"]);
            tell(&mut peer, &off).await;
            publisher.try_send("A2").unwrap();
            assert_eq!(peer.recv_for(WINDOW).await.unwrap(), b"");
        }
    }
}

/// ZMTP31-105, PUBSUB-006, PUBSUB-012, PUBSUB-041, PUBSUB-061.
#[tokio::test]
async fn without_a_subscription_nothing_is_sent() {
    let publisher = PubSocket::new();
    let mut peer = subscriber(&publisher, 1).await;
    publisher.try_send("early").unwrap();
    assert_eq!(peer.recv_for(WINDOW).await.unwrap(), b"");
    tell(&mut peer, &subscribe(b"")).await;
    publisher.try_send("late").unwrap();
    let expected = message(&[b"late"]);
    assert_eq!(peer.recv(expected.len()).await.unwrap(), expected);
}

/// ZMTP31-110, ZMTP31-113, PUBSUB-005, PUBSUB-007, PUBSUB-013.
#[tokio::test]
async fn the_first_part_is_matched_by_its_octets_and_delivered_once() {
    let publisher = PubSocket::new();
    let mut peer = subscriber(&publisher, 1).await;
    let topics = [subscribe(b"A"), subscribe(b"AB"), subscribe(b"\0\xff")].concat();
    tell(&mut peer, &topics).await;
    publisher.try_send(["B", "A"]).unwrap();
    publisher.try_send(["ABC", "", "A"]).unwrap();
    publisher.try_send("").unwrap();
    publisher.try_send(&b"\0"[..]).unwrap();
    publisher.try_send(&b"\0\xff\0"[..]).unwrap();
    publisher.try_send("a").unwrap();
    publisher.try_send("A").unwrap();
    let expected = [
        message(&[b"ABC", b"", b"A"]),
        message(&[b"\0\xff\0"]),
        message(&[b"A"]),
    ]
    .concat();
    assert_eq!(peer.recv(expected.len()).await.unwrap(), expected);
    assert_eq!(peer.recv_for(WINDOW).await.unwrap(), b"");
}

/// ZMTP31-111, LZ-037.
#[tokio::test]
async fn the_subscriptions_of_a_peer_are_a_set() {
    let publisher = PubSocket::new();
    let mut peer = subscriber(&publisher, 1).await;
    let octets = [subscribe(b"A"), subscribe(b"A"), cancel(b"A")].concat();
    tell(&mut peer, &octets).await;
    publisher.try_send("A").unwrap();
    assert_eq!(peer.recv_for(WINDOW).await.unwrap(), b"");
}

/// ZMTP31-114, ZMTP30-011, PUBSUB-004, LZ-042.
#[tokio::test]
async fn what_makes_no_sense_from_a_subscriber_is_ignored() {
    let publisher = PubSocket::new();
    let mut peer = subscriber(&publisher, 1).await;
    let octets = [
        cancel(b"never subscribed"),
        frame(0, b"\x02junk"),
        frame(0, b""),
        message(&[b"several", b"parts"]),
        subscribe(b"A"),
    ];
    tell(&mut peer, &octets.concat()).await;
    publisher.try_send("A").unwrap();
    assert_eq!(peer.recv_message().await.unwrap(), [b"A"]);
}

/// PUBSUB-011.
#[tokio::test]
async fn subscriptions_end_with_their_connection() {
    let publisher = PubSocket::new();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").await.unwrap();
    let mut first = RawPeer::connect(address(&endpoint)).await.unwrap();
    first.handshake("SUB").await.unwrap();
    tell(&mut first, &subscribe(b"A")).await;
    first.finish().await.unwrap();
    first.recv_until_closed().await.unwrap();
    let mut second = RawPeer::connect(address(&endpoint)).await.unwrap();
    second.handshake("SUB").await.unwrap();
    publisher.try_send("A").unwrap();
    assert_eq!(second.recv_for(WINDOW).await.unwrap(), b"");
}

/// PUBSUB-002, PUBSUB-008, PUBSUB-009, INT-032, INT-040.
#[tokio::test]
async fn a_subscriber_that_does_not_read_costs_the_others_nothing() {
    let publisher = PubSocket::builder().send_high_water_mark(10).build();
    let mut slow = subscriber(&publisher, 1).await;
    let mut quick = subscriber(&publisher, 1).await;
    tell(&mut slow, &subscribe(b"")).await;
    tell(&mut quick, &subscribe(b"")).await;
    let body = vec![7; 64 << 10];
    for number in 0..500_u16 {
        publisher
            .try_send([&number.to_be_bytes()[..], &body])
            .unwrap();
        let parts = quick.recv_message().await.unwrap();
        assert_eq!(parts, [&number.to_be_bytes()[..], &body]);
    }
    // What did get through is whole and in order.
    let mut last = None;
    for _ in 0..10 {
        let parts = slow.recv_message().await.unwrap();
        assert_eq!(parts[1], body);
        assert!(last.is_none_or(|last| last < parts[0]), "order");
        last = Some(parts[0].clone());
    }
}

/// ZMTP31-116, INT-025, INT-028.
#[tokio::test]
async fn a_flood_of_subscriptions_ends_the_connection_of_the_flooder() {
    let publisher = PubSocket::new();
    let mut good = subscriber(&publisher, 1).await;
    let mut flooder = subscriber(&publisher, 1).await;
    tell(&mut good, &subscribe(b"")).await;
    let recorder = Recorder::start();
    // The socket refuses more at some point, reads for a moment what is still under way, and closes.
    let large = vec![0; 64 << 10];
    let flood = async {
        for number in 0_u32.. {
            let topic = [&number.to_be_bytes()[..], &large].concat();
            if flooder.send(&subscribe(&topic)).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    within(flood).await.unwrap();
    recorder.wait_for_warning().await.unwrap();
    assert_eq!(recorder.take_warnings().len(), 1);
    publisher.try_send("hello").unwrap();
    assert_eq!(good.recv_message().await.unwrap(), [b"hello"]);
}
