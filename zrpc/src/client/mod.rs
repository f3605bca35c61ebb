//! Clients: calls of a remote service (L5).
//!
//! - [`Client`] is the handle that callers share; [`ClientBuilder`] makes it.
//! - [`Request`] is one call before it is made, with its options.
//! - [`ReplyStream`] is the results of a stream, [`Response`] whatever came.
//! - [`Stub`] is a client for one of several services, and what typed clients are made of.
//! - `engine` is the client's part of the I/O task, `mailbox` is where it leaves the replies, and
//!   `waking` tells their callers; `observer` calls the middleware of one call.

mod builder;
mod call;
mod engine;
mod handle;
mod mailbox;
#[cfg(all(test, shuttle))]
pub(crate) mod model;
mod observer;
mod options;
mod request;
mod stream;
mod stub;
mod waking;
mod watch;

pub use builder::ClientBuilder;
pub use handle::Client;
pub use request::{Request, Response};
pub use stream::ReplyStream;

pub use stub::Stub;
