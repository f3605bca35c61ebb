//! Boxes against vectors, and both sides of the handshake against captures, each other and lies.

mod boxes;
mod channel;
mod handshake;
mod lies;
pub(super) mod party;
mod transcripts;
