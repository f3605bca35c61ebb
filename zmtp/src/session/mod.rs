//! One connection as a machine without I/O: octets in, events and octets out.
//!
//! Layer L2. [`Session`] takes a connection through its life; [`SessionConfig`] says what we
//! announce and accept, [`PeerInfo`] what the peer announced, and [`SessionError`] why a connection
//! cannot go on.

mod config;
mod control;
mod error;
mod event;
mod handshake;
mod heartbeat;
mod limits;
mod liveness;
mod machine;
mod open;
mod peer;
mod sealed;

pub use config::{SessionConfig, Side};
pub use error::{Incompatible, Malformed, SessionError, Timeout, Violation};
pub use event::Event;
pub use heartbeat::Heartbeat;
pub use limits::Limits;
pub use machine::{Session, SessionState};
pub use peer::PeerInfo;

#[cfg(test)]
mod tests;
