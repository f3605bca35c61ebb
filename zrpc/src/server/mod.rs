//! Servers: the methods of a service, called by others (L5).
//!
//! - [`Server`] is a service that can be called, [`ServerBuilder`] makes it, and [`ServerHandle`]
//!   stops it.
//! - `engine` is the server's part of the I/O task: it starts a handler for each request.
//! - `call` is one call, `places` says when its handler may start, `queue` who is next.
//! - `run` runs one handler, and `responder` takes what it answers back to the I/O task.

mod builder;
mod call;
mod engine;
mod handle;
mod options;
mod places;
mod queue;
mod responder;
mod run;

pub use builder::ServerBuilder;
pub use handle::{Server, ServerHandle};
pub use options::Tracebacks;

pub(crate) use options::Concurrency;
