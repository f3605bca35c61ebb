//! Futures that a thread waits for.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::task::coop::unconstrained;

/// Wakes a thread.
struct Unparker(Thread);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    /// Wakes this thread.
    static WAKER: Waker = Waker::from(Arc::new(Unparker(thread::current())));
}

/// Waits for `future`, however long it takes.
pub(super) fn wait<F: Future>(future: F) -> F::Output {
    // On the thread of a runtime, nobody would refill the budget of the task that this blocks.
    let mut future = pin!(unconstrained(future));
    let waker = WAKER.with(Waker::clone);
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => {
                // What an outer future waits for, if this is called from within one, may have woken
                // the thread meanwhile.
                thread::current().unpark();
                return output;
            }
            Poll::Pending => thread::park(),
        }
    }
}
