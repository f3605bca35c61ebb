//! Keys from the randomness of the operating system (L3).

use rand::Rng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::curve::{KeyPair, SecretKey};

impl KeyPair {
    /// Makes a new pair.
    ///
    /// The secret key comes from the generator of the operating system.
    ///
    /// # Panics
    ///
    /// If that has no random octets: no key is better than a bad one.
    #[must_use]
    pub fn generate() -> Self {
        let mut octets = [0; 32];
        UnwrapErr(SysRng).fill_bytes(&mut octets);
        Self::new(SecretKey::from_octets(octets))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    // CURVE-010
    #[test]
    fn every_pair_is_another() {
        let keys: HashSet<String> = (0..100)
            .map(|_| KeyPair::generate().public_key().to_string())
            .collect();
        assert_eq!(keys.len(), 100);
    }
}
