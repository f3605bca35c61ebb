//! Publishers and subscribers that only know the proxy between them.
//!
//! ```text
//!   PUB ──┐                     ┌── SUB
//!   PUB ──┼─► XSUB ─ proxy ─ XPUB ── SUB
//!   PUB ──┘          │          └── SUB
//!                  PUSH ─► PULL, which sees all that passes
//! ```
//!
//! Subscriptions go the other way, so that publishers send only what somebody wants.
//!
//! Run it with `cargo run --example pub_sub_proxy`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use zmtp::{
    Endpoint, Proxy, PubSocket, PullSocket, PushSocket, Socket, SubSocket, XPubSocket, XSubSocket,
};

const MESSAGES: u32 = 4;

async fn publisher(proxy: Endpoint, name: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let publisher = PubSocket::new();
    publisher.connect(proxy).await?;
    // The subscriptions come through the proxy.
    while publisher.topic_count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for number in 1..=MESSAGES {
        publisher
            .send([name.to_owned(), number.to_string()])
            .await?;
    }
    publisher.close().await;
    Ok(())
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let frontend = XSubSocket::new();
    let for_publishers = frontend.bind("tcp://127.0.0.1:*").await?;
    let backend = XPubSocket::new();
    let for_subscribers = backend.bind("tcp://127.0.0.1:*").await?;
    let mut observer = PullSocket::new();
    let capture = PushSocket::new();
    capture
        .connect(observer.bind("inproc://capture").await?)
        .await?;

    let mut proxy = Proxy::new(frontend, backend).capture(capture);
    let control = proxy.control();
    let running = tokio::spawn(async move { proxy.run().await });

    let mut subscriber = SubSocket::new();
    subscriber.subscribe("news");
    subscriber.connect(for_subscribers).await?;
    tokio::try_join!(
        publisher(for_publishers.clone(), "news.sports"),
        publisher(for_publishers, "news.weather"),
    )?;
    for _ in 0..2 * MESSAGES {
        let message = subscriber.recv().await?;
        println!("{} {}", message.text(0)?, message.text(1)?);
    }

    control.terminate();
    running.await??;
    let statistics = control.statistics();
    println!("{statistics:?}");
    assert_eq!(statistics.from_frontend.messages, u64::from(2 * MESSAGES));
    // What was captured includes the subscription.
    assert_eq!(observer.recv().await?.text(0)?, "\u{1}news");
    Ok(())
}
