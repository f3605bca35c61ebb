//! The polynomial of Poly1305, in two words of 64 bits and a few bits above them.
//!
//! The point has zeros where they make carries cheap. Nothing depends on the octets but the number
//! of them.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "every sum and product has room; the comments say how much"
)]

/// The length of what a coefficient is made of.
pub(super) const BLOCK_LEN: usize = 16;

/// The polynomial so far, and the point at which it is computed.
#[derive(Clone, Copy)]
pub(super) struct Polynomial {
    /// The lower 128 bits of the sum.
    low: u128,
    /// What is above them, at most 4.
    high: u64,
    /// The point: two words below 2^60, the second a multiple of four.
    point: [u64; 2],
    /// Five quarters of the second word: what it is worth beyond 2^130.
    wrapped: u64,
}

/// A number in parts of 26 bits, the lowest first.
#[cfg(target_arch = "x86_64")]
pub(super) type Limbs<T> = [T; 5];

#[cfg(target_arch = "x86_64")]
pub(super) const LIMB_BITS: u32 = 26;

#[cfg(target_arch = "x86_64")]
pub(super) const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;

/// How many powers of the point vectors need.
#[cfg(target_arch = "x86_64")]
pub(super) const POWERS: usize = 8;

impl Polynomial {
    /// Returns the polynomial without coefficients at the point that has these octets.
    pub(super) const fn new(octets: u128) -> Self {
        let [r0, r1] = words(octets & POINT_BITS);
        Self {
            low: 0,
            high: 0,
            point: [r0, r1],
            wrapped: r1 + (r1 >> 2),
        }
    }

    /// Adds a block, and `above` beyond it, and multiplies by the point.
    #[inline]
    pub(super) fn push(&mut self, block: u128, above: u64) {
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
        self.set(u128::from(d1) << 64 | u128::from(d0), d2);
    }

    /// Sets the sum to `low` and `high` above it.
    #[inline]
    fn set(&mut self, low: u128, high: u64) {
        // What is beyond 2^130 comes back five times: four times it is already, where it stands.
        let back = (high & !3) + (high >> 2);
        let (low, carry) = low.overflowing_add(back.into());
        self.low = low;
        self.high = (high & 3) + u64::from(carry);
    }

    /// The first powers of the point, as limbs of which the last is below 2^27.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn powers(&self) -> [Limbs<u64>; POWERS] {
        let [r0, r1] = self.point;
        let mut power = Self {
            low: u128::from(r1) << 64 | u128::from(r0),
            high: 0,
            ..*self
        };
        std::array::from_fn(|_| {
            let limbs = power.limbs();
            power.push(0, 0);
            limbs
        })
    }

    /// Begins with this sum, which has limbs below 2^32.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn begin(&mut self, sum: Limbs<u64>) {
        let [a, b, c, d, e] = sum.map(u128::from);
        let below = a + (b << 26) + (c << 52) + (d << 78);
        let (low, carry) = below.overflowing_add(e << 104);
        let [above, _] = words(e >> 24);
        self.set(low, above + u64::from(carry));
    }

    #[cfg(target_arch = "x86_64")]
    fn limbs(&self) -> Limbs<u64> {
        let limb = |at: u32| {
            let [word, _] = words(self.low >> at);
            word & LIMB_MASK
        };
        let [top, _] = words(self.low >> 104);
        [limb(0), limb(26), limb(52), limb(78), self.high << 24 | top]
    }

    /// The lower 128 bits of the sum, fully reduced.
    pub(super) fn value(&self) -> u128 {
        // The sum less 2^130 - 5, if the sum is not below that.
        let (less, carry) = self.low.overflowing_add(5);
        let is_beyond = (self.high + u64::from(carry)) >> 2;
        // All ones or all zeros, without a branch.
        let mask = 0_u128.wrapping_sub(is_beyond.into());
        (less & mask) | (self.low & !mask)
    }
}

/// The lower half and the upper one.
#[cfg(target_arch = "x86_64")]
#[expect(clippy::cast_possible_truncation, reason = "a half at a time")]
pub(super) const fn split(word: u64) -> [u32; 2] {
    [word as u32, (word >> 32) as u32]
}

fn wide(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

/// The lower word and the upper one.
#[expect(clippy::cast_possible_truncation, reason = "a word at a time")]
const fn words(value: u128) -> [u64; 2] {
    [value as u64, (value >> 64) as u64]
}

/// The bits of the point that are not always zero.
const POINT_BITS: u128 = 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff;
