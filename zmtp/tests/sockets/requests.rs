//! The options of REQ: numbered requests, and requests that supersede one another.

use zmtp::{
    DealerSocket, Message, RecvError, RepSocket, ReqSocket, RouterSocket, SendError, Socket,
    TryRecvError,
};

use crate::{LOOPBACK, disconnect, handshake, soon};

async fn asked(req: &ReqSocket) -> RouterSocket {
    let router = RouterSocket::new();
    let endpoint = router.bind(LOOPBACK).await.expect("a port is free");
    let connected = req.connect(&endpoint).await;
    connected.expect("the socket is open");
    router
}

// REQREP-011, LZ-067
#[tokio::test]
async fn only_a_reply_with_the_number_of_its_request_is_received() {
    let mut req = ReqSocket::builder().req_correlate().build();
    let mut router = asked(&req).await;
    req.send("question").await.unwrap();
    let (peer, request) = soon(router.recv_from()).await.unwrap();
    assert_eq!(request.part_count(), 3);
    assert_eq!(request[0].len(), 4);
    assert_eq!(request.parts()[1..], ["", "question"]);
    let number = request[0].clone();
    let wrong = Message::from([&b"\xff\xff\xff\xff"[..], b"", b"wrong number"]);
    for no_reply in [
        wrong,
        Message::from(["", "no number"]),
        Message::from(["x"]),
    ] {
        router.try_send_to(peer, no_reply).unwrap();
    }
    let parts = [number.as_slice(), b"", b"answer"];
    router.try_send_to(peer, parts).unwrap();
    assert_eq!(soon(req.recv()).await.unwrap(), Message::from("answer"));
}

// REQREP-011, REQREP-020
#[tokio::test]
async fn a_rep_returns_the_number_of_a_request() {
    let mut rep = RepSocket::new();
    let endpoint = rep.bind(LOOPBACK).await.unwrap();
    let mut req = ReqSocket::builder().req_correlate().build();
    req.connect(&endpoint).await.unwrap();
    for round in 0..10u8 {
        req.send(&[round]).await.unwrap();
        assert!(matches!(req.send("no").await, Err(SendError::OutOfTurn(_))));
        let request = soon(rep.recv()).await.unwrap();
        rep.send(request).unwrap();
        assert_eq!(soon(req.recv()).await.unwrap(), Message::from(&[round]));
    }
}

// REQREP-012
#[tokio::test]
async fn a_relaxed_request_supersedes_the_one_before() {
    let mut req = ReqSocket::builder().req_relaxed().build();
    let mut router = asked(&req).await;
    let mut requests = Vec::new();
    for body in ["first", "second"] {
        req.send(body).await.unwrap();
        requests.push(soon(router.recv()).await.unwrap());
    }
    for request in requests {
        router.send(request).await.unwrap();
    }
    assert_eq!(soon(req.recv()).await.unwrap(), Message::from("second"));
    assert_eq!(req.try_recv(), Err(TryRecvError::OutOfTurn));
}

// REQREP-012
#[tokio::test]
async fn a_relaxed_request_goes_to_another_peer_when_the_first_is_dead() {
    let mut req = ReqSocket::builder().req_relaxed().build();
    let mut monitor = req.monitor();
    let endpoint = req.bind(LOOPBACK).await.unwrap();
    let mut dying = RepSocket::builder().no_reconnect().build();
    dying.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    req.send("into the void").await.unwrap();
    soon(dying.recv()).await.unwrap();
    drop(dying);
    disconnect(&mut monitor).await;
    let mut rep = RepSocket::new();
    rep.connect(&endpoint).await.unwrap();
    req.send("again").await.unwrap();
    let request = soon(rep.recv()).await.unwrap();
    rep.send(request).unwrap();
    assert_eq!(soon(req.recv()).await.unwrap(), Message::from("again"));
}

// REQREP-012
#[tokio::test]
async fn many_requests_to_many_peers_get_their_own_replies() {
    let mut req = ReqSocket::builder().req_relaxed().build();
    for _ in 0..5 {
        let mut rep = RepSocket::new();
        let endpoint = rep.bind(LOOPBACK).await.unwrap();
        req.connect(&endpoint).await.unwrap();
        tokio::spawn(async move {
            while let Ok(request) = rep.recv().await {
                rep.send(request).unwrap();
            }
        });
    }
    for round in 0..100u8 {
        for attempt in 0..3 {
            req.send(&[round, attempt]).await.unwrap();
        }
        assert_eq!(soon(req.recv()).await.unwrap(), Message::from(&[round, 2]));
    }
}

// REQREP-010
#[tokio::test]
async fn a_strict_request_whose_peer_is_gone_stays_unanswered() {
    let mut req = ReqSocket::new();
    let mut monitor = req.monitor();
    let endpoint = req.bind(LOOPBACK).await.unwrap();
    let mut rep = RepSocket::new();
    rep.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    req.send("question").await.unwrap();
    soon(rep.recv()).await.unwrap();
    drop(rep);
    disconnect(&mut monitor).await;
    let impostor = RouterSocket::new();
    let peer = impostor.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    impostor.try_send_to(peer, ["", "not asked"]).unwrap();
    drop(impostor);
    disconnect(&mut monitor).await;
    assert_eq!(req.try_recv(), Err(TryRecvError::Empty));
    assert!(matches!(req.send("no").await, Err(SendError::OutOfTurn(_))));
    let handle = req.handle().clone();
    let closing = tokio::spawn(async move { handle.close().await });
    assert_eq!(soon(req.recv()).await, Err(RecvError::Closed));
    soon(closing).await.unwrap();
}

// REQREP-008
#[tokio::test]
async fn a_second_reply_is_not_the_reply_to_the_next_request() {
    let mut req = ReqSocket::new();
    let mut monitor = req.monitor();
    let mut router = asked(&req).await;
    handshake(&mut monitor).await;
    req.send("one").await.unwrap();
    let (peer, _) = soon(router.recv_from()).await.unwrap();
    for body in ["reply", "again"] {
        router.try_send_to(peer, ["", body]).unwrap();
    }
    assert_eq!(soon(req.recv()).await.unwrap(), Message::from("reply"));
    // Both came with one write; the second is there when the first is.
    req.send("two").await.unwrap();
    soon(router.recv_from()).await.unwrap();
    router.try_send_to(peer, ["", "right"]).unwrap();
    assert_eq!(soon(req.recv()).await.unwrap(), Message::from("right"));
}

#[tokio::test]
async fn an_attempt_to_receive_ends_however_much_is_no_request() {
    let mut rep = RepSocket::builder().receive_high_water_mark(0).build();
    rep.bind("inproc://no-requests").await.unwrap();
    let mut dealer = DealerSocket::builder().send_high_water_mark(0).build();
    let mut monitor = dealer.monitor();
    dealer.connect("inproc://no-requests").await.unwrap();
    handshake(&mut monitor).await;
    for _ in 0..1500 {
        dealer.try_send("no request").unwrap();
    }
    dealer.try_send(["", "request"]).unwrap();
    assert_eq!(rep.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(rep.try_recv(), Ok(Message::from("request")));
}
