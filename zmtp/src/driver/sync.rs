//! A lock that cannot be poisoned into a panic (L3).

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`, also if another thread panicked while it held the lock.
///
/// Every critical section of this crate leaves its data consistent at each step that can panic
/// (allocation alone), so what the lock guards is still sound.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
