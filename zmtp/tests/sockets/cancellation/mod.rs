//! Futures that are dropped half-way, at every point where they can be.

mod life;
mod messages;

use std::pin::pin;
use std::task::Poll;

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
