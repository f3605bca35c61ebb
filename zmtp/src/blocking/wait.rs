//! Futures that a thread waits for.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::task::coop::unconstrained;

thread_local! {
    /// Wakes this thread.
    static WAKER: Waker = Waker::from(Arc::new(Unparker(thread::current())));
}

struct Unparker(Thread);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Until when a thread waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Deadline {
    Never,
    At(Instant),
}

/// The time is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elapsed;

impl Deadline {
    /// After `timeout`, or never if that is beyond what a clock can show.
    pub(super) fn after(timeout: Duration) -> Self {
        match Instant::now().checked_add(timeout) {
            Some(at) => Self::At(at),
            None => Self::Never,
        }
    }

    /// Parks this thread until something happens, at most until then.
    fn park(self) -> Result<(), Elapsed> {
        match self {
            Self::Never => thread::park(),
            Self::At(at) => match at.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => return Err(Elapsed),
            },
        }
        Ok(())
    }
}

/// Waits for `future`, however long it takes.
pub(super) fn wait<F: Future>(future: F) -> F::Output {
    // On the thread of a runtime, nobody would refill the budget of the task that this blocks.
    let mut future = pin!(unconstrained(future));
    WAKER.with(|waker| {
        let mut context = Context::from_waker(waker);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    })
}

/// Waits for `future`, at most until `deadline`.
pub(super) fn wait_until<F: Future>(deadline: Deadline, future: F) -> Result<F::Output, Elapsed> {
    // On the thread of a runtime, nobody would refill the budget of the task that this blocks.
    let mut future = pin!(unconstrained(future));
    WAKER.with(|waker| {
        let mut context = Context::from_waker(waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            if let Err(elapsed) = deadline.park() {
                // It may not have waited, but given way to others, and go on the next time.
                return match future.as_mut().poll(&mut context) {
                    Poll::Ready(output) => Ok(output),
                    Poll::Pending => Err(elapsed),
                };
            }
        }
    })
}
