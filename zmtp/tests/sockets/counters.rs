//! What sockets and peers count, and that nothing is dropped without being counted.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zmtp::{
    DealerSocket, DropReason, Endpoint, Message, PeerId, PubSocket, PullSocket, PushSocket,
    RepSocket, ReqSocket, RouterSocket, Socket, SocketCounters, SubSocket,
};

use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, disconnect, handshake, soon};

/// Waits until the counters of `socket` are as they should become.
async fn until(socket: &impl Socket, expected: impl Fn(&SocketCounters) -> bool) {
    soon(async {
        while !expected(&socket.counters()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

async fn until_dropped(socket: &impl Socket, reason: DropReason, count: u64) {
    until(socket, |counters| counters.dropped.count(reason) == count).await;
    assert_eq!(socket.counters().dropped.total(), count);
}

/// A peer that has finished its handshake and does what the test says.
async fn raw_peer(endpoint: &Endpoint, socket_type: &str) -> TcpStream {
    let address = endpoint.to_string();
    let address = address.strip_prefix("tcp://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut octets = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
    octets.extend_from_slice(b"NULL");
    octets.resize(64, 0);
    let mut ready = b"\x05READY\x0bSocket-Type".to_vec();
    ready.extend_from_slice(&u32::try_from(socket_type.len()).unwrap().to_be_bytes());
    ready.extend_from_slice(socket_type.as_bytes());
    octets.extend_from_slice(&[4, u8::try_from(ready.len()).unwrap()]);
    octets.extend_from_slice(&ready);
    stream.write_all(&octets).await.unwrap();
    let mut greeting = [0; 64];
    stream.read_exact(&mut greeting).await.unwrap();
    stream
}

fn only_peer(socket: &impl Socket) -> PeerId {
    let peers = socket.peers();
    assert_eq!(peers.len(), 1);
    peers[0]
}

#[tokio::test]
async fn both_ends_of_a_connection_count_the_same() {
    for endpoint in [LOOPBACK, "inproc://counted"] {
        let (mut push, mut pull) = (PushSocket::new(), PullSocket::new());
        let endpoint = pull.bind(endpoint).await.unwrap();
        let peer = push.connect(&endpoint).await.unwrap();
        for _ in 0..100 {
            push.send(["part", "and part"]).await.unwrap();
        }
        for _ in 0..100 {
            soon(pull.recv()).await.unwrap();
        }
        until(&push, |counters| counters.sent.messages == 100).await;
        let sent = push.peer_counters(peer).unwrap();
        assert_eq!(push.counters().sent, sent.sent);
        assert!(sent.sent.octets >= 1200, "{sent:?}");
        let received = pull.peer_counters(only_peer(&pull)).unwrap();
        assert_eq!(received.received.messages, 100);
        assert_eq!(received.received.octets, sent.sent.octets);
        assert_eq!(pull.counters().received, received.received);
        assert_eq!(push.counters().dropped.total(), 0);
        assert_eq!(push.counters().connected, 1);
        assert_eq!(pull.counters().accepted, 1);
    }
}

#[tokio::test]
async fn what_waits_is_counted_on_both_sides() {
    let mut push = PushSocket::new();
    let peer = push.connect("inproc://waiting").await.unwrap();
    for _ in 0..3 {
        push.send("wait").await.unwrap();
    }
    assert_eq!(push.counters().queued.outgoing, 3);
    assert_eq!(push.peer_counters(peer).unwrap().queued.outgoing, 3);
    let mut monitor = push.monitor();
    let pull = PullSocket::new();
    pull.bind("inproc://waiting").await.unwrap();
    handshake(&mut monitor).await;
    assert_eq!(pull.counters().queued.incoming, 3);
}

#[tokio::test]
async fn the_numbers_of_a_peer_outlive_it_in_its_socket() {
    let mut pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut monitor = pull.monitor();
    for _ in 0..2 {
        let mut push = PushSocket::new();
        push.connect(&endpoint).await.unwrap();
        push.send("one").await.unwrap();
        soon(push.close()).await;
        soon(pull.recv()).await.unwrap();
        disconnect(&mut monitor).await;
    }
    let counters = pull.counters();
    assert_eq!(counters.received.messages, 2);
    assert_eq!((counters.accepted, counters.reconnects), (2, 0));
    assert_eq!(counters.peers, 0);
}

#[tokio::test]
async fn reconnects_are_counted() {
    let mut push = PushSocket::builder()
        .reconnect_interval(Duration::from_millis(5))
        .build();
    let mut pull = PullSocket::new();
    let port = ReservedPort::new();
    let endpoint = pull.bind(port.endpoint()).await.unwrap();
    let mut monitor = push.monitor();
    let peer = push.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    pull.close().await;
    disconnect(&mut monitor).await;
    pull = PullSocket::new();
    pull.bind(&endpoint).await.unwrap();
    push.send("again").await.unwrap();
    soon(pull.recv()).await.unwrap();
    assert_eq!(push.peer_counters(peer).unwrap().reconnects, 1);
    assert_eq!(push.counters().reconnects, 1);
}

#[tokio::test]
async fn failed_handshakes_and_connects_are_counted() {
    let pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let dealer = DealerSocket::new();
    dealer.connect(&endpoint).await.unwrap();
    until(&pull, |counters| counters.handshakes_failed == 1).await;
    until(&dealer, |counters| counters.handshakes_failed == 1).await;
    drop(pull);
    let push = PushSocket::new();
    push.connect("tcp://127.0.0.1:1").await.unwrap();
    until(&push, |counters| counters.connects_failed > 0).await;
}

#[tokio::test]
async fn a_router_counts_what_it_cannot_route() {
    let router = RouterSocket::builder().send_high_water_mark(1).build();
    router.send(["nobody", "lost"]).await.unwrap();
    until_dropped(&router, DropReason::Unroutable, 1).await;
    let endpoint = router.bind(LOOPBACK).await.unwrap();
    let mut monitor = router.monitor();
    let dealer = DealerSocket::builder().routing_id("me").unwrap().build();
    dealer.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    // Without a pause, in which the connection would take them.
    for _ in 0..3 {
        router.try_send(["me", "too many"]).unwrap();
    }
    let counters = router.peer_counters(only_peer(&router)).unwrap();
    assert_eq!(counters.dropped.count(DropReason::HighWaterMark), 2);
    assert_eq!(router.counters().dropped.total(), 3);
}

#[tokio::test]
async fn a_publisher_counts_what_it_drops_for_each_peer() {
    let publisher = PubSocket::builder().send_high_water_mark(2).build();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    let subscribers = [SubSocket::new(), SubSocket::new()];
    for subscriber in &subscribers {
        subscriber.subscribe("");
        subscriber.connect(&endpoint).await.unwrap();
    }
    soon(async {
        while publisher.peers().len() < 2 || publisher.dropped() < 2 {
            // Without a pause in which the connections would take them.
            for _ in 0..3 {
                publisher.try_send("too many").unwrap();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let dropped = |peer| publisher.peer_counters(peer).unwrap().dropped;
    let sum: u64 = publisher
        .peers()
        .into_iter()
        .map(|peer| dropped(peer).count(DropReason::HighWaterMark))
        .sum();
    assert_eq!(sum, publisher.dropped());
    assert_eq!(publisher.counters().dropped.total(), sum);
}

#[tokio::test]
async fn what_is_no_longer_subscribed_to_is_counted() {
    let publisher = PubSocket::new();
    publisher.bind("inproc://unsubscribed").await.unwrap();
    let mut subscriber = SubSocket::new();
    let mut monitor = subscriber.monitor();
    subscriber.subscribe("a");
    subscriber.subscribe("b");
    subscriber.connect("inproc://unsubscribed").await.unwrap();
    handshake(&mut monitor).await;
    publisher.send("a").await.unwrap();
    publisher.send("b").await.unwrap();
    subscriber.unsubscribe("a");
    assert_eq!(soon(subscriber.recv()).await.unwrap(), Message::from("b"));
    until_dropped(&subscriber, DropReason::Unsubscribed, 1).await;
}

#[tokio::test]
async fn a_reply_to_a_peer_that_is_gone_is_counted() {
    let mut rep = RepSocket::new();
    let endpoint = rep.bind(LOOPBACK).await.unwrap();
    let mut monitor = rep.monitor();
    let mut req = ReqSocket::new();
    req.connect(&endpoint).await.unwrap();
    req.send("question").await.unwrap();
    soon(rep.recv()).await.unwrap();
    drop(req);
    disconnect(&mut monitor).await;
    rep.send("answer").unwrap();
    until_dropped(&rep, DropReason::PeerGone, 1).await;
}

#[tokio::test]
async fn what_is_no_request_is_counted() {
    let mut rep = RepSocket::new();
    rep.bind("inproc://no-request").await.unwrap();
    let mut dealer = DealerSocket::new();
    dealer.connect("inproc://no-request").await.unwrap();
    dealer.send("no delimiter").await.unwrap();
    dealer.send(["", "request"]).await.unwrap();
    soon(rep.recv()).await.unwrap();
    until_dropped(&rep, DropReason::Unexpected, 1).await;
}

#[tokio::test]
async fn what_no_receiver_wants_is_counted() {
    let push = PushSocket::new();
    let endpoint = push.bind(LOOPBACK).await.unwrap();
    let mut peer = raw_peer(&endpoint, "PULL").await;
    peer.write_all(b"\x00\x05hello\x01\x01a\x00\x01b")
        .await
        .unwrap();
    until_dropped(&push, DropReason::Unexpected, 2).await;
}

#[tokio::test]
async fn a_message_cut_off_by_the_end_of_its_connection_is_counted() {
    let pull = PullSocket::new();
    let endpoint = pull.bind(LOOPBACK).await.unwrap();
    let mut peer = raw_peer(&endpoint, "PUSH").await;
    peer.write_all(b"\x01\x04half").await.unwrap();
    drop(peer);
    until_dropped(&pull, DropReason::Incomplete, 1).await;
}

#[tokio::test]
async fn what_was_queued_for_an_accepted_peer_is_counted_when_it_goes() {
    let mut push = PushSocket::new();
    let endpoint = push.bind(LOOPBACK).await.unwrap();
    let mut monitor = push.monitor();
    let peer = raw_peer(&endpoint, "PULL").await;
    handshake(&mut monitor).await;
    // More than the kernel takes of a peer that does not read.
    let body = vec![0; 1024 * 1024];
    let mut sent = 0;
    while sent < 100 && soon(async { push.try_send(body.clone()).is_ok() }).await {
        sent += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(peer);
    disconnect(&mut monitor).await;
    until(&push, |counters| {
        counters.sent.messages + counters.dropped.count(DropReason::ConnectionLost) == sent
    })
    .await;
    let dropped = push.counters().dropped;
    assert!(dropped.total() > 0);
    assert_eq!(dropped.total(), dropped.count(DropReason::ConnectionLost));
}

#[tokio::test]
async fn what_is_left_after_the_linger_period_is_counted() {
    for endpoint in ["tcp://127.0.0.1:1", "inproc://lingering"] {
        let mut push = PushSocket::builder()
            .linger(Duration::from_millis(10))
            .build();
        let handle = push.handle().clone();
        push.connect(endpoint).await.unwrap();
        for _ in 0..3 {
            push.send("lost").await.unwrap();
        }
        soon(push.close()).await;
        let dropped = handle.counters().dropped;
        assert_eq!(dropped.count(DropReason::LingerExpired), 3, "{dropped}");
    }
}

#[tokio::test]
async fn what_comes_after_the_end_is_counted() {
    let pull = PullSocket::new();
    let handle = pull.handle().clone();
    // The push never reads that the pull closes, for it sends all the time.
    let mut push = PushSocket::new();
    push.bind("inproc://end").await.unwrap();
    pull.connect("inproc://end").await.unwrap();
    soon(push.send("in the pipe")).await.unwrap();
    soon(pull.close()).await;
    soon(async {
        while push.counters().dropped.count(DropReason::ConnectionLost) != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(handle.counters().received.messages, 0);
}

#[tokio::test]
async fn what_is_dropped_from_within_a_batch_is_counted() {
    let publisher = PubSocket::new();
    publisher
        .bind("inproc://dropped-from-a-batch")
        .await
        .unwrap();
    let mut subscriber = SubSocket::new();
    let mut monitor = subscriber.monitor();
    subscriber.subscribe("a");
    subscriber.subscribe("b");
    subscriber
        .connect("inproc://dropped-from-a-batch")
        .await
        .unwrap();
    handshake(&mut monitor).await;
    for topic in ["b", "a", "b"] {
        publisher.send(topic).await.unwrap();
    }
    subscriber.unsubscribe("a");
    for _ in 0..2 {
        assert_eq!(soon(subscriber.recv()).await.unwrap(), Message::from("b"));
    }
    until_dropped(&subscriber, DropReason::Unsubscribed, 1).await;
}

#[tokio::test]
async fn subscriptions_are_counted_for_each_peer_and_for_the_socket() {
    let publisher = PubSocket::new();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    let (one, two) = (SubSocket::new(), SubSocket::new());
    for topic in ["a", "b", "b"] {
        one.subscribe(topic);
    }
    two.subscribe("b");
    one.connect(&endpoint).await.unwrap();
    until(&publisher, |counters| counters.subscriptions == 2).await;
    let first = only_peer(&publisher);
    assert_eq!(publisher.peer_counters(first).unwrap().subscriptions, 2);
    two.connect(&endpoint).await.unwrap();
    until(&publisher, |counters| counters.subscriptions == 3).await;
    let second = publisher.peers()[1];
    assert_eq!(publisher.peer_counters(second).unwrap().subscriptions, 1);
    assert_eq!(publisher.topic_count(), 2);
    assert_eq!(one.counters().subscriptions, 2);
    one.unsubscribe("a");
    until(&publisher, |counters| counters.subscriptions == 2).await;
    assert_eq!(publisher.peer_counters(first).unwrap().subscriptions, 1);
    drop(two);
    until(&publisher, |counters| counters.subscriptions == 1).await;
}

/// What a peer dropped is in its own numbers as well as in those of its socket.
fn assert_same_drops(socket: &impl Socket, peer: PeerId, reason: DropReason, count: u64) {
    let dropped = socket.peer_counters(peer).unwrap().dropped;
    assert_eq!(dropped.count(reason), count, "{dropped}");
    assert_eq!(dropped.total(), count);
    assert_eq!(socket.counters().dropped, dropped);
}

#[tokio::test]
async fn what_a_peer_that_stays_dropped_is_in_its_own_numbers() {
    // Of a message that took the place of another.
    let mut push = PushSocket::builder().conflate().build();
    let peer = push.connect("inproc://own-conflated").await.unwrap();
    for _ in 0..3 {
        push.send("newer").await.unwrap();
    }
    assert_same_drops(&push, peer, DropReason::Conflated, 2);

    // Of one that has no subscription, and one that is no request.
    let publisher = PubSocket::new();
    publisher.bind("inproc://own-unwanted").await.unwrap();
    let mut subscriber = SubSocket::new();
    let mut monitor = subscriber.monitor();
    subscriber.subscribe("a");
    subscriber.subscribe("b");
    let peer = subscriber.connect("inproc://own-unwanted").await.unwrap();
    handshake(&mut monitor).await;
    publisher.send("a").await.unwrap();
    publisher.send("b").await.unwrap();
    subscriber.unsubscribe("a");
    soon(subscriber.recv()).await.unwrap();
    assert_same_drops(&subscriber, peer, DropReason::Unsubscribed, 1);
    let mut rep = RepSocket::new();
    rep.bind("inproc://own-no-request").await.unwrap();
    let mut dealer = DealerSocket::new();
    dealer.connect("inproc://own-no-request").await.unwrap();
    dealer.send("no delimiter").await.unwrap();
    dealer.send(["", "request"]).await.unwrap();
    let (peer, _) = soon(rep.recv_from()).await.unwrap();
    assert_same_drops(&rep, peer, DropReason::Unexpected, 1);
}

#[tokio::test]
async fn a_mandatory_router_counts_nothing_that_it_gives_back() {
    let router = RouterSocket::builder().router_mandatory().build();
    router.try_send(["nobody", "returned"]).unwrap_err();
    assert_eq!(router.counters().dropped.total(), 0);
}

#[tokio::test]
async fn what_a_closing_socket_no_longer_receives_is_counted() {
    let mut dealer = DealerSocket::new();
    let endpoint = dealer.bind(LOOPBACK).await.unwrap();
    let handle = dealer.handle().clone();
    let mut monitor = dealer.monitor();
    let mut peer = raw_peer(&endpoint, "DEALER").await;
    handshake(&mut monitor).await;
    // More than the kernel takes of a peer that does not read, so that the socket lingers.
    while dealer.try_send(vec![0; 1024 * 1024]).is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let closing = dealer.close();
    peer.write_all(b"\x00\x04late\x00\x04late").await.unwrap();
    soon(async {
        while handle.counters().dropped.count(DropReason::SocketClosed) < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert_eq!(handle.counters().received.messages, 0);
    drop(peer);
    soon(closing).await;
}
