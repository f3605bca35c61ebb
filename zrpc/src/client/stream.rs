//! Results that come one after another.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use futures_core::stream::FusedStream;
use proto::ChannelOptions;
use serde::de::DeserializeOwned;

use super::call::{Completed, OpenCall, decode};
use super::mailbox::Taken;
use crate::CallError;

/// The results of a method that gives a stream.
///
/// Items are taken as fast as they are consumed: the server sends as many ahead as the call has
/// slots (1024 unless told otherwise) and waits then. The stream ends after its first error.
/// Dropping it ends the call at once.
///
/// A method that gives a single result is a stream of one item here.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct ReplyStream<T> {
    method: Box<str>,
    /// None once the end was taken.
    call: Option<OpenCall>,
    batch: VecDeque<Bytes>,
    progress: Progress,
    items: PhantomData<fn() -> T>,
}

/// Which items the I/O task was told of.
#[derive(Debug)]
struct Progress {
    stage: Stage,
    unreported: usize,
    report_after: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No item was taken yet.
    Start,
    Flowing,
    /// All that came was taken, and the I/O task knows that more is waited for.
    Waiting,
}

impl<T> ReplyStream<T> {
    /// Makes a stream of a call with the items that were taken already.
    pub(super) fn open(call: OpenCall, batch: VecDeque<Bytes>) -> Self {
        let slots = call.slots().min(ChannelOptions::DEFAULT_SLOTS);
        Self {
            method: call.method().into(),
            call: Some(call),
            batch,
            progress: Progress {
                stage: Stage::Start,
                unreported: 0,
                // The multiplexer grants credit when half of the slots are used up, of which no more
                // than these may be open. Items that it does not know of yet must stay well below
                // that, or the server would run dry.
                report_after: usize::try_from(slots / 4).unwrap_or(usize::MAX).max(1),
            },
            items: PhantomData,
        }
    }

    /// Makes a stream of what is there already.
    pub(super) fn complete(method: &str, batch: VecDeque<Bytes>) -> Self {
        Self {
            method: method.into(),
            call: None,
            batch,
            progress: Progress {
                stage: Stage::Start,
                unreported: 0,
                report_after: 1,
            },
            items: PhantomData,
        }
    }

    /// Takes the items as another type.
    pub fn cast<U>(self) -> ReplyStream<U> {
        ReplyStream {
            method: self.method,
            call: self.call,
            batch: self.batch,
            progress: self.progress,
            items: PhantomData,
        }
    }

    /// Credit flows when the application takes an item. The first item is told at once, because
    /// the server has no credit behind it.
    fn note_taken(&mut self) {
        self.progress.unreported += 1;
        let Some(call) = &self.call else {
            return;
        };
        if self.progress.stage == Stage::Start
            || self.progress.unreported >= self.progress.report_after
        {
            call.consumed(std::mem::take(&mut self.progress.unreported));
        }
        self.progress.stage = Stage::Flowing;
    }

    /// Waits for more. The server may have been allowed fewer items than there are slots, because
    /// they are large; it goes on only when it is known that those were taken.
    fn poll_more(&mut self, context: &Context<'_>) -> Poll<Option<Taken>> {
        let Some(call) = &self.call else {
            return Poll::Ready(None);
        };
        let taken = call.poll_take(context, &mut self.batch);
        if taken.is_pending() {
            if self.progress.unreported > 0 {
                call.consumed(std::mem::take(&mut self.progress.unreported));
            }
            if self.progress.stage == Stage::Flowing {
                self.progress.stage = Stage::Waiting;
                call.await_item();
            }
        }
        taken.map(Some)
    }
}

impl<T: DeserializeOwned> ReplyStream<T> {
    /// Waits for the next item; `None` when the stream is complete.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. The stream has ended then.
    ///
    /// # Cancel safety
    ///
    /// No item is lost if the future is dropped.
    pub async fn next_item(&mut self) -> Result<Option<T>, CallError> {
        std::future::poll_fn(|context| self.poll_item(context))
            .await
            .transpose()
    }

    fn poll_item(&mut self, context: &Context<'_>) -> Poll<Option<Result<T, CallError>>> {
        loop {
            if let Some(item) = self.batch.pop_front() {
                self.note_taken();
                let decoded = decode(&self.method, &item).map_err(|error| self.fail(error));
                return Poll::Ready(Some(decoded));
            }
            let end = match ready!(self.poll_more(context)) {
                None => return Poll::Ready(None),
                Some(Taken::Items) => match self.accept_items() {
                    Ok(()) => continue,
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
                Some(Taken::End(end)) => end,
            };
            let Some(mut call) = self.call.take() else {
                return Poll::Ready(None);
            };
            let stage = self.progress.stage;
            let last = call.finish(end, |method, completed| match completed {
                // A single result; behind items of a stream it means the end, as for Python.
                Completed::Value(value) if stage == Stage::Start => decode(method, value).map(Some),
                Completed::Value(_) | Completed::Done => Ok(None),
            });
            return Poll::Ready(last.transpose());
        }
    }

    fn accept_items(&mut self) -> Result<(), CallError> {
        let accepted = self.call.as_mut().map_or(Ok(()), OpenCall::accept_items);
        if accepted.is_err() {
            self.batch.clear();
            self.call = None;
        }
        accepted
    }

    /// Ends the stream on this side.
    fn fail(&mut self, error: CallError) -> CallError {
        self.batch.clear();
        match self.call.take() {
            Some(mut call) => call.fail(error),
            None => error,
        }
    }
}

impl<T: DeserializeOwned> Stream for ReplyStream<T> {
    type Item = Result<T, CallError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(context)
    }
}

impl<T: DeserializeOwned> FusedStream for ReplyStream<T> {
    fn is_terminated(&self) -> bool {
        self.call.is_none() && self.batch.is_empty()
    }
}
