//! Options that make no sense, found before anything is done with them.

use std::time::Duration;

/// An option, or a combination of options, that makes no sense.
///
/// Builders report it when they build. No option is silently replaced by one that does make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// The option is zero, with which nothing would work.
    #[error("{option} is zero")]
    Zero {
        /// The name of the option.
        option: &'static str,
    },
    /// The option is below what a message of a client, server, publisher or the like, a handshake, or
    /// a heartbeat of the peer may take. The value that is named is the least that it needs; the
    /// defaults leave room for what peers add to it.
    #[error(
        "{option} is less than {min}, the least that messages, a handshake or a heartbeat need"
    )]
    TooSmall {
        /// The name of the option.
        option: &'static str,
        /// The smallest value that is enough.
        min: u64,
    },
    /// The option is above what there is a use for.
    #[error("{option} is more than {max}")]
    TooLarge {
        /// The name of the option.
        option: &'static str,
        /// The largest value that has a meaning.
        max: u64,
    },
    /// Heartbeats would follow each other so fast that the delays of any network end calls.
    #[error("heartbeat interval of {interval:?} is shorter than {min:?}")]
    HeartbeatTooShort {
        /// The interval.
        interval: Duration,
        /// The shortest one.
        min: Duration,
    },
    /// The heartbeat is off and passive at the same time. A passive heartbeat has an interval.
    #[error("a heartbeat that is off cannot be passive")]
    PassiveWithoutHeartbeat,
    /// One option is larger than another that bounds it.
    #[error("{option} exceeds {bound}")]
    Exceeds {
        /// The name of the option that is too large.
        option: &'static str,
        /// The name of the one that bounds it.
        bound: &'static str,
    },
    /// One option says what has no meaning with another one.
    #[error("{option} makes no sense with {by}")]
    Excluded {
        /// The name of the option.
        option: &'static str,
        /// The name of the one that makes it meaningless.
        by: &'static str,
    },
    /// The keep-alive is none that Linux takes, which would refuse it at every attempt to connect: a
    /// time that is not of 1 to 32 767 seconds, or a count that is not 1 to 127. It is an error on
    /// every operating system, and with endpoints of every transport: others may be added later.
    #[error("tcp_keepalive is out of range")]
    KeepAliveOutOfRange,
    /// A client whose calls block the thread has no thread of its own, so that it could wait for a
    /// runtime that it blocks.
    #[error("a client that blocks needs a thread of its own")]
    NoOwnThread,
    /// The key that a client of CURVE expects its servers to have is none that anybody has, such as
    /// 32 zero octets: everybody would know what is encrypted for it.
    #[error("the key of the server is weak")]
    WeakServerKey,
    /// A ZAP domain tells authenticators apart, and there is none.
    #[error("a ZAP domain without an authenticator")]
    DomainWithoutAuthenticator,
}

impl OptionError {
    /// Refuses a zero.
    pub(crate) fn check_count(option: &'static str, value: usize) -> Result<(), Self> {
        match value {
            0 => Err(Self::Zero { option }),
            _ => Ok(()),
        }
    }

    /// Refuses no time at all.
    pub(crate) fn check_duration(
        option: &'static str,
        value: Option<Duration>,
    ) -> Result<(), Self> {
        match value {
            Some(Duration::ZERO) => Err(Self::Zero { option }),
            _ => Ok(()),
        }
    }
}
