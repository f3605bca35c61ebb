//! XPUB and XSUB (29/PUBSUB).
#![expect(clippy::unwrap_used, reason = "tests")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use zmtp::{
    Builder, ManualSubscriptionError, Message, MessageSender, PeerId, PubSocket, Socket, SubSocket,
    TryRecvError, TrySendError, XPubEvent, XPubSocket, XSubSocket,
};

use crate::reserved_port::ReservedPort;
use crate::{LOOPBACK, disconnect, handshake, soon};

fn subscription(topic: &str) -> Message {
    Message::from(format!("\x01{topic}"))
}

fn cancellation(topic: &str) -> Message {
    Message::from(format!("\0{topic}"))
}

async fn connected<S: Socket>(publisher: &impl Socket, subscriber: S) -> S {
    let mut monitor = publisher.monitor();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    subscriber.connect(&endpoint).await.unwrap();
    handshake(&mut monitor).await;
    subscriber
}

/// An XPUB and two XSUBs that are connected to it.
async fn with_two(builder: Builder<XPubSocket>) -> (XPubSocket, [XSubSocket; 2]) {
    let publisher = builder.build();
    let first = connected(&publisher, XSubSocket::new()).await;
    let second = connected(&publisher, XSubSocket::new()).await;
    (publisher, [first, second])
}

async fn told(publisher: &mut XPubSocket, expected: Message) {
    assert_eq!(soon(publisher.recv()).await.unwrap(), expected);
}

/// Nothing is told but the mark, which `subscriber` makes.
async fn told_nothing_but(publisher: &mut XPubSocket, subscriber: &XSubSocket, mark: &str) {
    subscriber.subscribe(mark);
    told(publisher, subscription(mark)).await;
}

