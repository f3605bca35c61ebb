//! Subscriptions that change while connections break.

use std::collections::BTreeSet;
use std::time::Duration;

use tests::random::Random;
use zmtp::{Part, PubSocket, Socket, SubSocket, XPubEvent, XPubSocket, XSubSocket};

use crate::support::{STRIKES, Secured, Traffic, eventually, in_time, network, random};

/// Topics that are subscribed to and cancelled, none of which begins another.
const TOPICS: u64 = 20;

fn topic(number: u64) -> String {
    format!("topic {number:02}")
}

/// What a publisher was told so far.
fn enter(told: &mut BTreeSet<Part>, event: XPubEvent) {
    match event {
        XPubEvent::Subscribed(topic) => assert!(told.insert(topic.clone()), "{topic:?} twice"),
        XPubEvent::Cancelled(topic) => assert!(told.remove(&topic), "{topic:?} for nothing"),
        other => panic!("{other:?}"),
    }
}

/// Subscribes to a topic, or cancels it.
fn change(wanted: &mut BTreeSet<Part>, random: &mut Random, subscriber: &XSubSocket) {
    let topic = topic(random.below(TOPICS));
    let part = Part::from(topic.clone().into_bytes());
    if wanted.remove(&part) {
        subscriber.unsubscribe(topic);
    } else {
        subscriber.subscribe(topic);
        wanted.insert(part);
    }
}

/// PUBSUB-022, PUBSUB-026: what a publisher was told of subscriptions is what its subscriber wants,
/// whatever was lost on the way, and in between it is never told of one twice.
#[tokio::test]
async fn a_publisher_knows_in_the_end_what_is_subscribed_to() {
    let mut random = random();
    for secured in [Secured::Not, Secured::WithCurve] {
        let mut publisher: XPubSocket = secured.bound().build();
        let (faults, both) = (secured.faults(), Traffic::Subscriptions);
        let network = network(&publisher, both, random.fork(), faults).await;
        let mut subscriber: XSubSocket = secured.connecting().build();
        subscriber.connect(network.endpoint()).await.unwrap();
        let (mut wanted, mut told) = (BTreeSet::new(), BTreeSet::new());
        let mut number = 0_u64;
        in_time("the network breaks", async {
            while network.cut_count() < STRIKES {
                change(&mut wanted, &mut random, &subscriber);
                while let Ok((_, event)) = publisher.try_recv_event() {
                    enter(&mut told, event);
                }
                // So that both directions carry something.
                for topic in &told {
                    publisher
                        .try_send([topic.clone(), vec![7; 500].into()])
                        .unwrap();
                }
                number += 1;
                while subscriber.try_recv().is_ok() {}
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        })
        .await;
        in_time("the network calms down", network.calm_down()).await;
        eventually("the publisher knows", || {
            while let Ok((_, event)) = publisher.try_recv_event() {
                enter(&mut told, event);
            }
            // An octet that was changed is noticed when others come.
            publisher
                .try_send([Part::from(topic(TOPICS).into_bytes())])
                .unwrap();
            while subscriber.try_recv().is_ok() {}
            told == wanted && publisher.topic_count() == wanted.len()
        })
        .await;
        assert!(number > STRIKES, "{number} changes");
        assert_eq!(subscriber.topic_count(), wanted.len());
    }
}

/// PUBSUB-013: in the end a subscriber gets what it has subscribed to, once though two of its topics
/// begin it, and nothing else.
#[tokio::test]
async fn subscriptions_outlive_connections() {
    let mut random = random();
    let publisher: PubSocket = Secured::Not.bound().build();
    let (faults, traffic) = (Secured::Not.faults(), Traffic::Subscriptions);
    let network = network(&publisher, traffic, random.fork(), faults).await;
    let mut subscriber: SubSocket = Secured::Not.connecting().build();
    subscriber.connect(network.endpoint()).await.unwrap();
    // It begins half of the topics, and stays.
    let half = "topic 0";
    subscriber.subscribe(half);
    let mut wanted = BTreeSet::new();
    in_time("the network breaks", async {
        while network.cut_count() < STRIKES {
            let topic = topic(random.below(TOPICS));
            if wanted.remove(&topic) {
                subscriber.unsubscribe(topic);
            } else {
                subscriber.subscribe(&topic);
                wanted.insert(topic);
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    })
    .await;
    in_time("the network calms down", network.calm_down()).await;
    // Behind what has changed before.
    let marker = topic(TOPICS);
    subscriber.subscribe(&marker);
    eventually("the publisher knows", || {
        publisher.try_send([marker.as_str(), "begin"]).unwrap();
        subscriber.try_recv().is_ok() && publisher.topic_count() == wanted.len() + 2
    })
    .await;
    let all: Vec<_> = (0..TOPICS).map(topic).collect();
    for topic in &all {
        publisher.try_send(topic.as_str()).unwrap();
    }
    publisher.try_send([marker.as_str(), "end"]).unwrap();
    let mut came = Vec::new();
    loop {
        let message = in_time("a message", subscriber.recv()).await.unwrap();
        let topic = message.text(0).unwrap();
        if topic != marker {
            came.push(topic.to_owned());
        } else if message.text(1).unwrap() == "end" {
            break;
        }
    }
    let is_wanted = |topic: &String| topic.starts_with(half) || wanted.contains(topic);
    let expected: Vec<_> = all.into_iter().filter(is_wanted).collect();
    assert_eq!(came, expected);
}
