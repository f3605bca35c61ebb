//! Streams that borrow from the service that they come from.
//!
//! A method may return a stream that holds a reference to its service. Such a stream lives inside a
//! future that holds the service as well; what comes out of it is handed over in a slot.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;

use super::handler::Outcome;
use super::reply::IntoReply;
use crate::Fault;

/// Where a future leaves the items of its stream, one at a time.
#[derive(Debug)]
pub struct Items {
    slot: Slot,
}

type Slot = Arc<Mutex<Option<Outcome>>>;

impl Items {
    /// Hands out the items of a stream, until there are no more or one is a failure.
    ///
    /// # Errors
    ///
    /// None; the result is what the future of a stream ends with.
    ///
    /// # Cancel safety
    ///
    /// The stream is dropped with the future.
    pub async fn send<K, S>(self, stream: S) -> Result<(), Fault>
    where
        S: Stream<Item: IntoReply<K>>,
    {
        let mut stream = pin!(stream);
        std::future::poll_fn(|context| match stream.as_mut().poll_next(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(Ok(())),
            Poll::Ready(Some(item)) => {
                self.put(item.into_reply().map(|reply| reply.0));
                // No waker is needed: whoever takes the item polls again.
                Poll::Pending
            }
        })
        .await
    }

    /// Hands out the items of an iterator, which never waits.
    ///
    /// # Errors
    ///
    /// None; the result is what the future of a stream ends with.
    ///
    /// # Cancel safety
    ///
    /// The iterator is dropped with the future.
    pub async fn send_iter<K, I>(self, items: I) -> Result<(), Fault>
    where
        I: IntoIterator<Item: IntoReply<K>>,
    {
        self.send(futures_util::stream::iter(items)).await
    }

    fn put(&self, item: Outcome) {
        *lock(&self.slot) = Some(item);
    }
}

/// A stream of what its future puts into the slot.
pub(super) struct Lending<F> {
    slot: Slot,
    future: Pin<Box<F>>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Ended,
}

impl<F> Lending<F> {
    pub(super) fn new(make: impl FnOnce(Items) -> F) -> Self {
        let slot = Slot::default();
        let items = Items {
            slot: Arc::clone(&slot),
        };
        Self {
            slot,
            future: Box::pin(make(items)),
            state: State::Running,
        }
    }
}

impl<F: Future<Output = Result<(), Fault>>> Stream for Lending<F> {
    type Item = Outcome;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Outcome>> {
        if self.state == State::Ended {
            return Poll::Ready(None);
        }
        let end = self.future.as_mut().poll(context);
        if let Some(item) = lock(&self.slot).take() {
            return Poll::Ready(Some(item));
        }
        match end {
            Poll::Pending => Poll::Pending,
            Poll::Ready(end) => {
                self.state = State::Ended;
                Poll::Ready(end.err().map(Err))
            }
        }
    }
}

/// A slot is whole at any time, whoever panicked.
fn lock(slot: &Slot) -> std::sync::MutexGuard<'_, Option<Outcome>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    async fn collect<F>(lending: Lending<F>) -> Vec<Result<u64, String>>
    where
        F: Future<Output = Result<(), Fault>>,
    {
        let decode = |item: Outcome| match item {
            Ok(body) => Ok(proto::decode(body.encoded()).unwrap()),
            Err(fault) => Err(fault.to_string()),
        };
        lending.map(decode).collect().await
    }

    #[tokio::test]
    async fn items_may_be_borrowed_from_what_the_future_holds() {
        let numbers = vec![1_u64, 2, 3];
        let lending = Lending::new(|items| async move {
            let numbers = numbers;
            items.send(stream::iter(&numbers)).await
        });
        assert_eq!(collect(lending).await, [Ok(1), Ok(2), Ok(3)]);
    }

    #[tokio::test]
    async fn a_stream_that_waits_is_polled_again() {
        let waits = stream::iter(0..3_u64).then(|number| async move {
            tokio::task::yield_now().await;
            number
        });
        let lending = Lending::new(|items| items.send(waits));
        assert_eq!(collect(lending).await, [Ok(0), Ok(1), Ok(2)]);
    }

    #[tokio::test]
    async fn a_failure_of_the_future_is_the_last_item() {
        let lending = Lending::new(|_items| async { Err(Fault::new("ValueError", "no")) });
        assert_eq!(collect(lending).await, [Err("ValueError: no".to_owned())]);
    }
}