// PUBSUB-022, PUBSUB-029
#[tokio::test]
async fn first_subscription_and_last_cancellation_are_told() {
    let (mut publisher, [one, two]) = with_two(XPubSocket::builder()).await;
    one.subscribe("A");
    told(&mut publisher, subscription("A")).await;
    one.subscribe("A");
    two.subscribe("A");
    two.subscribe("B");
    told(&mut publisher, subscription("B")).await;
    one.unsubscribe("A");
    one.unsubscribe("A");
    told_nothing_but(&mut publisher, &one, "mark").await;
    two.unsubscribe("A");
    told(&mut publisher, cancellation("A")).await;
    assert_eq!(publisher.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(publisher.topic_count(), 2);
}

// PUBSUB-023
#[tokio::test]
async fn verbose_tells_every_subscription() {
    let (mut publisher, [one, two]) = with_two(XPubSocket::builder().xpub_verbose()).await;
    for subscriber in [&one, &one, &two] {
        subscriber.subscribe("A");
        told(&mut publisher, subscription("A")).await;
    }
    two.unsubscribe("A");
    told_nothing_but(&mut publisher, &two, "mark").await;
    one.unsubscribe("A");
    one.unsubscribe("A");
    told(&mut publisher, cancellation("A")).await;
}

// PUBSUB-023, PUBSUB-054
#[tokio::test]
async fn verboser_tells_every_cancellation_too() {
    let publisher = XPubSocket::builder().xpub_verboser();
    let (mut publisher, [one, two]) = with_two(publisher).await;
    one.unsubscribe("unknown");
    for subscriber in [&one, &two] {
        subscriber.subscribe("A");
        told(&mut publisher, subscription("A")).await;
    }
    one.subscribe("A");
    told(&mut publisher, subscription("A")).await;
    one.unsubscribe("A");
    told_nothing_but(&mut publisher, &one, "mark").await;
    for subscriber in [&one, &two] {
        subscriber.unsubscribe("A");
        told(&mut publisher, cancellation("A")).await;
    }
}

// PUBSUB-054
#[tokio::test]
async fn verbose_unsubscribe_passes_all_cancellations_on() {
    let mut publisher = XPubSocket::builder().xpub_verboser().build();
    let subscriber = XSubSocket::builder().xsub_verbose_unsubscribe().build();
    let subscriber = connected(&publisher, subscriber).await;
    soon(subscriber.send(cancellation("A"))).await.unwrap();
    told(&mut publisher, cancellation("A")).await;
    for _ in 0..2 {
        soon(subscriber.send(subscription("A"))).await.unwrap();
        told(&mut publisher, subscription("A")).await;
    }
    for _ in 0..2 {
        soon(subscriber.send(cancellation("A"))).await.unwrap();
        told(&mut publisher, cancellation("A")).await;
    }
}

// PUBSUB-024
#[tokio::test]
async fn what_only_a_lost_peer_held_is_cancelled() {
    let mut publisher = XPubSocket::new();
    let mut monitor = publisher.monitor();
    let leaving = connected(&publisher, XSubSocket::new()).await;
    let staying = connected(&publisher, XSubSocket::new()).await;
    for (subscriber, topic) in [(&leaving, "A"), (&leaving, "B"), (&staying, "C")] {
        subscriber.subscribe(topic);
        told(&mut publisher, subscription(topic)).await;
    }
    staying.subscribe("A");
    told_nothing_but(&mut publisher, &staying, "mark").await;
    leaving.close().await;
    disconnect(&mut monitor).await;
    told(&mut publisher, cancellation("B")).await;
    assert_eq!(publisher.try_recv(), Err(TryRecvError::Empty));
}

// PUBSUB-024, PUBSUB-023
#[tokio::test]
async fn verboser_tells_all_that_a_lost_peer_held() {
    let mut publisher = XPubSocket::builder().xpub_verboser().build();
    let mut monitor = publisher.monitor();
    let leaving = connected(&publisher, XSubSocket::new()).await;
    let staying = connected(&publisher, XSubSocket::new()).await;
    for subscriber in [&leaving, &staying] {
        subscriber.subscribe("A");
        told(&mut publisher, subscription("A")).await;
    }
    leaving.close().await;
    disconnect(&mut monitor).await;
    told(&mut publisher, cancellation("A")).await;
    assert_eq!(publisher.topic_count(), 1);
}

// PUBSUB-014, PUBSUB-025, PUBSUB-043, PUBSUB-050
#[tokio::test]
async fn messages_of_subscribers_reach_all_their_publishers() {
    let mut publishers = [XPubSocket::new(), XPubSocket::new()];
    let mut subscriber = XSubSocket::new();
    for publisher in &publishers {
        subscriber = connected(publisher, subscriber).await;
    }
    soon(subscriber.send(["\x01A", "\x01B", "hello", "\x01C"]))
        .await
        .unwrap();
    for publisher in &mut publishers {
        told(publisher, subscription("A")).await;
        told(publisher, subscription("B")).await;
        told(publisher, Message::from(["hello", "\x01C"])).await;
    }
    soon(subscriber.send("")).await.unwrap();
    for publisher in &mut publishers {
        let (_, event) = soon(publisher.recv_event()).await.unwrap();
        assert_eq!(event, XPubEvent::Message("".into()));
    }
}

// PUBSUB-028
#[tokio::test]
async fn in_manual_mode_the_application_decides() {
    let mut publisher = XPubSocket::builder().xpub_manual().build();
    let mut monitor = publisher.monitor();
    let mut subscriber = connected(&publisher, XSubSocket::new()).await;
    subscriber.subscribe("A");
    let (peer, event) = soon(publisher.recv_event()).await.unwrap();
    assert_eq!(event, XPubEvent::Subscribed("A".into()));
    publisher.subscribe(peer, "XA").unwrap();
    publisher.try_send("A").unwrap();
    publisher.try_send("XA").unwrap();
    assert_eq!(soon(subscriber.recv()).await.unwrap(), Message::from("XA"));

    subscriber.unsubscribe("A");
    let (_, event) = soon(publisher.recv_event()).await.unwrap();
    assert_eq!(event, XPubEvent::Cancelled("A".into()));
    // Nobody took anything away from it.
    publisher.try_send("XA").unwrap();
    assert_eq!(soon(subscriber.recv()).await.unwrap(), Message::from("XA"));
    publisher.cancel(peer, "XA").unwrap();
    publisher.try_send("XA").unwrap();
    publisher.subscribe(peer, "end").unwrap();
    publisher.try_send("end").unwrap();
    assert_eq!(soon(subscriber.recv()).await.unwrap(), Message::from("end"));

    // What the peer asked for and did not take back is cancelled with its connection.
    subscriber.subscribe("B");
    told(&mut publisher, subscription("B")).await;
    subscriber.close().await;
    disconnect(&mut monitor).await;
    told(&mut publisher, cancellation("B")).await;
    assert_eq!(publisher.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(publisher.topic_count(), 0);
    assert_eq!(
        publisher.subscribe(peer, "late"),
        Err(ManualSubscriptionError::UnknownPeer)
    );
}

// PUBSUB-028
#[tokio::test]
async fn the_last_value_goes_to_the_latest_subscriber_alone() {
    let mut publisher = XPubSocket::builder().xpub_manual().build();
    let mut subscribers = Vec::new();
    for number in 0..2 {
        let mut subscriber = connected(&publisher, SubSocket::new()).await;
        subscriber.subscribe("A");
        let (peer, _) = soon(publisher.recv_event()).await.unwrap();
        publisher.subscribe(peer, "A").unwrap();
        let value = format!("A{number}");
        publisher.try_send_to(peer, value.as_str()).unwrap();
        let received = soon(subscriber.recv()).await.unwrap();
        assert_eq!(received, Message::from(value));
        subscribers.push(subscriber);
    }
    publisher.try_send("A for all").unwrap();
    for subscriber in &mut subscribers {
        let received = soon(subscriber.recv()).await.unwrap();
        assert_eq!(received, Message::from("A for all"));
    }
}

#[tokio::test]
async fn without_manual_mode_the_application_has_no_say() {
    let mut publisher = XPubSocket::new();
    let subscriber = connected(&publisher, SubSocket::new()).await;
    subscriber.subscribe("A");
    let (peer, _): (PeerId, _) = soon(publisher.recv_event()).await.unwrap();
    assert_eq!(
        publisher.subscribe(peer, "B"),
        Err(ManualSubscriptionError::NotManual)
    );
}

// PUBSUB-028
#[tokio::test]
async fn new_subscribers_are_welcomed() {
    let publisher = XPubSocket::builder().xpub_welcome_message("Welcome");
    let mut publisher = publisher.build();
    let mut wanting = SubSocket::new();
    wanting.subscribe("W");
    let mut other = SubSocket::new();
    other.subscribe("A");
    wanting = connected(&publisher, wanting).await;
    assert_eq!(
        soon(wanting.recv()).await.unwrap(),
        Message::from("Welcome")
    );
    // One that did not ask for it does not see it.
    told(&mut publisher, subscription("W")).await;
    other = connected(&publisher, other).await;
    told(&mut publisher, subscription("A")).await;
    publisher.try_send("A").unwrap();
    assert_eq!(soon(other.recv()).await.unwrap(), Message::from("A"));
}

// PUBSUB-058
#[tokio::test]
async fn inverted_matching_gives_everybody_what_they_did_not_ask_for() {
    let publisher = PubSocket::builder().invert_matching().build();
    let picky = SubSocket::builder().invert_matching().build();
    picky.subscribe("A");
    let mut picky = connected(&publisher, picky).await;
    let all = SubSocket::builder().invert_matching().build();
    let mut all = connected(&publisher, all).await;
    soon(async {
        while publisher.topic_count() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for body in ["A1", "B", "A2", "end"] {
        publisher.try_send(body).unwrap();
    }
    for expected in ["B", "end"] {
        assert_eq!(soon(picky.recv()).await.unwrap(), Message::from(expected));
    }
    for expected in ["A1", "B", "A2", "end"] {
        assert_eq!(soon(all.recv()).await.unwrap(), Message::from(expected));
    }
}

// PUBSUB-008, PUBSUB-019
#[tokio::test]
async fn with_nodrop_a_full_subscriber_holds_the_publisher() {
    let publisher = XPubSocket::builder()
        .send_high_water_mark(4)
        .xpub_nodrop()
        .build();
    let (publisher, mut receiver) = publisher.split();
    let endpoint = publisher.handle().bind(LOOPBACK).await.unwrap();
    let mut subscriber = SubSocket::new();
    subscriber.subscribe("");
    subscriber.connect(&endpoint).await.unwrap();
    soon(receiver.recv()).await.unwrap();
    let body = vec![0; 100_000];
    let accepted = soon(async {
        for accepted in 0.. {
            match publisher.try_send(body.as_slice()) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => return accepted,
                Err(error) => panic!("{error}"),
            }
        }
        unreachable!()
    })
    .await;
    assert_eq!(accepted, 4);
    let sending = tokio::spawn(async move {
        for _ in 0..200 {
            publisher.send(body.as_slice()).await.unwrap();
        }
        publisher
    });
    for _ in 0..204 {
        soon(subscriber.recv()).await.unwrap();
    }
    assert_eq!(soon(sending).await.unwrap().dropped(), 0);
}

// PUBSUB-060
#[tokio::test]
async fn a_burst_beyond_the_mark_reaches_a_subscriber_that_reads() {
    let mut publisher = PubSocket::builder().send_high_water_mark(10).build();
    let subscriber = SubSocket::new();
    subscriber.subscribe("");
    let mut subscriber = connected(&publisher, subscriber).await;
    soon(async {
        while publisher.topic_count() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let receiving = tokio::spawn(async move {
        for number in 0..20_000_u32 {
            let message = soon(subscriber.recv()).await.unwrap();
            assert_eq!(message[0], number.to_be_bytes());
        }
    });
    for number in 0..10_000_u32 {
        publisher.send(&number.to_be_bytes()[..]).await.unwrap();
    }
    for number in 10_000..20_000_u32 {
        let message = Message::from(&number.to_be_bytes()[..]);
        publisher.send_message(message).await.unwrap();
    }
    soon(receiving).await.unwrap();
    assert_eq!(publisher.dropped(), 0);
}

// PUBSUB-039, PUBSUB-055
#[tokio::test]
async fn a_returning_publisher_is_told_each_topic_once() {
    let mut publisher = XPubSocket::builder().xpub_verbose().build();
    let port = ReservedPort::new();
    let endpoint = publisher.bind(port.endpoint()).await.unwrap();
    let subscriber = XSubSocket::builder()
        .reconnect_interval(std::time::Duration::from_millis(10))
        .build();
    subscriber.connect(&endpoint).await.unwrap();
    for topic in ["A", "A", "B"] {
        subscriber.subscribe(topic);
    }
    for _ in 0..2 {
        soon(publisher.recv()).await.unwrap();
    }
    publisher.close().await;
    let mut publisher = XPubSocket::builder().xpub_verbose().build();
    soon(async {
        while publisher.bind(&endpoint).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut told = Vec::new();
    for _ in 0..2 {
        told.push(soon(publisher.recv()).await.unwrap()[0].to_vec());
    }
    told.sort();
    assert_eq!(told, [b"\x01A", b"\x01B"]);
    subscriber.subscribe("mark");
    assert_eq!(soon(publisher.recv()).await.unwrap(), subscription("mark"));
}

// PUBSUB-052
#[tokio::test]
async fn xsub_receives_what_its_publishers_send() {
    let publisher = PubSocket::new();
    let mut subscriber = connected(&publisher, XSubSocket::new()).await;
    subscriber.subscribe("A");
    soon(async {
        while publisher.topic_count() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    publisher.try_send(["A", "1"]).unwrap();
    publisher.try_send(["B", "2"]).unwrap();
    publisher.try_send(["A", "3"]).unwrap();
    for body in ["1", "3"] {
        let received = soon(subscriber.recv()).await.unwrap();
        assert_eq!(received, Message::from(["A", body]));
    }
}

// PUBSUB-057, PUBSUB-060, PUBSUB-061
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_in_the_middle_of_a_stream_misses_nothing_from_then_on() {
    let publisher = PubSocket::builder().xpub_nodrop().build();
    let endpoint = publisher.bind(LOOPBACK).await.unwrap();
    let publishing = tokio::spawn(async move {
        for number in 0_u64.. {
            if publisher.send(&number.to_be_bytes()[..]).await.is_err() {
                return;
            }
        }
    });
    for _ in 0..10 {
        let mut subscriber = SubSocket::new();
        subscriber.subscribe("");
        subscriber.connect(&endpoint).await.unwrap();
        let mut last = None;
        for _ in 0..2000 {
            let message = soon(subscriber.recv()).await.unwrap();
            let number = u64::from_be_bytes(message[0].as_slice().try_into().unwrap());
            assert!(
                last.is_none_or(|last| last + 1 == number),
                "{last:?}, {number}"
            );
            last = Some(number);
        }
    }
    publishing.abort();
}

/// Sends to a subscriber without room, which then does what lets the publisher go on.
async fn goes_on_after(publisher: &XPubSocket, relief: impl FnOnce()) {
    while publisher.try_send("A").is_ok() {}
    let mut sending = pin!(publisher.send("A"));
    // The first time it may only have let others have their turn.
    for _ in 0..2 {
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(sending.as_mut().poll(&mut context), Poll::Pending);
    }
    relief();
    soon(sending).await.unwrap();
}

fn held_up() -> Builder<XPubSocket> {
    XPubSocket::builder().send_high_water_mark(2).xpub_nodrop()
}

// PUBSUB-019
#[tokio::test]
async fn a_publisher_does_not_wait_for_a_peer_that_unsubscribes() {
    let mut publisher = held_up().build();
    publisher.bind("inproc://unsubscribes").await.unwrap();
    let subscriber = SubSocket::builder().receive_high_water_mark(2).build();
    subscriber.subscribe("A");
    subscriber.connect("inproc://unsubscribes").await.unwrap();
    soon(publisher.recv()).await.unwrap();
    goes_on_after(&publisher, || subscriber.unsubscribe("A")).await;
}

// PUBSUB-019, PUBSUB-028
#[tokio::test]
async fn a_publisher_does_not_wait_for_a_peer_that_the_application_takes_a_topic_from() {
    let mut publisher = held_up().xpub_manual().build();
    publisher.bind("inproc://takes").await.unwrap();
    let subscriber = SubSocket::builder().receive_high_water_mark(2).build();
    subscriber.subscribe("A");
    subscriber.connect("inproc://takes").await.unwrap();
    let (peer, _) = soon(publisher.recv_event()).await.unwrap();
    publisher.subscribe(peer, "A").unwrap();
    goes_on_after(&publisher, || publisher.cancel(peer, "A").unwrap()).await;
}

// PUBSUB-019
#[tokio::test]
async fn an_inverted_publisher_does_not_wait_for_a_peer_that_subscribes() {
    let publisher = held_up().invert_matching().build();
    let mut monitor = publisher.monitor();
    publisher.bind("inproc://inverted").await.unwrap();
    let subscriber = XSubSocket::builder().receive_high_water_mark(2).build();
    subscriber.connect("inproc://inverted").await.unwrap();
    handshake(&mut monitor).await;
    goes_on_after(&publisher, || subscriber.subscribe("A")).await;
}

#[tokio::test]
async fn messages_have_their_turn_among_many_subscriptions() {
    let mut publisher = XPubSocket::new();
    let mut monitor = publisher.monitor();
    publisher.bind("inproc://many-subscriptions").await.unwrap();
    let subscriber = XSubSocket::new();
    subscriber
        .connect("inproc://many-subscriptions")
        .await
        .unwrap();
    handshake(&mut monitor).await;
    soon(subscriber.send("message")).await.unwrap();
    for number in 0..100_u8 {
        subscriber.subscribe([number]);
    }
    soon(async {
        while publisher.topic_count() < 100 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for received in 0.. {
        assert!(received <= 64, "the message has no turn");
        if soon(publisher.recv()).await.unwrap() == Message::from("message") {
            break;
        }
    }
}
