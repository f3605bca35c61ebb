//! ZAP 1.0 (RFC 27): how a server asks a handler about a client, as messages.
//!
//! Layer L1. A server sends a [`Request`] for each handshake, and the handler answers with a
//! [`Reply`]; both are messages between a REQ or DEALER and a REP or ROUTER:
//!
//! ```text
//! request  version "1.0" │ request id │ domain │ address │ identity │ mechanism │ credentials …
//! reply    version "1.0" │ request id │ status code │ status text │ user id │ metadata
//! ```
//!
//! REQ and REP take care of the envelope, the routing ids and the empty part in front of that.
//! With DEALER and ROUTER the caller does; [`split_envelope`] tells it from the rest.

#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

mod domain;
mod envelope;
mod reply;
mod request;

pub use domain::{Domain, DomainError};
pub use envelope::split_envelope;
pub use reply::{Reply, ReplyError, Status};
pub use request::{Request, RequestError};

/// The endpoint at which handlers are found.
pub const ENDPOINT: &str = "inproc://zeromq.zap.01";
