//! Servers: the methods of a service, called by others (L5).
//!
//! - [`Server`] is a service that can be called, [`ServerBuilder`] makes it, and [`ServerHandle`]
//!   stops it.
//! - `engine` is the server's part of the I/O task: it starts a handler for each request.
//! - `call` is one call, `places` says when its handler may start, `queue` who is next.
//! - [`Authorize`] decides who may call what.
//! - `spawner` starts a handler, `run` runs it, `hooked` with middleware around it, and `responder`
//!   takes what it answers back to the I/O task; `state` is what they share with the call.

mod authorize;
mod builder;
mod call;
mod drain;
mod engine;
mod handle;
mod hooked;
#[cfg(all(test, shuttle))]
pub(crate) mod model;
#[cfg(all(test, shuttle))]
mod models;
mod options;
mod places;
mod queue;
mod responder;
mod run;
mod spawner;
mod state;

pub use authorize::Authorize;
pub use builder::ServerBuilder;
pub use drain::Drained;
pub use handle::{Server, ServerHandle};
pub use options::{Introspection, Tracebacks};

pub(crate) use options::Concurrency;
pub(crate) use run::{contained, flatten};
#[cfg(all(test, shuttle))]
pub(crate) use state::UNITS;
pub(crate) use state::{CallState, Origin};
