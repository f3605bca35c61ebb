//! Publishers and subscribers: who has asked gets all that it asked for, and subscriptions are
//! counted right however they cross with messages.

use std::collections::BTreeSet;

use super::network::{Tasks, Transport, explore, finish, text};
use crate::driver::Retention;
use crate::socket::{Socket, SubSocket, XPubEvent, XPubSocket};

/// As many messages as are published.
const COUNT: usize = 3;

/// The mark of a publisher.
#[derive(Clone, Copy)]
enum Mark {
    One,
    /// It becomes one while messages are published.
    Lowered,
}

/// Two subscribers of a publisher that waits for them.
async fn publish(transport: Transport, mark: Mark) {
    let publisher = XPubSocket::builder()
        .send_high_water_mark(match mark {
            Mark::One => 1,
            Mark::Lowered => 2,
        })
        .xpub_nodrop()
        .xpub_verbose()
        .build();
    let mut handles = vec![publisher.handle().clone()];
    let mut links = Tasks::default();
    if matches!(transport, Transport::InProcess) {
        links.bind(publisher.handle(), "model");
    }
    let mut tasks = Tasks::default();
    for _ in 0..2 {
        let mut subscriber = SubSocket::builder().receive_high_water_mark(1).build();
        handles.push(subscriber.handle().clone());
        subscriber.subscribe("topic");
        let handle = subscriber.handle();
        match transport {
            Transport::InProcess => links.connect(handle, "model", Retention::Endpoint),
            Transport::Stream { octets } => {
                links.connect_by_stream(handle, publisher.handle(), octets);
            }
        }
        tasks.spawn(async move {
            for number in 0..COUNT {
                let message = subscriber.recv().await.unwrap();
                assert_eq!(text(&message), format!("topic {number}"));
            }
        });
    }
    let (sender, mut events) = publisher.split();
    for _ in 0..2 {
        let (_, event) = events.recv_event().await.unwrap();
        assert_eq!(event, XPubEvent::Subscribed("topic".into()));
    }
    if let Mark::Lowered = mark {
        let handle = handles[0].clone();
        tasks.spawn(async move { handle.set_send_high_water_mark(1) });
    }
    for number in 0..COUNT {
        sender.send("other").await.unwrap();
        sender.send(format!("topic {number}")).await.unwrap();
    }
    tasks.join().await;
    finish(links, &handles).await;
}

#[test]
fn every_subscriber_gets_every_message_of_a_publisher_that_waits() {
    explore(|| publish(Transport::InProcess, Mark::One));
    explore(|| publish(Transport::Stream { octets: 16 }, Mark::One));
}

#[test]
fn a_lower_mark_makes_a_publisher_that_waits_drop_nothing() {
    explore(|| publish(Transport::InProcess, Mark::Lowered));
    explore(|| publish(Transport::Stream { octets: 16 }, Mark::Lowered));
}

/// Subscribes and cancels while the link comes up and messages are published.
async fn change() {
    let publisher = XPubSocket::new();
    let subscriber = SubSocket::new();
    let handles = [publisher.handle().clone(), subscriber.handle().clone()];
    let mut links = Tasks::default();
    links.bind(publisher.handle(), "model");
    links.connect(subscriber.handle(), "model", Retention::Endpoint);
    let mut tasks = Tasks::default();
    let (sender, mut events) = publisher.split();
    tasks.spawn(async move {
        for topic in ["a", "b", "a"] {
            subscriber.subscribe(topic);
        }
        for topic in ["b", "a"] {
            subscriber.unsubscribe(topic);
        }
        subscriber.subscribe("end");
    });
    tasks.spawn(async move {
        for _ in 0..COUNT {
            let _ = sender.try_send("b message");
        }
    });
    let mut topics = BTreeSet::new();
    while !topics.contains(&b"end"[..]) {
        match events.recv_event().await.unwrap().1 {
            XPubEvent::Subscribed(topic) => assert!(topics.insert(topic.to_vec())),
            XPubEvent::Cancelled(topic) => assert!(topics.remove(&topic[..])),
            XPubEvent::Message(message) => panic!("a subscriber sent {message:?}"),
        }
    }
    let topics: Vec<_> = topics.iter().map(|topic| &topic[..]).collect();
    assert_eq!(topics, [&b"a"[..], b"end"]);
    assert_eq!(handles[0].counters().subscriptions, 2);
    tasks.join().await;
    finish(links, &handles).await;
}

#[test]
fn subscriptions_are_what_was_asked_for_last() {
    explore(change);
}
