//! How the ids of channels are hashed.

use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};

use super::Role;

/// Makes the hashers of a table of message ids.
#[derive(Clone, Debug)]
pub(super) enum IdHashing {
    /// The table has only ids that this side made: those of one source are told apart by their
    /// counter, and those of different sources by what is random in them. Peers name ids to be found
    /// and never put one in, so that they cannot make the table slow.
    Own,
    /// Its ids are those of peers, who may have chosen them to collide.
    Random(RandomState),
}

/// Hashes one message id.
#[derive(Debug)]
pub(super) enum IdHasher {
    Own(u64),
    Random(DefaultHasher),
}

/// Behind the head of an id that this side made come the eight digits of its counter; its last eight
/// digits are a part of what is random in its source.
const HEAD: usize = 2;

impl IdHashing {
    /// Returns the hashing for the channels of a peer.
    pub(super) fn new(role: Role) -> Self {
        match role {
            Role::Client => Self::Own,
            Role::Server => Self::Random(RandomState::new()),
        }
    }
}

impl BuildHasher for IdHashing {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        match self {
            Self::Own => IdHasher::Own(0),
            Self::Random(state) => IdHasher::Random(state.build_hasher()),
        }
    }
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Random(hasher) => hasher.write(bytes),
            Self::Own(hash) => {
                let counter = bytes.get(HEAD..).and_then(<[u8]>::first_chunk);
                let random = bytes.last_chunk();
                // One of the two is the same in all ids of a source, or of many sources of which
                // each made its first.
                *hash = match (counter, random) {
                    (Some(counter), Some(random)) => {
                        u64::from_be_bytes(*counter) ^ u64::from_be_bytes(*random)
                    }
                    _ => 0,
                };
            }
        }
    }

    fn finish(&self) -> u64 {
        // Digits differ in few bits: a multiplication spreads them, and the fold brings the best of
        // them to where tables look.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        match self {
            Self::Random(hasher) => hasher.finish(),
            Self::Own(hash) => {
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
    fn first_ids_of_many_sources_are_told_apart_by_what_is_random_in_them() {
        let hashing = IdHashing::new(Role::Client);
        // SplitMix64, of which each source takes what a generator would give it.
        let mut state = 0_u64;
        let mut random = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)).to_be_bytes()
        };
        let hashes: HashSet<u64> = (0..10_000)
            .map(|_| {
                let octets = [random(), random()].concat();
                let source = octets.first_chunk().expect("sixteen octets");
                hashing.hash_one(IdSource::new(*source).next_id())
            })
            .collect();
        assert!(hashes.len() >= 9_990, "{}", hashes.len());
        // Both what chooses a place in a table and what is compared there: 10 000 random numbers
        // take 9276 of 65 536 places.
        for bits in [0, 48] {
            let places: HashSet<u64> = hashes.iter().map(|hash| (hash >> bits) & 0xffff).collect();
            assert!(places.len() > 8_000, "{} from bit {bits}", places.len());
        }
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
