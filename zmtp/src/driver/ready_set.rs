//! Which peers have sent something that the receiver has not looked for yet (L3).

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::peer::Peer;
use super::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use super::sync::{Mutex, lock};

/// The peers of a socket whose inboxes came to hold something since the receiver last looked.
#[derive(Debug, Default)]
pub(crate) struct ReadySet {
    state: Mutex<ReadyState>,
    /// Whether `state` has peers; lets the receiver look without the lock.
    has_peers: AtomicBool,
    /// Peers that are ready, or in the hands of the receiver.
    waiting: AtomicUsize,
    /// Changes while the receiver works; it alone writes it.
    progress: AtomicU32,
}

/// While so many peers wait for the receiver, connections give way to it before they read. They are
/// enough to keep it busy.
///
/// What thousands of peers send at once then stays in the kernel for a moment, and more of it is received
/// before the rest fills the heap. That is no limit: a connection reads where the receiver has not come
/// on between two of its turns, as happens where it has a thread of its own, and after [`MAX_PATIENCE`].
pub(super) const MAX_WAITING: usize = 256;

/// A connection gives way so often at most, and then reads whatever the receiver does.
const MAX_TURNS: u8 = 16;

/// A connection gives way for so long at most: what it has to read may be a PING, or what keeps a
/// peer from giving up. The turns of a slow receiver are long, whatever their number.
pub(super) const MAX_PATIENCE: Duration = Duration::from_millis(2);

/// Room for so many peers is kept while none is ready.
pub(super) const KEPT_PEERS: usize = 64;

/// How a connection has let the receiver go first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GivenWay {
    /// When it first did since it has read.
    since: Option<Instant>,
    /// How often, since then.
    turns: u8,
    /// How far the receiver had come the last time.
    progress: u32,
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
        if state.peers.capacity() > KEPT_PEERS {
            state.peers = Vec::new();
        }
    }

    /// Notes that the receiver works on. For the receiver alone.
    pub(super) fn proceed(&self) {
        let progress = self.progress.load(Ordering::Relaxed);
        self.progress
            .store(progress.wrapping_add(1), Ordering::Relaxed);
    }

    /// Notes that the receiver is done with so many peers, which come back when they have sent more.
    pub(super) fn finish(&self, peers: usize) {
        self.waiting.fetch_sub(peers, Ordering::Relaxed);
    }

    /// Whether so many peers wait for the receiver that connections may give way to it.
    #[inline]
    pub(crate) fn is_behind(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= MAX_WAITING
    }

    /// Whether a connection is to let the receiver go first: it is behind, and is catching up. Who is
    /// told so asks again in its next turn; who is not reads, and has given way to nobody since.
    pub(crate) fn goes_first(&self, given_way: &mut GivenWay, now: Instant) -> bool {
        let progress = self.progress.load(Ordering::Relaxed);
        let since = *given_way.since.get_or_insert(now);
        let is_stuck = given_way.turns > 0 && given_way.progress == progress;
        let is_over =
            given_way.turns == MAX_TURNS || now.saturating_duration_since(since) >= MAX_PATIENCE;
        if !self.is_behind() || is_stuck || is_over {
            return false;
        }
        given_way.turns += 1;
        given_way.progress = progress;
        true
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
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.has_peers.store(true, Ordering::Release);
        let receiver = state.receiver.take();
        drop(state);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::hub::{Hub, NoPattern};
    use crate::driver::options::SocketOptions;
    use crate::driver::peer::Retention;
    use crate::pattern::SocketType;

    /// The set of a socket whose receiver has so many peers to look for.
    fn waiting(count: usize) -> Arc<Hub> {
        let options = SocketOptions::default();
        let hub = Arc::new(Hub::new(SocketType::Pull, options, Arc::new(NoPattern)));
        for _ in 0..count {
            hub.ready.insert(hub.new_peer(Retention::Connection));
        }
        hub
    }

    #[test]
    fn a_receiver_that_is_behind_and_works_goes_first() {
        let hub = waiting(MAX_WAITING);
        let (mut given_way, now) = (GivenWay::default(), Instant::now());
        for _ in 0..3 {
            assert!(hub.ready.goes_first(&mut given_way, now));
            hub.ready.proceed();
        }
        hub.ready.finish(1);
        assert!(!hub.ready.goes_first(&mut given_way, now));
    }

    #[test]
    fn nobody_waits_for_a_receiver_that_does_nothing() {
        let hub = waiting(2 * MAX_WAITING);
        let (mut given_way, now) = (GivenWay::default(), Instant::now());
        assert!(hub.ready.goes_first(&mut given_way, now));
        assert!(!hub.ready.goes_first(&mut given_way, now));
    }

    #[test]
    fn a_connection_reads_in_the_end_however_far_the_receiver_is_behind() {
        let hub = waiting(2 * MAX_WAITING);
        let (mut given_way, now) = (GivenWay::default(), Instant::now());
        for _ in 0..MAX_TURNS {
            assert!(hub.ready.goes_first(&mut given_way, now));
            hub.ready.proceed();
        }
        assert!(!hub.ready.goes_first(&mut given_way, now));
    }

    #[test]
    fn a_connection_reads_in_time_however_long_the_turns_of_the_receiver_are() {
        let hub = waiting(2 * MAX_WAITING);
        let (mut given_way, start) = (GivenWay::default(), Instant::now());
        assert!(hub.ready.goes_first(&mut given_way, start));
        hub.ready.proceed();
        let late = start + MAX_PATIENCE;
        assert!(!hub.ready.goes_first(&mut given_way, late));
    }

    #[test]
    fn room_for_thousands_of_peers_is_given_back() {
        let hub = waiting(10 * KEPT_PEERS);
        let mut drained = 0;
        hub.ready.drain(|_peer| drained += 1);
        assert_eq!(drained, 10 * KEPT_PEERS);
        assert_eq!(lock(&hub.ready.state).peers.capacity(), 0);
    }
}
