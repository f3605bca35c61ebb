//! What can go wrong with events that nobody answers.

use proto::{CompatError, DecodeError, EncodeError, EnvelopeError};

use crate::Fault;

/// Why an event was not published or pushed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The arguments, or an entry of the header, cannot be encoded.
    #[error("event {method} cannot be encoded: {detail}")]
    Encode {
        /// The method.
        method: String,
        /// What is wrong with them.
        detail: EncodeError,
    },
    /// The other side would drop or change the arguments, or what goes with them in the header.
    ///
    /// [`Compat`](crate::Compat) says for whom they have to be.
    #[error("event {method} is not portable: {detail}")]
    NotPortable {
        /// The method.
        method: String,
        /// What is wrong with them.
        detail: CompatError,
    },
    /// Middleware does not let the event out.
    #[error("event {method} is not let out: {fault}")]
    Denied {
        /// The method.
        method: String,
        /// Why not.
        fault: Fault,
    },
    /// A hook of middleware waits for something, which cannot be tried; send the event without
    /// `try`.
    #[error("middleware has to wait for event {method}")]
    HookWaits {
        /// The method.
        method: String,
    },
    /// There is no room for the event now: no puller is there, or all have enough to do; with
    /// [`EmitterBuilder::wait_for_slow_subscribers`](crate::EmitterBuilder::wait_for_slow_subscribers)
    /// one of the subscribers has.
    #[error("no peer has room for event {method}")]
    Full {
        /// The method.
        method: String,
    },
    /// The publisher or pusher was closed.
    #[error("publisher or pusher is closed")]
    Closed,
}

/// A message that was not handled, or whose method failed. Subscribers and pullers go on after it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The message has frames that no event has.
    #[error("malformed message")]
    Frames(#[source] EnvelopeError),
    /// The message is no event, or exceeds the limits.
    #[error("malformed event")]
    Malformed(#[source] DecodeError),
    /// The event is for a method that there is not.
    #[error("unknown method {method}")]
    UnknownMethod {
        /// The name, with what is not UTF-8 replaced.
        method: String,
    },
    /// The method failed, its arguments did not fit, or middleware did not let the event in.
    #[error("{method}() failed with {}: {}", .fault.name(), .fault.message())]
    Failed {
        /// The method.
        method: String,
        /// How it failed.
        fault: Fault,
    },
}
