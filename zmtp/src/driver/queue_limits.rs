//! How much waits in the queues of a socket and its peers (L3).

use std::time::Duration;

/// Bounds of one queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    /// The high-water mark in messages; `usize::MAX` for none.
    pub(crate) messages: usize,
    /// The cap in octets. A message is accepted while the queue is below it, so that a single
    /// larger one always passes.
    pub(crate) bytes: usize,
}

impl QueueLimits {
    /// Those of a queue that keeps the last message alone, and is never full.
    pub(crate) const LAST_MESSAGE: Self = Self {
        messages: 0,
        bytes: usize::MAX,
    };

    /// Whether the queue keeps the last message alone.
    #[inline]
    pub(crate) fn keep_last_message(self) -> bool {
        self.messages == Self::LAST_MESSAGE.messages
    }

    /// The same with another high-water mark, which a queue of the last message does not have.
    #[must_use]
    pub(crate) fn with_high_water_mark(self, messages: usize) -> Self {
        if self.keep_last_message() {
            return self;
        }
        Self {
            messages: high_water_mark(messages),
            ..self
        }
    }
}

/// Bounds of the two queues of one peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerLimits {
    pub(crate) send: QueueLimits,
    pub(crate) receive: QueueLimits,
}

/// What may change while the socket lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueOptions {
    pub(crate) limits: PeerLimits,
    /// How long what is queued may still go out when the socket closes; `None` for ever.
    pub(crate) linger: Option<Duration>,
}

/// A high-water mark of zero means none, as in libzmq.
pub(super) fn high_water_mark(messages: usize) -> usize {
    match messages {
        0 => usize::MAX,
        messages => messages,
    }
}
