//! The authenticator Poly1305.
//!
//! A message is a polynomial whose coefficients are its blocks of sixteen octets, computed modulo
//! 2^130 - 5 at a secret point. The sum is kept in two words of 64 bits and a few bits above them;
//! the point has zeros where they make carries cheap. Nothing depends on the octets but the number
//! of them. RustCrypto's crate takes longer, for messages of a few hundred octets several times as long.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "every sum and product has room; the comments say how much"
)]

use crate::mechanism::curve::boxes::TAG_LEN;

/// The length of a key.
pub(super) const KEY_LEN: usize = 32;

const BLOCK_LEN: usize = 16;

/// The polynomial so far, and the point at which it is computed.
struct Polynomial {
    /// The lower 128 bits of the sum.
    low: u128,
    /// What is above them, at most 4.
    high: u64,
    /// The point: two words below 2^60, the second a multiple of four.
    point: [u64; 2],
    /// Five quarters of the second word: what it is worth beyond 2^130.
    wrapped: u64,
}

/// Returns the tag of `octets` under a key that is used for nothing else.
pub(super) fn tag(key: &[u8; KEY_LEN], octets: &[u8]) -> [u8; TAG_LEN] {
    let (point, pad) = key.split_at(KEY_LEN / 2);
    let mut polynomial = Polynomial::new(load(point) & POINT_BITS);
    let (blocks, rest) = octets.as_chunks::<BLOCK_LEN>();
    for block in blocks {
        polynomial.push(u128::from_le_bytes(*block), 1);
    }
    if !rest.is_empty() {
        // The one behind the octets of every block is within this one.
        let mut block = [0; BLOCK_LEN];
        for (to, from) in block.iter_mut().zip(rest.iter().chain(&[1])) {
            *to = *from;
        }
        polynomial.push(u128::from_le_bytes(block), 0);
    }
    polynomial.value().wrapping_add(load(pad)).to_le_bytes()
}

impl Polynomial {
    const fn new(point: u128) -> Self {
        let [r0, r1] = words(point);
        Self {
            low: 0,
            high: 0,
            point: [r0, r1],
            wrapped: r1 + (r1 >> 2),
        }
    }

    /// Adds a block, and `above` beyond it, and multiplies by the point.
    #[inline]
    fn push(&mut self, block: u128, above: u64) {
        let ([r0, r1], s1) = (self.point, self.wrapped);
        let (low, carry) = self.low.overflowing_add(block);
        let [h0, h1] = words(low);
        // At most 6.
        let h2 = self.high + above + u64::from(carry);
        // Products of 64 and 61 bits, and of 3 and 61.
        let d0 = wide(h0, r0) + wide(h1, s1);
        let d1 = wide(h0, r1) + wide(h1, r0) + u128::from(h2 * s1) + (d0 >> 64);
        let [d0, _] = words(d0);
        let [d1, carried] = words(d1);
        let d2 = h2 * r0 + carried;
        // What is beyond 2^130 comes back five times: four times it is already, where it stands.
        let back = (d2 & !3) + (d2 >> 2);
        let low = u128::from(d1) << 64 | u128::from(d0);
        let (low, carry) = low.overflowing_add(back.into());
        self.low = low;
        self.high = (d2 & 3) + u64::from(carry);
    }

    /// The lower 128 bits of the sum, fully reduced.
    fn value(&self) -> u128 {
        // The sum less 2^130 - 5, if the sum is not below that.
        let (less, carry) = self.low.overflowing_add(5);
        let is_beyond = (self.high + u64::from(carry)) >> 2;
        // All ones or all zeros, without a branch.
        let mask = 0_u128.wrapping_sub(is_beyond.into());
        (less & mask) | (self.low & !mask)
    }
}

fn wide(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

/// The lower word and the upper one.
#[expect(clippy::cast_possible_truncation, reason = "a word at a time")]
const fn words(value: u128) -> [u64; 2] {
    [value as u64, (value >> 64) as u64]
}

fn load(octets: &[u8]) -> u128 {
    octets
        .first_chunk()
        .map_or(0, |octets| u128::from_le_bytes(*octets))
}

/// The bits of the point that are not always zero.
const POINT_BITS: u128 = 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff;
