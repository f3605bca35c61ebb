//! Why a handshake fails.

use std::fmt;

use thiserror::Error;

use crate::wire::command::{CommandError, ErrorReason};
use crate::wire::metadata::MetadataError;

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
    /// Malformed, or over a limit: a command.
    #[error("command is not acceptable")]
    Command(#[source] CommandError),
    /// Malformed: a command of PLAIN.
    #[error("malformed command of PLAIN")]
    Plain(#[source] PlainError),
    /// Malformed or not authentic: a command of CURVE.
    #[error("command of CURVE is not acceptable")]
    Curve(#[source] CurveError),
}

impl HandshakeError {
    /// Returns the error for a command that nobody waits for.
    pub(super) fn unexpected(name: &[u8]) -> Self {
        Self::UnexpectedCommand {
            name: String::from_utf8_lossy(name).into_owned(),
        }
    }

    /// Returns the refusal that an `ERROR` with this data is, however malformed.
    pub(super) fn refusal(data: &[u8]) -> Self {
        match ErrorReason::decode(data) {
            Ok(reason) => Self::Refused { reason },
            Err(error) => error.into(),
        }
    }
}

/// How a command breaks the format of PLAIN.
///
/// It never tells what was there instead: that may be a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlainError {
    /// HELLO is not exactly a user name and a password.
    #[error("HELLO is not exactly a user name and a password")]
    Hello,
    /// WELCOME has something behind its name.
    #[error("WELCOME with {len} octets of data")]
    Welcome {
        /// The number of octets behind the name.
        len: usize,
    },
}

/// How what a peer sent is not what a peer with the right keys sends in CURVE.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CurveError {
    /// A command has a length that it cannot have.
    #[error("{command} of {len} octets")]
    Length {
        /// Which one.
        command: CurveCommand,
        /// The length of its body.
        len: usize,
    },
    /// A frame of an open connection is not a MESSAGE.
    #[error("frame is not a MESSAGE")]
    NotMessage,
    /// A HELLO is of another version of the protocol.
    #[error("version {major}.{minor} of the protocol")]
    Version {
        /// Its major version; ours is 1.
        major: u8,
        /// Its minor version; ours is 0.
        minor: u8,
    },
    /// Octets of a HELLO that must be zero are not.
    #[error("padding is not zero")]
    Padding,
    /// A box does not open: it was made with other keys, or was changed on the way.
    #[error("box of {command} does not open")]
    Box {
        /// What it is a part of.
        command: CurveCommand,
    },
    /// No secret can be agreed with a public key.
    #[error("public key in {command} is weak")]
    WeakKey {
        /// What it is a part of.
        command: CurveCommand,
    },
    /// A cookie is not the one that this connection was given.
    #[error("cookie is not of this connection")]
    Cookie,
    /// A vouch does not belong to this connection, or to this server.
    #[error("vouch is not for this connection")]
    Vouch,
    /// A nonce was used before: something was repeated, or taken out of order.
    #[error("nonce {received} of {command} is not greater than {last}")]
    Nonce {
        /// Where it was used.
        command: CurveCommand,
        /// The last nonce.
        last: u64,
        /// The one that came.
        received: u64,
    },
    /// The flags inside a MESSAGE are none that exist.
    #[error("flags 0x{flags:02x} in a MESSAGE")]
    Flags {
        /// The flags.
        flags: u8,
    },
    /// The frame around a MESSAGE claims to be continued.
    #[error("frame of a MESSAGE has the MORE bit set")]
    OuterMore,
}

/// A command of CURVE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the commands with boxes in them")]
pub enum CurveCommand {
    /// The first command of the client.
    Hello,
    /// The first command of the server.
    Welcome,
    /// The second command of the client.
    Initiate,
    /// The second command of the server.
    Ready,
    /// Everything after the handshake.
    Message,
}

impl fmt::Display for CurveCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hello => "HELLO",
            Self::Welcome => "WELCOME",
            Self::Initiate => "INITIATE",
            Self::Ready => "READY",
            Self::Message => "MESSAGE",
        })
    }
}

impl From<CurveError> for HandshakeError {
    fn from(error: CurveError) -> Self {
        Self::Curve(error)
    }
}

impl From<CommandError> for HandshakeError {
    fn from(error: CommandError) -> Self {
        Self::Command(error)
    }
}

impl From<MetadataError> for HandshakeError {
    fn from(error: MetadataError) -> Self {
        Self::Command(CommandError::Metadata(error))
    }
}

impl From<PlainError> for HandshakeError {
    fn from(error: PlainError) -> Self {
        Self::Plain(error)
    }
}
