//! Where the I/O task puts the replies of one call.
//!
//! The caller swaps the whole queue out and works through its batch without the lock. The queue is
//! bounded by what the multiplexer lets the server send ahead: the slots of the call.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use proto::{ChannelId, CloseReason, Extra, RemoteError};

/// The header entries of a reply. They are rare, and should cost those little that have none.
pub(super) type ReplyHeader = Option<Box<Extra>>;

use super::waking::{Relays, Waiter};
use crate::ConnectionFailure;
use crate::sync::{Mutex, MutexGuard, lock};

/// The end of a call, as the I/O task reports it.
#[derive(Debug)]
pub(super) enum End {
    /// The call returned a value.
    Value(Bytes, ReplyHeader),
    /// The stream is complete.
    Done(ReplyHeader),
    /// The method failed.
    Remote(RemoteError, ReplyHeader),
    /// The channel ended without a reply.
    Closed(CloseReason),
    /// The call gave up while there was no server.
    Unserved(CloseReason, Option<Arc<ConnectionFailure>>),
    /// There is no server, and there will be none.
    Unreachable(Arc<ConnectionFailure>),
    /// The server has too many open calls.
    Refused { limit: usize },
    /// The next item did not come in time.
    ItemTimedOut,
    /// The client was closed.
    ClientClosed,
}

/// What a caller takes from its mailbox.
#[derive(Debug)]
pub(super) enum Taken {
    /// The batch was filled with items of a stream.
    Items,
    /// Nothing comes after this.
    End(End),
}

/// How far the I/O task got with a call.
///
/// ```text
/// Queued ──set_open──▶ Open ──finish, abandon──▶ Ended
///    └─────────────finish, abandon──────────────▶┘
/// ```
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits for a server.
    #[default]
    Queued,
    /// Its request was given to the multiplexer.
    Open(ChannelId),
    /// It has ended, or the caller lost interest.
    Ended,
}

/// The caller lost interest in a call.
#[derive(Debug)]
pub(super) struct Abandoned;

/// The replies of one call.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    items: VecDeque<Bytes>,
    end: Option<End>,
    waiter: Option<Waiter>,
}

impl Mailbox {
    /// Adds an item of a stream. Returns the caller if it waits, to be woken.
    #[must_use = "the caller waits to be woken"]
    pub(super) fn push(&self, item: Bytes) -> Option<Waiter> {
        let mut state = self.lock();
        if state.phase == Phase::Ended {
            return None;
        }
        state.items.push_back(item);
        state.waiter.take()
    }

    /// Ends the call, unless it has ended already. Returns the caller if it waits, to be woken.
    #[must_use = "the caller waits to be woken"]
    pub(super) fn finish(&self, end: End) -> Option<Waiter> {
        let mut state = self.lock();
        if state.phase == Phase::Ended {
            return None;
        }
        state.phase = Phase::Ended;
        state.end = Some(end);
        state.waiter.take()
    }

    /// Notes that the request was given to the multiplexer.
    pub(super) fn set_open(&self, channel: ChannelId) -> Result<(), Abandoned> {
        let mut state = self.lock();
        match state.phase {
            Phase::Queued | Phase::Open(_) => {
                state.phase = Phase::Open(channel);
                Ok(())
            }
            Phase::Ended => Err(Abandoned),
        }
    }

    /// Notes that the caller is gone, and says how far the call got.
    pub(super) fn abandon(&self) -> Phase {
        let mut state = self.lock();
        state.items.clear();
        std::mem::replace(&mut state.phase, Phase::Ended)
    }

    /// Returns whether the caller waits for more.
    pub(super) fn is_awaited(&self) -> bool {
        let state = self.lock();
        state.items.is_empty() && state.end.is_none() && state.waiter.is_some()
    }

    pub(super) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Swaps the queued items into `batch`, which is empty, or takes the end of the call.
    pub(super) fn poll_take(
        &self,
        context: &Context<'_>,
        relays: &Relays,
        batch: &mut VecDeque<Bytes>,
    ) -> Poll<Taken> {
        let mut state = self.lock();
        if !state.items.is_empty() {
            std::mem::swap(&mut state.items, batch);
            return Poll::Ready(Taken::Items);
        }
        if let Some(end) = state.end.take() {
            return Poll::Ready(Taken::End(end));
        }
        match &mut state.waiter {
            Some(waiter) => waiter.update(context.waker(), relays),
            vacant @ None => *vacant = Some(Waiter::new(context.waker(), relays)),
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        lock(&self.state)
    }
}

/// The I/O task's hold on a mailbox. However it is dropped, the caller learns of the end.
#[derive(Debug)]
pub(super) struct Ticket(Arc<Mailbox>);

impl Ticket {
    pub(super) fn new(mailbox: Arc<Mailbox>) -> Self {
        Self(mailbox)
    }
}

impl std::ops::Deref for Ticket {
    type Target = Mailbox;

    fn deref(&self) -> &Mailbox {
        &self.0
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(waiter) = self.0.finish(End::ClientClosed) {
            waiter.wake();
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::task::Waker;

    use super::*;

    fn take(mailbox: &Mailbox, batch: &mut VecDeque<Bytes>) -> Poll<Taken> {
        let context = Context::from_waker(Waker::noop());
        mailbox.poll_take(&context, &Relays::None, batch)
    }

    #[test]
    fn items_come_before_the_end() {
        let mailbox = Mailbox::default();
        let mut batch = VecDeque::new();
        assert!(mailbox.push(Bytes::from_static(b"1")).is_none());
        assert!(mailbox.finish(End::Done(None)).is_none());
        assert!(matches!(
            take(&mailbox, &mut batch),
            Poll::Ready(Taken::Items)
        ));
        assert_eq!(batch.len(), 1);
        assert!(matches!(
            take(&mailbox, &mut batch),
            Poll::Ready(Taken::End(End::Done(None)))
        ));
        assert!(take(&mailbox, &mut batch).is_pending());
    }

    #[test]
    fn nothing_arrives_after_the_end() {
        let mailbox = Mailbox::default();
        let mut batch = VecDeque::new();
        assert!(mailbox.finish(End::Done(None)).is_none());
        assert!(mailbox.push(Bytes::from_static(b"late")).is_none());
        assert!(mailbox.finish(End::ClientClosed).is_none());
        assert!(matches!(
            take(&mailbox, &mut batch),
            Poll::Ready(Taken::End(End::Done(None)))
        ));
        assert!(take(&mailbox, &mut batch).is_pending());
    }

    #[test]
    fn a_caller_that_waits_is_woken_once_for_many_items() {
        let mailbox = Mailbox::default();
        assert!(take(&mailbox, &mut VecDeque::new()).is_pending());
        assert!(mailbox.push(Bytes::from_static(b"1")).is_some());
        assert!(mailbox.push(Bytes::from_static(b"2")).is_none());
        assert!(mailbox.finish(End::Done(None)).is_none());
    }

    #[test]
    fn a_dropped_ticket_ends_the_call() {
        let mailbox = Arc::new(Mailbox::default());
        drop(Ticket::new(Arc::clone(&mailbox)));
        let end = take(&mailbox, &mut VecDeque::new());
        assert!(matches!(end, Poll::Ready(Taken::End(End::ClientClosed))));
    }
}
