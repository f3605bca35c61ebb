//! The authenticator Poly1305.
//!
//! A message is a polynomial whose coefficients are its blocks of sixteen octets, computed modulo
//! 2^130 - 5 at a secret point. RustCrypto's crate takes longer, for messages of a few hundred octets
//! several times as long.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod polynomial;
mod tag;

pub(super) use tag::{KEY_LEN, tag};
