//! Layer 0: the octets of ZMTP 3.1, without any I/O.
//!
//! - [`greeting`]: the first 64 octets of either side;
//! - [`frame`]: everything after them, messages and commands alike;
//! - [`command`]: the bodies of command frames;
//! - [`metadata`]: the properties that handshake commands carry;
//! - [`subscription`]: subscriptions in the form of messages, as 3.0 has them;
//! - [`z85`]: keys as printable text.
//!
//! Decoders pull from a buffer: `Ok(None)` means that more octets are needed, and an error means
//! that the connection cannot go on. All input counts as hostile: no decoder panics, nor sets
//! memory aside for octets that were announced and did not come.
//!
//! Labels such as `[ZMTP31-035]` name the requirement that a check implements.

#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

pub mod command;
pub mod frame;
pub mod greeting;
pub mod metadata;
pub mod subscription;
pub mod z85;

#[cfg(test)]
mod tests;
