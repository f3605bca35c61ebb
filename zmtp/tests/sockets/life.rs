//! Closing, lingering and coming back.

use std::time::Duration;

use zmtp::{
    BindError, ConnectError, DealerSocket, Message, PullSocket, PushSocket, RouterSocket, Socket,
    SocketEvent,
};

use crate::{LOOPBACK, disconnect, handshake, soon};

#[tokio::test]
async fn a_dropped_socket_still_sends_what_was_queued() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    for number in 0..1000u32 {
        push.send(number.to_be_bytes().as_slice()).await.unwrap();
    }
    drop(push);
    for number in 0..1000u32 {
        assert_eq!(soon(pull.recv()).await.unwrap()[0], number.to_be_bytes());
    }
}

#[tokio::test]
async fn closing_without_a_peer_ends_with_the_linger_period() {
    let mut push = PushSocket::builder()
        .linger(Duration::from_millis(50))
        .build();
    push.connect("tcp://127.0.0.1:1").await.unwrap();
    push.send("lost").await.unwrap();
    soon(push.close()).await;
}

// ZMTP31-093, ZMTP31-100
#[tokio::test]
async fn reconnects_when_the_peer_comes_back() {
    let mut push = PushSocket::builder()
        .reconnect_interval(Duration::from_millis(5))
        .build();
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    push.connect(&endpoint).await.unwrap();
    let mut monitor = push.monitor();
    push.send("one").await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("one"));
    pull.close().await;
    soon(async {
        while !matches!(monitor.recv().await, Some(SocketEvent::Disconnected { .. })) {}
    })
    .await;
    push.send("two").await.unwrap();
    let mut pull = PullSocket::new();
    pull.bind(&endpoint).await.unwrap();
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("two"));
}

#[tokio::test]
async fn a_port_that_is_taken_cannot_be_bound() {
    let first = PullSocket::new();
    let endpoint = first.bind(LOOPBACK).await.unwrap();
    let refused = PullSocket::new().bind(&endpoint).await;
    assert!(matches!(refused, Err(BindError::Io { .. })));
}

#[tokio::test]
async fn endpoints_that_make_no_sense_are_named() {
    let socket = PullSocket::new();
    let refused = socket.bind("tcp://127.0.0.1").await;
    assert!(matches!(refused, Err(BindError::Endpoint(_))));
    let refused = socket.connect("tcp://*:5555").await;
    assert!(matches!(refused, Err(ConnectError::Wildcard { .. })));
}

#[tokio::test]
async fn everything_received_can_be_taken_after_the_peer_is_gone() {
    let mut pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    for body in ["a", "b"] {
        push.send(body).await.unwrap();
    }
    push.close().await;
    disconnect(&mut monitor).await;
    for body in ["a", "b"] {
        assert_eq!(pull.try_recv(), Ok(Message::from(body)));
    }
}

#[tokio::test]
async fn more_connections_than_allowed_are_closed_as_they_come() {
    let pull = PullSocket::builder().max_connections(1).build();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let first = PushSocket::new();
    first.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    let second = PushSocket::builder().no_reconnect().build();
    second.connect(&endpoint).await.unwrap();
    soon(async { while !matches!(monitor.recv().await, Some(SocketEvent::Refused { .. })) {} })
        .await;
}

#[tokio::test]
async fn one_half_of_a_socket_keeps_it_open() {
    let mut router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let dealer = DealerSocket::new();
    dealer.connect(&endpoint).await.unwrap();
    let (mut sender, mut receiver) = dealer.split();
    sender.send("question").await.unwrap();
    drop(sender);
    let (peer, _) = soon(router.recv_from()).await.unwrap();
    router.try_send_to(peer, "answer").unwrap();
    assert_eq!(
        soon(receiver.recv()).await.unwrap(),
        Message::from("answer")
    );
}
