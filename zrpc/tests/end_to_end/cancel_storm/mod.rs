//! Futures that are dropped half-way, at every point where they can be.

mod calls;
mod life;

use std::pin::pin;
use std::task::Poll;

use tokio::task::yield_now;
use zrpc::Client;

use crate::support::in_time;

/// How often a future is polled at most before it is dropped.
const POLLS: u32 = 6;

/// As many calls, items or events as a storm has.
const COUNT: u32 = 300;

/// Polls a future up to `polls` times, with other tasks in between, and drops it.
async fn polled<T>(future: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
        match polled.await {
            Poll::Ready(output) => return Some(output),
            Poll::Pending => yield_now().await,
        }
    }
    None
}

/// Begins an operation until it is done, and drops it after so many polls in between.
async fn insist<T>(mut operation: impl AsyncFnMut() -> T) -> T {
    for attempt in 0.. {
        if let Some(output) = polled(operation(), attempt % POLLS).await {
            return output;
        }
        yield_now().await;
    }
    unreachable!("the attempts do not end")
}

/// Waits until no call of a client is left.
async fn expect_idle(client: &Client) {
    in_time(async {
        while client.stats().await.unwrap().open_channels != 0 {
            yield_now().await;
        }
    })
    .await;
}
