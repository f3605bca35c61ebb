//! Options that change while a socket lives.

use std::time::{Duration, Instant};

use tokio::task::yield_now;
use zmtp::{
    DropReason, Message, PubSocket, PullSocket, PushSocket, Socket, SubSocket, TrySendError,
};

use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, handshake, soon};

/// How many messages find room, with nobody who takes any.
fn fill(push: &mut PushSocket) -> usize {
    (0..20_000)
        .take_while(|_| push.try_send("").is_ok())
        .count()
}

/// Waits until so many messages wait to be received, and then whether more come.
async fn assert_waiting(pull: &PullSocket, count: usize) {
    let incoming = || pull.counters().queued.incoming;
    soon(async {
        while incoming() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    for _ in 0..100 {
        yield_now().await;
    }
    assert_eq!(incoming(), count);
}

// INT-037, INT-042: libzmq's test_sockopt_hwm
#[tokio::test]
async fn a_higher_mark_of_the_sender_makes_room_at_once() {
    let pull = PullSocket::builder().receive_high_water_mark(1).build();
    let mut push = PushSocket::builder().send_high_water_mark(1).build();
    let mut monitor = push.monitor();
    pull.bind("inproc://higher").await.unwrap();
    push.connect("inproc://higher").await.unwrap();
    handshake(&mut monitor).await;
    assert_eq!(fill(&mut push), 2);
    push.set_send_high_water_mark(5);
    assert_eq!(fill(&mut push), 4);
    pull.set_receive_high_water_mark(3);
    assert_eq!(fill(&mut push), 2);
    assert_eq!(pull.counters().queued.incoming, 8);
}

// INT-037: libzmq's test_sockopt_hwm
#[tokio::test]
async fn a_mark_below_what_is_queued_drops_nothing_and_holds_back_what_follows() {
    let port = ReservedPort::new();
    for endpoint in [port.endpoint(), "inproc://lower"] {
        let mut push = PushSocket::builder().send_high_water_mark(100).build();
        // Nobody listens there yet: all of it is queued.
        push.connect(endpoint).await.unwrap();
        assert_eq!(fill(&mut push), 100);
        push.set_send_high_water_mark(70);
        assert!(matches!(push.try_send(""), Err(TrySendError::Full(_))));
        assert_eq!(push.counters().queued.outgoing, 100);
        let mut pull = PullSocket::new();
        pull.bind(endpoint).await.unwrap();
        for _ in 0..100 {
            soon(pull.recv()).await.unwrap();
        }
        assert_eq!(push.counters().dropped.total(), 0);
    }
}

// INT-038
#[tokio::test]
async fn no_mark_can_be_asked_for_and_taken_back() {
    let mut push = PushSocket::builder().send_high_water_mark(1).build();
    push.connect("inproc://unlimited").await.unwrap();
    assert_eq!(fill(&mut push), 1);
    push.set_send_high_water_mark(0);
    assert_eq!(fill(&mut push), 20_000);
    push.set_send_high_water_mark(1);
    assert_eq!(fill(&mut push), 0);
    assert_eq!(push.counters().queued.outgoing, 20_001);
}

#[tokio::test]
async fn a_sender_that_waits_for_room_goes_on_when_the_mark_is_raised() {
    for endpoint in ["tcp://127.0.0.1:1", "inproc://waits"] {
        let mut push = PushSocket::builder().send_high_water_mark(1).build();
        push.connect(endpoint).await.unwrap();
        push.set_linger(Duration::ZERO);
        let handle = push.handle().clone();
        push.send("fits").await.unwrap();
        let waiting = tokio::spawn(async move { push.send("waits").await });
        yield_now().await;
        assert!(!waiting.is_finished());
        handle.set_send_high_water_mark(2);
        soon(waiting).await.unwrap().unwrap();
    }
}

// INT-037
#[tokio::test]
async fn the_mark_of_the_receiver_says_how_much_is_read_ahead() {
    let mut pull = PullSocket::builder().receive_high_water_mark(10).build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    for number in 0..500u32 {
        push.send(&number.to_be_bytes()[..]).await.unwrap();
    }
    assert_waiting(&pull, 10).await;
    pull.set_receive_high_water_mark(25);
    assert_waiting(&pull, 25).await;
    pull.set_receive_high_water_mark(5);
    assert_waiting(&pull, 25).await;
    for number in 0..500u32 {
        let message = soon(pull.recv()).await.unwrap();
        assert_eq!(message, Message::from(&number.to_be_bytes()[..]));
    }
}

// INT-037
#[tokio::test]
async fn a_lower_mark_of_the_receiver_holds_for_connections_that_were_idle() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    push.send("the connection has looked for room")
        .await
        .unwrap();
    soon(pull.recv()).await.unwrap();
    pull.set_receive_high_water_mark(10);
    for _ in 0..500 {
        push.send("").await.unwrap();
    }
    assert_waiting(&pull, 10).await;
}

#[tokio::test]
async fn a_peer_that_comes_later_finds_the_new_mark() {
    let publisher = PubSocket::builder().send_high_water_mark(2).build();
    let mut monitor = publisher.monitor();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    publisher.handle().set_send_high_water_mark(7);
    let subscriber = SubSocket::new();
    subscriber.subscribe("");
    subscriber.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    soon(async {
        while publisher.topic_count() == 0 {
            yield_now().await;
        }
    })
    .await;
    // Without a pause in which the connection would take them.
    for _ in 0..10 {
        publisher.try_send("").unwrap();
    }
    let dropped = publisher.counters().dropped;
    assert_eq!(dropped.count(DropReason::HighWaterMark), 3);
}

#[tokio::test]
async fn the_linger_period_can_be_shortened_before_a_socket_closes() {
    for endpoint in ["tcp://127.0.0.1:1", "inproc://shortened"] {
        let mut push = PushSocket::new();
        push.connect(endpoint).await.unwrap();
        push.send("never taken").await.unwrap();
        push.set_linger(Duration::from_millis(20));
        let begin = Instant::now();
        soon(push.close()).await;
        assert!(begin.elapsed() >= Duration::from_millis(20));
    }
}

#[tokio::test]
async fn the_longest_linger_period_lasts_until_all_is_sent() {
    let mut push = PushSocket::builder().linger(Duration::ZERO).build();
    push.connect("inproc://lengthened").await.unwrap();
    push.send("taken").await.unwrap();
    push.set_linger(Duration::MAX);
    let closing = tokio::spawn(push.close());
    let mut pull = PullSocket::new();
    pull.bind("inproc://lengthened").await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("taken"));
    soon(closing).await.unwrap();
}

#[tokio::test]
async fn a_mark_means_nothing_to_a_socket_that_keeps_the_last_message() {
    let mut push = PushSocket::builder().conflate().build();
    push.connect("inproc://conflated-mark").await.unwrap();
    push.set_send_high_water_mark(3);
    for number in 0..5u8 {
        push.try_send(&[number][..]).unwrap();
    }
    let mut pull = PullSocket::new();
    pull.bind("inproc://conflated-mark").await.unwrap();
    pull.set_receive_high_water_mark(3);
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from(&[4u8][..]));
}
