//! The authenticator Poly1305.
//!
//! A message is a polynomial whose coefficients are its blocks of sixteen octets, computed modulo
//! 2^130 - 5 at a secret point. Numbers are three limbs of 44, 44 and 42 bits, so that products fit
//! into 128 bits with room for sums. Four blocks are multiplied at a time, which do not have to wait
//! for each other. The crate that is kept up takes three times as long for messages of a few hundred
//! octets, and as long for large ones.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "limbs and products have room for every sum here; each function says how much"
)]

use zeroize::Zeroizing;

/// The length of a key.
pub(super) const KEY_LEN: usize = 32;

/// The length of a tag.
pub(super) const TAG_LEN: usize = 16;

const BLOCK_LEN: usize = 16;

/// How many blocks are multiplied at a time.
const BLOCKS: usize = 4;

/// A number modulo 2^130 - 5; limbs of 44, 44 and 42 bits, the first two of which may be one bit
/// longer.
#[derive(Clone, Copy)]
struct Element([u64; 3]);

/// A number to multiply with, and what its limbs are worth beyond 2^130.
#[derive(Clone, Copy)]
struct Multiplier {
    limbs: [u64; 3],
    /// The upper two limbs times twenty: 2^132 is four times five.
    wrapped: [u64; 2],
}

/// Returns the tag of `octets` under a key that is used for nothing else.
pub(super) fn tag(key: &[u8; KEY_LEN], octets: &[u8]) -> [u8; TAG_LEN] {
    let (point, pad) = key.split_at(KEY_LEN / 2);
    let powers = Zeroizing::new(powers(load(point) & CLAMP, octets.len()));
    let [r1, r2, r3, r4] = powers.map(|limbs| Multiplier::new(Element(limbs)));
    let mut sum = Element([0; 3]);
    let (groups, rest) = octets.as_chunks::<{ BLOCKS * BLOCK_LEN }>();
    for group in groups {
        let (blocks, _) = group.as_chunks::<BLOCK_LEN>();
        if let [a, b, c, d] = blocks {
            let a = sum.add(Element::block(a)).times(&r4);
            let b = Element::block(b).times(&r3);
            let c = Element::block(c).times(&r2);
            let d = Element::block(d).times(&r1);
            sum = reduce(add(add(a, b), add(c, d)));
        }
    }
    let (blocks, rest) = rest.as_chunks::<BLOCK_LEN>();
    for block in blocks {
        sum = reduce(sum.add(Element::block(block)).times(&r1));
    }
    if !rest.is_empty() {
        sum = reduce(sum.add(Element::last(rest)).times(&r1));
    }
    sum.to_u128().wrapping_add(load(pad)).to_le_bytes()
}

/// Returns the first four powers of the point; only the first one for a short message.
fn powers(point: u128, message_len: usize) -> [[u64; 3]; BLOCKS] {
    let first = Element::new(point);
    if message_len < BLOCKS * BLOCK_LEN {
        return [first.0, [0; 3], [0; 3], [0; 3]];
    }
    let multiplier = Multiplier::new(first);
    let second = reduce(first.times(&multiplier));
    let third = reduce(second.times(&multiplier));
    let fourth = reduce(third.times(&multiplier));
    [first.0, second.0, third.0, fourth.0]
}

impl Element {
    /// The number `value`, below 2^128.
    const fn new(value: u128) -> Self {
        let [low, middle, high] = [value, value >> 44, value >> 88];
        Self([low_bits(low, 44), low_bits(middle, 44), low_bits(high, 42)])
    }

    /// A whole block, with a one behind it.
    fn block(octets: &[u8; BLOCK_LEN]) -> Self {
        let Self([low, middle, high]) = Self::new(u128::from_le_bytes(*octets));
        Self([low, middle, high | 1 << 40])
    }

    /// The last block, of fewer octets, with a one behind them.
    fn last(octets: &[u8]) -> Self {
        let mut block = [0; BLOCK_LEN];
        for (to, from) in block.iter_mut().zip(octets.iter().chain(&[1])) {
            *to = *from;
        }
        Self::new(u128::from_le_bytes(block))
    }

    /// The sum, whose limbs have up to 46 bits.
    const fn add(self, other: Self) -> Self {
        let (Self([a0, a1, a2]), Self([b0, b1, b2])) = (self, other);
        Self([a0 + b0, a1 + b1, a2 + b2])
    }

    /// The product by limbs, each of up to 97 bits: three products of 46 and 49 bits.
    fn times(self, other: &Multiplier) -> [u128; 3] {
        let Self([h0, h1, h2]) = self;
        let [r0, r1, r2] = other.limbs;
        let [s1, s2] = other.wrapped;
        [
            wide(h0, r0) + wide(h1, s2) + wide(h2, s1),
            wide(h0, r1) + wide(h1, r0) + wide(h2, s2),
            wide(h0, r2) + wide(h1, r1) + wide(h2, r0),
        ]
    }

    /// The lower 128 bits of the number, fully reduced.
    fn to_u128(self) -> u128 {
        // Two passes bring every limb to its size.
        let Self([h0, h1, h2]) = reduce(reduce(self.0.map(u128::from)).0.map(u128::from));
        let h1 = h1 + (h0 >> 44);
        let h0 = low_bits(h0.into(), 44);
        // The number less 2^130 - 5; the last limb wraps around if that is negative.
        let g0 = h0 + 5;
        let g1 = h1 + (g0 >> 44);
        let g2 = (h2 + (g1 >> 44)).wrapping_sub(1 << 42);
        // All ones if it is not, without a branch.
        let keep = (g2 >> 63).wrapping_sub(1);
        let select = |less: u64, full: u64| (less & keep) | (full & !keep);
        let h0 = select(low_bits(g0.into(), 44), h0);
        let h1 = select(low_bits(g1.into(), 44), h1);
        let h2 = select(g2, h2);
        // What is beyond 2^128 falls off.
        let [h0, h1, h2] = [h0, h1, h2].map(u128::from);
        h0.wrapping_add(h1 << 44).wrapping_add(h2 << 88)
    }
}

impl Multiplier {
    const fn new(Element([r0, r1, r2]): Element) -> Self {
        Self {
            limbs: [r0, r1, r2],
            wrapped: [r1 * 20, r2 * 20],
        }
    }
}

/// The sum of two products, each of fewer than 100 bits.
const fn add(a: [u128; 3], b: [u128; 3]) -> [u128; 3] {
    let ([a0, a1, a2], [b0, b1, b2]) = (a, b);
    [a0 + b0, a1 + b1, a2 + b2]
}

/// Carries what is too much for a limb to the next one, and from the last to the first, where 2^130
/// is five.
fn reduce(product: [u128; 3]) -> Element {
    let [d0, d1, d2] = product;
    let d1 = d1 + (d0 >> 44);
    let d2 = d2 + (d1 >> 44);
    let d0 = u128::from(low_bits(d0, 44)) + (d2 >> 42) * 5;
    let h1 = low_bits(d1, 44) + low_bits(d0 >> 44, 64);
    Element([low_bits(d0, 44), h1, low_bits(d2, 42)])
}

#[expect(clippy::cast_possible_truncation, reason = "it is what is asked for")]
const fn low_bits(value: u128, count: u32) -> u64 {
    value as u64 & (u64::MAX >> (u64::BITS - count))
}

fn wide(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

fn load(octets: &[u8]) -> u128 {
    octets
        .first_chunk()
        .map_or(0, |octets| u128::from_le_bytes(*octets))
}

/// The bits of the point that are not always zero.
const CLAMP: u128 = 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff;
