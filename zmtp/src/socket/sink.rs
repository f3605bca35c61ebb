//! What a socket needs beside its queues to be a `Sink`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::futures::OwnedNotified;

use super::sending::final_error;
use super::{SendError, TrySendError};
use crate::driver::Hub;
use crate::driver::sync::atomic::{AtomicBool, Ordering};
use crate::driver::sync::{Mutex, lock};
use crate::message::Message;

/// The state of a sink.
///
/// What the sink has accepted goes before all that the same handle sends later, by whatever method.
#[derive(Debug, Default)]
pub(crate) struct SinkState {
    kept: Mutex<Kept>,
    /// Whether a message is kept; lets senders look without the lock.
    is_behind: AtomicBool,
    /// Room that is waited for.
    room: Room,
}

/// What a sink still owes.
#[derive(Default)]
enum Kept {
    #[default]
    Nothing,
    /// A message that was accepted, and for which there was no room when it came to be queued:
    /// another handle was faster, or a ROUTER found the queue of this one peer full.
    Message(Message),
    /// What became of such a message, for the next flush to tell.
    Failed(SendError),
}

impl fmt::Debug for Kept {
    /// Leaves out the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Message(_) => "Message",
            Self::Failed(_) => "Failed",
        })
    }
}

/// The message that is kept finds no room yet.
struct Blocked;

impl Clone for SinkState {
    /// Another sink to the same socket: it has accepted nothing yet.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl SinkState {
    /// Whether a message that was accepted before is still to be sent, by [`Self::send_behind`].
    #[inline]
    pub(crate) fn is_behind(&self) -> bool {
        self.is_behind.load(Ordering::Relaxed)
    }

    /// Sends `message` after the one that is kept.
    #[cold]
    pub(crate) fn send_behind<T>(
        &self,
        message: Message,
        mut attempt: impl FnMut(Message) -> Result<T, TrySendError>,
    ) -> Result<T, TrySendError> {
        let kept = self.send_kept(|message| attempt(message).map(drop));
        match kept {
            Ok(()) => attempt(message),
            Err(Blocked) => Err(TrySendError::Full(message)),
        }
    }

    /// As [`Self::send_behind`], where `message` takes another way than what is kept.
    #[cold]
    pub(crate) fn send_aside<T>(
        &self,
        message: Message,
        send_kept: impl FnOnce(Message) -> Result<(), TrySendError>,
        attempt: impl FnOnce(Message) -> Result<T, TrySendError>,
    ) -> Result<T, TrySendError> {
        match self.send_kept(send_kept) {
            Ok(()) => attempt(message),
            Err(Blocked) => Err(TrySendError::Full(message)),
        }
    }

    /// Waits until nothing is kept.
    pub(crate) fn poll_flush(
        &mut self,
        context: &mut Context<'_>,
        hub: &Hub,
        mut attempt: impl FnMut(Message) -> Result<(), TrySendError>,
    ) -> Poll<Result<(), SendError>> {
        let kept = self.kept.get_mut();
        if matches!(kept, Ok(Kept::Nothing)) {
            return Poll::Ready(Ok(()));
        }
        let mut room = std::mem::take(&mut self.room);
        let flushed = room.poll_until(context, hub, || self.send_kept(&mut attempt).ok());
        self.room = room;
        ready!(flushed);
        Poll::Ready(self.take_failure())
    }

    /// Sends the message that is kept.
    fn send_kept(
        &self,
        attempt: impl FnOnce(Message) -> Result<(), TrySendError>,
    ) -> Result<(), Blocked> {
        let kept = &mut *lock(&self.kept);
        let message = match std::mem::take(kept) {
            Kept::Message(message) => message,
            nothing_to_send => {
                *kept = nothing_to_send;
                return Ok(());
            }
        };
        match attempt(message) {
            Ok(()) => {}
            Err(TrySendError::Full(message)) => {
                *kept = Kept::Message(message);
                return Err(Blocked);
            }
            Err(error) => *kept = Kept::Failed(final_error(error)),
        }
        self.is_behind.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn take_failure(&self) -> Result<(), SendError> {
        let kept = &mut *lock(&self.kept);
        match std::mem::take(kept) {
            Kept::Failed(error) => Err(error),
            rest => {
                *kept = rest;
                Ok(())
            }
        }
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

    /// Goes on from an attempt to send, with nothing kept: what there was no room for is, now.
    pub(crate) fn sent(&mut self, attempt: Result<(), TrySendError>) -> Result<(), SendError> {
        match attempt {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(message)) => {
                self.kept = Mutex::new(Kept::Message(message));
                *self.is_behind.get_mut() = true;
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
