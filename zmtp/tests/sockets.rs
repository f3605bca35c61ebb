//! Our sockets among themselves, over loopback TCP.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use tokio::time::timeout;
use zmtp::{
    DealerSocket, Message, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket,
    SendError, Socket, SocketEvent, SubSocket, TryRecvError, TrySendError,
};

const LOOPBACK: &str = "tcp://127.0.0.1:*";

/// Fails the test instead of hanging it.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future)
        .await
        .expect("took too long")
}

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

#[tokio::test]
async fn connect_before_bind_delivers_what_was_queued() {
    let mut probe = PullSocket::new();
    let endpoint = probe.bind(LOOPBACK).await.unwrap();
    probe.close().await;

    let mut push = PushSocket::builder()
        .reconnect_interval(Duration::from_millis(5))
        .build();
    push.connect(&endpoint).await.unwrap();
    push.send("queued").await.unwrap();
    probe = PullSocket::new();
    probe.bind(&endpoint).await.unwrap();
    assert_eq!(soon(probe.recv()).await.unwrap(), Message::from("queued"));
}

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

#[tokio::test]
async fn dealer_and_router_talk_by_routing_id() {
    let mut router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut dealer = DealerSocket::builder().routing_id("me").unwrap().build();
    dealer.connect(&endpoint).await.unwrap();
    dealer.send(["", "hello"]).await.unwrap();
    let mut request = soon(router.recv()).await.unwrap();
    assert_eq!(request, Message::from(["me", "", "hello"]));
    request.pop_back();
    request.push_back("world");
    router.send(request).await.unwrap();
    assert_eq!(
        soon(dealer.recv()).await.unwrap(),
        Message::from(["", "world"])
    );
}

#[tokio::test]
async fn router_gives_an_id_to_peers_without_one() {
    let mut router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut dealer = DealerSocket::new();
    dealer.connect(&endpoint).await.unwrap();
    dealer.send("hello").await.unwrap();
    let request = soon(router.recv()).await.unwrap();
    assert_eq!(request[0].len(), 5);
    assert_eq!(request[0][0], 0);
}

#[tokio::test]
async fn a_router_addresses_peers_by_peer_id() {
    let mut router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut dealer = DealerSocket::new();
    let server = dealer.connect(&endpoint).await.unwrap();
    dealer.try_send_to(server, "ping").unwrap();
    let (peer, message) = soon(router.recv_from()).await.unwrap();
    assert_eq!(message, Message::from("ping"));
    router.try_send_to(peer, "pong").unwrap();
    assert_eq!(
        soon(dealer.recv_from()).await.unwrap(),
        (server, Message::from("pong"))
    );
}

#[tokio::test]
async fn a_mandatory_router_reports_what_it_cannot_route() {
    let mut router = RouterSocket::builder().router_mandatory().build();
    let refused = router.send(["nobody", "hello"]).await;
    assert!(matches!(refused, Err(SendError::Unroutable(_))));
    let mut lenient = RouterSocket::new();
    lenient.send(["nobody", "hello"]).await.unwrap();
}

#[tokio::test]
async fn a_second_peer_with_the_same_routing_id_is_refused() {
    let router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut monitor = router.monitor();
    let dealer = || {
        DealerSocket::builder()
            .routing_id("same")
            .unwrap()
            .no_reconnect()
            .build()
    };
    let first = dealer();
    first.connect(&endpoint).await.unwrap();
    soon(async {
        while !matches!(
            monitor.recv().await,
            Some(SocketEvent::HandshakeSucceeded { .. })
        ) {}
    })
    .await;
    let second = dealer();
    second.connect(&endpoint).await.unwrap();
    soon(async {
        loop {
            if let Some(SocketEvent::HandshakeFailed { reason, .. }) = monitor.recv().await {
                assert_eq!(reason, zmtp::DisconnectReason::DuplicateRoutingId);
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn req_and_rep_alternate() {
    let mut rep = RepSocket::new();
    let endpoint = rep.bind(LOOPBACK).await.unwrap();
    let mut req = ReqSocket::new();
    req.connect(&endpoint).await.unwrap();
    assert!(matches!(rep.send("no"), Err(SendError::OutOfTurn(_))));
    assert_eq!(req.try_recv(), Err(TryRecvError::OutOfTurn));
    for round in 0..100u8 {
        req.send(&[round]).await.unwrap();
        assert!(matches!(req.send("no").await, Err(SendError::OutOfTurn(_))));
        let request = soon(rep.recv()).await.unwrap();
        rep.send(request).unwrap();
        assert_eq!(soon(req.recv()).await.unwrap(), Message::from(&[round]));
    }
}

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
            publisher.send("a-first").unwrap();
            tokio::task::yield_now().await;
        }
    })
    .await;
    publisher.send("b").unwrap();
    publisher.send(["a-last", "b"]).unwrap();
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
            publisher.send("ab").unwrap();
            publisher.send("c").unwrap();
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
async fn one_message_from_each_peer_in_turn() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut pushers = Vec::new();
    for name in ["a", "b"] {
        let mut push = PushSocket::new();
        push.connect(&endpoint).await.unwrap();
        for _ in 0..50 {
            push.send(name).await.unwrap();
        }
        pushers.push(push);
    }
    for push in pushers {
        push.close().await;
    }
    // Both have sent everything; let the connections take it in.
    let first = soon(pull.recv()).await.unwrap();
    let mut names = vec![first];
    while names.len() < 100 {
        names.push(soon(pull.recv()).await.unwrap());
    }
    let count = names.iter().filter(|name| name[0] == "a").count();
    assert_eq!(count, 50);
}
