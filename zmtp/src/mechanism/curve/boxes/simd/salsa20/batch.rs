//! Several blocks of key stream at a time, in the vectors that the processor has.
//!
//! RustCrypto's crate makes one block at a time, with scalar instructions, which takes three to four
//! times as long. Everything here is inlined into a function that the processor's
//! instructions are enabled for; what is not would be slower than scalar code. Closures that the
//! standard library calls are not, as often as not.

#![expect(clippy::arithmetic_side_effects, reason = "words wrap around")]
#![expect(
    clippy::indexing_slicing,
    reason = "all indices are counted up to the length of all arrays, and no closure gets a vector"
)]

use fearless_simd::{
    Select as _, Simd, SimdBase as _, SimdFrom as _, SimdInto as _, mask32x8, u32x8,
};

use super::rounds::{Row, mix};
use super::stream::{PAIR_LEN, split, words};

/// A vector has this many words: those of one diagonal of two blocks.
pub(super) const LANES: usize = 8;

/// A diagonal of all blocks of a batch.
///
/// While the words of one vector wait for each other, those of the others are worked on.
#[derive(Clone, Copy)]
struct Diagonal<S: Simd, const PAIRS: usize>([u32x8<S>; PAIRS]);

/// Combines the key stream, from the pair of blocks `first` on, with `batches`.
///
/// `diagonals` are those of the states of the first two blocks. They come in memory because the
/// compiler moves words that it knows one by one back and forth in the middle of the rounds.
#[inline(always)]
pub(super) fn apply<S: Simd, const PAIRS: usize>(
    simd: S,
    diagonals: &[[u32; LANES]; 4],
    first: u64,
    batches: &mut [[[u8; PAIR_LEN]; PAIRS]],
) {
    let [a, b, c, d] = diagonals;
    let (a, b) = (u32x8::simd_from(simd, *a), u32x8::simd_from(simd, *b));
    let (c, d) = (u32x8::simd_from(simd, *c), u32x8::simd_from(simd, *d));
    // Where the number of a block is. Those of a pair differ in their lowest bit.
    let low = u32x8::simd_from(simd, [!0, 0, 0, 0, !0, 0, 0, 0]);
    let high = u32x8::simd_from(simd, [0, !0, 0, 0, 0, !0, 0, 0]);
    let mut pair = first;
    for batch in batches {
        let (mut highs, mut lows) = ([b; PAIRS], [c; PAIRS]);
        for index in 0..PAIRS {
            let [number, upper] = split(pair << 1);
            lows[index] |= u32x8::splat(simd, number) & low;
            highs[index] |= u32x8::splat(simd, upper) & high;
            pair = pair.wrapping_add(1);
        }
        let [a, b, c, d] = [[a; PAIRS], highs, lows, [d; PAIRS]];
        let mixed = mix([Diagonal(a), Diagonal(b), Diagonal(c), Diagonal(d)]);
        for (index, octets) in batch.iter_mut().enumerate() {
            let [e, f, g, h] = &mixed;
            let diagonals = [
                a[index] + e.0[index],
                b[index] + f.0[index],
                c[index] + g.0[index],
                d[index] + h.0[index],
            ];
            xor_pair(simd, octets, diagonals);
        }
    }
}

/// Combines a pair of blocks, given by its diagonals, with `octets`.
#[inline(always)]
fn xor_pair<S: Simd>(simd: S, octets: &mut [u8; PAIR_LEN], diagonals: [u32x8<S>; 4]) {
    let [a, b, c, d] = diagonals;
    let odd: mask32x8<S> = [0, -1, 0, -1, 0, -1, 0, -1].simd_into(simd);
    let (ad, da) = (odd.select(d, a), odd.select(a, d));
    let (bc, cb) = (odd.select(c, b), odd.select(b, c));
    let last: mask32x8<S> = [0, 0, -1, -1, 0, 0, -1, -1].simd_into(simd);
    let outer: mask32x8<S> = [-1, 0, 0, -1, -1, 0, 0, -1].simd_into(simd);
    let rows: [u32x8<S>; 4] = [
        last.select(cb, ad),
        outer.select(bc, da),
        last.select(ad, cb),
        outer.select(da, bc),
    ];
    let [a, b, c, d] = rows;
    // Each has a row of the first block and one of the second.
    let ((a, e), (b, f)) = (simd.split_u32x8(a), simd.split_u32x8(b));
    let ((c, g), (d, h)) = (simd.split_u32x8(c), simd.split_u32x8(d));
    let halves = [
        simd.combine_u32x4(a, b),
        simd.combine_u32x4(c, d),
        simd.combine_u32x4(e, f),
        simd.combine_u32x4(g, h),
    ];
    let (chunks, _) = octets.as_chunks_mut::<{ 4 * LANES }>();
    for (chunk, stream) in chunks.iter_mut().zip(halves) {
        let plain: u32x8<S> = words(chunk).simd_into(simd);
        let combined: [u32; LANES] = (plain ^ stream).into();
        for (to, word) in chunk.chunks_exact_mut(4).zip(combined) {
            to.copy_from_slice(&word.to_le_bytes());
        }
    }
}

impl<S: Simd, const PAIRS: usize> Row for Diagonal<S, PAIRS> {
    #[inline(always)]
    fn step(mut self, one: Self, other: Self, count: u32) -> Self {
        for index in 0..PAIRS {
            let sum = one.0[index] + other.0[index];
            self.0[index] ^= (sum << count) | (sum >> (u32::BITS - count));
        }
        self
    }

    #[inline(always)]
    fn turn<const PLACES: usize>(mut self) -> Self {
        for index in 0..PAIRS {
            let words = self.0[index];
            let simd = words.witness();
            self.0[index] = simd.slide_within_blocks_u32x8::<PLACES>(words, words);
        }
        self
    }
}
