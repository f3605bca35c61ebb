//! Boxes: encryption that shows every change, as in NaCl.
//!
//! X25519 makes a key of one secret and one public key, XSalsa20 encrypts with it, and Poly1305
//! makes a tag of the result. The tag stands in front.
//!
//! The cipher and the tag are those of RustCrypto, or this crate's own with the feature
//! `curve-simd`. Both are a `Key` with the same functions, chosen when the crate is compiled.

mod key;
// Tests compare the other one with it.
#[cfg(any(not(feature = "curve-simd"), test))]
mod rustcrypto;
#[cfg(feature = "curve-simd")]
mod simd;

pub(super) use key::{BoxKey, Forged, PrefixedKey, TAG_LEN};
