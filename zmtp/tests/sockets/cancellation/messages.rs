//! Sending and receiving.
//!
//! In each test both sides poll their operation a few times, drop it and begin anew. What is
//! received are the messages whose sending was done, each once and in order. Receivers take turns
//! among the ways to receive that they have.

use zmtp::pattern::RoutingId;
use zmtp::{
    DealerSocket, Message, MessageReceiver, MessageSender, PairSocket, PubSocket, PullSocket,
    PushSocket, RecvError, RepSocket, ReqSocket, RouterSocket, SendError, Socket as _, SubSocket,
    XPubEvent, XPubSocket, XSubSocket,
};

use super::{insist, polled};
use crate::{LOOPBACK, handshake, soon};

/// Messages of one storm; several times what its queues hold.
const COUNT: u32 = 2000;

/// Sends the number `$n` in the last part, after the others.
macro_rules! send {
    ($socket:expr, $n:expr $(, $before:expr)*) => {
        insist(async || $socket.send([$($before.as_slice(),)* &$n.to_be_bytes()]).await).await
    };
}

/// Receives, as often with the peer that sent the message as without.
macro_rules! recv {
    ($socket:expr, $n:expr) => {
        match $n % 2 {
            0 => insist(async || $socket.recv().await).await,
            _ => {
                let received = insist(async || $socket.recv_with_peer().await).await;
                received.map(|received| received.message)
            }
        }
    };
}

/// As `recv!`, for sockets that also tell the peer alone.
macro_rules! recv_from {
    ($socket:expr, $n:expr) => {
        match $n % 3 {
            0 => insist(async || $socket.recv_from().await)
                .await
                .map(|(_, message)| message),
            _ => recv!($socket, $n),
        }
    };
}

/// As `recv!`, for publishers that also tell what happened.
macro_rules! recv_event {
    ($socket:expr, $n:expr) => {
        match $n % 3 {
            0 => {
                let received = insist(async || $socket.recv_event().await).await;
                received.map(|(_, event)| match event {
                    XPubEvent::Message(message) => message,
                    other => panic!("{other:?} instead of message {}", $n),
                })
            }
            _ => recv!($socket, $n),
        }
    };
}

fn number(message: &Message) -> u32 {
    let octets = message.last().expect("a body").as_slice();
    u32::from_be_bytes(octets.try_into().expect("four octets"))
}

async fn expect_all(mut recv: impl AsyncFnMut(u32) -> Result<Message, RecvError>) {
    for expected in 0..COUNT {
        let message = recv(expected).await.expect("the socket is open");
        assert_eq!(number(&message), expected);
    }
}

async fn send_all(mut send: impl AsyncFnMut(u32) -> Result<(), SendError>) {
    for number in 0..COUNT {
        send(number).await.expect("the socket is open");
    }
}

/// Waits until a publisher knows of a subscription.
async fn subscribed(topic_count: impl Fn() -> usize) {
    soon(async {
        while topic_count() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
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
            send_all(async |n| send!(push, n)),
            expect_all(async |n| recv_from!(pull, n)),
        )
    })
    .await;
    assert!(pull.try_recv().is_err());
}

// INT-044
#[tokio::test]
async fn code_for_any_socket() {
    /// It may wait on any thread.
    fn movable<F: Future + Send>(future: F) -> F {
        future
    }
    async fn exchange<S: MessageSender, R: MessageReceiver>(mut sender: S, mut receiver: R) {
        let sending = send_all(async |n| {
            let message = Message::from(&n.to_be_bytes()[..]);
            insist(async || movable(sender.send_message(message.clone())).await).await
        });
        let receiving =
            expect_all(async |_| insist(async || movable(receiver.recv_message()).await).await);
        soon(async { tokio::join!(sending, receiving) }).await;
        assert!(receiver.try_recv_message().is_err());
    }
    let pull = PullSocket::builder().receive_high_water_mark(3).build();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let push = PushSocket::builder().send_high_water_mark(3).build();
    push.connect(&endpoint).await.unwrap();
    exchange(push, pull).await;
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
            send_all(async |n| send!(there, n)),
            send_all(async |n| send!(here, n)),
            expect_all(async |n| recv_from!(back, n)),
            expect_all(async |n| recv_from!(forth, n)),
        )
    })
    .await;
}

// INT-044
#[tokio::test]
async fn a_mandatory_router_and_its_peer() {
    let mut router = RouterSocket::builder()
        .router_mandatory()
        .send_high_water_mark(2)
        .build();
    let mut monitor = router.monitor();
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let dealer = DealerSocket::builder()
        .send_high_water_mark(2)
        .receive_high_water_mark(2);
    let mut dealer = dealer.routing_id("me").unwrap().build();
    dealer.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    soon(async {
        tokio::join!(
            send_all(async |n| send!(router, n, b"me", b"more")),
            expect_all(async |n| recv_from!(dealer, n)),
        );
        tokio::join!(
            send_all(async |n| send!(dealer, n)),
            expect_all(async |n| recv_from!(router, n)),
        );
        let (sender, mut receiver) = router.split();
        tokio::join!(
            send_all(async |n| send!(sender, n, b"me")),
            expect_all(async |n| recv_from!(dealer, n)),
        );
        tokio::join!(
            send_all(async |n| send!(dealer, n)),
            expect_all(async |n| recv_from!(receiver, n)),
        );
    })
    .await;
}

