//! PUB and SUB (29/PUBSUB).

use zmtp::{Message, PubSocket, Socket, SubSocket};

use crate::{LOOPBACK, handshake, soon};

// PUBSUB-006, PUBSUB-007, PUBSUB-013, PUBSUB-042
#[tokio::test]
async fn subscribers_get_what_they_asked_for() {
    let publisher = PubSocket::new();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    let mut sub = SubSocket::new();
    sub.subscribe("a");
    sub.subscribe("a");
    sub.connect(&endpoint).await.unwrap();
    soon(async {
        while sub.try_recv().is_err() {
            publisher.try_send("a-first").unwrap();
            tokio::task::yield_now().await;
        }
    })
    .await;
    publisher.try_send("b").unwrap();
    publisher.try_send(["a-last", "b"]).unwrap();
    let last = soon(async {
        loop {
            let message = sub.recv().await.unwrap();
            if message.part_count() == 2 {
                return message;
            }
            assert_eq!(message, Message::from("a-first"));
        }
    })
    .await;
    assert_eq!(last, Message::from(["a-last", "b"]));

    sub.unsubscribe("a");
    sub.subscribe("c");
    soon(async {
        loop {
            publisher.try_send("ab").unwrap();
            publisher.try_send("c").unwrap();
            tokio::task::yield_now().await;
            if let Ok(message) = sub.try_recv()
                && message[0] == "c"
            {
                return;
            }
        }
    })
    .await;
}

// PUBSUB-008, PUBSUB-009
#[tokio::test]
async fn a_slow_subscriber_misses_messages_and_holds_nobody_up() {
    let publisher = PubSocket::builder().send_high_water_mark(10).build();
    let mut monitor = publisher.monitor();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    let slow = SubSocket::builder().receive_high_water_mark(1).build();
    slow.subscribe("");
    slow.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    let body = vec![0u8; 100_000];
    soon(async {
        while publisher.dropped() == 0 {
            publisher.try_send(body.as_slice()).unwrap();
            tokio::task::yield_now().await;
        }
    })
    .await;
}

// PUBSUB-062, PUBSUB-038, PUBSUB-041
#[tokio::test]
async fn a_subscriber_can_bind_and_subscribe_at_any_time() {
    let mut sub = SubSocket::new();
    let endpoint = sub.bind(LOOPBACK).await.unwrap();
    let publisher = PubSocket::new();
    publisher.connect(&endpoint).await.unwrap();
    for topic in ["a", "b"] {
        sub.subscribe(topic);
        soon(async {
            loop {
                publisher.try_send(topic).unwrap();
                tokio::task::yield_now().await;
                match sub.try_recv() {
                    Ok(message) if message == Message::from(topic) => return,
                    _ => {}
                }
            }
        })
        .await;
    }
}

// PUBSUB-012, PUBSUB-061
#[tokio::test]
async fn what_nobody_asked_for_is_not_kept() {
    let publisher = PubSocket::new();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    publisher.try_send("before").unwrap();
    let mut sub = SubSocket::new();
    sub.subscribe("");
    sub.connect(&endpoint).await.unwrap();
    let first = soon(async {
        loop {
            publisher.try_send("after").unwrap();
            tokio::task::yield_now().await;
            if let Ok(message) = sub.try_recv() {
                return message;
            }
        }
    })
    .await;
    assert_eq!(first, Message::from("after"));
}

// PUBSUB-010, PUBSUB-035
#[tokio::test]
async fn a_subscriber_hears_all_its_publishers() {
    let mut sub = SubSocket::new();
    sub.subscribe("x");
    let mut publishers = Vec::new();
    for _ in 0..2 {
        let publisher = PubSocket::new();
        let endpoint = publisher.bind(LOOPBACK).await.unwrap();
        sub.connect(&endpoint).await.unwrap();
        publishers.push(publisher);
    }
    for (name, publisher) in [("x1", &publishers[0]), ("x2", &publishers[1])] {
        soon(async {
            loop {
                publisher.try_send(name).unwrap();
                tokio::task::yield_now().await;
                if let Ok(message) = sub.try_recv()
                    && message == Message::from(name)
                {
                    return;
                }
            }
        })
        .await;
    }
}
