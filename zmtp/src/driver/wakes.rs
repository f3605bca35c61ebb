//! Wakes that are due once no lock is held any more (L3).

use std::sync::Arc;
use std::task::Waker;

use tokio::sync::Notify;

/// Who is to be told of room that has just been made.
///
/// A waker may run anything, also what takes the lock under which it became due. Publishers alone wake
/// under theirs, since what they would have to remember costs something for each message; `sockets.md`
/// says so.
#[derive(Debug, Default)]
#[must_use = "somebody waits for this"]
pub(crate) struct Wakes {
    tasks: Vec<Waker>,
    senders: Vec<Arc<Notify>>,
}

impl Wakes {
    pub(crate) fn add_task(&mut self, task: Waker) {
        self.tasks.push(task);
    }

    /// Adds all who wait for `writable`.
    pub(crate) fn add_senders(&mut self, writable: Arc<Notify>) {
        self.senders.push(writable);
    }

    /// Wakes them all.
    pub(crate) fn wake(self) {
        self.tasks.into_iter().for_each(Waker::wake);
        for writable in self.senders {
            writable.notify_waiters();
        }
    }
}
