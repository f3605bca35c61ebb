//! Queues that keep the last message alone.

#![expect(clippy::unwrap_used, reason = "tests")]

use zmtp::{
    DealerSocket, DropReason, Message, PubSocket, PullSocket, PushSocket, RouterSocket, SendError,
    Socket, SubSocket, TryRecvError, TrySendError,
};

use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, handshake, soon};

fn number(message: &Message) -> u32 {
    u32::from_be_bytes(message[0].as_slice().try_into().unwrap())
}

/// Receives until the message with this number comes; returns how many came before it.
async fn until_last(pull: &mut PullSocket, last: u32) -> u32 {
    let mut received = Vec::new();
    while received.last() != Some(&last) {
        received.push(number(&soon(pull.recv()).await.unwrap()));
    }
    assert!(received.is_sorted());
    assert_eq!(pull.try_recv().unwrap_err(), TryRecvError::Empty);
    u32::try_from(received.len()).unwrap() - 1
}

/// PUBSUB-059: what libzmq's test_conflate shows.
#[tokio::test]
async fn a_receiver_that_conflates_gets_the_last_of_many_messages() {
    for endpoint in [LOOPBACK, "inproc://conflating-receiver"] {
        let mut pull = PullSocket::builder().conflate().build();
        let endpoint = pull.bind(endpoint).await.unwrap();
        let mut push = PushSocket::new();
        push.connect(&endpoint).await.unwrap();
        for number in 0..20u32 {
            push.send(number.to_be_bytes().as_slice()).await.unwrap();
        }
        let counted = async {
            // Everything has come, and all but the last is gone.
            while pull.counters().dropped.count(DropReason::Conflated)
                + push.counters().dropped.count(DropReason::Conflated)
                < 19
            {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        soon(counted).await;
        assert_eq!(until_last(&mut pull, 19).await, 0);
    }
}

// PUBSUB-059
#[tokio::test]
async fn a_sender_that_conflates_keeps_the_last_message_for_a_peer_that_is_not_there() {
    let port = ReservedPort::new();
    for endpoint in [port.endpoint(), "inproc://conflating-sender"] {
        let mut push = PushSocket::builder().conflate().build();
        let mut pull = PullSocket::new();
        push.connect(endpoint).await.unwrap();
        for number in 0..2000u32 {
            push.try_send(number.to_be_bytes().as_slice()).unwrap();
        }
        assert_eq!(push.counters().queued.outgoing, 1);
        let dropped = push.counters().dropped;
        assert_eq!(dropped.count(DropReason::Conflated), 1999);
        pull.bind(endpoint).await.unwrap();
        assert_eq!(until_last(&mut pull, 1999).await, 0);
    }
}

#[tokio::test]
async fn a_message_of_several_parts_is_given_back() {
    for endpoint in ["tcp://127.0.0.1:1", "inproc://several-parts"] {
        let mut push = PushSocket::builder().conflate().build();
        push.connect(endpoint).await.unwrap();
        push.try_send("one part").unwrap();
        let refused = push.try_send(["two", "parts"]);
        assert!(
            matches!(refused, Err(TrySendError::Multipart(message)) if message.part_count() == 2)
        );
        let refused = soon(push.send(["two", "parts"])).await;
        assert!(matches!(refused, Err(SendError::Multipart(_))));
        assert_eq!(push.counters().queued.outgoing, 1);
    }
    let publisher = PubSocket::builder().conflate().build();
    let refused = publisher.try_send(["two", "parts"]);
    assert!(matches!(refused, Err(TrySendError::Multipart(_))));
}

#[tokio::test]
async fn a_whole_message_of_several_parts_is_received() {
    for endpoint in [LOOPBACK, "inproc://conflated-parts"] {
        let mut pull = PullSocket::builder().conflate().build();
        let endpoint = pull.bind(endpoint).await.unwrap();
        let mut push = PushSocket::new();
        push.connect(&endpoint).await.unwrap();
        for round in ["first", "second", "third"] {
            push.send([round, "and more"]).await.unwrap();
        }
        let mut received = soon(pull.recv()).await.unwrap();
        while received[0] != "third" {
            assert_eq!(received.part_count(), 2);
            received = soon(pull.recv()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_publisher_that_conflates_drops_nothing_at_a_mark() {
    for endpoint in [LOOPBACK, "inproc://conflating-publisher"] {
        let publisher = PubSocket::builder()
            .conflate()
            .send_high_water_mark(1)
            .build();
        let endpoint = publisher.bind(endpoint).await.unwrap();
        let mut subscriber = SubSocket::builder().conflate().build();
        subscriber.subscribe("");
        subscriber.connect(&endpoint).await.unwrap();
        soon(async {
            loop {
                publisher.try_send("early").unwrap();
                if subscriber.try_recv().is_ok() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        })
        .await;
        for number in 0..100u32 {
            publisher.try_send(number.to_be_bytes().as_slice()).unwrap();
        }
        publisher.try_send("last").unwrap();
        while soon(subscriber.recv()).await.unwrap() != Message::from("last") {}
        assert_eq!(publisher.dropped(), 0);
    }
}

#[tokio::test]
async fn a_dealer_conflates_in_both_directions() {
    let mut router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut dealer = DealerSocket::builder()
        .conflate()
        .routing_id("me")
        .unwrap()
        .build();
    let mut monitor = dealer.monitor();
    dealer.connect(&endpoint).await.unwrap();
    dealer.try_send("first").unwrap();
    dealer.try_send("second").unwrap();
    handshake(&mut monitor).await;
    let received = soon(router.recv()).await.unwrap();
    assert_eq!(received, Message::from(["me", "second"]));
    for body in ["one", "two", "three"] {
        router.send(["me", body]).await.unwrap();
    }
    while soon(dealer.recv()).await.unwrap() != Message::from("three") {}
    assert_eq!(dealer.try_recv().unwrap_err(), TryRecvError::Empty);
}
