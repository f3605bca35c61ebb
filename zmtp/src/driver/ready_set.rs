//! Which peers have sent something that the receiver has not looked for yet (L3).

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::peer::Peer;
use super::sync::atomic::{AtomicBool, Ordering};
use super::sync::{Mutex, lock};

/// The peers of a socket whose inboxes came to hold something since the receiver last looked.
#[derive(Debug, Default)]
pub(crate) struct ReadySet {
    state: Mutex<ReadyState>,
    /// Whether `state` has peers; lets the receiver look without the lock.
    has_peers: AtomicBool,
}

#[derive(Debug, Default)]
struct ReadyState {
    peers: Vec<Arc<Peer>>,
    receiver: Option<Waker>,
    end: End,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    Closed,
}

/// The socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadySetClosed;

impl ReadySet {
    /// Whether peers wait to be drained.
    #[inline]
    pub(crate) fn has_peers(&self) -> bool {
        self.has_peers.load(Ordering::Acquire)
    }

    /// Gives every peer that became ready to `take`.
    pub(crate) fn drain(&self, take: impl FnMut(Arc<Peer>)) {
        let mut state = lock(&self.state);
        self.has_peers.store(false, Ordering::Relaxed);
        state.peers.drain(..).for_each(take);
    }

    /// Waits until a peer is ready.
    pub(crate) fn poll_ready(&self, context: &Context<'_>) -> Poll<Result<(), ReadySetClosed>> {
        let mut state = lock(&self.state);
        if !state.peers.is_empty() {
            return Poll::Ready(Ok(()));
        }
        if state.end == End::Closed {
            return Poll::Ready(Err(ReadySetClosed));
        }
        match &mut state.receiver {
            Some(receiver) => receiver.clone_from(context.waker()),
            None => state.receiver = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Lets the receiver finish what is there and then end.
    pub(crate) fn close(&self) {
        lock(&self.state).end = End::Closed;
        self.wake_receiver();
    }

    /// Wakes the receiver, if it waits: there is something for it beside messages.
    pub(crate) fn wake_receiver(&self) {
        let receiver = lock(&self.state).receiver.take();
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// Tells the receiver that the inbox of `peer` holds something.
    pub(super) fn insert(&self, peer: Arc<Peer>) {
        let mut state = lock(&self.state);
        state.peers.push(peer);
        self.has_peers.store(true, Ordering::Release);
        let receiver = state.receiver.take();
        drop(state);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }
}
