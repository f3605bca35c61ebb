//! Eight blocks at a time, with AVX2.
//!
//! Numbers are five limbs of 26 bits, and a vector has the same limb of four numbers. The first four
//! blocks are multiplied by the eighth power of the point and the other four by the fourth; carries
//! are needed once for both. The last eight blocks are multiplied by a power each, from the eighth to
//! the first, and summed up.
//!
//! What is not inlined into the function that the instructions are enabled for would be slower than
//! scalar code. Closures that the standard library calls are not, as often as not.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "every sum and product has room; the comments say how much"
)]

use std::arch::x86_64::__m256i;

use fearless_simd::x86::Avx2;
use fearless_simd::{Simd as _, SimdFrom as _, u32x8};

use super::polynomial::{BLOCK_LEN, LIMB_BITS, LIMB_MASK, Limbs, POWERS, split};
use crate::mechanism::curve::boxes::simd::salsa20::words;

/// Two blocks, which fill a vector.
type Pair = [u8; 2 * BLOCK_LEN];

/// What is pushed at a time.
type Chunk = [Pair; 4];

/// A vector has a limb of so many numbers.
const LANES: usize = 4;

/// The operations.
#[derive(Clone, Copy)]
struct Vectors(Avx2);

/// Four numbers below 2^28, or with limbs that have yet to be carried.
type Numbers = Limbs<__m256i>;

/// Four factors, which are powers of the point. The last chunk has others than those before it, in
/// the order of [`Vectors::load`].
struct Factors {
    limbs: Numbers,
    /// Five times the limbs: what they are worth beyond 2^130.
    wrapped: Numbers,
}

/// Returns the polynomial of `chunks` at the point that has these powers, as limbs below 2^29.
pub(super) fn evaluate(avx2: Avx2, powers: &[Limbs<u64>; POWERS], chunks: &[Chunk]) -> Limbs<u64> {
    let Some((last, chunks)) = chunks.split_last() else {
        return [0; 5];
    };
    // Made out here, the compiler does not see what they are, and multiplies no limb twice for it.
    let wrapped = powers.map(|power| power.map(|limb| limb * 5));
    avx2.vectorize(
        #[inline(always)]
        || {
            let vectors = Vectors(avx2);
            let [a, b, c, d, e, f, g, h] = powers;
            let [i, j, k, l, m, n, o, p] = &wrapped;
            let factors = [
                vectors.factors([h; LANES], [p; LANES]),
                vectors.factors([d; LANES], [l; LANES]),
            ];
            let mut sum = vectors.zero();
            for chunk in chunks {
                sum = vectors.push(sum, chunk, &factors);
            }
            let factors = [
                vectors.factors([h, f, g, e], [p, n, o, m]),
                vectors.factors([d, b, c, a], [l, j, k, i]),
            ];
            let [a, b, c, d, e] = vectors.carry(vectors.push(sum, last, &factors));
            [
                vectors.total(a),
                vectors.total(b),
                vectors.total(c),
                vectors.total(d),
                vectors.total(e),
            ]
        },
    )
}

impl Vectors {
    /// Adds a chunk to a sum that has yet to be carried, and multiplies; what comes out has to be
    /// carried.
    ///
    /// The carries go first so that the compiler sees the size of what is multiplied: with halves
    /// above 2^32 it would need three times as many instructions.
    #[inline(always)]
    fn push(self, sum: Numbers, [a, b, c, d]: &Chunk, [one, other]: &[Factors; 2]) -> Numbers {
        // Below 2^28 times 2^29, ten times.
        let first = self.add_all(self.carry(sum), self.load(a, b));
        let first = self.multiply(first, one);
        self.add_all(first, self.multiply(self.load(c, d), other))
    }

    /// The numbers of four blocks, in the order first, third, second, fourth.
    #[inline(always)]
    fn load(self, one: &Pair, other: &Pair) -> Numbers {
        let (a, b) = (self.octets(one), self.octets(other));
        let low = self.0.avx2._mm256_unpacklo_epi64(a, b);
        let high = self.0.avx2._mm256_unpackhi_epi64(a, b);
        let middle = self.or(self.shr::<52>(low), self.shl::<12>(high));
        [
            self.limb(low),
            self.limb(self.shr::<26>(low)),
            self.limb(middle),
            self.limb(self.shr::<14>(high)),
            // And the one behind the octets of every block.
            self.or(self.shr::<40>(high), self.splat(1 << 24)),
        ]
    }

    #[inline(always)]
    fn octets(self, octets: &Pair) -> __m256i {
        u32x8::simd_from(self.0, words(octets)).into()
    }

    #[inline(always)]
    fn multiply(self, numbers: Numbers, factors: &Factors) -> Numbers {
        let [r0, r1, r2, r3, r4] = factors.limbs;
        let [_, s1, s2, s3, s4] = factors.wrapped;
        [
            self.sum(numbers, [r0, s4, s3, s2, s1]),
            self.sum(numbers, [r1, r0, s4, s3, s2]),
            self.sum(numbers, [r2, r1, r0, s4, s3]),
            self.sum(numbers, [r3, r2, r1, r0, s4]),
            self.sum(numbers, [r4, r3, r2, r1, r0]),
        ]
    }

