//! Why a session cannot go on, by who is at fault.

use thiserror::Error;

use crate::mechanism::{CurveError, Denial, HandshakeError, PlainError};
use crate::pattern::{RoutingIdError, SocketType};
use crate::session::SessionState;
use crate::wire::command::{CommandError, ErrorReason};
use crate::wire::frame::FrameError;
use crate::wire::greeting::{GreetingError, MechanismName};
use crate::wire::metadata::MetadataError;
use crate::wire::metadata::ResourceError;

/// Why a session has ended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// What the peer sent breaks the format of the protocol.
    #[error("peer sent malformed octets")]
    Malformed(#[source] Malformed),
    /// What the peer sent is well formed and not allowed: out of turn, or too much.
    #[error("peer broke a rule of the protocol")]
    Violation(#[source] Violation),
    /// The peer and we cannot talk to each other.
    #[error("peer is not compatible")]
    Incompatible(#[source] Incompatible),
    /// The peer refuses the connection with an ERROR.
    #[error("peer refuses the connection: {reason}")]
    Refused {
        /// What the peer gives as the reason; it proves nothing.
        reason: ErrorReason,
    },
    /// An authenticator refuses the peer.
    #[error("peer is denied: {denial}")]
    Denied {
        /// Why.
        denial: Denial,
    },
    /// What the peer sent is not what a peer with the right keys sends in CURVE.
    #[error("peer does not keep to CURVE")]
    Curve(#[source] CurveError),
    /// The peer was silent for too long.
    #[error("peer is silent")]
    TimedOut(#[source] Timeout),
    /// The peer closed the connection in the middle of something.
    #[error("connection ended in state {state}")]
    Disconnected {
        /// How far the session had come.
        state: SessionState,
    },
    /// Misuse: the session had ended already, and octets came for it nevertheless.
    #[error("session has ended")]
    Closed,
}

/// How octets break the format of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The greeting.
    #[error("malformed greeting")]
    Greeting(#[source] GreetingError),
    /// A frame.
    #[error("malformed frame")]
    Frame(#[source] FrameError),
    /// A command.
    #[error("malformed command")]
    Command(#[source] CommandError),
    /// A command of PLAIN.
    #[error("malformed command of PLAIN")]
    Plain(#[source] PlainError),
    /// The routing id of the peer.
    #[error("illegal identity")]
    RoutingId(#[source] RoutingIdError),
    /// The resource that the peer asks for.
    #[error("illegal resource")]
    Resource(#[source] ResourceError),
}

/// Which rule the peer broke.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    /// A frame is larger than the limit.
    #[error("frame over the limit")]
    Frame(#[source] FrameError),
    /// A command carries more than the limit.
    #[error("command over the limit")]
    Command(#[source] CommandError),
    /// A message came before the handshake was done.
    #[error("message before the end of the handshake")]
    UnexpectedMessage,
    /// A command came out of turn.
    #[error("{name} out of turn")]
    UnexpectedCommand {
        /// The name of the command.
        name: String,
    },
    /// A message has more parts than the limit.
    #[error("message of more than {limit} parts")]
    TooManyParts {
        /// The largest number of parts.
        limit: usize,
    },
    /// The parts of a message are larger than the limit together.
    #[error("message over the limit of {limit} octets")]
    MessageTooLarge {
        /// The largest size, including what each part is charged.
        limit: u64,
    },
    /// The peer sends PINGs and does not read the answers.
    #[error("more than {limit} unread answers to pings")]
    TooManyPings {
        /// The largest number of waiting answers.
        limit: usize,
    },
}

/// Why the peer and we cannot talk to each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Incompatible {
    /// The peer speaks another version, or another protocol.
    #[error("protocol version")]
    Greeting(#[source] GreetingError),
    /// The peer uses another security mechanism.
    #[error("security mechanism {theirs}")]
    Mechanism {
        /// What the peer announced.
        theirs: MechanismName,
    },
    /// The peer did not say what type of socket it has.
    #[error("no socket type")]
    MissingSocketType,
    /// The peer has a socket of an unknown type.
    #[error("unknown socket type")]
    UnknownSocketType,
    /// The peer has a socket of a type that ours does not talk to.
    #[error("socket type {theirs} does not talk to {ours}")]
    SocketType {
        /// The type of our socket.
        ours: SocketType,
        /// The type of the peer's socket.
        theirs: SocketType,
    },
}

/// What took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Timeout {
    /// The handshake as a whole.
    #[error("handshake not done in time")]
    Handshake,
    /// Anything after our PING.
    #[error("nothing came after a ping")]
    Heartbeat,
    /// Anything within the time that the peer itself set with its PING.
    #[error("nothing came within the time to live that the peer had announced")]
    TimeToLive,
}

impl SessionError {
    /// Returns true if another connection to the same peer may go better.
    ///
    /// It is about errors of the handshake. Sockets retry after whatever happens later: the same
    /// handshake would fail again, but the next message need not be too large again.
    ///
    /// A peer that is gone or silent may come back `[ZMTP31-093]`. A peer that refused us, does not
    /// fit, or does not keep to the protocol will do so again: do not retry, or not soon
    /// `[ZMTP31-082]` `[ZMTP31-095]`.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::TimedOut(_) | Self::Disconnected { .. } => true,
            Self::Malformed(_)
            | Self::Violation(_)
            | Self::Incompatible(_)
            | Self::Refused { .. }
            | Self::Curve(_)
            | Self::Closed => false,
            // [ZAP-024] Only what is temporary goes better later.
            Self::Denied { denial } => matches!(denial, Denial::Temporary),
        }
    }
}

impl From<Malformed> for SessionError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

impl From<Violation> for SessionError {
    fn from(error: Violation) -> Self {
        Self::Violation(error)
    }
}

impl From<Incompatible> for SessionError {
    fn from(error: Incompatible) -> Self {
        Self::Incompatible(error)
    }
}

impl From<Timeout> for SessionError {
    fn from(error: Timeout) -> Self {
        Self::TimedOut(error)
    }
}

impl From<CurveError> for SessionError {
    #[cold]
    fn from(error: CurveError) -> Self {
        Self::Curve(error)
    }
}

impl From<GreetingError> for SessionError {
    #[cold]
    fn from(error: GreetingError) -> Self {
        match error {
            GreetingError::NoSignature { .. } | GreetingError::UnsupportedVersion { .. } => {
                Incompatible::Greeting(error).into()
            }
            GreetingError::UndefinedVersion => Malformed::Greeting(error).into(),
        }
    }
}

impl From<FrameError> for SessionError {
    #[cold]
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::MessageFrameTooLarge { .. } | FrameError::CommandTooLarge { .. } => {
                Violation::Frame(error).into()
            }
            FrameError::ReservedFlags { .. }
            | FrameError::CommandWithMore { .. }
            | FrameError::SizeOutOfRange { .. } => Malformed::Frame(error).into(),
        }
    }
}

impl From<CommandError> for SessionError {
    #[cold]
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Metadata(
                MetadataError::TooManyProperties { .. } | MetadataError::TooLarge { .. },
            ) => Violation::Command(error).into(),
            error => Malformed::Command(error).into(),
        }
    }
}

impl From<HandshakeError> for SessionError {
    #[cold]
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::UnexpectedCommand { name } => {
                Violation::UnexpectedCommand { name }.into()
            }
            HandshakeError::Refused { reason } => Self::Refused { reason },
            HandshakeError::Command(error) => error.into(),
            HandshakeError::Plain(error) => Malformed::Plain(error).into(),
            HandshakeError::Curve(error) => error.into(),
        }
    }
}
