//! What a socket needs beside its queues to be a `Sink`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::futures::OwnedNotified;

use super::sending::final_error;
use super::{SendError, TrySendError};
use crate::driver::Hub;
use crate::message::Message;

/// The state of a sink.
#[derive(Debug, Default)]
pub(crate) struct SinkState {
    /// A message that was accepted, and for which there was no room when it came to be queued:
    /// another handle was faster, or a ROUTER found the queue of this one peer full.
    parked: Option<Message>,
    /// Room that is waited for.
    room: Room,
}

impl Clone for SinkState {
    /// Another sink to the same socket: it has accepted nothing yet.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl SinkState {
    /// Waits until nothing is parked.
    pub(crate) fn poll_flush(
        &mut self,
        context: &mut Context<'_>,
        hub: &Hub,
        mut attempt: impl FnMut(Message) -> Result<(), TrySendError>,
    ) -> Poll<Result<(), SendError>> {
        let (parked, room) = (&mut self.parked, &mut self.room);
        if parked.is_none() {
            return Poll::Ready(Ok(()));
        }
        room.poll_until(context, hub, || {
            let Some(message) = parked.take() else {
                return Some(Ok(()));
            };
            match attempt(message) {
                Ok(()) => Some(Ok(())),
                Err(TrySendError::Full(message)) => {
                    *parked = Some(message);
                    None
                }
                Err(error) => Some(Err(final_error(error))),
            }
        })
    }

    /// Waits until `has_room`.
    pub(crate) fn poll_room(
        &mut self,
        context: &mut Context<'_>,
        hub: &Hub,
        mut has_room: impl FnMut() -> bool,
    ) -> Poll<()> {
        self.room
            .poll_until(context, hub, || has_room().then_some(()))
    }

    /// Goes on from an attempt to send: what there was no room for is parked.
    pub(crate) fn sent(&mut self, attempt: Result<(), TrySendError>) -> Result<(), SendError> {
        match attempt {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(message)) => {
                self.parked = Some(message);
                Ok(())
            }
            Err(error) => Err(final_error(error)),
        }
    }
}

/// Waits for room in queues that were found full.
#[derive(Debug, Default)]
pub(crate) struct Room {
    awaited: Option<Pin<Box<OwnedNotified>>>,
}

impl Room {
    /// Tries until there is a result, each time that there may be room.
    pub(crate) fn poll_until<T>(
        &mut self,
        context: &mut Context<'_>,
        hub: &Hub,
        mut attempt: impl FnMut() -> Option<T>,
    ) -> Poll<T> {
        loop {
            if let Some(awaited) = &mut self.awaited {
                ready!(awaited.as_mut().poll(context));
                self.awaited = None;
            }
            if let Some(result) = attempt() {
                return Poll::Ready(result);
            }
            // What happens from here on wakes, so the second attempt misses nothing.
            let awaited = Arc::clone(&hub.writable).notified_owned();
            if let Some(result) = attempt() {
                return Poll::Ready(result);
            }
            self.awaited = Some(Box::pin(awaited));
        }
    }
}
