//! Sequences without pattern that a seed repeats.

use std::time::Duration;

/// A generator of numbers: `SplitMix64`, which is small, good enough for tests, and the same
/// everywhere.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Begins the sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Begins the sequence that the environment variable `name` asks for, or else that of
    /// `default`, and prints which one: what a failing test shows is what repeats it.
    ///
    /// # Panics
    ///
    /// If the variable is no number.
    #[must_use]
    #[expect(
        clippy::print_stdout,
        reason = "the seed of a test that fails has to be known"
    )]
    pub fn from_environment(name: &str, default: u64) -> Self {
        let seed = std::env::var(name).map_or(default, |text| {
            text.parse().expect("the seed of a test is a number")
        });
        println!("{name}={seed}");
        Self::new(seed)
    }

    /// Begins another sequence, which depends on how far this one is.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::new(self.number())
    }

    /// Returns the next number.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, or 0 if there is none.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    /// Returns a count below `end`, or 0 if there is none.
    pub fn count_below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.below(end)).unwrap_or(0)
    }

    /// Returns true once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Returns a time of whole milliseconds, at least `least` and less than `end`.
    pub fn millis(&mut self, least: u64, end: u64) -> Duration {
        Duration::from_millis(least + self.below(end.saturating_sub(least)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_sequence() {
        let sequence = |seed| {
            let mut random = Random::new(seed);
            [(); 8].map(|()| random.number())
        };
        assert_eq!(sequence(7), sequence(7));
        assert_ne!(sequence(7), sequence(8));
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut random = Random::new(1);
        for _ in 0..1000 {
            assert!(random.below(3) < 3);
            assert!((5..9).contains(&random.millis(5, 9).as_millis()));
        }
        assert_eq!(random.below(0), 0);
    }
}
