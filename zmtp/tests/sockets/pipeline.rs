//! PUSH and PULL (30/PIPELINE).

use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;
use zmtp::{Message, MessageSender, PullSocket, PushSocket, Socket, TryRecvError, TrySendError};

use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, disconnect, handshake, soon};

// ZMTP31-103, PIPE-002, PIPE-014, PIPE-017
#[tokio::test]
async fn push_to_pull_keeps_order() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let sender = tokio::spawn(async move {
        let mut push = PushSocket::new();
        push.connect(&endpoint).await.unwrap();
        for number in 0..100_000u32 {
            push.send(number.to_be_bytes().as_slice()).await.unwrap();
        }
        push.close().await;
    });
    for number in 0..100_000u32 {
        let message = soon(pull.recv()).await.unwrap();
        assert_eq!(message[0], number.to_be_bytes());
    }
    soon(sender).await.unwrap();
}

// PIPE-007, PIPE-008
#[tokio::test]
async fn a_pusher_that_binds_waits_for_its_first_peer() {
    let mut push = PushSocket::new();
    let endpoint = push.bind(LOOPBACK).await.unwrap();
    assert!(matches!(push.try_send("early"), Err(TrySendError::Full(_))));
    let sending = tokio::spawn(async move {
        push.send("first").await.unwrap();
        push
    });
    let mut pull = PullSocket::new();
    pull.connect(&endpoint).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("first"));
    soon(sending).await.unwrap();
}

// ZMTP31-099, PIPE-003, PIPE-015
#[tokio::test]
async fn connect_before_bind_delivers_what_was_queued() {
    let port = ReservedPort::new();
    let mut push = PushSocket::builder()
        .reconnect_interval(Duration::from_millis(5))
        .build();
    push.connect(port.endpoint()).await.unwrap();
    push.send("queued").await.unwrap();
    let mut pull = PullSocket::new();
    pull.bind(port.endpoint()).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("queued"));
}

// ZMTP31-052
#[tokio::test]
async fn multipart_large_and_empty_parts_arrive_as_they_were() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    let large = vec![7u8; 10 << 20];
    let message: Message = [&b""[..], b"a", &large, b"", &large[..9000], b""]
        .into_iter()
        .collect();
    push.send(message.clone()).await.unwrap();
    push.send("").await.unwrap();
    assert!(soon(pull.recv()).await.unwrap() == message);
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from(""));
}

// PIPE-005, PIPE-009, PIPE-019
#[tokio::test]
async fn a_full_queue_makes_the_sender_wait_and_loses_nothing() {
    let mut pull = PullSocket::builder().receive_high_water_mark(10).build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::builder().send_high_water_mark(10).build();
    push.connect(&endpoint).await.unwrap();
    let body = vec![0u8; 100_000];
    let mut sent = 0u32;
    // Fills both queues and the buffers of the kernel.
    while timeout(
        Duration::from_millis(300),
        push.send([&sent.to_be_bytes()[..], &body]),
    )
    .await
    .is_ok()
    {
        sent += 1;
    }
    assert!(sent > 10);
    for number in 0..sent {
        let message = soon(pull.recv()).await.unwrap();
        assert_eq!(message[0], number.to_be_bytes());
    }
}

// PIPE-006
#[tokio::test]
async fn messages_go_to_the_peers_in_turn() {
    let mut push = PushSocket::new();
    let mut monitor = push.monitor();
    let endpoint = push.bind(LOOPBACK).await.unwrap();
    let mut pulls = Vec::new();
    for _ in 0..3 {
        let pull = PullSocket::new();
        pull.connect(&endpoint).await.unwrap();
        handshake(&mut monitor).await;
        pulls.push(pull);
    }
    for number in 0..9u8 {
        push.send(&[number]).await.unwrap();
    }
    for (first, pull) in (0u8..).zip(&mut pulls) {
        for round in 0..3u8 {
            let message = soon(pull.recv()).await.unwrap();
            assert_eq!(message, Message::from(&[first + 3 * round]));
        }
    }
}

