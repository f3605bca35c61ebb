//! What a call, its handler, and whoever asks about it share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use proto::Body;
use zmtp::session::PeerInfo;

use crate::sync::{AbortHandle, Mutex, Notify, Semaphore, lock};

/// The state of one call on the way between the I/O task and the runtime of its handler.
///
/// It has the window of a stream: what may be on its way between the handler and the socket. That
/// is counted in units of [`UNIT`] bytes, of which each item takes at least one, so that a handler
/// is ahead by enough small items to keep the I/O task busy, and by few large ones. The window is
/// closed when the caller is gone.
pub(crate) struct CallState {
    origin: Origin,
    /// Whether the caller has begun to hear from the handler.
    reply: AtomicU8,
    window: Semaphore,
    gone: Notify,
    handler: Mutex<HandlerTask>,
}

/// Where a call came from, and for how long it is worth anything.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// The connection.
    pub(crate) peer: Option<Arc<PeerInfo>>,
    /// Until when the caller waits for the first reply.
    pub(crate) deadline: Option<Instant>,
}

/// Nothing has been sent to the caller.
const AWAITED: u8 = 0;

/// A stream has begun.
const BEGUN: u8 = 1;

/// ```text
/// Waiting ──started──▶ Running ──cancel──▶ Stopped
///    └──────────────────cancel──────────────▲
/// ```
enum HandlerTask {
    /// It was not started yet, or runs on a thread, which cannot be stopped.
    Waiting,
    Running(AbortHandle),
    Stopped,
}

/// The caller is gone: nothing that is sent reaches anybody.
#[derive(Debug)]
pub(super) struct CallerGone;

/// The size of an item that counts as one.
const UNIT: usize = 1024;

/// How many units may be on their way.
#[cfg(not(all(test, shuttle)))]
const UNITS: u32 = 256;

/// Few, so that handlers of models have to wait.
#[cfg(all(test, shuttle))]
pub(crate) const UNITS: u32 = 2;

impl CallState {
    pub(crate) fn new(origin: Origin) -> Self {
        Self {
            origin,
            reply: AtomicU8::new(AWAITED),
            window: Semaphore::new(UNITS as usize),
            gone: Notify::const_new(),
            handler: Mutex::new(HandlerTask::Waiting),
        }
    }

    /// Returns who is at the other end of the connection.
    pub(crate) fn peer(&self) -> Option<&PeerInfo> {
        self.origin.peer.as_deref()
    }

    /// Returns until when the caller waits, or has waited, for the first reply.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.origin.deadline
    }

    /// Returns until when the caller waits for the first reply, while it does.
    pub(crate) fn awaited_until(&self) -> Option<Instant> {
        match self.reply.load(Ordering::Relaxed) {
            AWAITED => self.origin.deadline,
            _ => None,
        }
    }

    /// Returns whether the caller has given up by `now`.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.awaited_until().is_some_and(|deadline| deadline <= now)
    }

    /// Returns whether the caller is gone.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.window.is_closed()
    }

    /// Waits until the caller is gone.
    pub(crate) async fn cancelled(&self) {
        // It hears of what happens from here on, polled or not.
        let gone = self.gone.notified();
        if !self.is_cancelled() {
            gone.await;
        }
    }

    /// The caller is gone: tells the handler, and stops it if it is a task.
    pub(crate) fn cancel(&self) {
        self.window.close();
        self.gone.notify_waiters();
        let mut handler = lock(&self.handler);
        if let HandlerTask::Running(task) = std::mem::replace(&mut *handler, HandlerTask::Stopped) {
            task.abort();
        }
    }

    /// The handler runs as `task`, which is stopped if the caller has gone meanwhile.
    pub(super) fn started(&self, task: AbortHandle) {
        let mut handler = lock(&self.handler);
        match &*handler {
            HandlerTask::Stopped => task.abort(),
            HandlerTask::Waiting | HandlerTask::Running(_) => {
                *handler = HandlerTask::Running(task);
            }
        }
    }

    /// Takes units of the window for `item`, waiting for those of earlier ones.
    pub(super) async fn reserve(&self, item: &Body) -> Result<u32, CallerGone> {
        let units = item.encoded().len() / UNIT + 1;
        let cost = u32::try_from(units).map_or(UNITS, |units| units.min(UNITS));
        match self.window.acquire_many(cost).await {
            Ok(permit) => {
                permit.forget();
                self.reply.store(BEGUN, Ordering::Relaxed);
                Ok(cost)
            }
            Err(_closed) => Err(CallerGone),
        }
    }

    /// Gives units back: items have been handed to the multiplexer.
    pub(super) fn release(&self, cost: u32) {
        self.window.add_permits(cost as usize);
    }
}

impl fmt::Debug for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallState")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_the_end_of_the_caller_hears_of_it() {
        let state = Arc::new(CallState::new(Origin::default()));
        let waits = tokio::spawn({
            let state = Arc::clone(&state);
            async move { state.cancelled().await }
        });
        tokio::task::yield_now().await;
        state.cancel();
        waits.await.unwrap();
        state.cancelled().await;
    }

    #[tokio::test]
    async fn a_handler_is_stopped_whether_it_started_before_or_after_the_caller_left() {
        for started_first in [true, false] {
            let state = CallState::new(Origin::default());
            let task = tokio::spawn(std::future::pending::<()>());
            if started_first {
                state.started(task.abort_handle());
                state.cancel();
            } else {
                state.cancel();
                state.started(task.abort_handle());
            }
            assert!(task.await.unwrap_err().is_cancelled());
        }
    }

    #[tokio::test]
    async fn a_stream_that_has_begun_is_not_overdue() {
        let now = Instant::now();
        let state = CallState::new(Origin {
            peer: None,
            deadline: Some(now),
        });
        assert!(state.is_overdue(now));
        assert_eq!(state.awaited_until(), Some(now));
        let item = Body::value(&"x").unwrap();
        state.reserve(&item).await.unwrap();
        assert!(!state.is_overdue(now + Duration::from_secs(1)));
        assert_eq!(state.awaited_until(), None);
        assert_eq!(state.deadline(), Some(now));
    }

    #[tokio::test]
    async fn a_window_that_is_full_waits_for_room_or_the_end() {
        let state = Arc::new(CallState::new(Origin::default()));
        let item = Body::value(&"x").unwrap();
        for _ in 0..UNITS {
            assert!(state.reserve(&item).await.is_ok());
        }
        let waits = tokio::spawn({
            let (state, item) = (Arc::clone(&state), item.clone());
            async move {
                state.reserve(&item).await.unwrap();
                state.reserve(&item).await.is_err()
            }
        });
        state.release(1);
        tokio::task::yield_now().await;
        state.cancel();
        assert!(waits.await.unwrap());
    }
}
