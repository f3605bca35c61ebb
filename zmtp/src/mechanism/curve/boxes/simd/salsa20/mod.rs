//! The stream cipher Salsa20 and the function HSalsa20, fast on long inputs.
//!
//! Two blocks share the vectors, and long inputs are encrypted six blocks at a time.

mod batch;
mod rounds;
mod stream;

pub(super) use stream::{BATCH_LEN, Key, words, xor};
