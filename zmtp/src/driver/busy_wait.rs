//! Looking again and again before going to sleep (L3).

use std::future::Future;
use std::pin::pin;
use std::task::Context;
use std::time::{Duration, Instant};

/// How long a receiver that found nothing keeps its thread awake.
///
/// A thread that sleeps takes some ten microseconds to be woken up, which is most of a round trip
/// on one machine. One that keeps looking does not, but uses its core up for as long.
#[derive(Debug)]
pub(crate) struct BusyWait {
    /// Zero: not at all.
    patience: Duration,
    phase: Phase,
}

/// ```text
/// Idle ──look──▶ Looking ──patience is over──▶ Asleep ──not asked for long──▶ Looking
/// ```
/// Whatever is found leads back to `Idle`.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nobody waits.
    Idle,
    /// The task has itself asked again, however long that takes, until its patience is over.
    Looking { since: Instant },
    /// Only others have the task ask.
    Asleep { last_look: Instant },
}

impl BusyWait {
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            phase: Phase::Idle,
        }
    }

    /// There was something: the next time of waiting is a new one.
    #[inline]
    pub(crate) fn found(&mut self) {
        self.phase = Phase::Idle;
    }

    /// There is nothing: has the task of `context` look again, if its time of waiting is not over.
    ///
    /// The runtime looks for what has come on its connections in between.
    pub(crate) fn look_again(&mut self, context: &mut Context<'_>) {
        if !self.patience.is_zero() && self.goes_on(Instant::now()) {
            // The one that is waited for may need this core.
            std::thread::yield_now();
            let _pending = pin!(tokio::task::yield_now()).poll(context);
        }
    }

    fn goes_on(&mut self, now: Instant) -> bool {
        let since = match self.phase {
            Phase::Looking { since } => since,
            // One that was asked a moment ago still waits for the same.
            Phase::Asleep { last_look } if self.is_within(last_look, now) => {
                self.phase = Phase::Asleep { last_look: now };
                return false;
            }
            Phase::Idle | Phase::Asleep { .. } => now,
        };
        let goes_on = self.is_within(since, now);
        self.phase = if goes_on {
            Phase::Looking { since }
        } else {
            Phase::Asleep { last_look: now }
        };
        goes_on
    }

    /// Whether the patience that began at `start` is not over.
    fn is_within(&self, start: Instant, now: Instant) -> bool {
        now.saturating_duration_since(start) < self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_micros(50);

    #[test]
    fn who_looks_again_and_again_goes_to_sleep_in_the_end() {
        let mut busy_wait = BusyWait::new(PATIENCE);
        let start = Instant::now();
        let looks: Vec<bool> = (0..100)
            .map(|micros| busy_wait.goes_on(start + Duration::from_micros(micros)))
            .collect();
        assert_eq!(looks.iter().position(|goes_on| !goes_on), Some(50));
        assert!(!looks[50..].contains(&true));
    }

    #[test]
    fn who_seldom_comes_to_look_goes_to_sleep_as_well() {
        let mut busy_wait = BusyWait::new(PATIENCE);
        let start = Instant::now();
        assert!(busy_wait.goes_on(start));
        assert!(!busy_wait.goes_on(start + 2 * PATIENCE));
    }

    #[test]
    fn a_new_time_of_waiting_begins_when_something_was_found() {
        let mut busy_wait = BusyWait::new(PATIENCE);
        let start = Instant::now();
        assert!(busy_wait.goes_on(start));
        assert!(!busy_wait.goes_on(start + PATIENCE));
        busy_wait.found();
        assert!(busy_wait.goes_on(start + PATIENCE));
    }

    #[test]
    fn a_new_time_of_waiting_begins_when_nobody_looked_for_long() {
        let mut busy_wait = BusyWait::new(PATIENCE);
        let start = Instant::now();
        assert!(busy_wait.goes_on(start));
        assert!(!busy_wait.goes_on(start + PATIENCE));
        assert!(busy_wait.goes_on(start + 3 * PATIENCE));
    }
}
