//! What can go wrong within a given time.

use crate::message::Message;
use crate::socket::{RecvError, SendError};

/// Nothing happened in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing happened in time")]
#[expect(clippy::exhaustive_structs, reason = "there is no more to say")]
pub struct TimedOut;

/// Why no message was received in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecvTimeoutError {
    /// None came in time.
    #[error("no message came in time")]
    TimedOut,
    /// None can be received.
    #[error(transparent)]
    Recv(#[from] RecvError),
}

/// Why a message was not accepted for sending in time. Each variant gives the message back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendTimeoutError {
    /// No peer could take a message in time.
    #[error("no peer could take a message in time")]
    TimedOut(Message),
    /// It cannot be sent.
    #[error(transparent)]
    Send(#[from] SendError),
}

impl SendTimeoutError {
    /// Gives the message back.
    #[must_use]
    pub fn into_message(self) -> Message {
        match self {
            Self::TimedOut(message) => message,
            Self::Send(error) => error.into_message(),
        }
    }
}
