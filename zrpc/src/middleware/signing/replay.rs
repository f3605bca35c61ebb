//! Which signatures were seen already.

use std::collections::{BTreeSet, HashSet};

/// The random bytes of signatures that may still be replayed, because their time is not over.
///
/// Only what was signed with a known key gets here, so that nobody else can fill it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    nonces: HashSet<Nonce>,
    /// The same, by when they may be forgotten.
    by_expiry: BTreeSet<(u64, Nonce)>,
}

type Nonce = [u8; 16];

/// Why a nonce was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is there already.
    Replayed,
    /// There is no room. What cannot be remembered cannot be accepted.
    Full,
}

impl Seen {
    /// Remembers a nonce until `expiry`, after forgetting those whose time is over. Times are
    /// milliseconds since 1970.
    pub(super) fn add(
        &mut self,
        nonce: Nonce,
        now: u64,
        expiry: u64,
        max: usize,
    ) -> Result<(), Unfit> {
        while let Some(&(over, nonce)) = self.by_expiry.first() {
            if over >= now {
                break;
            }
            self.by_expiry.pop_first();
            self.nonces.remove(&nonce);
        }
        if self.nonces.contains(&nonce) {
            return Err(Unfit::Replayed);
        }
        if self.nonces.len() >= max {
            return Err(Unfit::Full);
        }
        self.nonces.insert(nonce);
        self.by_expiry.insert((expiry, nonce));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_taken_once_until_its_time_is_over() {
        let mut seen = Seen::default();
        assert_eq!(seen.add([1; 16], 100, 200, 9), Ok(()));
        assert_eq!(seen.add([1; 16], 200, 300, 9), Err(Unfit::Replayed));
        assert_eq!(seen.add([1; 16], 201, 300, 9), Ok(()));
    }

    #[test]
    fn what_does_not_fit_is_refused_until_there_is_room() {
        let mut seen = Seen::default();
        assert_eq!(seen.add([1; 16], 0, 10, 2), Ok(()));
        assert_eq!(seen.add([2; 16], 0, 20, 2), Ok(()));
        assert_eq!(seen.add([3; 16], 10, 30, 2), Err(Unfit::Full));
        assert_eq!(seen.add([3; 16], 11, 30, 2), Ok(()));
        assert_eq!(seen.nonces.len(), seen.by_expiry.len());
    }
}
