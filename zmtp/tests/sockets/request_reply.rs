//! REQ, REP, DEALER and ROUTER (28/REQREP).

use zmtp::{
    DealerSocket, DisconnectReason, Message, RepSocket, ReqSocket, RouterSocket, SendError, Socket,
    SocketEvent, TryRecvError, TrySendError,
};

use crate::{LOOPBACK, disconnect, handshake, soon};

// REQREP-028, REQREP-044, REQREP-046, REQREP-047
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

// REQREP-042, REQREP-043
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

// REQREP-049
#[tokio::test]
async fn a_mandatory_router_reports_what_it_cannot_route() {
    let router = RouterSocket::builder().router_mandatory().build();
    let refused = router.send(["nobody", "hello"]).await;
    assert!(matches!(refused, Err(SendError::Unroutable(_))));
    let lenient = RouterSocket::new();
    lenient.send(["nobody", "hello"]).await.unwrap();
}

// REQREP-045
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
                assert_eq!(reason, DisconnectReason::DuplicateRoutingId);
                return;
            }
        }
    })
    .await;
}

// REQREP-002, REQREP-004, REQREP-016, REQREP-019, REQREP-020
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

// REQREP-005
#[tokio::test]
async fn requests_go_to_the_servers_in_turn() {
    let mut req = ReqSocket::new();
    let mut servers = Vec::new();
    for _ in 0..3 {
        let rep = RepSocket::new();
        let endpoint = rep.bind(LOOPBACK).await.unwrap();
        req.connect(&endpoint).await.unwrap();
        servers.push(rep);
    }
    for rep in &mut servers {
        req.send("question").await.unwrap();
        soon(rep.recv()).await.unwrap();
        rep.send("answer").unwrap();
        soon(req.recv()).await.unwrap();
    }
}

// REQREP-003, REQREP-008, REQREP-009
#[tokio::test]
async fn only_the_peer_that_was_asked_can_answer_and_only_with_a_delimiter() {
    let mut req = ReqSocket::new();
    let mut monitor = req.monitor();
    let endpoint = req.bind(LOOPBACK).await.unwrap();
    let mut routers = Vec::new();
    for name in ["a", "b"] {
        let router = RouterSocket::new();
        router.connect(&endpoint).await.unwrap();
        handshake(&mut monitor).await;
        routers.push((name, router));
    }
    req.send("question").await.unwrap();
    let [(_, asked), (_, other)] = &mut routers[..] else {
        unreachable!("there are two");
    };
    let (peer, request) = soon(asked.recv_from()).await.unwrap();
    assert_eq!(request, Message::from(["", "question"]));
    let stranger = other.peers()[0];
    other.try_send_to(stranger, ["", "not asked"]).unwrap();
    asked.try_send_to(peer, "no delimiter").unwrap();
    asked
        .try_send_to(peer, ["", "answer", "of two parts"])
        .unwrap();
    let answer = soon(req.recv()).await.unwrap();
    assert_eq!(answer, Message::from(["answer", "of two parts"]));
}

// REQREP-017, REQREP-020, REQREP-024, REQREP-026
#[tokio::test]
async fn a_reply_takes_the_way_back_that_its_request_came() {
    let mut rep = RepSocket::new();
    let endpoint = rep.bind(LOOPBACK).await.unwrap();
    let mut dealer = DealerSocket::new();
    dealer.connect(&endpoint).await.unwrap();
    dealer.send("no delimiter").await.unwrap();
    dealer.send("").await.unwrap();
    dealer.send(["A", "B", "", "x"]).await.unwrap();
    assert_eq!(soon(rep.recv()).await.unwrap(), Message::from("x"));
    rep.send("y").unwrap();
    let reply = soon(dealer.recv()).await.unwrap();
    assert_eq!(reply, Message::from(["A", "B", "", "y"]));
}

