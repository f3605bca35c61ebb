//! How the ids of channels are hashed.

use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};

use super::Role;

/// Makes the hashers of a table of message ids.
#[derive(Clone, Debug)]
pub(super) enum IdHashing {
    /// The table has only ids that this side made, whose counter tells them apart.
    Counter,
    /// Its ids are those of peers, who may have chosen them to collide.
    Random(RandomState),
}

/// Hashes one message id.
#[derive(Debug)]
pub(super) enum IdHasher {
    Counter(u64),
    Random(DefaultHasher),
}

/// Behind the head of an id that this side made come the eight digits of its counter.
const HEAD: usize = 2;

impl IdHashing {
    /// Returns the hashing for the channels of a peer.
    pub(super) fn new(role: Role) -> Self {
        match role {
            Role::Client => Self::Counter,
            Role::Server => Self::Random(RandomState::new()),
        }
    }
}

impl BuildHasher for IdHashing {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        match self {
            Self::Counter => IdHasher::Counter(0),
            Self::Random(state) => IdHasher::Random(state.build_hasher()),
        }
    }
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Random(hasher) => hasher.write(bytes),
            Self::Counter(hash) => {
                let digits = bytes.get(HEAD..).and_then(<[u8]>::first_chunk);
                *hash = digits.map_or(0, |digits| u64::from_be_bytes(*digits));
            }
        }
    }

    fn finish(&self) -> u64 {
        // Digits differ in few bits: a multiplication spreads them, and the fold brings the best of
        // them to where tables look.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        match self {
            Self::Random(hasher) => hasher.finish(),
            Self::Counter(hash) => {
                let spread = hash.wrapping_mul(SPREAD);
                spread ^ (spread >> 32)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::event::IdSource;

    #[test]
    fn ids_of_this_side_are_told_apart_by_their_counter() {
        let hashing = IdHashing::new(Role::Client);
        let mut ids = IdSource::new([7; 12]);
        let hashes: HashSet<u64> = (0..100_000)
            .map(|_| hashing.hash_one(ids.next_id()))
            .collect();
        assert_eq!(hashes.len(), 100_000);
        // The low bits, which a table uses, are as good as random ones.
        let low: HashSet<u64> = hashes.iter().map(|hash| hash & 0xffff).collect();
        assert!(low.len() > 40_000, "{}", low.len());
    }

    #[test]
    fn ids_of_peers_are_hashed_with_a_secret() {
        let id = IdSource::new([7; 12]).next_id();
        let hash = |hashing: &IdHashing| hashing.hash_one(&id);
        let hashing = IdHashing::new(Role::Server);
        assert_eq!(hash(&hashing), hash(&hashing));
        assert_ne!(hash(&hashing), hash(&IdHashing::new(Role::Server)));
    }
}
