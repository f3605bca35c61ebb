//! The cipher and the tag of this crate: Salsa20 in the vectors that the processor has, and Poly1305
//! in two words of 64 bits, or for long messages in the vectors of AVX2.

mod key;
mod poly1305;
mod salsa20;

pub(super) use key::Key;

#[cfg(test)]
mod tests;
