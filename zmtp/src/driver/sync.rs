//! Locks and atomics that a model checker can take over (L3).
//!
//! They are those of the standard library. Built with `--cfg shuttle`, the unit tests use those of
//! `shuttle` instead, which decides at each of them who runs next; see the `models` of the sockets.

use std::sync::PoisonError;
#[cfg(not(all(test, shuttle)))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};

#[cfg(all(test, shuttle))]
pub(crate) use modelled::{Mutex, MutexGuard};
#[cfg(all(test, shuttle))]
pub(crate) use shuttle::sync::atomic;

/// Locks `mutex`, also if another thread panicked while it held the lock.
///
/// Every critical section of this crate leaves its data consistent at each step that can panic
/// (allocation alone), so what the lock guards is still sound.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks after which anybody may run next. Those of `shuttle` let others run before they are taken,
/// and not once they are given back; what follows then may be no step of `shuttle`: a `Notify`, say.
#[cfg(all(test, shuttle))]
mod modelled {
    use std::ops::{Deref, DerefMut};
    use std::sync::{LockResult, PoisonError, TryLockResult};

    use shuttle::sync::atomic::{AtomicBool, Ordering};

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

        pub(crate) fn try_lock(&self) -> TryLockResult<shuttle::sync::MutexGuard<'_, T>> {
            self.0.try_lock()
        }

        pub(crate) fn get_mut(&mut self) -> LockResult<&mut T> {
            self.0.get_mut()
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
            if !std::thread::panicking() {
                AtomicBool::new(false).store(true, Ordering::SeqCst);
            }
        }
    }
}
