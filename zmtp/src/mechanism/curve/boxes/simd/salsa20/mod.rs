//! The stream cipher Salsa20 and the function HSalsa20, fast on long inputs.
//!
//! Short inputs are encrypted block by block, long ones in batches of eight blocks.

mod batch;
mod stream;

pub(super) use stream::{BATCH_LEN, Key, xor};
