//! Closing, lingering and coming back.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use zmtp::{
    BindError, ConnectError, DealerSocket, Endpoint, Message, PullSocket, PushSocket,
    RefusalReason, RouterSocket, Socket, SocketEvent, TryRecvError, XPubSocket, XSubSocket,
};

use crate::reserved_port::ReservedPort;
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

#[tokio::test]
async fn what_a_socket_prints_for_debugging_is_short_and_no_message() {
    const SECRET: &str = "what is said in confidence";
    let mut pull = PullSocket::new();
    pull.bind("inproc://in-confidence").await.unwrap();
    let over_tcp = pull.bind(LOOPBACK).await.unwrap();
    let mut shown = Vec::new();
    for endpoint in ["inproc://in-confidence", &over_tcp.to_string()] {
        let mut push = PushSocket::new();
        push.connect("inproc://nobody").await.unwrap();
        push.send(SECRET).await.unwrap();
        shown.push(format!("{push:?} {:?}", push.handle()));
        let mut push = PushSocket::new();
        push.connect(endpoint).await.unwrap();
        for _ in 0..3 {
            push.send([SECRET, SECRET]).await.unwrap();
        }
        shown.push(format!("{push:?}"));
        push.close().await;
        soon(pull.recv()).await.unwrap();
        shown.push(format!("{pull:?}"));
    }
    for shown in shown {
        let octets = format!("{:?}", SECRET.as_bytes());
        for secret in [SECRET, octets.trim_matches(['[', ']'])] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.len() < 2000, "{} octets", shown.len());
    }
}

// ZMTP31-093, ZMTP31-100
#[tokio::test]
async fn reconnects_when_the_peer_comes_back() {
    let mut push = PushSocket::builder()
        .reconnect_interval(Duration::from_millis(5))
        .build();
    let mut pull = PullSocket::new();
    let port = ReservedPort::new();
    let endpoint = pull.bind(port.endpoint()).await.unwrap();
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

#[tokio::test]
async fn a_linger_period_beyond_all_time_is_none() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::builder().linger(Duration::MAX).build();
    push.connect(&endpoint).await.unwrap();
    push.send("sent").await.unwrap();
    soon(push.close()).await;
    assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("sent"));
}

#[tokio::test]
async fn two_sockets_that_send_and_do_not_read_can_both_close() {
    let left = DealerSocket::builder().receive_high_water_mark(1).build();
    let endpoint = left.bind(LOOPBACK).await.unwrap();
    let right = DealerSocket::builder().receive_high_water_mark(1).build();
    let mut monitor = left.monitor();
    right.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    let (mut left, mut right) = (left, right);
    let body = vec![0u8; 200_000];
    for socket in [&mut left, &mut right] {
        while timeout(Duration::from_millis(100), socket.send(body.as_slice()))
            .await
            .is_ok()
        {}
    }
    soon(async { tokio::join!(left.close(), right.close()) }).await;
}

#[tokio::test]
async fn a_peer_without_receiver_cannot_fill_a_pusher() {
    let push = PushSocket::new();
    let mut monitor = push.monitor();
    let endpoint = push.bind(LOOPBACK).await.unwrap();
    let Endpoint::Tcp(address) = &endpoint else {
        unreachable!("it is a tcp endpoint");
    };
    let mut raw = tokio::net::TcpStream::connect(address.to_string())
        .await
        .unwrap();
    let mut opening = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1];
    opening.extend_from_slice(b"NULL");
    opening.resize(64, 0);
    opening.extend_from_slice(b"\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PULL");
    raw.write_all(&opening).await.unwrap();
    handshake(&mut monitor).await;
    // Far more than any queue holds: it is read and dropped.
    let frame = [&[0u8, 255][..], &[7; 255]].concat();
    let flood = frame.repeat(1000);
    for _ in 0..100 {
        soon(raw.write_all(&flood)).await.unwrap();
    }
    drop(raw);
    disconnect(&mut monitor).await;
}

#[tokio::test]
async fn connecting_and_leaving_leaves_nothing_behind() {
    let pull = PullSocket::new();
    let mut monitor = pull.monitor();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    for _ in 0..300 {
        let push = PushSocket::new();
        push.connect(&endpoint).await.unwrap();
        handshake(&mut monitor).await;
        push.close().await;
        disconnect(&mut monitor).await;
    }
    assert_eq!(pull.peers(), []);
}

