//! What a socket says in the log of peers that misbehave, and how often (L3).
//!
//! A peer that connects and misbehaves ten thousand times a second shall not fill the log with it:
//! whoever reads it would see nothing else, and the disk is somebody else's too.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use super::sync::{Mutex, lock};

/// How many warnings may come one after the other. More than an accident brings, and one screen.
pub(crate) const BURST: u32 = 20;

/// How long it takes until one more may come.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// How many warnings may be written, of one socket.
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
    left_out: u64,
}

/// What becomes of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is written, with how many were left out before it.
    Write {
        /// `None` is none.
        left_out: Option<u64>,
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
            state.left_out = state.left_out.saturating_add(1);
            return Verdict::LeaveOut;
        }
        state.written += 1;
        let left_out = std::mem::take(&mut state.left_out);
        Verdict::Write {
            left_out: (left_out > 0).then_some(left_out),
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
        let told = Verdict::Write {
            left_out: Some(1000),
        };
        assert_eq!(warnings.admit(later), told);
        assert_eq!(warnings.admit(later), Verdict::LeaveOut);
        // Parts of an interval are not lost.
        assert_eq!(warnings.admit(later + INTERVAL / 2), Verdict::LeaveOut);
        let told = Verdict::Write { left_out: Some(2) };
        assert_eq!(warnings.admit(later + INTERVAL), told);
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
