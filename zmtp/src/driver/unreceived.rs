//! Connections that have ended, and whose messages nobody has received yet (L3).
//!
//! What came on them can still be received, and takes memory until it is. A peer that connects, fills
//! a queue and leaves again and again shall not take more and more of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many such connections a socket has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unreceived {
    count: Arc<AtomicUsize>,
}

/// The place of one of them; given back on drop.
///
/// It holds no more than the number: the socket has queues with such places, and shall not be kept
/// alive by itself.
#[derive(Debug)]
pub(crate) struct UnreceivedPlace {
    count: Arc<AtomicUsize>,
}

impl Unreceived {
    /// Counts one more.
    pub(crate) fn take_place(&self) -> UnreceivedPlace {
        self.count.fetch_add(1, Ordering::Relaxed);
        UnreceivedPlace {
            count: Arc::clone(&self.count),
        }
    }

    /// Whether there are so many that no more connections shall come, of which a socket may have
    /// `max_connections` open.
    pub(crate) fn is_full(&self, max_connections: usize) -> bool {
        self.count.load(Ordering::Relaxed) >= max_connections.max(ALWAYS)
    }
}

/// So many there may be, however few connections may be open: short ones shall not have to wait
/// for the receiver.
const ALWAYS: usize = 64;

impl Drop for UnreceivedPlace {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}
