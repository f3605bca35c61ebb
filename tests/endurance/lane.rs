//! What goes on in all lanes: when it ends, how fast it goes, and what has happened so far.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tests::random::Random;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};

/// Nothing that is waited for takes longer on a machine that has other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often messages are sent, some each time.
const TICK: Duration = Duration::from_millis(10);

/// What has happened so far in one lane.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: AtomicU64,
    /// Messages that came, and calls and streams that were answered.
    pub(crate) delivered: AtomicU64,
    pub(crate) calls: AtomicU64,
    pub(crate) calls_lost: AtomicU64,
    pub(crate) items: AtomicU64,
    /// Times between two restarts.
    pub(crate) lives: AtomicU64,
    /// Those of them in which something was delivered.
    pub(crate) useful_lives: AtomicU64,
}

impl Tally {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Whether something was delivered before and after a restart, and since there were `before`.
    pub(crate) fn is_alive_since(&self, before: u64) -> bool {
        self.useful_lives.load(Ordering::Relaxed) > 1 && self.delivered() > before
    }
}

/// One pair of peers, and what it needs to go on and to end.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) tally: Arc<Tally>,
    pub(crate) random: Random,
    /// Messages in each tick.
    pub(crate) rate: u64,
    end: watch::Receiver<bool>,
}

impl Lane {
    pub(crate) fn new(
        tally: Arc<Tally>,
        random: Random,
        rate: u64,
        end: watch::Receiver<bool>,
    ) -> Self {
        Self {
            tally,
            random,
            rate,
            end,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        *self.end.borrow()
    }

    /// Resolves when the lane is to end.
    pub(crate) async fn over(&self) {
        // Whoever would say so is gone otherwise.
        let _ = self.end.clone().wait_for(|over| *over).await;
    }

    /// Begins a life of one of the peers, with messages at the rate of the lane.
    pub(crate) fn life(&mut self) -> Life {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Tally::count(&self.tally.lives);
        Life {
            delivered_before: self.tally.delivered(),
            tally: Arc::clone(&self.tally),
            until: Instant::now() + self.random.millis(300, 1500),
            ticks,
            left: 0,
            rate: self.rate,
            end: self.end.clone(),
        }
    }
}

/// The time until a peer is restarted, or the lane ends.
pub(crate) struct Life {
    delivered_before: u64,
    tally: Arc<Tally>,
    until: Instant,
    ticks: Interval,
    /// Messages of this tick that are still to be sent.
    left: u64,
    rate: u64,
    end: watch::Receiver<bool>,
}

impl Life {
    /// Waits until it is time for the next message; false if there is no time left.
    pub(crate) async fn goes_on(&mut self) -> bool {
        if Instant::now() >= self.until || *self.end.borrow() {
            return false;
        }
        if self.left == 0 {
            self.ticks.tick().await;
            self.left = self.rate;
        }
        self.left -= 1;
        true
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if self.tally.delivered() > self.delivered_before {
            Tally::count(&self.tally.useful_lives);
        }
    }
}

/// Fails what would hang.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    let result = timeout(PATIENCE, future).await;
    result.expect("nothing takes so long")
}
