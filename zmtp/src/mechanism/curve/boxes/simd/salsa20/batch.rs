//! Eight blocks of key stream at a time, one in each lane of the vectors that the processor has.
//!
//! RustCrypto's crate makes one block at a time, with scalar instructions, which takes three to four
//! times as long. Everything here is inlined into a function that the processor's
//! instructions are enabled for; what is not would be slower than scalar code.

#![expect(clippy::arithmetic_side_effects, reason = "lanes wrap around")]

use fearless_simd::{Simd, SimdBase, SimdInto, u32x8};

use super::stream::{BATCH_LEN, BLOCK_LEN, LANES, split, words};

/// Combines eight blocks of key stream, from number `counter` on, with `batch`.
///
/// `state` is that of block zero.
#[inline(always)]
pub(super) fn apply<S: Simd>(
    simd: S,
    state: &[u32; 16],
    counter: u64,
    batch: &mut [u8; BATCH_LEN],
) {
    let mut start = state.map(|word| u32x8::splat(simd, word));
    let counters: [u64; LANES] = std::array::from_fn(|lane| counter.wrapping_add(lane as u64));
    start[8] = counters.map(|counter| split(counter)[0]).simd_into(simd);
    start[9] = counters.map(|counter| split(counter)[1]).simd_into(simd);
    let [low, high] = mix(start);
    let halves = transpose(simd, low).into_iter().zip(transpose(simd, high));
    let (blocks, _) = batch.as_chunks_mut::<BLOCK_LEN>();
    for (block, (low, high)) in blocks.iter_mut().zip(halves) {
        let (halves, _) = block.as_chunks_mut::<{ BLOCK_LEN / 2 }>();
        for (half, stream) in halves.iter_mut().zip([low, high]) {
            let octets: u32x8<S> = words(half).simd_into(simd);
            let combined: [u32; LANES] = (octets ^ stream).into();
            for (to, word) in half.chunks_exact_mut(4).zip(combined) {
                to.copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

/// The core of Salsa20; returns the first and the second half of the rows.
#[inline(always)]
fn mix<S: Simd>(start: [u32x8<S>; 16]) -> [[u32x8<S>; LANES]; 2] {
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
    ] = start;
    for _ in 0..10 {
        quarter_round(&mut x0, &mut x4, &mut x8, &mut x12);
        quarter_round(&mut x5, &mut x9, &mut x13, &mut x1);
        quarter_round(&mut x10, &mut x14, &mut x2, &mut x6);
        quarter_round(&mut x15, &mut x3, &mut x7, &mut x11);
        quarter_round(&mut x0, &mut x1, &mut x2, &mut x3);
        quarter_round(&mut x5, &mut x6, &mut x7, &mut x4);
        quarter_round(&mut x10, &mut x11, &mut x8, &mut x9);
        quarter_round(&mut x15, &mut x12, &mut x13, &mut x14);
    }
    let [
        s0,
        s1,
        s2,
        s3,
        s4,
        s5,
        s6,
        s7,
        s8,
        s9,
        s10,
        s11,
        s12,
        s13,
        s14,
        s15,
    ] = start;
    [
        add(
            [x0, x1, x2, x3, x4, x5, x6, x7],
            [s0, s1, s2, s3, s4, s5, s6, s7],
        ),
        add(
            [x8, x9, x10, x11, x12, x13, x14, x15],
            [s8, s9, s10, s11, s12, s13, s14, s15],
        ),
    ]
}

#[inline(always)]
fn add<S: Simd>(rows: [u32x8<S>; LANES], others: [u32x8<S>; LANES]) -> [u32x8<S>; LANES] {
    let [a, b, c, d, e, f, g, h] = rows;
    let [i, j, k, l, m, n, o, p] = others;
    [a + i, b + j, c + k, d + l, e + m, f + n, g + o, h + p]
}

#[inline(always)]
fn quarter_round<S: Simd>(a: &mut u32x8<S>, b: &mut u32x8<S>, c: &mut u32x8<S>, d: &mut u32x8<S>) {
    *b ^= rotate(*a + *d, 7);
    *c ^= rotate(*b + *a, 9);
    *d ^= rotate(*c + *b, 13);
    *a ^= rotate(*d + *c, 18);
}

#[inline(always)]
fn rotate<S: Simd>(word: u32x8<S>, count: u32) -> u32x8<S> {
    (word << count) | (word >> (u32::BITS - count))
}

/// Turns rows, with a block in each lane, into blocks, with a row in each lane.
#[inline(always)]
fn transpose<S: Simd>(simd: S, rows: [u32x8<S>; LANES]) -> [u32x8<S>; LANES] {
    let mut rows = rows;
    // Each pass moves the first half between the rows of the second one; after three of them
    // every row is where its lane was.
    for _ in 0..3 {
        let [a, b, c, d, e, f, g, h] = rows;
        rows = [
            simd.zip_low_u32x8(a, e),
            simd.zip_high_u32x8(a, e),
            simd.zip_low_u32x8(b, f),
            simd.zip_high_u32x8(b, f),
            simd.zip_low_u32x8(c, g),
            simd.zip_high_u32x8(c, g),
            simd.zip_low_u32x8(d, h),
            simd.zip_high_u32x8(d, h),
        ];
    }
    rows
}