    /// The sum of the products.
    #[inline(always)]
    fn sum(self, one: Numbers, other: Numbers) -> __m256i {
        let ([a, b, c, d, e], [f, g, h, i, j]) = (one, other);
        let (a, b) = (self.mul(a, f), self.mul(b, g));
        let (c, d, e) = (self.mul(c, h), self.mul(d, i), self.mul(e, j));
        self.add(self.add(self.add(a, b), self.add(c, d)), e)
    }

    /// Carries, in two chains at once. Limbs below 2^60 become limbs below 2^26 and a little.
    #[inline(always)]
    fn carry(self, [d0, d1, d2, d3, d4]: Numbers) -> Numbers {
        let (d0, d1) = self.carry_limb(d0, d1);
        let (d3, d4) = self.carry_limb(d3, d4);
        let (d1, d2) = self.carry_limb(d1, d2);
        // What is beyond 2^130 comes back five times.
        let beyond = self.shr::<LIMB_SHIFT>(d4);
        let (d4, d0) = (self.limb(d4), self.add(d0, beyond));
        let d0 = self.add(d0, self.shl::<2>(beyond));
        let (d2, d3) = self.carry_limb(d2, d3);
        let (d0, d1) = self.carry_limb(d0, d1);
        let (d3, d4) = self.carry_limb(d3, d4);
        [d0, d1, d2, d3, d4]
    }

    #[inline(always)]
    fn carry_limb(self, limb: __m256i, next: __m256i) -> (__m256i, __m256i) {
        (
            self.limb(limb),
            self.add(next, self.shr::<LIMB_SHIFT>(limb)),
        )
    }

    #[inline(always)]
    fn factors(self, limbs: [&Limbs<u64>; LANES], wrapped: [&Limbs<u64>; LANES]) -> Factors {
        Factors {
            limbs: self.gather(limbs),
            wrapped: self.gather(wrapped),
        }
    }

    #[inline(always)]
    fn gather(self, [a, b, c, d]: [&Limbs<u64>; LANES]) -> Numbers {
        let ([a0, a1, a2, a3, a4], [b0, b1, b2, b3, b4]) = (*a, *b);
        let ([c0, c1, c2, c3, c4], [d0, d1, d2, d3, d4]) = (*c, *d);
        [
            self.lanes([a0, b0, c0, d0]),
            self.lanes([a1, b1, c1, d1]),
            self.lanes([a2, b2, c2, d2]),
            self.lanes([a3, b3, c3, d3]),
            self.lanes([a4, b4, c4, d4]),
        ]
    }

    #[inline(always)]
    fn zero(self) -> Numbers {
        [self.splat(0); 5]
    }

    #[inline(always)]
    fn splat(self, word: u64) -> __m256i {
        self.lanes([word; LANES])
    }

    #[inline(always)]
    fn lanes(self, lanes: [u64; LANES]) -> __m256i {
        let [i, j, k, l] = lanes;
        let ([a, b], [c, d], [e, f], [g, h]) = (split(i), split(j), split(k), split(l));
        u32x8::simd_from(self.0, [a, b, c, d, e, f, g, h]).into()
    }

    /// The sum of the lanes.
    #[inline(always)]
    fn total(self, lanes: __m256i) -> u64 {
        let words: [u32; 2 * LANES] = u32x8::simd_from(self.0, lanes).into();
        let [a, b, c, d, e, f, g, h] = words.map(u64::from);
        ((b + d + f + h) << 32) + a + c + e + g
    }

    /// The lower bits, as many as a limb has.
    #[inline(always)]
    fn limb(self, lanes: __m256i) -> __m256i {
        self.0.avx2._mm256_and_si256(lanes, self.splat(LIMB_MASK))
    }

    #[inline(always)]
    fn add_all(self, one: Numbers, other: Numbers) -> Numbers {
        let ([a, b, c, d, e], [f, g, h, i, j]) = (one, other);
        [
            self.add(a, f),
            self.add(b, g),
            self.add(c, h),
            self.add(d, i),
            self.add(e, j),
        ]
    }

    #[inline(always)]
    fn add(self, one: __m256i, other: __m256i) -> __m256i {
        self.0.avx2._mm256_add_epi64(one, other)
    }

    /// The products of the lower halves of the lanes.
    #[inline(always)]
    fn mul(self, one: __m256i, other: __m256i) -> __m256i {
        self.0.avx2._mm256_mul_epu32(one, other)
    }

    #[inline(always)]
    fn or(self, one: __m256i, other: __m256i) -> __m256i {
        self.0.avx2._mm256_or_si256(one, other)
    }

    #[inline(always)]
    fn shl<const BITS: i32>(self, lanes: __m256i) -> __m256i {
        self.0.avx2._mm256_slli_epi64::<BITS>(lanes)
    }

    #[inline(always)]
    fn shr<const BITS: i32>(self, lanes: __m256i) -> __m256i {
        self.0.avx2._mm256_srli_epi64::<BITS>(lanes)
    }
}

const LIMB_SHIFT: i32 = LIMB_BITS.cast_signed();
