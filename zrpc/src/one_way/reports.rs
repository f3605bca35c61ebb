//! What subscribers and pullers tell about the messages that came.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ReceiveError;
use crate::service::shown_name;

/// What a subscriber or puller has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverStats {
    /// Messages that came. Each is in one of the other counts, or is being handled.
    pub received: u64,
    /// Events whose method succeeded, or which were taken by `recv`.
    pub handled: u64,
    /// Messages that were no events.
    pub malformed: u64,
    /// Events for methods that there are not.
    pub unknown: u64,
    /// Events whose method failed, whose arguments did not fit, or which middleware did not let in.
    pub failed: u64,
}

/// Whom errors are reported to.
pub(super) type ErrorHook = Arc<dyn Fn(&ReceiveError) + Send + Sync>;

/// Counts what came, and reports what is wrong with it.
#[derive(Default)]
pub(super) struct Reports {
    received: AtomicU64,
    handled: AtomicU64,
    malformed: AtomicU64,
    unknown: AtomicU64,
    failed: AtomicU64,
    hook: Option<ErrorHook>,
}

impl Reports {
    pub(super) fn new(hook: Option<ErrorHook>) -> Self {
        Self {
            hook,
            ..Self::default()
        }
    }

    pub(super) fn stats(&self) -> ReceiverStats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ReceiverStats {
            received: count(&self.received),
            handled: count(&self.handled),
            malformed: count(&self.malformed),
            unknown: count(&self.unknown),
            failed: count(&self.failed),
        }
    }

    pub(super) fn received(&self) {
        increment(&self.received);
    }

    pub(super) fn handled(&self) {
        increment(&self.handled);
    }

    /// Counts, logs and reports what went wrong. Peers can send what they like, so that only a
    /// method of this program that fails is a warning.
    pub(super) fn error(&self, error: &ReceiveError) {
        let counter = match error {
            ReceiveError::Frames(_) | ReceiveError::Malformed(_) => {
                let cause = std::error::Error::source(error);
                tracing::debug!(%error, cause, "message dropped");
                &self.malformed
            }
            ReceiveError::UnknownMethod { method } => {
                tracing::debug!(method = shown_name(method), "unknown method");
                &self.unknown
            }
            ReceiveError::Failed { method, fault } if fault.is_by_caller() => {
                // What it says may have the arguments in it.
                let method = shown_name(method);
                tracing::debug!(method, error = fault.name(), "event refused");
                &self.failed
            }
            ReceiveError::Failed { method, fault } => {
                let method = shown_name(method);
                tracing::warn!(method, %fault, "method of an event failed");
                &self.failed
            }
        };
        increment(counter);
        if let Some(hook) = &self.hook
            && catch_unwind(AssertUnwindSafe(|| hook(error))).is_err()
        {
            tracing::error!("hook for errors panicked");
        }
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

fn increment(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
