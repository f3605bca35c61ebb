//! The tag of a message.

use fearless_simd::Level;

#[cfg(target_arch = "x86_64")]
use super::avx2;
use super::polynomial::{BLOCK_LEN, Polynomial};
use crate::mechanism::curve::boxes::TAG_LEN;

/// The length of a key.
pub(in super::super) const KEY_LEN: usize = 32;

/// From this many octets on, what vectors need to begin with is worth it.
#[cfg(target_arch = "x86_64")]
const MIN_VECTOR_LEN: usize = 1024;

/// Returns the tag of `octets` under a key that is used for nothing else.
pub(in super::super) fn tag(level: Level, key: &[u8; KEY_LEN], octets: &[u8]) -> [u8; TAG_LEN] {
    let (point, pad) = key.split_at(KEY_LEN / 2);
    let mut polynomial = Polynomial::new(load(point));
    let octets = push_vectors(level, &mut polynomial, octets);
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

/// Begins the polynomial with as much of a long message as vectors are good for; returns the rest.
#[cfg(target_arch = "x86_64")]
fn push_vectors<'a>(level: Level, polynomial: &mut Polynomial, octets: &'a [u8]) -> &'a [u8] {
    match level.as_avx2() {
        Some(avx2) if octets.len() >= MIN_VECTOR_LEN => {
            let (pairs, _) = octets.as_chunks();
            let (chunks, _) = pairs.as_chunks();
            let (_, rest) = octets.split_at(chunks.as_flattened().as_flattened().len());
            let sum = avx2::evaluate(avx2, &polynomial.powers(), chunks);
            polynomial.begin(sum);
            rest
        }
        _ => octets,
    }
}

#[cfg(not(target_arch = "x86_64"))]
const fn push_vectors<'a>(_: Level, _: &mut Polynomial, octets: &'a [u8]) -> &'a [u8] {
    octets
}

fn load(octets: &[u8]) -> u128 {
    octets
        .first_chunk()
        .map_or(0, |octets| u128::from_le_bytes(*octets))
}
