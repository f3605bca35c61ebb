//! Subscribers that come late get the last value of what they subscribe to, and then what follows.
//!
//! ```text
//!   PUB ──► XSUB ─ cache ─ XPUB ──► SUB, SUB
//! ```
//!
//! The XPUB is in manual mode: a subscription takes effect when the cache says so, which is after
//! the last value is on its way. Otherwise a newer value could come before it.
//!
//! Run it with `cargo run --example last_value_cache`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use zmtp::{
    Message, Part, PubSocket, Socket, SubSocket, TrySendError, XPubEvent, XPubSocket, XSubSocket,
};

const TOPICS: u32 = 3;
const VALUES: u32 = 5;

/// Passes values on and keeps the last one of each topic. The first part of a message is the topic.
async fn cache(
    mut upstream: XSubSocket,
    mut downstream: XPubSocket,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut last_values: HashMap<Part, Message> = HashMap::new();
    upstream.subscribe("");
    loop {
        tokio::select! {
            value = upstream.recv() => {
                let value = value?;
                if let Some(topic) = value.first() {
                    last_values.insert(topic.clone(), value.clone());
                }
                downstream.send(value).await?;
            }
            event = downstream.recv_event() => match event? {
                // A subscriber that has left by then is no error.
                (subscriber, XPubEvent::Subscribed(topic)) => {
                    if let Some(value) = last_values.get(&topic) {
                        match downstream.try_send_to(subscriber, value.clone()) {
                            Ok(()) | Err(TrySendError::Unroutable(_)) => {}
                            // It does not read, and would miss what follows as well.
                            Err(TrySendError::Full(_)) => println!("{subscriber} is too slow"),
                            Err(error) => return Err(error.into()),
                        }
                    }
                    let _ = downstream.subscribe(subscriber, topic);
                }
                (subscriber, XPubEvent::Cancelled(topic)) => {
                    let _ = downstream.cancel(subscriber, topic);
                }
                _ => {}
            },
        }
    }
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let upstream = XSubSocket::new();
    let publisher_side = upstream.bind("tcp://127.0.0.1:*").await?;
    let downstream = XPubSocket::builder().xpub_manual().build();
    let subscriber_side = downstream.bind("tcp://127.0.0.1:*").await?;
    let cache = tokio::spawn(cache(upstream, downstream));

    let publisher = PubSocket::new();
    publisher.connect(publisher_side).await?;
    while publisher.topic_count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for value in 1..=VALUES {
        for topic in 0..TOPICS {
            let (topic, value) = (format!("topic {topic}"), format!("value {value}"));
            publisher.send([topic, value]).await?;
        }
    }

    // However late it comes, each gets the last value.
    for topic in 0..TOPICS {
        let topic = format!("topic {topic}");
        let mut subscriber = SubSocket::new();
        subscriber.subscribe(&topic);
        subscriber.connect(&subscriber_side).await?;
        loop {
            let value = subscriber.recv().await?.text(1)?.to_owned();
            println!("{topic}: {value}");
            if value == format!("value {VALUES}") {
                break;
            }
        }
    }
    cache.abort();
    Ok(())
}
