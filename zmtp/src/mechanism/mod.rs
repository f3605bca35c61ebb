//! Security mechanisms: what happens between the greetings and the traffic.
//!
//! Layer L1. A handshake is a value of the state that it is in, named after what it waits for. A
//! command of the peer consumes it and yields what comes next, so that no step can be taken twice
//! or out of turn.
//!
//! ```text
//! NULL   start, sending READY ─► ExpectReady ─ READY ─► Done
//! ```
//!
//! What the exchanged metadata mean is for the session to judge.

mod config;
mod error;
mod handshake;
mod null;

pub use config::MechanismConfig;
pub use error::HandshakeError;
pub(crate) use handshake::{Handshake, Next};
