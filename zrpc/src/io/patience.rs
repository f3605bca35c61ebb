//! Looking again before the thread of the I/O task goes to sleep.

use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use super::IoRuntime;

/// How long the I/O task looks for the command that the last messages should bring about.
///
/// Whoever has a reply mostly makes the next call at once, and a handler that was started mostly
/// answers at once. But a thread that sleeps takes some ten microseconds to be woken, and whoever wakes
/// it a system call. So a thread that has nothing else to do goes on looking for about as long as that:
/// after messages alone, the less often the less it has found, and not while many calls are open,
/// which are better handled together.
#[derive(Debug)]
pub(super) struct Patience {
    eagerness: Eagerness,
    phase: Phase,
    /// How many times in turn nothing was found.
    failures: u32,
    /// How many occasions are passed over before the next is taken.
    passed_over: u32,
}

/// Whether there is a thread to be kept awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Eagerness {
    /// Others need the thread, or the only processor.
    Never,
    AfterMessages,
}

/// ```text
/// Idle ──message──▶ Expecting ──look──▶ Looking ──time is over──▶ Idle
///   ▲                                      │
///   └────────────────command───────────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    /// There were messages, and maybe more of them.
    Expecting,
    /// It looks until then.
    Looking {
        until: Instant,
    },
}

/// How long it looks: twice as long as most commands take that come at all.
const LIMIT: Duration = Duration::from_micros(50);

/// With more open calls than these, others have something to do in any case.
const MAX_CALLS: usize = 16;

/// Where looking never pays, it is tried on one occasion of 2 to the power of this.
const MAX_FAILURES: u32 = 8;

impl Patience {
    pub(super) fn new(io: IoRuntime) -> Self {
        let has_others =
            thread::available_parallelism().is_ok_and(|count| count > NonZero::<usize>::MIN);
        let eagerness = match io {
            IoRuntime::Dedicated if has_others => Eagerness::AfterMessages,
            IoRuntime::Dedicated | IoRuntime::Current => Eagerness::Never,
        };
        Self::with(eagerness)
    }

    fn with(eagerness: Eagerness) -> Self {
        Self {
            eagerness,
            phase: Phase::Idle,
            failures: 0,
            passed_over: 0,
        }
    }

    /// A message was handled, which may bring about a command.
    pub(super) fn message(&mut self) {
        if self.phase == Phase::Idle && self.eagerness == Eagerness::AfterMessages {
            self.phase = Phase::Expecting;
        }
    }

    /// A command was handled.
    pub(super) fn command(&mut self) {
        if let Phase::Looking { .. } = self.phase {
            self.failures = 0;
            self.phase = Phase::Idle;
        }
    }

    /// There is nothing to do, and so many calls are open: returns whether to look again.
    pub(super) fn goes_on(&mut self, calls: usize, now: impl FnOnce() -> Instant) -> bool {
        if calls > MAX_CALLS {
            self.phase = Phase::Idle;
        }
        match self.phase {
            Phase::Idle => false,
            Phase::Expecting if self.passed_over > 0 => {
                self.passed_over -= 1;
                self.phase = Phase::Idle;
                false
            }
            Phase::Expecting => {
                let until = now() + LIMIT;
                self.phase = Phase::Looking { until };
                true
            }
            Phase::Looking { until } if now() < until => true,
            Phase::Looking { .. } => {
                self.failures = (self.failures + 1).min(MAX_FAILURES);
                self.passed_over = (1 << self.failures) - 1;
                self.phase = Phase::Idle;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns whether it looked after a message, and found nothing.
    fn fails(patience: &mut Patience, now: Instant) -> bool {
        patience.message();
        let looks = patience.goes_on(1, || now);
        assert!(!patience.goes_on(1, || now + LIMIT));
        looks
    }

    #[test]
    fn it_looks_for_some_time_after_a_message_and_else_not_at_all() {
        let now = Instant::now();
        let mut patience = Patience::with(Eagerness::AfterMessages);
        assert!(!patience.goes_on(1, || now));
        patience.message();
        assert!(patience.goes_on(1, || now));
        patience.message();
        assert!(patience.goes_on(1, || now + LIMIT / 2));
        assert!(!patience.goes_on(1, || now + LIMIT));
        assert!(!patience.goes_on(1, || now + LIMIT));
    }

    #[test]
    fn a_command_ends_it() {
        let now = Instant::now();
        let mut patience = Patience::with(Eagerness::AfterMessages);
        patience.message();
        assert!(patience.goes_on(1, || now));
        patience.command();
        assert!(!patience.goes_on(1, || now));
    }

    #[test]
    fn the_less_it_finds_the_less_it_looks_until_it_finds_something() {
        let now = Instant::now();
        let mut patience = Patience::with(Eagerness::AfterMessages);
        let looks = (0..10_000).filter(|_| fails(&mut patience, now)).count();
        assert!((40..60).contains(&looks), "{looks}");
        while !{
            patience.message();
            patience.goes_on(1, || now)
        } {}
        patience.command();
        patience.message();
        assert!(patience.goes_on(1, || now));
    }

    #[test]
    fn it_does_not_look_while_many_calls_are_open() {
        let now = Instant::now();
        let mut patience = Patience::with(Eagerness::AfterMessages);
        patience.message();
        assert!(patience.goes_on(MAX_CALLS, || now));
        assert!(!patience.goes_on(MAX_CALLS + 1, || now));
        assert!(!patience.goes_on(1, || now));
    }

    #[test]
    fn nobody_is_kept_from_a_thread_that_is_shared() {
        let mut patience = Patience::new(IoRuntime::Current);
        patience.message();
        assert!(!patience.goes_on(1, Instant::now));
    }
}
