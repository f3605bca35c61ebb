//! Keys, the octets that they yield, and blocks of them one at a time.

use fearless_simd::{Level, dispatch};
use zeroize::Zeroizing;

use super::batch;

/// The length of a block of key stream.
pub(super) const BLOCK_LEN: usize = 64;

/// How many blocks are made at a time.
pub(super) const LANES: usize = 8;

/// The length of the blocks that are made at a time.
pub(in super::super) const BATCH_LEN: usize = BLOCK_LEN * LANES;

/// Up to this many octets are cheaper to make block by block.
const MAX_SCALAR_LEN: usize = 2 * BLOCK_LEN;

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
    /// The number of the next block.
    counter: u64,
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
        let state = Zeroizing::new(rounds(self.state([n0, n1], [n2, n3])));
        let [a, _, _, _, _, b, e, f, g, h, c, _, _, _, _, d] = *state;
        Self {
            words: Zeroizing::new([a, b, c, d, e, f, g, h]),
            level: self.level,
        }
    }

    pub(in super::super) fn stream(&self, nonce: &[u8; 8]) -> KeyStream<'_> {
        KeyStream {
            key: self,
            nonce: words(nonce),
            counter: 0,
        }
    }

    fn state(&self, nonce: [u32; 2], counter: [u32; 2]) -> [u32; 16] {
        let [s0, s1, s2, s3] = SIGMA;
        let [k0, k1, k2, k3, k4, k5, k6, k7] = *self.words;
        let ([n0, n1], [c0, c1]) = (nonce, counter);
        [
            s0, k0, k1, k2, k3, s1, n0, n1, c0, c1, s2, k4, k5, k6, k7, s3,
        ]
    }
}

impl KeyStream<'_> {
    /// Returns the next octets, `len` of them if that is no more than a batch.
    ///
    /// What is left of the last block is lost. They are not wiped: who could read them would find
    /// the message itself beside them.
    pub(in super::super) fn take(&mut self, len: usize) -> [u8; BATCH_LEN] {
        let mut batch = [0; BATCH_LEN];
        if len > MAX_SCALAR_LEN {
            self.apply_batch(&mut batch);
            return batch;
        }
        for block in batch
            .chunks_exact_mut(BLOCK_LEN)
            .take(len.div_ceil(BLOCK_LEN))
        {
            let counter = self.count(1);
            let state = self.key.state(self.nonce, split(counter));
            let mixed = rounds(state);
            for ((to, mixed), word) in block.chunks_exact_mut(4).zip(mixed).zip(state) {
                to.copy_from_slice(&mixed.wrapping_add(word).to_le_bytes());
            }
        }
        batch
    }

    /// Combines the next octets with `octets`.
    pub(in super::super) fn apply(&mut self, octets: &mut [u8]) {
        let (batches, rest) = octets.as_chunks_mut();
        for batch in batches {
            self.apply_batch(batch);
        }
        if !rest.is_empty() {
            let batch = self.take(rest.len());
            xor(rest, &batch);
        }
    }

    fn apply_batch(&mut self, batch: &mut [u8; BATCH_LEN]) {
        let counter = self.count(LANES as u64);
        let state = self.key.state(self.nonce, [0, 0]);
        dispatch!(self.key.level, simd => batch::apply(simd, &state, counter, batch));
    }

    /// Returns the number of the next block, and goes on by `count`.
    fn count(&mut self, count: u64) -> u64 {
        let counter = self.counter;
        // 2^70 octets are more than any box has.
        self.counter = counter.wrapping_add(count);
        counter
    }
}

/// Combines `octets` with as many of `others`.
pub(in super::super) fn xor(octets: &mut [u8], others: &[u8]) {
    for (to, from) in octets.iter_mut().zip(others) {
        *to ^= from;
    }
}

/// The ten double rounds, without the addition at the end.
fn rounds(mut state: [u32; 16]) -> [u32; 16] {
    for _ in 0..10 {
        let [
            mut x0,
            mut x1,
            mut x2,
            mut x3,
            mut x4,
            mut x5,
            mut x6,
            mut x7,
            mut x8,
            mut x9,
            mut x10,
            mut x11,
            mut x12,
            mut x13,
            mut x14,
            mut x15,
        ] = state;
        quarter_round(&mut x0, &mut x4, &mut x8, &mut x12);
        quarter_round(&mut x5, &mut x9, &mut x13, &mut x1);
        quarter_round(&mut x10, &mut x14, &mut x2, &mut x6);
        quarter_round(&mut x15, &mut x3, &mut x7, &mut x11);
        quarter_round(&mut x0, &mut x1, &mut x2, &mut x3);
        quarter_round(&mut x5, &mut x6, &mut x7, &mut x4);
        quarter_round(&mut x10, &mut x11, &mut x8, &mut x9);
        quarter_round(&mut x15, &mut x12, &mut x13, &mut x14);
        state = [
            x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15,
        ];
    }
    state
}

#[inline(always)]
const fn quarter_round(a: &mut u32, b: &mut u32, c: &mut u32, d: &mut u32) {
    *b ^= a.wrapping_add(*d).rotate_left(7);
    *c ^= b.wrapping_add(*a).rotate_left(9);
    *d ^= c.wrapping_add(*b).rotate_left(13);
    *a ^= d.wrapping_add(*c).rotate_left(18);
}

/// Reads words of four octets, as many as there are.
#[inline(always)]
pub(super) fn words<const OCTETS: usize, const WORDS: usize>(
    octets: &[u8; OCTETS],
) -> [u32; WORDS] {
    let (chunks, _) = octets.as_chunks::<4>();
    std::array::from_fn(|index| {
        chunks
            .get(index)
            .map_or(0, |word| u32::from_le_bytes(*word))
    })
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
