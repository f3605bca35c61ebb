//! Why a ZAP handler gave no answer.

use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::mechanism::Denial;
use crate::socket::ConnectError;
use crate::zap::ReplyError;

/// Why a [`ZapAuthenticator`](crate::ZapAuthenticator) got no answer from its handler.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZapError {
    /// Misuse: the socket has no domain, and
    /// [`enforce_domain`](crate::ZapAuthenticator::enforce_domain) demands one.
    #[error("the socket has no ZAP domain")]
    NoDomain,
    /// Misuse: the handler cannot be connected to.
    #[error("the ZAP handler cannot be connected to")]
    Connect(#[source] ConnectError),
    /// System: there is no handler.
    #[error("no ZAP handler at {endpoint}")]
    Absent {
        /// Where it should be.
        endpoint: Endpoint,
    },
    /// System: the handler is there, and takes no more requests.
    #[error("the ZAP handler at {endpoint} takes no more requests")]
    Busy {
        /// Where it is.
        endpoint: Endpoint,
    },
    /// System: the handler did not answer in time.
    #[error("the ZAP handler did not answer within {timeout:?}")]
    TimedOut {
        /// The time it had.
        timeout: Duration,
    },
    /// Malformed: what the handler answered is no reply, or not to this request.
    #[error("the answer of the ZAP handler is no reply")]
    Reply(#[source] ReplyError),
}

impl ZapError {
    /// What the peer is told.
    pub(super) const fn denial(&self, when_absent: Denial) -> Denial {
        match self {
            Self::Absent { .. } => when_absent,
            // [ZAP-007] It may have more time for the next one; libzmq says nothing either.
            Self::Busy { .. } | Self::TimedOut { .. } => Denial::Temporary,
            Self::NoDomain | Self::Connect(_) | Self::Reply(_) => Denial::InternalError,
        }
    }
}
