//! Why an endpoint has no stream.

use std::io;

/// Why an endpoint cannot be bound.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindFailure {
    /// It never can, here.
    #[error(transparent)]
    Unusable(#[from] UnusableEndpoint),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl BindFailure {
    /// What kind of error it is to the operating system, or would be.
    pub(crate) fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io(error) => error.kind(),
            Self::Unusable(UnusableEndpoint::Unsupported) => io::ErrorKind::Unsupported,
            Self::Unusable(
                UnusableEndpoint::Wildcard
                | UnusableEndpoint::Source
                | UnusableEndpoint::NotForProxy
                | UnusableEndpoint::KeepAlive
                | UnusableEndpoint::NameTooLong { .. },
            ) => io::ErrorKind::InvalidInput,
        }
    }
}

/// Why an endpoint is of no use, whatever the operating system might say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableEndpoint {
    /// There is no such transport on this system.
    #[error("the transport is not supported")]
    Unsupported,
    /// One cannot connect to a wildcard.
    #[error("a wildcard names nobody to connect to")]
    Wildcard,
    /// One cannot listen from somewhere.
    #[error("a source is only for connecting")]
    Source,
    /// SOCKS has no way to name the host.
    #[error("the host cannot be named to a proxy")]
    NotForProxy,
    /// No connection can be configured so.
    #[error("the keep-alive is out of range")]
    KeepAlive,
    /// A path or an abstract name does not fit into the address of a Unix socket.
    #[error("the name has {len} octets, more than the {max} of a Unix socket")]
    NameTooLong {
        /// How long it is.
        len: usize,
        /// How long it may be.
        max: usize,
    },
}
