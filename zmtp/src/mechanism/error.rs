//! Why a handshake fails.

use thiserror::Error;

use crate::wire::command::ErrorReason;

/// Why a handshake ends without traffic.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Violation: the mechanism has no such command, or not at this point.
    #[error("{name} is not expected in this state of the handshake")]
    UnexpectedCommand {
        /// The name of the command.
        name: String,
    },
    /// The peer refuses the connection.
    #[error("peer refuses the connection: {reason}")]
    Refused {
        /// What the peer gives as the reason; it proves nothing.
        reason: ErrorReason,
    },
}
