//! What a socket says in the log of peers that misbehave, and how often (L3).
//!
//! A peer that connects and misbehaves ten thousand times a second shall not fill the log with it:
//! whoever reads it would see nothing else, and the disk is somebody else's too.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use super::sync::{Mutex, lock};

/// Writes a warning as far as the first argument, [`Warnings`], admits it, and a debug line otherwise.
macro_rules! warn_or_debug {
    ($warnings:expr, $message:literal, $($field:tt)+) => {
        match $warnings.admit(tokio::time::Instant::now().into_std()) {
            $crate::driver::Verdict::Write { left_out } => tracing::warn!(
                $($field)+,
                left_out = left_out.map(|left_out| left_out.count),
                left_out_within = left_out.map(|left_out| tracing::field::debug(left_out.within)),
                $message
            ),
            $crate::driver::Verdict::LeaveOut => tracing::debug!($($field)+, $message),
        }
    };
}
pub(crate) use warn_or_debug;

/// How many warnings may come one after the other. More than an accident brings, and one screen.
pub(crate) const BURST: u32 = 20;

/// How long it takes until one more may come.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// How many warnings may be written, of one kind and one socket. What was left out after the last one
/// is told when this is dropped, with the socket.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many were written since they last were as few as may be.
    written: u32,
    /// From when on `written` falls.
    since: Option<Instant>,
    /// How many were left out since the last that was written, and when the first of them was.
    left_out: Option<(u64, Instant)>,
}

/// The warnings that were left out before one that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) count: u64,
    /// How long ago the first of them was.
    pub(crate) within: Duration,
}

/// What becomes of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is written, with how many were left out before it.
    Write {
        /// `None` is none.
        left_out: Option<LeftOut>,
    },
    /// It is a debug line.
    LeaveOut,
}

impl Warnings {
    /// Counts a warning, and says what becomes of it.
    pub(crate) fn admit(&self, now: Instant) -> Verdict {
        let mut state = lock(&self.state);
        state.recover(now);
        if state.written >= BURST {
            let (count, _) = state.left_out.get_or_insert((0, now));
            *count = count.saturating_add(1);
            return Verdict::LeaveOut;
        }
        state.written += 1;
        let left_out = state.left_out.take();
        Verdict::Write {
            left_out: left_out.map(|(count, first)| LeftOut {
                count,
                within: now.saturating_duration_since(first),
            }),
        }
    }
}

impl Drop for Warnings {
    fn drop(&mut self) {
        let left_out = lock(&self.state).left_out.take();
        if let Some((count, _)) = left_out {
            tracing::warn!(left_out = count, "warnings were left out before the end");
        }
    }
}

impl State {
    fn recover(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since).as_secs() / INTERVAL.as_secs();
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        if passed >= self.written {
            self.written = 0;
            self.since = Some(now);
        } else {
            self.written -= passed;
            self.since = Some(since + INTERVAL * passed);
        }
    }
}

/// An error with everything behind it: in the log nobody can ask it for its source.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{SessionError, Violation};

    const NONE: Verdict = Verdict::Write { left_out: None };

    const fn after(count: u64, within: Duration) -> Verdict {
        Verdict::Write {
            left_out: Some(LeftOut { count, within }),
        }
    }

    #[test]
    fn a_flood_is_a_burst_and_then_one_for_each_interval() {
        let warnings = Warnings::default();
        let start = Instant::now();
        for _ in 0..BURST {
            assert_eq!(warnings.admit(start), NONE);
        }
        for _ in 0..1000 {
            assert_eq!(warnings.admit(start), Verdict::LeaveOut);
        }
        let later = start + INTERVAL;
        assert_eq!(warnings.admit(later), after(1000, INTERVAL));
        assert_eq!(warnings.admit(later), Verdict::LeaveOut);
        // Parts of an interval are not lost.
        assert_eq!(warnings.admit(later + INTERVAL / 2), Verdict::LeaveOut);
        // Long after the flood it is told how long ago that was.
        let much_later = later + INTERVAL * 1000;
        assert_eq!(warnings.admit(much_later), after(2, INTERVAL * 1000));
        assert_eq!(warnings.admit(much_later), NONE);
    }

    #[test]
    fn after_a_pause_there_may_be_a_burst_again_and_no_more() {
        let warnings = Warnings::default();
        let start = Instant::now();
        warnings.admit(start);
        let later = start + INTERVAL * 100;
        let written = (0..100).filter(|_| warnings.admit(later) == NONE);
        assert_eq!(written.count(), BURST as usize);
        // A clock that goes back gives nothing.
        assert_eq!(warnings.admit(start), Verdict::LeaveOut);
    }

    #[test]
    fn an_error_is_told_with_its_cause() {
        let error = SessionError::Violation(Violation::TooManyParts { limit: 3 });
        let told = Chain(&error).to_string();
        assert_eq!(
            told,
            "peer broke a rule of the protocol: message of more than 3 parts"
        );
    }
}
