//! How others learn that an I/O task has ended, and whether it was meant to.

use tokio::sync::watch;

/// The I/O task ended before its work was done.
///
/// It panicked, or the runtime that it ran on was shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the I/O task was interrupted")]
#[non_exhaustive]
pub struct Interrupted;

/// There is nobody to be asked: the client or server was closed, or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client or server has ended")]
#[non_exhaustive]
pub struct Closed;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Running,
    Finished,
}

/// Held by an I/O task. Dropped without [`finish`](Self::finish), it tells of a crash.
#[derive(Debug)]
pub(crate) struct Life(watch::Sender<Progress>);

/// Waits for the end of an I/O task.
#[derive(Debug, Clone)]
pub(crate) struct Lifetime(watch::Receiver<Progress>);

impl Life {
    pub(crate) fn new() -> (Self, Lifetime) {
        let (sender, receiver) = watch::channel(Progress::Running);
        (Self(sender), Lifetime(receiver))
    }

    /// The task has done its work.
    pub(crate) fn finish(self) {
        self.0.send_replace(Progress::Finished);
    }
}

impl Lifetime {
    /// Waits until the task has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub(crate) async fn ended(&self) -> Result<(), Interrupted> {
        let mut progress = self.0.clone();
        let ended = progress.wait_for(|progress| *progress == Progress::Finished);
        ended.await.map(drop).map_err(|_| Interrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_end_is_told_apart_from_a_crash() {
        let (life, lifetime) = Life::new();
        life.finish();
        assert_eq!(lifetime.ended().await, Ok(()));
        let (life, lifetime) = Life::new();
        drop(life);
        assert_eq!(lifetime.ended().await, Err(Interrupted));
    }
}
