//! What can go wrong with a request.

use std::{fmt, io};

use thiserror::Error;

/// The command line makes no sense.
#[derive(Debug, Error)]
pub(crate) enum Usage {
    #[error("{0:?} is none of server, client, sockets, kill and idle")]
    Role(String),
    #[error("{0:?} is no process id")]
    Process(String),
}

/// A request could not be done.
#[derive(Debug, Error)]
pub(crate) enum PeerError {
    #[error(transparent)]
    Usage(#[from] Usage),
    #[error("standard input or output")]
    Io(#[source] io::Error),
    #[error("not a request: {0}")]
    Request(#[source] serde_json::Error),
    #[error("{0} is no operation here")]
    Operation(String),
    #[error("the request has no {0} of the expected kind")]
    Field(&'static str),
    #[error("nothing is called {0}")]
    Unknown(String),
    #[error("nothing came in time")]
    Silent,
    #[error("kill: {0}")]
    Kill(#[from] rustix::io::Errno),
    #[error("{0}")]
    Library(String),
}

impl PeerError {
    /// An error of the libraries, with its causes.
    pub(crate) fn library(error: impl std::error::Error) -> Self {
        Self::Library(Chain(&error).to_string())
    }
}

/// An error and its causes in one line.
struct Chain<'a>(&'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
