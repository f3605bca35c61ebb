//! Calls that block the thread, and what they give.

use serde::de::DeserializeOwned;

use super::wait;
use crate::{CallError, ReplyStream, Request};

/// The results of a method that gives a stream, one after another.
///
/// It ends after its first error. Dropping it ends the call.
#[derive(Debug)]
#[must_use = "an iterator does nothing unless it is asked"]
pub struct Items<T> {
    stream: ReplyStream<T>,
}

/// Whatever a method gives.
#[derive(Debug)]
#[non_exhaustive]
pub enum Response<T> {
    /// A single result.
    Value(T),
    /// A stream of results.
    Items(Items<T>),
}

impl<T: DeserializeOwned> Iterator for Items<T> {
    type Item = Result<T, CallError>;

    /// Waits for the next item.
    fn next(&mut self) -> Option<Self::Item> {
        wait(self.stream.next_item()).transpose()
    }
}

impl<T: DeserializeOwned> std::iter::FusedIterator for Items<T> {}

impl Request {
    /// Makes the call and blocks the thread until there is a result.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn blocking_call<R: DeserializeOwned>(self) -> Result<R, CallError> {
        wait(self.call())
    }

    /// Makes the call and returns its results, without waiting for the first.
    ///
    /// # Errors
    ///
    /// As [`stream`](Self::stream).
    pub fn blocking_stream<T: DeserializeOwned>(self) -> Result<Items<T>, CallError> {
        let stream = wait(self.stream())?;
        Ok(Items { stream })
    }

    /// Makes the call and blocks the thread until it is known whether it gives a single result or a
    /// stream.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn blocking_send<T: DeserializeOwned>(self) -> Result<Response<T>, CallError> {
        Ok(match wait(self.send())? {
            crate::Response::Value(value) => Response::Value(value),
            crate::Response::Stream(stream) => Response::Items(Items { stream }),
        })
    }
}