// PIPE-016, PIPE-021
#[tokio::test]
async fn one_message_is_taken_from_each_peer_in_turn() {
    let mut pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    for name in ["a", "b"] {
        let mut push = PushSocket::new();
        push.connect(&endpoint).await.unwrap();
        for _ in 0..50 {
            push.send(name).await.unwrap();
        }
        push.close().await;
    }
    // When both connections have ended, everything they brought is in the queues.
    for _ in 0..2 {
        disconnect(&mut monitor).await;
    }
    for _ in 0..50 {
        let first = pull.try_recv().unwrap();
        let second = pull.try_recv().unwrap();
        assert_ne!(first, second);
    }
    assert_eq!(pull.try_recv(), Err(TryRecvError::Empty));
}

// PIPE-004, PIPE-011
#[tokio::test]
async fn what_was_queued_for_an_accepted_peer_goes_with_it() {
    let mut push = PushSocket::new();
    let mut monitor = push.monitor();
    let endpoint = push.bind(LOOPBACK).await.unwrap();
    let pull = PullSocket::new();
    pull.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    // No await in between: the message is still queued when the peer goes.
    push.try_send("for the first").unwrap();
    pull.close().await;
    disconnect(&mut monitor).await;
    assert!(matches!(push.try_send("early"), Err(TrySendError::Full(_))));
    let mut pull = PullSocket::new();
    pull.connect(&endpoint).await.unwrap();
    push.send("for the second").await.unwrap();
    assert_eq!(
        soon(pull.recv()).await.unwrap(),
        Message::from("for the second")
    );
}

// PIPE-020, ZMTP31-051
#[tokio::test]
async fn parts_of_several_senders_are_never_mixed() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    let senders: Vec<_> = ["a", "b"]
        .into_iter()
        .map(|name| {
            let mut push = push.clone();
            tokio::spawn(async move {
                for _ in 0..1000 {
                    push.send([name, name, name]).await.unwrap();
                }
            })
        })
        .collect();
    for _ in 0..2000 {
        let message = soon(pull.recv()).await.unwrap();
        assert_eq!(message.part_count(), 3);
        assert!(message.iter().all(|part| *part == message[0]));
    }
    for sender in senders {
        sender.await.unwrap();
    }
}

#[tokio::test]
async fn a_receive_that_is_dropped_loses_nothing() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    let sender = tokio::spawn(async move {
        for number in 0..20_000u32 {
            push.send(number.to_be_bytes().as_slice()).await.unwrap();
            if number % 7 == 0 {
                tokio::task::yield_now().await;
            }
        }
        push.close().await;
    });
    let mut expected = 0u32;
    while expected < 20_000 {
        tokio::select! {
            biased;
            message = pull.recv() => {
                assert_eq!(message.unwrap()[0], expected.to_be_bytes());
                expected += 1;
            }
            () = tokio::task::yield_now() => {}
        }
    }
    soon(sender).await.unwrap();
}

#[tokio::test]
async fn a_send_that_is_dropped_while_it_waits_sends_nothing() {
    let mut push = PushSocket::new();
    let endpoint = push.bind(LOOPBACK).await.unwrap();
    for _ in 0..10 {
        let waiting = timeout(Duration::from_millis(1), push.send("dropped")).await;
        assert!(waiting.is_err());
    }
    let mut pull = PullSocket::new();
    pull.connect(&endpoint).await.unwrap();
    push.send("sent").await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("sent"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_between_threads() {
    let mut pull = PullSocket::builder().receive_high_water_mark(3).build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let sender = tokio::spawn(async move {
        let mut push = PushSocket::builder().send_high_water_mark(2).build();
        push.connect(&endpoint).await.unwrap();
        for number in 0..50_000u32 {
            push.send(number.to_be_bytes().as_slice()).await.unwrap();
        }
        push.close().await;
    });
    for number in 0..50_000u32 {
        assert_eq!(soon(pull.recv()).await.unwrap()[0], number.to_be_bytes());
    }
    soon(sender).await.unwrap();
}

// PIPE-012
#[tokio::test]
async fn an_immediate_socket_queues_only_for_peers_that_are_connected() {
    let mut push = PushSocket::builder()
        .immediate()
        .reconnect_interval(Duration::from_millis(5))
        .build();
    let mut monitor = push.monitor();
    let mut pull = PullSocket::new();
    let port = ReservedPort::new();
    let endpoint = pull.bind(port.endpoint()).await.unwrap();
    push.connect("tcp://127.0.0.1:1").await.unwrap();
    push.connect(&endpoint).await.unwrap();
    for number in 0..10u8 {
        push.send(&[number]).await.unwrap();
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from(&[number]));
    }
    pull.close().await;
    disconnect(&mut monitor).await;
    let refused = push.try_send("for nobody");
    assert!(matches!(refused, Err(TrySendError::Full(_))));

    let mut pull = PullSocket::new();
    pull.bind(&endpoint).await.unwrap();
    push.send("again").await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("again"));
}