// INT-044
#[tokio::test]
async fn a_pair_both_ways() {
    let mut left = PairSocket::builder().send_high_water_mark(3).build();
    let endpoint = left.bind(LOOPBACK).await.unwrap();
    let mut right = PairSocket::builder().send_high_water_mark(3).build();
    right.connect(&endpoint).await.unwrap();
    soon(async {
        tokio::join!(
            send_all(async |n| send!(left, n)),
            expect_all(async |n| recv!(right, n)),
        );
        let (mut there, mut back) = left.split();
        let (mut here, mut forth) = right.split();
        tokio::join!(
            send_all(async |n| send!(there, n)),
            send_all(async |n| send!(here, n)),
            expect_all(async |n| recv!(back, n)),
            expect_all(async |n| recv!(forth, n)),
        );
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
    subscribed(|| publisher.topic_count()).await;
    soon(async {
        tokio::join!(
            send_all(async |n| send!(publisher, n)),
            expect_all(async |n| recv_from!(sub, n)),
        )
    })
    .await;
}

// INT-044
#[tokio::test]
async fn an_extended_publisher_and_its_subscriber_both_ways() {
    let mut publisher = XPubSocket::builder()
        .xpub_nodrop()
        .send_high_water_mark(3)
        .build();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    // What subscribers send is dropped at their mark, and does not wait.
    let mut sub = XSubSocket::builder().send_high_water_mark(0).build();
    sub.subscribe("");
    sub.connect(&endpoint).await.unwrap();
    let told = soon(insist(async || publisher.recv_event().await)).await;
    assert!(matches!(told.unwrap().1, XPubEvent::Subscribed(_)));
    soon(async {
        tokio::join!(
            send_all(async |n| send!(publisher, n)),
            expect_all(async |n| recv_from!(sub, n)),
        );
        tokio::join!(
            send_all(async |n| send!(sub, n, b"up")),
            expect_all(async |n| recv_event!(publisher, n)),
        );
        let (publishing, mut hearing) = publisher.split();
        let (asking, mut receiving) = sub.split();
        tokio::join!(
            send_all(async |n| send!(publishing, n)),
            send_all(async |n| send!(asking, n, b"up")),
            expect_all(async |n| recv_from!(receiving, n)),
            expect_all(async |n| recv_event!(hearing, n)),
        );
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
            send!(req, n).unwrap();
            let reply = recv_from!(req, n).unwrap();
            assert_eq!(number(&reply), n);
        }
    };
    let server = async {
        tokio::task::yield_now().await;
        rep.connect(&endpoint).await.unwrap();
        for n in 0..COUNT / 10 {
            let request = recv_from!(rep, n).unwrap();
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

/// Drops a wait for room at each point, and expects another one to end when there is some.
async fn assert_woken<W>(writable: impl Fn() -> W, make_room: impl Future)
where
    W: Future<Output = ()>,
{
    let waiting = writable();
    for polls in 0..4 {
        polled(writable(), polls).await;
    }
    soon(async { tokio::join!(waiting, make_room) }).await;
}

// INT-044
#[tokio::test]
async fn waits_for_room_that_are_dropped_leave_the_others_waiting() {
    const HERE: &str = "inproc://where-somebody-waits-for-room";
    let dealer = || DealerSocket::builder().send_high_water_mark(1).build();
    let router = || {
        let router = RouterSocket::builder().router_mandatory();
        router.send_high_water_mark(1).build()
    };
    let there = || RoutingId::new("there").unwrap();

    let mut push = PushSocket::builder().send_high_water_mark(1).build();
    push.connect(HERE).await.unwrap();
    while push.try_send("x").is_ok() {}
    let pull = PullSocket::new();
    assert_woken(|| push.writable(), pull.bind(HERE)).await;
    pull.close().await;

    let mut whole = dealer();
    whole.connect(HERE).await.unwrap();
    while whole.try_send("x").is_ok() {}
    let peer = DealerSocket::new();
    assert_woken(|| whole.writable(), peer.bind(HERE)).await;
    peer.close().await;

    let (mut half, _receiver) = dealer().split();
    half.handle().connect(HERE).await.unwrap();
    while half.try_send("x").is_ok() {}
    let peer = DealerSocket::new();
    assert_woken(|| half.writable(), peer.bind(HERE)).await;
    peer.close().await;

    let whole = router();
    whole.connect_as(HERE, there()).await.unwrap();
    while whole.try_send(["there", "x"]).is_ok() {}
    let peer = DealerSocket::new();
    assert_woken(|| whole.writable(), peer.bind(HERE)).await;
    peer.close().await;

    let whole = router();
    whole.connect_as(HERE, there()).await.unwrap();
    let (half, _receiver) = whole.split();
    while half.try_send(["there", "x"]).is_ok() {}
    let peer = DealerSocket::new();
    assert_woken(|| half.writable(), peer.bind(HERE)).await;
}
