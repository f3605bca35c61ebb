//! What subscribers and pullers have in common whose calls block the thread.

use tokio::runtime::EnterGuard;

use super::runtime::OwnRuntime;
use super::wait;
use crate::{BuildError, ConnectError, ReceiverStats};

/// A subscriber or puller, and the runtime that it was made on.
#[derive(Debug)]
pub(super) struct Receiving<R> {
    /// Dropped first, which closes it.
    receiver: R,
    runtime: OwnRuntime,
}

impl<R> Receiving<R> {
    /// Makes a runtime, and the receiver on it.
    pub(super) fn start(
        build: impl Future<Output = Result<R, BuildError>>,
    ) -> Result<Self, BuildError> {
        let runtime = OwnRuntime::start()?;
        let receiver = {
            let _inside = runtime.enter();
            wait(build)?
        };
        Ok(Self { receiver, runtime })
    }

    /// Runs the receiver on its runtime, and waits for its end.
    pub(super) fn run<F>(self, run: impl FnOnce(R) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { receiver, runtime } = self;
        // It neither panics nor is aborted: methods that panic are contained.
        let _ = wait(runtime.handle().spawn(run(receiver)));
    }

    pub(super) fn receiver(&self) -> &R {
        &self.receiver
    }

    /// Returns the receiver, for use while its runtime is the one of this thread.
    pub(super) fn enter(&mut self) -> (&mut R, EnterGuard<'_>) {
        (&mut self.receiver, self.runtime.enter())
    }
}

/// Stops a subscriber or puller from another thread, changes where it gets events from, and shows what
/// it has done, see [`zrpc::ReceiverHandle`](crate::ReceiverHandle). It does not keep it alive.
#[derive(Debug, Clone)]
pub struct ReceiverHandle {
    handle: crate::ReceiverHandle,
}

impl ReceiverHandle {
    pub(super) fn new(handle: crate::ReceiverHandle) -> Self {
        Self { handle }
    }

    /// As [`ReceiverHandle::shutdown`](crate::ReceiverHandle::shutdown).
    pub fn shutdown(&self) {
        wait(self.handle.shutdown());
    }

    /// As [`ReceiverHandle::connect`](crate::ReceiverHandle::connect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.handle.connect(endpoint))
    }

    /// As [`ReceiverHandle::disconnect`](crate::ReceiverHandle::disconnect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.handle.disconnect(endpoint)
    }

    /// As [`ReceiverHandle::bind`](crate::ReceiverHandle::bind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind(&self, endpoint: impl Into<String>) -> Result<String, ConnectError> {
        wait(self.handle.bind(endpoint))
    }

    /// As [`ReceiverHandle::unbind`](crate::ReceiverHandle::unbind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.handle.unbind(endpoint))
    }

    /// Returns what it has done so far.
    pub fn stats(&self) -> ReceiverStats {
        self.handle.stats()
    }
}
