//! What a hook that may wait returns.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::future::BoxFuture;

/// The future of a hook. One that is ready at once costs no allocation.
///
/// # Example
///
/// ```
/// use zrpc::middleware::HookFuture;
///
/// fn hook(waits: Option<std::time::Duration>) -> HookFuture<'static, u8> {
///     match waits {
///         None => HookFuture::ready(1),
///         Some(time) => HookFuture::new(async move {
///             tokio::time::sleep(time).await;
///             2
///         }),
///     }
/// }
/// # drop(hook(None));
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct HookFuture<'a, T>(State<'a, T>);

enum State<'a, T> {
    /// `None` once it was taken.
    Ready(Option<T>),
    Waits(BoxFuture<'a, T>),
}

impl<'a, T> HookFuture<'a, T> {
    /// Makes a future that is ready.
    pub fn ready(value: T) -> Self {
        Self(State::Ready(Some(value)))
    }

    /// Makes a future of one that may wait.
    pub fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self(State::Waits(Box::pin(future)))
    }
}

// The value is never pinned.
impl<T> Unpin for HookFuture<'_, T> {}

impl<T> Future for HookFuture<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut self.0 {
            // A future that is polled after its end may stay pending.
            State::Ready(value) => value.take().map_or(Poll::Pending, Poll::Ready),
            State::Waits(future) => future.as_mut().poll(context),
        }
    }
}

impl<T> fmt::Debug for HookFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "HookFuture::Ready",
            State::Waits(_) => "HookFuture::Waits",
        })
    }
}
