//! Futures that are dropped half-way, at every point where they can be.
//!
//! In each test both sides poll their operation a few times, drop it and begin anew. What is
//! received are the messages whose sending was done, each once and in order.

use std::pin::pin;
use std::task::Poll;

use zmtp::{
    DealerSocket, Message, PairSocket, PubSocket, PullSocket, PushSocket, RecvError, RepSocket,
    ReqSocket, RouterSocket, SendError, Socket, SubSocket,
};

use crate::{LOOPBACK, handshake, soon};

/// Messages of one storm; several times what its queues hold.
const COUNT: u32 = 2000;

/// Polls a future up to `polls` times, with other tasks in between, and drops it.
async fn polled<T>(future: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
        match polled.await {
            Poll::Ready(output) => return Some(output),
            Poll::Pending => tokio::task::yield_now().await,
        }
    }
    None
}

/// Begins an operation until it is done; drops it after one, two or three polls in between.
async fn insist<T>(mut operation: impl AsyncFnMut() -> T) -> T {
    for attempt in 0.. {
        // No poll at all is a point to be dropped at, too.
        if let Some(output) = polled(operation(), attempt % 4).await {
            return output;
        }
        tokio::task::yield_now().await;
    }
    unreachable!("the attempts do not end")
}

fn number(message: &Message) -> u32 {
    let octets = message.last().expect("a body").as_slice();
    u32::from_be_bytes(octets.try_into().expect("four octets"))
}

async fn expect_all(mut recv: impl AsyncFnMut() -> Result<Message, RecvError>) {
    for expected in 0..COUNT {
        let message = recv().await.expect("the socket is open");
        assert_eq!(number(&message), expected);
    }
}

async fn send_all(mut send: impl AsyncFnMut(u32) -> Result<(), SendError>) {
    for number in 0..COUNT {
        send(number).await.expect("the socket is open");
    }
}

// INT-044
#[tokio::test]
async fn push_and_pull() {
    let mut pull = PullSocket::builder().receive_high_water_mark(3).build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::builder().send_high_water_mark(3).build();
    push.connect(&endpoint).await.unwrap();
    soon(async {
        tokio::join!(
            send_all(async |n| insist(async || push.send(n.to_be_bytes()).await).await),
            expect_all(async || insist(async || pull.recv().await).await),
        )
    })
    .await;
    assert!(pull.try_recv().is_err());
}

// INT-044
#[tokio::test]
async fn dealers_both_ways() {
    let bound = DealerSocket::builder().send_high_water_mark(3).build();
    let endpoint = bound.bind(LOOPBACK).await.unwrap();
    let connected = DealerSocket::builder().send_high_water_mark(3).build();
    connected.connect(&endpoint).await.unwrap();
    let (mut there, mut back) = bound.split();
    let (mut here, mut forth) = connected.split();
    soon(async {
        tokio::join!(
            send_all(async |n| insist(async || there.send(n.to_be_bytes()).await).await),
            send_all(async |n| insist(async || here.send(n.to_be_bytes()).await).await),
            expect_all(async || insist(async || back.recv().await).await),
            expect_all(async || {
                let received = insist(async || forth.recv_from().await).await;
                received.map(|(_, message)| message)
            }),
        )
    })
    .await;
}

// INT-044
#[tokio::test]
async fn a_mandatory_router_and_its_peer() {
    let router = RouterSocket::builder()
        .router_mandatory()
        .send_high_water_mark(2)
        .build();
    let mut monitor = router.monitor();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let dealer = DealerSocket::builder().receive_high_water_mark(2);
    let mut dealer = dealer.routing_id("me").unwrap().build();
    dealer.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    soon(async {
        tokio::join!(
            send_all(async |n| {
                insist(async || router.send(("me", "more", n.to_be_bytes())).await).await
            }),
            expect_all(async || insist(async || dealer.recv().await).await),
        )
    })
    .await;
}