/// Those who connect and say nothing keep nobody out, however few may connect.
#[tokio::test]
async fn silent_connections_make_room_where_few_may_connect() {
    for max_connections in [1, 4] {
        let mut pull = PullSocket::builder()
            .max_connections(max_connections)
            .build();
        let endpoint = pull.bind(LOOPBACK).await.unwrap();
        let address = endpoint.to_string().replace("tcp://", "");
        let mut crowd = Vec::new();
        for _ in 0..8 {
            crowd.push(tokio::net::TcpStream::connect(&address).await.unwrap());
        }
        let mut push = PushSocket::new();
        push.connect(&endpoint).await.unwrap();
        push.send("heard").await.unwrap();
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("heard"));
        drop(crowd);
    }
}

/// Those who are rejected and stay to the end of the farewell keep nobody out meanwhile.
#[tokio::test]
async fn rejected_connections_make_room_where_few_may_connect() {
    for max_connections in [1, 4] {
        let mut pull = PullSocket::builder()
            .max_connections(max_connections)
            .build();
        let endpoint = pull.bind(LOOPBACK).await.unwrap();
        let address = endpoint.to_string().replace("tcp://", "");
        let mut crowd = Vec::new();
        for _ in 0..max_connections {
            let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            // It has been judged when this side is closed, after the greeting at most.
            let mut rest = Vec::new();
            soon(stream.read_to_end(&mut rest)).await.unwrap();
            crowd.push(stream);
        }
        let mut push = PushSocket::builder().no_reconnect().build();
        push.connect(&endpoint).await.unwrap();
        push.send("heard").await.unwrap();
        assert_eq!(soon(pull.recv()).await.unwrap(), Message::from("heard"));
        drop(crowd);
    }
}

/// What comes on connections that end again and again takes no more memory than what comes on those
/// that stay.
#[tokio::test]
async fn unreceived_messages_of_ended_connections_keep_new_ones_out() {
    // One open connection would leave room for one that has ended, if there was not always some.
    const ROOM: u32 = 64;
    let mut pull = PullSocket::builder().max_connections(1).build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut monitor = pull.monitor();
    for number in 0..ROOM {
        let mut push = PushSocket::new();
        push.connect(&endpoint).await.unwrap();
        push.send(&number.to_be_bytes()[..]).await.unwrap();
        soon(push.close()).await;
        disconnect(&mut monitor).await;
    }
    let late = PushSocket::builder().no_reconnect().build();
    late.connect(&endpoint).await.unwrap();
    let refused = soon(async {
        loop {
            if let Some(SocketEvent::Refused { reason, .. }) = monitor.recv().await {
                return reason;
            }
        }
    })
    .await;
    assert_eq!(refused, RefusalReason::UnreceivedMessages);
    for number in 0..ROOM {
        let message = soon(pull.recv()).await.unwrap();
        assert_eq!(message, Message::from(&number.to_be_bytes()[..]));
    }
    assert_eq!(pull.try_recv(), Err(TryRecvError::Empty));
    let mut push = PushSocket::builder().no_reconnect().build();
    push.connect(&endpoint).await.unwrap();
    push.send("room again").await.unwrap();
    let message = soon(pull.recv()).await.unwrap();
    assert_eq!(message, Message::from("room again"));
}

/// Nor do those that subscribe and leave, again and again, where nobody is told of it.
#[tokio::test]
async fn untold_subscriptions_of_ended_connections_keep_new_ones_out() {
    // As above.
    const ROOM: u32 = 64;
    let mut publisher = XPubSocket::builder().max_connections(1).build();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    let mut monitor = publisher.monitor();
    for number in 0..ROOM {
        let sub = XSubSocket::builder().no_reconnect().build();
        sub.subscribe(number.to_be_bytes());
        sub.connect(&endpoint).await.unwrap();
        soon(async {
            while publisher.topic_count() == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        soon(sub.close()).await;
        disconnect(&mut monitor).await;
    }
    let late = XSubSocket::builder().no_reconnect().build();
    late.connect(&endpoint).await.unwrap();
    let refused = soon(async {
        loop {
            match monitor.recv().await {
                Some(SocketEvent::Refused { reason, .. }) => return Some(reason),
                Some(SocketEvent::HandshakeSucceeded { .. }) => return None,
                _ => {}
            }
        }
    })
    .await;
    assert_eq!(refused, Some(RefusalReason::UnreceivedMessages));
    // Of each that it came, and that it went.
    for _ in 0..2 * ROOM {
        publisher.try_recv().unwrap();
    }
    assert_eq!(publisher.try_recv(), Err(TryRecvError::Empty));
    let sub = XSubSocket::builder().no_reconnect().build();
    sub.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
}
