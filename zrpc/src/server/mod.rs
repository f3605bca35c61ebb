//! Servers: the methods of a service, called by others (L5).
//!
//! - [`Server`] is a service that can be called, [`ServerBuilder`] makes it, and [`ServerHandle`]
//!   stops it.
//! - `engine` is the server's part of the I/O task: it starts a handler for each request.
//! - `run` runs one handler, and `responder` takes what it answers back to the I/O task.

mod builder;
mod engine;
mod handle;
mod options;
mod responder;
mod run;

pub use builder::ServerBuilder;
pub use handle::{Server, ServerHandle};
pub use options::Tracebacks;

pub(crate) use options::Concurrency;
