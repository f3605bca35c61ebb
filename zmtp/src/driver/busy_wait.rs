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
    window: Option<Window>,
}

/// One time of waiting.
#[derive(Clone, Copy, Debug)]
struct Window {
    opened: Instant,
    last_look: Instant,
}

impl BusyWait {
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            window: None,
        }
    }

    /// There was something: the next time of waiting is a new one.
    #[inline]
    pub(crate) fn found(&mut self) {
        self.window = None;
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
        // A task that did not look for so long has not waited here, or has slept since.
        let current = self
            .window
            .filter(|window| now.saturating_duration_since(window.last_look) <= self.patience);
        let opened = current.map_or(now, |window| window.opened);
        self.window = Some(Window {
            opened,
            last_look: now,
        });
        now.saturating_duration_since(opened) < self.patience
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
