//! Where the I/O task puts the replies of one call.
//!
//! The caller swaps the whole queue out and works through its batch without the lock. The queue is
//! bounded by what the multiplexer lets the server send ahead: the slots of the call.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use proto::{ChannelId, CloseReason, RemoteError};

/// The end of a call, as the I/O task reports it.
#[derive(Debug)]
pub(super) enum End {
    /// The call returned a value.
    Value(Bytes),
    /// The stream is complete.
    Done,
    /// The method failed.
    Remote(RemoteError),
    /// The channel ended without a reply.
    Closed(CloseReason),
    /// The server has too many open calls.
    Refused { limit: usize },
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
    waker: Option<Waker>,
}

impl Mailbox {
    /// Adds an item of a stream.
    pub(super) fn push(&self, item: Bytes) {
        let mut state = self.lock();
        if state.phase != Phase::Ended {
            state.items.push_back(item);
            wake(state);
        }
    }

    /// Ends the call, unless it has ended already.
    pub(super) fn finish(&self, end: End) {
        let mut state = self.lock();
        if state.phase != Phase::Ended {
            state.phase = Phase::Ended;
            state.end = Some(end);
            wake(state);
        }
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

    pub(super) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Swaps the queued items into `batch`, which is empty, or takes the end of the call.
    pub(super) fn poll_take(
        &self,
        context: &Context<'_>,
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
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            vacant @ None => *vacant = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the caller if it waits, after giving the lock back.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
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
        self.0.finish(End::ClientClosed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(mailbox: &Mailbox, batch: &mut VecDeque<Bytes>) -> Poll<Taken> {
        mailbox.poll_take(&Context::from_waker(Waker::noop()), batch)
    }

    #[test]
    fn items_come_before_the_end() {
        let mailbox = Mailbox::default();
        let mut batch = VecDeque::new();
        mailbox.push(Bytes::from_static(b"1"));
        mailbox.finish(End::Done);
        assert!(matches!(
            take(&mailbox, &mut batch),
            Poll::Ready(Taken::Items)
        ));
        assert_eq!(batch.len(), 1);
        assert!(matches!(
            take(&mailbox, &mut batch),
            Poll::Ready(Taken::End(End::Done))
        ));
        assert!(take(&mailbox, &mut batch).is_pending());
    }

    #[test]
    fn nothing_arrives_after_the_end() {
        let mailbox = Mailbox::default();
        let mut batch = VecDeque::new();
        mailbox.finish(End::Done);
        mailbox.push(Bytes::from_static(b"late"));
        mailbox.finish(End::ClientClosed);
        assert!(matches!(
            take(&mailbox, &mut batch),
            Poll::Ready(Taken::End(End::Done))
        ));
        assert!(take(&mailbox, &mut batch).is_pending());
    }

    #[test]
    fn a_dropped_ticket_ends_the_call() {
        let mailbox = Arc::new(Mailbox::default());
        drop(Ticket::new(Arc::clone(&mailbox)));
        let end = take(&mailbox, &mut VecDeque::new());
        assert!(matches!(end, Poll::Ready(Taken::End(End::ClientClosed))));
    }
}
