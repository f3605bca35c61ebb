//! Random octets for one connection.

use std::fmt;

use crate::mechanism::wipe;

/// Random octets for the keys and nonces of one connection.
///
/// They come from a generator that nobody can predict, and are used for one connection only
/// `[CURVE-010]`. NULL and PLAIN need none of them.
pub struct Randomness(Box<[u8; Self::LEN]>);

impl Randomness {
    /// How many octets a connection needs: two keys and two nonces.
    pub const LEN: usize = 96;

    /// Takes what `fill` wrote over the octets that it is given.
    pub fn generate(fill: impl FnOnce(&mut [u8; Self::LEN])) -> Self {
        // In their place from the start, so that no copy is left on the stack.
        let mut octets = Box::new([0; Self::LEN]);
        fill(&mut octets);
        Self(octets)
    }
}

#[cfg(feature = "curve")]
impl Randomness {
    /// The secret transient key of the connection.
    pub(super) fn first_key(&self) -> &[u8; 32] {
        self.take(0)
    }

    /// The key of the server's cookie.
    pub(super) fn second_key(&self) -> &[u8; 32] {
        self.take(32)
    }

    /// The nonce of a vouch or a WELCOME.
    pub(super) fn first_nonce(&self) -> &[u8; 16] {
        self.take(64)
    }

    /// The nonce of a cookie.
    pub(super) fn second_nonce(&self) -> &[u8; 16] {
        self.take(80)
    }

    fn take<const N: usize>(&self, at: usize) -> &[u8; N] {
        self.0
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .expect("two keys and two nonces are what the octets are for")
    }
}

impl Drop for Randomness {
    fn drop(&mut self) {
        wipe(&mut *self.0);
    }
}

impl fmt::Debug for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Randomness(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_not_shown() {
        let randomness = Randomness::generate(|octets| octets.fill(7));
        assert_eq!(format!("{randomness:?}"), "Randomness(..)");
    }
}
