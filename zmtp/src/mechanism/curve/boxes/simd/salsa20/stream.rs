//! Keys, and the octets that they yield.

use fearless_simd::{Level, dispatch};
use zeroize::Zeroizing;

use super::batch;
use super::rounds::mix;

/// The length of two blocks of key stream, which share vectors and are counted together.
pub(super) const PAIR_LEN: usize = 2 * 64;

/// How many pairs of blocks are made at a time: as many as fit into sixteen registers, with what
/// the rounds need beside them.
const PAIRS: usize = 3;

/// The length of the blocks that are made at a time.
pub(in super::super) const BATCH_LEN: usize = PAIR_LEN * PAIRS;

/// "expand 32-byte k".
const SIGMA: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// A key of Salsa20.
pub(in super::super) struct Key {
    words: Zeroizing<[u32; 8]>,
    level: Level,
}

/// The octets that a key and a nonce yield, from any block on.
pub(in super::super) struct KeyStream<'a> {
    key: &'a Key,
    nonce: [u32; 2],
    /// The number of the next pair of blocks.
    pair: u64,
}

impl Key {
    pub(in super::super) fn new(octets: &[u8; 32]) -> Self {
        Self {
            words: Zeroizing::new(words(octets)),
            level: Level::new(),
        }
    }

    /// Returns the key that HSalsa20 derives from this one and `input`.
    pub(in super::super) fn derive(&self, input: &[u8; 16]) -> Self {
        let [n0, n1, n2, n3] = words(input);
        let mixed = Zeroizing::new(mix(self.diagonals([n0, n1], [n2, n3])));
        // The words 0, 5, 10 and 15, and 6 to 9.
        let [[a, b, c, d], [_, h, _, _], [g, _, _, f], [_, _, e, _]] = *mixed;
        Self {
            words: Zeroizing::new([a, b, c, d, e, f, g, h]),
            level: self.level,
        }
    }

    /// The vectors that the processor has.
    pub(in super::super) const fn level(&self) -> Level {
        self.level
    }

    pub(in super::super) fn stream(&self, nonce: &[u8; 8]) -> KeyStream<'_> {
        KeyStream {
            key: self,
            nonce: words(nonce),
            pair: 0,
        }
    }

    /// The diagonals of the block with this number.
    fn diagonals(&self, nonce: [u32; 2], number: [u32; 2]) -> [[u32; 4]; 4] {
        let [k0, k1, k2, k3, k4, k5, k6, k7] = *self.words;
        let ([n0, n1], [c0, c1]) = (nonce, number);
        [SIGMA, [k3, c1, k7, k2], [c0, k6, k1, n1], [k5, k0, n0, k4]]
    }
}

impl KeyStream<'_> {
    /// Returns the next octets, `len` of them if that is no more than a batch.
    ///
    /// What is left of them is lost. They are not wiped: who could read them would find the message
    /// itself beside them.
    pub(in super::super) fn take(&mut self, len: usize) -> [u8; BATCH_LEN] {
        let mut batch = [0; BATCH_LEN];
        if len <= PAIR_LEN {
            let (first, _) = batch.split_at_mut(PAIR_LEN);
            self.combine::<1>(first);
        } else {
            self.combine::<PAIRS>(&mut batch);
        }
        batch
    }

    /// Combines the next octets with `octets`.
    pub(in super::super) fn apply(&mut self, octets: &mut [u8]) {
        let (batches, rest) = octets.as_chunks_mut::<BATCH_LEN>();
        if !batches.is_empty() {
            self.combine::<PAIRS>(batches.as_flattened_mut());
        }
        if !rest.is_empty() {
            let batch = self.take(rest.len());
            xor(rest, &batch);
        }
    }

    /// Combines the next octets with whole batches of so many pairs of blocks.
    fn combine<const PAIRS: usize>(&mut self, octets: &mut [u8]) {
        let (pairs, _) = octets.as_chunks_mut();
        let first = self.count(pairs.len() as u64);
        let (batches, _) = pairs.as_chunks_mut::<PAIRS>();
        let [a, b, c, d] = self.key.diagonals(self.nonce, [0, 0]);
        let [.., of_second, _] = self.key.diagonals(self.nonce, [1, 0]);
        let diagonals = [(a, a), (b, b), (c, of_second), (d, d)].map(pair);
        dispatch!(self.key.level, simd => batch::apply(simd, &diagonals, first, batches));
    }

    /// Returns the number of the next pair of blocks, and goes on by `count`.
    fn count(&mut self, count: u64) -> u64 {
        let pair = self.pair;
        // 2^70 octets are more than any box has.
        self.pair = pair.wrapping_add(count);
        pair
    }
}

/// Combines `octets` with as many of `others`.
pub(in super::super) fn xor(octets: &mut [u8], others: &[u8]) {
    for (to, from) in octets.iter_mut().zip(others) {
        *to ^= from;
    }
}

/// The same diagonal of two blocks.
const fn pair(([a, b, c, d], [e, f, g, h]): ([u32; 4], [u32; 4])) -> [u32; 8] {
    [a, b, c, d, e, f, g, h]
}

/// Reads words of four octets, as many as there are.
#[inline(always)]
pub(in super::super) fn words<const OCTETS: usize, const WORDS: usize>(
    octets: &[u8; OCTETS],
) -> [u32; WORDS] {
    let (chunks, _) = octets.as_chunks::<4>();
    let mut words = [0; WORDS];
    for (word, octets) in words.iter_mut().zip(chunks) {
        *word = u32::from_le_bytes(*octets);
    }
    words
}

/// Splits the number of a block into words, the lower first.
#[inline(always)]
pub(super) const fn split(counter: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = counter.to_le_bytes();
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    ]
}

#[cfg(test)]
mod tests {
    use ::salsa20::Salsa20;
    use ::salsa20::cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _};

    use super::*;

    #[test]
    fn numbers_of_blocks_carry_into_their_upper_word() {
        // Inside of a batch, and between two of them.
        for before in 1..=2 * PAIRS as u64 {
            let pair = (1 << 31) - before;
            let mut ours = [0; 4 * BATCH_LEN];
            let mut theirs = ours;
            let key = Key::new(&[7; 32]);
            let mut stream = key.stream(&[9; 8]);
            stream.pair = pair;
            stream.apply(&mut ours);
            let mut other = Salsa20::new(&[7; 32].into(), &[9; 8].into());
            other.seek(pair * PAIR_LEN as u64);
            other.apply_keystream(&mut theirs);
            assert_eq!(ours, theirs);
        }
    }
}
