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