// INT-044
#[tokio::test]
async fn a_pair_both_ways() {
    let left = PairSocket::builder().send_high_water_mark(3).build();
    let endpoint = left.bind(LOOPBACK).await.unwrap();
    let right = PairSocket::builder().send_high_water_mark(3).build();
    right.connect(&endpoint).await.unwrap();
    let (mut there, mut back) = left.split();
    let (mut here, mut forth) = right.split();
    soon(async {
        tokio::join!(
            send_all(async |n| insist(async || there.send(n.to_be_bytes()).await).await),
            send_all(async |n| insist(async || here.send(n.to_be_bytes()).await).await),
            expect_all(async || insist(async || back.recv().await).await),
            expect_all(async || insist(async || forth.recv().await).await),
        )
    })
    .await;
}

// INT-044
#[tokio::test]
async fn a_publisher_that_waits_and_its_subscriber() {
    let publisher = PubSocket::builder()
        .xpub_nodrop()
        .send_high_water_mark(3)
        .build();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    let mut sub = SubSocket::builder().receive_high_water_mark(3).build();
    sub.subscribe("");
    sub.connect(&endpoint).await.unwrap();
    let subscribed = async {
        while publisher.topic_count() == 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(subscribed).await;
    soon(async {
        tokio::join!(
            send_all(async |n| insist(async || publisher.send(n.to_be_bytes()).await).await),
            expect_all(async || insist(async || sub.recv().await).await),
        )
    })
    .await;
}

// INT-044
#[tokio::test]
async fn requests_and_replies() {
    let mut req = ReqSocket::new();
    let endpoint = req.bind(LOOPBACK).await.unwrap();
    let mut rep = RepSocket::new();
    let client = async {
        for n in 0..COUNT / 10 {
            // The first waits for a peer to come.
            let sent = insist(async || req.send(n.to_be_bytes()).await).await;
            sent.unwrap();
            let reply = insist(async || req.recv().await).await.unwrap();
            assert_eq!(number(&reply), n);
        }
    };
    let server = async {
        tokio::task::yield_now().await;
        rep.connect(&endpoint).await.unwrap();
        for n in 0..COUNT / 10 {
            let request = insist(async || rep.recv().await).await.unwrap();
            assert_eq!(number(&request), n);
            rep.send(request).unwrap();
        }
    };
    soon(async { tokio::join!(client, server) }).await;
}

// INT-044
#[tokio::test]
async fn a_relaxed_request_that_was_dropped_leaves_the_one_before() {
    let mut req = ReqSocket::builder()
        .req_relaxed()
        .send_high_water_mark(1)
        .build();
    let mut monitor = req.monitor();
    let endpoint = req.bind(LOOPBACK).await.unwrap();
    let mut rep = RepSocket::builder().no_reconnect().build();
    rep.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    req.send("first").await.unwrap();
    // Nothing was given away meanwhile: the queue of the only peer is full.
    assert!(polled(req.send("second"), 1).await.is_none());
    let request = soon(rep.recv()).await.unwrap();
    rep.send(request).unwrap();
    assert_eq!(soon(req.recv()).await.unwrap(), ["first"]);
}

// INT-044
#[tokio::test]
async fn binding_either_happens_or_does_not() {
    let pull = PullSocket::new();
    let mut push = PushSocket::new();
    for polls in 0..4 {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("tcp://{}", free.local_addr().unwrap());
        drop(free);
        if polled(pull.bind(&endpoint), polls).await.is_none() {
            soon(pull.bind(&endpoint)).await.unwrap();
        }
    }
    assert!(polled(push.connect("tcp://127.0.0.1:1"), 1).await.is_some());
    assert_eq!(push.peers().len(), 1);
    assert!(polled(push.send("waits"), 2).await.is_some());
}

// INT-044
#[tokio::test]
async fn a_socket_whose_close_is_dropped_still_closes() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut push = PushSocket::new();
    push.connect(&endpoint).await.unwrap();
    push.send("last words").await.unwrap();
    assert!(polled(push.close(), 1).await.is_none());
    assert_eq!(soon(pull.recv()).await.unwrap(), ["last words"]);
}
