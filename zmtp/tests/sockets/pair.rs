//! PAIR (31/EXPAIR).

use zmtp::{
    ConnectError, DisconnectReason, Message, Monitor, PairSocket, Socket, SocketEvent,
    TryRecvError, TrySendError,
};

use crate::{LOOPBACK, disconnect, handshake, soon};

// PAIR-002, PAIR-003, PAIR-008
#[tokio::test]
async fn both_sides_send_and_receive_at_any_time() {
    let mut bound = PairSocket::new();
    let endpoint = bound.bind(LOOPBACK).await.unwrap();
    let mut connected = PairSocket::new();
    connected.connect(&endpoint).await.unwrap();
    for number in 0..3 {
        let number = number.to_string();
        soon(connected.send(["to", number.as_str(), ""]))
            .await
            .unwrap();
        soon(bound.send(["from", number.as_str()])).await.unwrap();
    }
    for number in 0..3 {
        let number = number.to_string();
        let received = soon(bound.recv()).await.unwrap();
        assert_eq!(received, Message::from(["to", number.as_str(), ""]));
        let received = soon(connected.recv()).await.unwrap();
        assert_eq!(received, Message::from(["from", number.as_str()]));
    }
}

// PAIR-004, PAIR-006, PAIR-007
#[tokio::test]
async fn nothing_is_accepted_without_a_peer_or_room() {
    let mut bound = PairSocket::new();
    bound.bind(LOOPBACK).await.unwrap();
    assert_eq!(
        bound.try_send("early"),
        Err(TrySendError::Full("early".into()))
    );
    let mut connecting = PairSocket::builder().send_high_water_mark(2).build();
    connecting.connect("tcp://127.0.0.1:1").await.unwrap();
    for _ in 0..2 {
        connecting.try_send("waits for the peer").unwrap();
    }
    assert_eq!(
        connecting.try_send("too many"),
        Err(TrySendError::Full("too many".into()))
    );
}

// PAIR-006
#[tokio::test]
async fn send_waits_for_the_peer() {
    let mut bound = PairSocket::new();
    let endpoint = bound.bind(LOOPBACK).await.unwrap();
    let sending = tokio::spawn(async move {
        bound.send("for whoever comes").await.unwrap();
        bound
    });
    tokio::task::yield_now().await;
    let mut connected = PairSocket::new();
    connected.connect(&endpoint).await.unwrap();
    let received = soon(connected.recv()).await.unwrap();
    assert_eq!(received, Message::from("for whoever comes"));
    soon(sending).await.unwrap();
}

// PAIR-001, PAIR-009
#[tokio::test]
async fn a_second_peer_is_turned_away_until_the_first_has_left() {
    let mut bound = PairSocket::new();
    let mut monitor = bound.monitor();
    let endpoint = bound.bind(LOOPBACK).await.unwrap();
    let mut first = PairSocket::new();
    first.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;

    let mut second = PairSocket::new();
    second.connect(&endpoint).await.unwrap();
    second.try_send("from the second").unwrap();
    assert_eq!(refusal(&mut monitor).await, DisconnectReason::AlreadyPaired);
    soon(first.send("from the first")).await.unwrap();
    assert_eq!(
        soon(bound.recv()).await.unwrap(),
        Message::from("from the first")
    );
    soon(bound.send("to the first")).await.unwrap();
    assert_eq!(
        soon(first.recv()).await.unwrap(),
        Message::from("to the first")
    );
    assert_eq!(bound.try_recv(), Err(TryRecvError::Empty));

    first.close().await;
    disconnect(&mut monitor).await;
    // Now the second one gets in when it tries again, and has a peer all to itself.
    soon(bound.send("to the second")).await.unwrap();
    assert_eq!(
        soon(second.recv()).await.unwrap(),
        Message::from("to the second")
    );
    soon(second.send("hello")).await.unwrap();
    let next = soon(bound.recv()).await.unwrap();
    assert!(next == Message::from("hello") || next == Message::from("from the second"));
}

// PAIR-011
#[tokio::test]
async fn connecting_twice_is_an_error_that_changes_nothing() {
    let mut bound = PairSocket::new();
    let endpoint = bound.bind(LOOPBACK).await.unwrap();
    let mut pair = PairSocket::new();
    pair.connect(&endpoint).await.unwrap();
    assert_eq!(
        pair.connect(&endpoint).await,
        Err(ConnectError::AlreadyPaired {
            endpoint: endpoint.clone()
        })
    );
    soon(pair.send("still there")).await.unwrap();
    assert_eq!(
        soon(bound.recv()).await.unwrap(),
        Message::from("still there")
    );
}

// PAIR-001
#[tokio::test]
async fn one_that_connects_has_no_place_for_others() {
    let other = PairSocket::new();
    let elsewhere = other.bind(LOOPBACK).await.unwrap();
    let pair = PairSocket::new();
    let mut monitor = pair.monitor();
    let endpoint = pair.bind(LOOPBACK).await.unwrap();
    pair.connect(&elsewhere).await.unwrap();
    let newcomer = PairSocket::new();
    newcomer.connect(&endpoint).await.unwrap();
    assert_eq!(refusal(&mut monitor).await, DisconnectReason::AlreadyPaired);
}

#[tokio::test]
async fn halves_are_used_in_different_tasks() {
    let bound = PairSocket::new();
    let endpoint = bound.bind(LOOPBACK).await.unwrap();
    let (mut sender, mut receiver) = bound.split();
    let echo = tokio::spawn(async move {
        while let Ok(message) = receiver.recv().await {
            sender.send(message).await.unwrap();
        }
    });
    let mut pair = PairSocket::new();
    pair.connect(&endpoint).await.unwrap();
    for number in 0..1000_u32 {
        soon(pair.send(number.to_be_bytes().as_slice()))
            .await
            .unwrap();
    }
    for number in 0..1000_u32 {
        let message = soon(pair.recv()).await.unwrap();
        assert_eq!(message[0], number.to_be_bytes());
    }
    echo.abort();
}

/// Why the next handshake failed.
async fn refusal(monitor: &mut Monitor) -> DisconnectReason {
    soon(async {
        loop {
            if let Some(SocketEvent::HandshakeFailed { reason, .. }) = monitor.recv().await {
                return reason;
            }
        }
    })
    .await
}

// PAIR-009
#[tokio::test]
async fn a_pair_that_disconnected_can_connect_elsewhere_at_once() {
    let mut other = PairSocket::new();
    let endpoint = other.bind(LOOPBACK).await.unwrap();
    let mut pair = PairSocket::new();
    // Nobody is there, and what is queued keeps the peer until the linger period is over.
    let nowhere = "inproc://nobody-is-there";
    pair.connect(nowhere).await.unwrap();
    pair.send("lost").await.unwrap();
    pair.disconnect(nowhere).unwrap();
    pair.connect(&endpoint).await.unwrap();
    pair.send("hello").await.unwrap();
    assert_eq!(soon(other.recv()).await.unwrap(), Message::from("hello"));
}
