//! Locks and tasks that a model checker can take over.
//!
//! They are those of the standard library and of tokio. Built with `--cfg shuttle`, the unit tests
//! use those of `shuttle` instead, which decides at each of them who runs next; see `models`.

use std::sync::PoisonError;
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(not(all(test, shuttle)))]
pub(crate) use tokio::runtime::{Handle, Id as RuntimeId};
#[cfg(not(all(test, shuttle)))]
pub(crate) use tokio::sync::{Notify, Semaphore};
#[cfg(not(all(test, shuttle)))]
pub(crate) use tokio::task::coop::has_budget_remaining;
#[cfg(not(all(test, shuttle)))]
pub(crate) use tokio::task::{AbortHandle, try_id as try_task_id};

#[cfg(all(test, shuttle))]
pub(crate) use modelled::{
    Handle, Mutex, MutexGuard, Notify, RuntimeId, Semaphore, has_budget_remaining, has_one_thread,
    try_task_id,
};
#[cfg(all(test, shuttle))]
pub(crate) use shuttle::future::AbortHandle;

/// Locks `mutex`, also if another thread panicked while it held the lock: to be used where no code
/// that can panic runs under it.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether all tasks of a runtime run on one thread.
#[cfg(not(all(test, shuttle)))]
pub(crate) fn has_one_thread(runtime: &Handle) -> bool {
    runtime.runtime_flavor() == tokio::runtime::RuntimeFlavor::CurrentThread
}

#[cfg(all(test, shuttle))]
mod modelled {
    use std::convert::Infallible;
    use std::ops::{Deref, DerefMut};
    use std::sync::{LockResult, PoisonError};

    use shuttle::rand::Rng;
    use shuttle::sync::atomic::{AtomicBool, Ordering};
    use tokio::sync::futures::Notified;
    use tokio::sync::{AcquireError, SemaphorePermit};

    /// Lets anybody run who can.
    fn step() {
        if !std::thread::panicking() {
            AtomicBool::new(false).store(true, Ordering::SeqCst);
        }
    }

    /// A lock after which anybody may run next, as before it: that of `shuttle` lets nobody run when
    /// it is given back, and what follows then may be no step of `shuttle`, such as a channel's.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            match self.0.lock() {
                Ok(guard) => Ok(MutexGuard(Some(guard))),
                Err(poisoned) => {
                    let guard = MutexGuard(Some(poisoned.into_inner()));
                    Err(PoisonError::new(guard))
                }
            }
        }
    }

    /// Holds the lock as long as it lives.
    #[derive(Debug)]
    pub(crate) struct MutexGuard<'a, T>(Option<shuttle::sync::MutexGuard<'a, T>>);

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_ref().expect("held until it is dropped")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().expect("held until it is dropped")
        }
    }

    impl<T> Drop for MutexGuard<'_, T> {
        fn drop(&mut self) {
            self.0 = None;
            step();
        }
    }

    /// tokio's, before and after each use of which anybody may run.
    #[derive(Debug)]
    pub(crate) struct Notify(tokio::sync::Notify);

    impl Notify {
        pub(crate) const fn const_new() -> Self {
            Self(tokio::sync::Notify::const_new())
        }

        pub(crate) fn notified(&self) -> Notified<'_> {
            step();
            let notified = self.0.notified();
            step();
            notified
        }

        pub(crate) fn notify_waiters(&self) {
            step();
            self.0.notify_waiters();
            step();
        }
    }

    /// tokio's, before and after each use of which anybody may run.
    #[derive(Debug)]
    pub(crate) struct Semaphore(tokio::sync::Semaphore);

    impl Semaphore {
        pub(crate) const fn new(permits: usize) -> Self {
            Self(tokio::sync::Semaphore::const_new(permits))
        }

        pub(crate) fn close(&self) {
            step();
            self.0.close();
            step();
        }

        pub(crate) fn is_closed(&self) -> bool {
            step();
            let is_closed = self.0.is_closed();
            step();
            is_closed
        }

        pub(crate) async fn acquire_many(
            &self,
            count: u32,
        ) -> Result<SemaphorePermit<'_>, AcquireError> {
            step();
            let acquired = self.0.acquire_many(count).await;
            step();
            acquired
        }

        pub(crate) fn add_permits(&self, count: usize) {
            step();
            self.0.add_permits(count);
            step();
        }
    }

    /// The only runtime of a model, which runs callers and handlers.
    #[derive(Clone, Debug)]
    pub(crate) struct Handle;

    /// Tells runtimes apart, of which there is one.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct RuntimeId;

    impl Handle {
        pub(crate) fn try_current() -> Result<Self, Infallible> {
            Ok(Self)
        }

        pub(crate) fn id(&self) -> RuntimeId {
            RuntimeId
        }

        pub(crate) fn spawn<F>(&self, future: F) -> shuttle::future::JoinHandle<F::Output>
        where
            F: Future<Output: Send + 'static> + Send + 'static,
        {
            shuttle::future::spawn(future)
        }

        pub(crate) fn spawn_blocking<T: Send + 'static>(
            &self,
            work: impl FnOnce() -> T + Send + 'static,
        ) -> shuttle::thread::JoinHandle<T> {
            shuttle::thread::spawn(work)
        }

        pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
            shuttle::future::block_on(future)
        }
    }

    /// The tasks of a model take turns.
    pub(crate) fn has_one_thread(_runtime: &Handle) -> bool {
        true
    }

    /// Whether the current task may go on: now and then, as the scheduler decides.
    pub(crate) fn has_budget_remaining() -> bool {
        shuttle::rand::thread_rng().r#gen()
    }

    /// Whoever runs is a task.
    pub(crate) fn try_task_id() -> Option<()> {
        Some(())
    }
}
