//! What a running handler can ask about its own call.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

tokio::task_local! {
    static CURRENT: CallContext;
}

/// The call that the current task, or blocking thread, serves.
///
/// # Example
///
/// ```
/// use zrpc::{CallContext, Method};
///
/// let search = Method::blocking("search", |(): ()| {
///     let context = CallContext::current();
///     for candidate in 0..1_000_000_u64 {
///         if context.as_ref().is_some_and(CallContext::is_cancelled) {
///             break; // Nobody waits for the answer any more.
///         }
///         std::hint::black_box(candidate);
///     }
/// });
/// # drop(search);
/// ```
#[derive(Debug, Clone)]
pub struct CallContext {
    method: Arc<str>,
    cancelled: CancellationToken,
}

impl CallContext {
    /// Returns the call that this task or blocking thread serves, if it serves one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Returns the name of the method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns whether the caller is gone: lost, timed out, or no longer interested.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    /// Waits until the caller is gone.
    ///
    /// An asynchronous handler does not need this: its future is dropped then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn cancelled(&self) {
        self.cancelled.cancelled().await;
    }

    pub(crate) fn new(method: Arc<str>, cancelled: CancellationToken) -> Self {
        Self { method, cancelled }
    }

    /// Runs a future as part of this call.
    pub(crate) async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Runs a closure as part of this call.
    pub(crate) fn sync_scope<T>(self, closure: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, closure)
    }
}
