//! What can go wrong with a peer.

use std::{io, time::Duration};

use serde_json::Value;
use thiserror::Error;

/// A foreign program did not do what it was asked.
///
/// Every variant carries what the program wrote to standard error.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PeerError {
    /// The program could not be started.
    #[error("cannot start the peer")]
    Start(#[source] io::Error),

    /// The program could not carry out the request, or what it saw was not
    /// what the request expected.
    #[error("the peer could not do {request}: {message}\n{stderr}")]
    Refused {
        /// The request.
        request: String,
        /// What went wrong.
        message: String,
        /// What the program wrote to standard error.
        stderr: String,
    },

    /// No reply came in time.
    #[error("no reply to {request} in {waited:?}\n{stderr}")]
    Silent {
        /// The request.
        request: String,
        /// How long the reply was waited for.
        waited: Duration,
        /// What the program wrote to standard error.
        stderr: String,
    },

    /// The program ended.
    #[error("the peer ended before it replied to {request}\n{stderr}")]
    Ended {
        /// The request.
        request: String,
        /// What the program wrote to standard error.
        stderr: String,
    },

    /// The program wrote something that is not a reply.
    #[error("not a reply to {request}: {line}\n{stderr}")]
    NotAReply {
        /// The request.
        request: String,
        /// What came instead.
        line: String,
        /// What the program wrote to standard error.
        stderr: String,
    },

    /// A reply lacks a field.
    #[error("the reply has no {field:?} of the expected kind: {reply}")]
    Field {
        /// The field.
        field: String,
        /// The whole reply.
        reply: Value,
    },
}
