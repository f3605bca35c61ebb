//! What subscribers and pullers have in common whose calls block the thread.

use tokio::runtime::{EnterGuard, Handle};
use tokio::task::block_in_place;

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
        self.wait(self.handle.connect(endpoint))
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
        self.wait(self.handle.bind(endpoint))
    }

    /// As [`ReceiverHandle::unbind`](crate::ReceiverHandle::unbind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.wait(self.handle.unbind(endpoint))
    }

    /// Returns what it has done so far.
    pub fn stats(&self) -> ReceiverStats {
        self.handle.stats()
    }

    /// Waits for what is done on the runtime of the receiver, also within its methods.
    fn wait<F: Future>(&self, future: F) -> F::Output {
        match Handle::try_current() {
            // This thread may be the one that is to do it: another takes its place meanwhile.
            Ok(current) if current.id() == self.handle.runtime().id() => {
                block_in_place(|| wait(future))
            }
            _ => wait(future),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, OnceLock, mpsc};
    use std::time::Duration;

    use super::*;
    use crate::{Puller, Pusher};

    #[test]
    fn a_method_of_the_receiver_binds_connects_and_unbinds_on_the_only_thread_there_is() {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().unwrap();
        let slot = Arc::new(OnceLock::<ReceiverHandle>::new());
        let (sender, done) = mpsc::channel();
        let handle = Arc::clone(&slot);
        let puller = Puller::builder()
            .method("move", move |(): ()| {
                let (handle, sender) = (Arc::clone(&handle), sender.clone());
                async move {
                    let handle = handle.get().unwrap();
                    let bound = handle.bind("tcp://127.0.0.1:*").unwrap();
                    let connected = handle.connect("tcp://127.0.0.1:1");
                    sender.send((connected, handle.unbind(bound))).unwrap();
                }
            })
            .bind("tcp://127.0.0.1:*");
        let puller = {
            let _inside = runtime.enter();
            wait(puller.build()).unwrap()
        };
        slot.set(ReceiverHandle::new(puller.handle())).unwrap();
        let endpoint = puller.endpoints()[0].clone();
        runtime.spawn(puller.run());
        let pusher = Pusher::builder().connect(endpoint).build_blocking();
        pusher.unwrap().push("move", ()).unwrap();
        let outcome = done.recv_timeout(Duration::from_secs(10));
        runtime.shutdown_background();
        assert_eq!(outcome, Ok((Ok(()), Ok(()))));
    }
}
