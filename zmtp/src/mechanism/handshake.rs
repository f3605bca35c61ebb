//! A handshake of whichever mechanism.

use bytes::BufMut;

use crate::mechanism::{HandshakeError, MechanismConfig, null};
use crate::wire::command::Command;
use crate::wire::metadata::Metadata;

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
