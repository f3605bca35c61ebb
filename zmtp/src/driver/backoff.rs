//! How long a connector waits before it tries again (L3).

use std::time::Duration;

use rand::{Rng, RngExt};

use super::options::ReconnectPolicy;

/// The growing delays of one connector ([ZMTP31-094]).
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: ReconnectPolicy,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(policy: ReconnectPolicy) -> Self {
        Self {
            policy,
            failures: 0,
        }
    }

    /// Takes note of a connection that came to be, and how long it lasted. One that lasted longer
    /// than the next delay starts the delays over; a server that lets everybody in and out again at
    /// once is not tried at the base rate for ever.
    pub(crate) fn lasted(&mut self, lifetime: Duration) {
        if self.full_delay().is_some_and(|delay| lifetime > delay) {
            self.failures = 0;
        }
    }

    /// The delay before the next attempt, or `None` where there is to be none.
    ///
    /// The delay has a random half, so that the clients of a restarted server do not come back in
    /// the same instant.
    pub(crate) fn next_delay(&mut self, random: &mut impl Rng) -> Option<Duration> {
        let full = self.full_delay()?;
        self.failures = self.failures.saturating_add(1);
        Some(full.mul_f64(random.random_range(0.5..1.0)))
    }

    fn full_delay(&self) -> Option<Duration> {
        let ReconnectPolicy { initial, max } = self.policy;
        let initial = initial?;
        let doublings = self.failures.min(MAX_DOUBLINGS);
        let delay = initial.saturating_mul(1 << doublings);
        Some(delay.min(max.max(initial)))
    }
}

/// Keeps the factor within 32 bits; any sensible maximum is reached long before.
const MAX_DOUBLINGS: u32 = 20;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    fn backoff() -> Backoff {
        Backoff::new(policy(Some(Duration::from_millis(100))))
    }

    fn policy(initial: Option<Duration>) -> ReconnectPolicy {
        let max = Duration::from_secs(1);
        ReconnectPolicy { initial, max }
    }

    #[test]
    fn delays_grow_to_the_maximum_and_vary() {
        let mut random = SmallRng::seed_from_u64(7);
        let mut backoff = backoff();
        let delays: Vec<_> = (0..40)
            .filter_map(|_| backoff.next_delay(&mut random))
            .collect();
        for (delay, full) in delays.iter().zip([100, 200, 400, 800, 1000, 1000]) {
            let full = Duration::from_millis(full);
            assert!(
                *delay >= full / 2 && *delay <= full,
                "{delay:?} of {full:?}"
            );
        }
        assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(1)));
        assert_ne!(delays[10], delays[11]);
    }

    #[test]
    fn a_connection_that_lasted_starts_the_delays_over_and_a_short_one_does_not() {
        let mut random = SmallRng::seed_from_u64(7);
        let mut backoff = backoff();
        for _ in 0..10 {
            backoff.next_delay(&mut random);
        }
        backoff.lasted(Duration::from_millis(900));
        assert!(backoff.next_delay(&mut random) >= Some(Duration::from_millis(500)));
        backoff.lasted(Duration::from_secs(2));
        assert!(backoff.next_delay(&mut random) <= Some(Duration::from_millis(100)));
    }

    #[test]
    fn without_reconnecting_there_is_no_delay() {
        let mut random = SmallRng::seed_from_u64(7);
        let mut backoff = Backoff::new(policy(None));
        assert_eq!(backoff.next_delay(&mut random), None);
    }
}
