//! The runtime that handlers run on.

use std::io;

use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};

use crate::ConnectError;

/// A runtime with as many threads as the machine has processors, which may be dropped anywhere, also
/// on the thread of another one.
#[derive(Debug)]
pub(super) struct OwnRuntime {
    handle: Handle,
    /// Taken when it is dropped.
    runtime: Option<Runtime>,
}

impl OwnRuntime {
    /// Starts its threads.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Thread`] if they cannot be started.
    pub(super) fn start() -> Result<Self, ConnectError> {
        let runtime = Builder::new_multi_thread()
            .thread_name("zrpc-handlers")
            .enable_all()
            .build()
            .map_err(|error: io::Error| ConnectError::Thread(error.kind()))?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    /// Makes it the runtime of what this thread does, as long as the guard lives.
    pub(super) fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