#[tokio::test]
async fn a_reply_of_a_closed_socket_is_refused() {
    let mut rep = RepSocket::new();
    let endpoint = rep.bind(LOOPBACK).await.unwrap();
    let mut req = ReqSocket::new();
    req.connect(&endpoint).await.unwrap();
    req.send("question").await.unwrap();
    soon(rep.recv()).await.unwrap();
    let closing = rep.handle().close();
    let refused = rep.send("answer");
    assert_eq!(refused, Err(SendError::Closed("answer".into())));
    soon(closing).await;
}

// REQREP-021
#[tokio::test]
async fn a_reply_to_a_peer_that_is_gone_is_dropped() {
    let mut rep = RepSocket::new();
    let mut monitor = rep.monitor();
    let endpoint = rep.bind(LOOPBACK).await.unwrap();
    let mut req = ReqSocket::new();
    req.connect(&endpoint).await.unwrap();
    req.send("question").await.unwrap();
    soon(rep.recv()).await.unwrap();
    req.close().await;
    disconnect(&mut monitor).await;
    rep.send("answer").unwrap();
    assert_eq!(rep.try_recv(), Err(TryRecvError::Empty));
}

// REQREP-006, REQREP-007
#[tokio::test]
async fn a_request_waits_for_a_peer() {
    let mut req = ReqSocket::new();
    assert!(matches!(
        req.try_send("question"),
        Err(TrySendError::Full(_))
    ));
    let mut rep = RepSocket::new();
    let endpoint = rep.bind(LOOPBACK).await.unwrap();
    req.connect(&endpoint).await.unwrap();
    req.send("question").await.unwrap();
    assert_eq!(soon(rep.recv()).await.unwrap(), Message::from("question"));
}

// REQREP-048, REQREP-050
#[tokio::test]
async fn a_router_sends_no_message_without_a_body() {
    let router = RouterSocket::new();
    let refused = router.send("only an address").await;
    assert!(matches!(refused, Err(SendError::NoParts(_))));
}

// REQREP-029, REQREP-033
#[tokio::test]
async fn a_peer_with_a_full_queue_is_passed_over() {
    let mut dealer = DealerSocket::builder().send_high_water_mark(1).build();
    // Nobody listens there: one message waits for it, and no more.
    dealer.connect("tcp://127.0.0.1:1").await.unwrap();
    let mut rep = RouterSocket::new();
    let endpoint = rep.bind(LOOPBACK).await.unwrap();
    dealer.connect(&endpoint).await.unwrap();
    for _ in 0..3 {
        dealer.send("x").await.unwrap();
    }
    for _ in 0..2 {
        soon(rep.recv()).await.unwrap();
    }
}

// REQREP-022
#[tokio::test]
async fn many_large_replies_in_one_turn_are_all_sent() {
    let mut rep = RepSocket::new();
    let endpoint = rep.bind(LOOPBACK).await.unwrap();
    let mut dealer = DealerSocket::new();
    dealer.connect(&endpoint).await.unwrap();
    for _ in 0..100 {
        dealer.send(["", "question"]).await.unwrap();
    }
    let server = tokio::spawn(async move {
        let reply = vec![7u8; 64 * 1024];
        for _ in 0..100 {
            rep.recv().await.unwrap();
            rep.send(reply.as_slice()).unwrap();
        }
        rep
    });
    for _ in 0..100 {
        assert_eq!(soon(dealer.recv()).await.unwrap()[1].len(), 64 * 1024);
    }
    soon(server).await.unwrap();
}

#[tokio::test]
async fn a_mandatory_router_waits_for_a_peer_with_a_full_queue() {
    let router = RouterSocket::builder()
        .router_mandatory()
        .send_high_water_mark(1)
        .build();
    let mut monitor = router.monitor();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut dealer = DealerSocket::builder()
        .routing_id("me")
        .unwrap()
        .receive_high_water_mark(1)
        .build();
    dealer.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    let sender = tokio::spawn(async move {
        let body = vec![0u8; 100_000];
        for _ in 0..100 {
            router.send([b"me".as_slice(), &body]).await.unwrap();
        }
        router
    });
    for _ in 0..100 {
        soon(dealer.recv()).await.unwrap();
    }
    soon(sender).await.unwrap();
}
