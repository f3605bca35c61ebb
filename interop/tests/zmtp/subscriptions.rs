//! Topics of every length, subscribed and unsubscribed, and slow subscribers.

use interop::{Failure, Peer, TestResult};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use zmtp::{Message, PubSocket, Socket, SubSocket};

use crate::support::{Binder, DEADLINE, Receives, Sends, join, libzmq, message, parts, python};

/// Around the limits of short commands: `SUBSCRIBE` with 245 bytes of topic
/// still fits a short frame.
const TOPIC_SIZES: [usize; 6] = [0, 1, 245, 246, 255, 256];

#[tokio::test]
async fn our_subscriptions_reach_libzmq_and_select_messages() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for size in TOPIC_SIZES {
        let topic = "t".repeat(size);
        let mut subscriber = SubSocket::new();
        let mut peer = libzmq(python, "XPUB", json!({})).await?;
        join(&subscriber, &mut peer, Binder::We).await?;
        subscriber.subscribe(topic.as_str());
        subscriber.subscribe("keep");
        expect(&mut peer, 1, &topic).await?;
        expect(&mut peer, 1, "keep").await?;

        publish(&mut peer, &["other"]).await?;
        publish(&mut peer, &[&format!("{topic}x"), "body"]).await?;
        if size == 0 {
            assert_eq!(subscriber.take().await?, Message::from("other"));
        }
        assert_eq!(
            subscriber.take().await?,
            Message::from([format!("{topic}x").as_str(), "body"])
        );

        subscriber.unsubscribe(topic.as_str());
        expect(&mut peer, 0, &topic).await?;
        publish(&mut peer, &[&format!("{topic}x"), "unwanted"]).await?;
        publish(&mut peer, &["keep", "wanted"]).await?;
        assert_eq!(subscriber.take().await?, Message::from(["keep", "wanted"]));
    }
    Ok(())
}

#[tokio::test]
async fn libzmq_subscriptions_select_what_we_publish() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for size in TOPIC_SIZES {
        let topic = "t".repeat(size);
        let mut publisher = PubSocket::new();
        let mut peer = libzmq(python, "SUB", json!({})).await?;
        join(&publisher, &mut peer, Binder::Libzmq).await?;
        for wanted in [topic.as_str(), "keep"] {
            peer.request(json!({"op": "set", "name": "z", "option": "SUBSCRIBE", "value": wanted}))
                .await?;
        }
        let mut rounds = Rounds::of(&topic);
        rounds.run_until(&mut publisher, &mut peer, 2).await?;

        peer.request(json!({"op": "set", "name": "z", "option": "UNSUBSCRIBE", "value": topic}))
            .await?;
        rounds.run_until(&mut publisher, &mut peer, 1).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_topic_subscribed_twice_is_unsubscribed_with_the_second_time() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut subscriber = SubSocket::new();
    let mut peer = libzmq(python, "XPUB", json!({})).await?;
    join(&subscriber, &mut peer, Binder::We).await?;
    subscriber.subscribe("a");
    subscriber.subscribe("a");
    subscriber.unsubscribe("a");
    subscriber.subscribe("mark");
    expect(&mut peer, 1, "a").await?;
    expect(&mut peer, 1, "mark").await?;

    publish(&mut peer, &["a"]).await?;
    assert_eq!(subscriber.take().await?, Message::from("a"));
    subscriber.unsubscribe("a");
    expect(&mut peer, 0, "a").await?;
    Ok(())
}

#[tokio::test]
async fn a_libzmq_subscriber_that_does_not_read_costs_the_other_nothing() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let size = 16_384;
    let mut publisher = PubSocket::builder().send_high_water_mark(10).build();
    let endpoint = publisher.bind("tcp://127.0.0.1:*").await?.to_string();
    let slow_options = json!({"SUBSCRIBE": "", "RCVHWM": 1, "RCVBUF": 4096});
    let mut slow = libzmq(python, "SUB", slow_options).await?;
    let mut fast = libzmq(python, "SUB", json!({"SUBSCRIBE": ""})).await?;
    for peer in [&mut slow, &mut fast] {
        peer.request(json!({"op": "connect", "name": "z", "endpoint": endpoint}))
            .await?;
        let both_are_there = async {
            loop {
                publisher.give(Message::from("ready?")).await?;
                let drained = peer
                    .request(json!({"op": "drain", "name": "z", "quiet": 0.05}))
                    .await?;
                if drained.as_array().is_some_and(|all| !all.is_empty()) {
                    return Ok::<_, Failure>(());
                }
            }
        };
        timeout(DEADLINE, both_are_there).await??;
    }
    for _ in 0..500 {
        publisher.give(message(&[], &[size])).await?;
        fast.request(
            json!({"op": "recv", "name": "z", "expect": parts(&[], &[size]),
            "skip": ["ready?"]}),
        )
        .await?;
    }

    let late = slow
        .request(json!({"op": "drain", "name": "z", "quiet": 0.3}))
        .await?;
    let late = late.as_array().map(Vec::len).unwrap_or_default();
    assert!(late < 500, "nothing was dropped for the slow subscriber");
    Ok(())
}

async fn publish(peer: &mut Peer, parts: &[&str]) -> TestResult {
    peer.request(json!({"op": "send", "name": "z", "parts": parts}))
        .await?;
    Ok(())
}

/// The next thing that XPUB receives is this subscription (1) or its end (0).
async fn expect(peer: &mut Peer, kind: u8, topic: &str) -> TestResult {
    let wanted = json!([binary(&[&[kind], topic.as_bytes()].concat())]);
    peer.request(json!({"op": "recv", "name": "z", "expect": wanted}))
        .await?;
    Ok(())
}

/// Binary as peers write and read it.
fn binary(bytes: &[u8]) -> Value {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"$bytes": hex})
}

/// Messages of a topic, each followed by one that is kept.
struct Rounds<'a> {
    topic: &'a str,
    count: usize,
}

impl<'a> Rounds<'a> {
    fn of(topic: &'a str) -> Self {
        Self { topic, count: 0 }
    }

    /// Publishes rounds until so many of the two messages arrive; a few more rounds must be the
    /// same.
    async fn run_until(
        &mut self,
        publisher: &mut PubSocket,
        peer: &mut Peer,
        wanted: usize,
    ) -> TestResult {
        let deadline = Instant::now() + DEADLINE;
        let mut settled = 0;
        while settled < 3 {
            self.count += 1;
            let texts = [
                format!("{}x {}", self.topic, self.count),
                format!("keep {}", self.count),
            ];
            for text in &texts {
                publisher.give(Message::from(text.as_str())).await?;
            }
            // The second is the last of the round, and missed only as long as nobody subscribed.
            let arrived = peer
                .request(
                    json!({"op": "drain", "name": "z", "quiet": self.patience(settled),
                    "until": [texts[1]]}),
                )
                .await?;
            let expected: Vec<_> = texts[2 - wanted..]
                .iter()
                .map(|text| json!([binary(text.as_bytes())]))
                .collect();
            if arrived == json!(expected) {
                settled += 1;
            } else {
                assert_eq!(settled, 0, "round {}: {arrived}", self.count);
                assert!(Instant::now() < deadline, "never {wanted}: {arrived}");
            }
        }
        Ok(())
    }

    /// How long a message may be on its way, in seconds.
    fn patience(&self, settled: usize) -> f64 {
        match settled {
            0 => 0.05,
            _ => DEADLINE.as_secs_f64(),
        }
    }
}
