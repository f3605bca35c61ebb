//! Which signatures were seen already.

use std::collections::{BTreeSet, HashSet};

/// The random bytes of signatures that may still be replayed, because their time is not over.
///
/// Only what was signed with a known key gets here, so that nobody else can fill it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    nonces: HashSet<Nonce>,
    /// The same, by when they were signed.
    by_time: BTreeSet<(u64, Nonce)>,
    /// The latest time of those that were forgotten. Whether one of that time or before was seen is
    /// not known any more, whatever the clock says now.
    forgotten_until: Option<u64>,
}

type Nonce = [u8; 16];

/// Why a nonce was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is there already.
    Replayed,
    /// It may have been there, and be forgotten.
    Forgotten,
    /// There is no room. What cannot be remembered cannot be accepted.
    Full,
}

impl Seen {
    /// Remembers a nonce that was signed at `time`, after forgetting those that were signed before
    /// `oldest`. Times are milliseconds since 1970.
    pub(super) fn add(
        &mut self,
        nonce: Nonce,
        time: u64,
        oldest: u64,
        max: usize,
    ) -> Result<(), Unfit> {
        while let Some(&(signed, nonce)) = self.by_time.first() {
            if signed >= oldest {
                break;
            }
            self.by_time.pop_first();
            self.nonces.remove(&nonce);
            self.forgotten_until = self.forgotten_until.max(Some(signed));
        }
        if self.nonces.contains(&nonce) {
            return Err(Unfit::Replayed);
        }
        // The caller's clock may be behind that of another thread, or have been set back.
        if Some(time) <= self.forgotten_until {
            return Err(Unfit::Forgotten);
        }
        if self.nonces.len() >= max {
            return Err(Unfit::Full);
        }
        self.nonces.insert(nonce);
        self.by_time.insert((time, nonce));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_taken_once() {
        let mut seen = Seen::default();
        assert_eq!(seen.add([1; 16], 100, 50, 9), Ok(()));
        assert_eq!(seen.add([1; 16], 100, 100, 9), Err(Unfit::Replayed));
        assert_eq!(seen.add([1; 16], 150, 100, 9), Err(Unfit::Replayed));
    }

    #[test]
    fn what_was_forgotten_stays_refused_when_the_clock_goes_back() {
        let mut seen = Seen::default();
        assert_eq!(seen.add([1; 16], 100, 50, 9), Ok(()));
        assert_eq!(seen.add([2; 16], 180, 101, 9), Ok(()));
        // By this clock, the first is just good enough still.
        assert_eq!(seen.add([1; 16], 100, 100, 9), Err(Unfit::Forgotten));
        assert_eq!(seen.add([3; 16], 99, 50, 9), Err(Unfit::Forgotten));
        // Those that cannot have been forgotten are taken.
        assert_eq!(seen.add([4; 16], 101, 50, 9), Ok(()));
    }

    #[test]
    fn what_does_not_fit_is_refused_until_there_is_room() {
        let mut seen = Seen::default();
        assert_eq!(seen.add([1; 16], 10, 0, 2), Ok(()));
        assert_eq!(seen.add([2; 16], 20, 0, 2), Ok(()));
        assert_eq!(seen.add([3; 16], 30, 10, 2), Err(Unfit::Full));
        assert_eq!(seen.add([3; 16], 30, 11, 2), Ok(()));
        assert_eq!(seen.nonces.len(), seen.by_time.len());
    }
}
