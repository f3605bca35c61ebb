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

mod error;
mod null;

pub use error::HandshakeError;

use bytes::BufMut;

use crate::wire::command::Command;
use crate::wire::greeting::{MechanismName, SecurityRole};
use crate::wire::metadata::Metadata;

/// The one mechanism that a socket uses, with what it needs.
///
/// It is announced to every peer and never changed because of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MechanismConfig {
    /// No security at all: for networks that are trusted or secured by other means.
    #[default]
    Null,
}

impl MechanismConfig {
    /// Returns the name in the greeting.
    pub const fn name(&self) -> MechanismName {
        match self {
            Self::Null => MechanismName::NULL,
        }
    }

    /// Returns the role in the greeting.
    pub const fn role(&self) -> SecurityRole {
        match self {
            // [ZMTP31-011] With NULL, as-server is 0.
            Self::Null => SecurityRole::Client,
        }
    }
}

/// A handshake that waits for a command of the peer.
#[derive(Debug)]
pub(crate) enum Handshake {
    Null(null::ExpectReady),
}

/// What follows a command of the peer.
#[derive(Debug)]
pub(crate) enum Next {
    /// Both sides are ready for traffic; these are the properties of the peer.
    Done(Metadata),
}

impl Handshake {
    /// Begins the handshake once the greetings agree, appending what we say first to `out`.
    pub(crate) fn start(
        config: &MechanismConfig,
        metadata: Metadata,
        out: &mut impl BufMut,
    ) -> Self {
        match config {
            MechanismConfig::Null => Self::Null(null::start(metadata, out)),
        }
    }

    /// Takes the next command of the peer.
    pub(crate) fn handle(self, command: Command) -> Result<Next, HandshakeError> {
        match self {
            Self::Null(state) => state.handle(command),
        }
    }
}
