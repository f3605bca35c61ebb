//! Requests and published events that are signed with HMAC-SHA-256.
//!
//! - [`Signer`] signs, [`Verifier`] checks; both are middleware.
//! - [`SigningKey`] is the secret that both have, and has a name, so that it can be replaced.
//! - `signature` is what is signed and how it is written, `replay` remembers what was seen.
//!
//! # The signature
//!
//! It is the header entry `signature`, an array of a key's name (string), the time in milliseconds
//! since 1970 (integer), 16 random bytes (binary) and the HMAC-SHA-256 (binary) of
//!
//! ```text
//! "zrpc-signature-1" 0x00
//! length and bytes of: the key's name, the message id, the method, the encoded arguments
//! the time, 8 bytes
//! the random bytes
//! ```
//!
//! where a length is 8 bytes, and all numbers are big-endian. The message id is the content of the
//! string or binary that the header has; the arguments are the msgpack as it is in the event.
//!
//! Other header entries, replies and the items of streams are not signed, and nothing is encrypted:
//! whoever needs that takes CURVE.

mod key;
mod replay;
mod signature;
mod signer;
mod verifier;

pub use key::{SigningKey, SigningKeyError};
pub use signer::Signer;
pub use verifier::{SignatureError, Verifier};