// PIPE-001, PIPE-006
#[tokio::test]
async fn clones_that_send_once_still_take_turns() {
    let push = PushSocket::new();
    let mut monitor = push.monitor();
    let endpoint = push.bind(LOOPBACK).await.unwrap();
    let mut pulls = Vec::new();
    for _ in 0..3 {
        let pull = PullSocket::new();
        pull.connect(&endpoint).await.unwrap();
        handshake(&mut monitor).await;
        pulls.push(pull);
    }
    for number in 0..3u8 {
        push.clone().send(&[number]).await.unwrap();
    }
    for pull in &mut pulls {
        soon(pull.recv()).await.unwrap();
    }
}

// PIPE-010
#[tokio::test]
async fn no_message_is_split_between_two_peers() {
    let mut push = PushSocket::new();
    let mut monitor = push.monitor();
    let endpoint = push.bind(LOOPBACK).await.unwrap();
    let mut pulls = Vec::new();
    for _ in 0..2 {
        let pull = PullSocket::new();
        pull.connect(&endpoint).await.unwrap();
        handshake(&mut monitor).await;
        pulls.push(pull);
    }
    for number in 0..100u8 {
        push.send([[number], [number], [number]]).await.unwrap();
    }
    push.close().await;
    let mut numbers = Vec::new();
    for pull in &mut pulls {
        let before = numbers.len();
        while numbers.len() < before + 50 {
            let message = soon(pull.recv()).await.unwrap();
            let number = message[0][0];
            assert_eq!(message, Message::from([[number], [number], [number]]));
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<u8>>());
}

#[tokio::test]
async fn a_burst_of_empty_parts_stops_at_the_mark_in_octets() {
    let mut pull = PullSocket::builder().receive_high_water_mark(0).build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::builder().send_high_water_mark(0).build();
    push.connect(&endpoint).await.unwrap();
    let sender = tokio::spawn(async move {
        for _ in 0..200_000u32 {
            push.send("").await.unwrap();
        }
        push.close().await;
    });
    for _ in 0..200_000u32 {
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from(""));
    }
    soon(sender).await.unwrap();
}

// INT-037
#[tokio::test]
async fn no_more_messages_wait_than_the_mark_allows() {
    let mut pull = PullSocket::builder().receive_high_water_mark(10).build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    for _ in 0..500 {
        push.send("small enough for one read").await.unwrap();
    }
    let mut received = 0;
    while received < 500 {
        soon(pull.recv()).await.unwrap();
        // Nothing else runs until the next await, so this is all that waits.
        let mut waiting = 1;
        while pull.try_recv().is_ok() {
            waiting += 1;
        }
        assert!(waiting <= 10, "{waiting} messages wait");
        received += waiting;
    }
}

#[tokio::test]
async fn what_there_is_room_for_is_sent_at_once() {
    let mut push = PushSocket::builder().send_high_water_mark(2).build();
    push.connect(ReservedPort::new().endpoint()).await.unwrap();
    for _ in 0..2 {
        let sent = push.send_message(Message::from("now")).now_or_never();
        assert_eq!(sent, Some(Ok(())));
    }
    let refused = push.send_message(Message::from("later")).now_or_never();
    assert_eq!(refused, None);
}
