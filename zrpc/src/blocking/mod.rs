//! Clients, servers and one-way events for programs without a runtime (L5).
//!
//! [`Client`] and [`Server`], [`Publisher`] and [`Subscriber`], [`Pusher`] and [`Puller`] are those at
//! the root of the crate, behind calls that block the thread instead of futures. Their I/O runs on
//! threads of its own, so that heartbeats are on time whatever the program does. They work on any
//! thread, also on one of a runtime, whose other tasks wait as long as the thread is blocked.
//!
//! ```
//! use zrpc::blocking::Client;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = zrpc::Server::builder()
//!     .blocking("hello", |(name,): (String,)| format!("Hello, {name}"))
//!     .blocking_stream("count", |(to,): (u64,)| 0..to)
//!     .bind("tcp://127.0.0.1:*")
//!     .build_blocking()?;
//!
//! let client = Client::connect(&server.endpoints()[0])?;
//! let reply: String = client.call("hello", ("RPC",))?;
//! assert_eq!(reply, "Hello, RPC");
//!
//! let items: Result<Vec<u64>, _> = client.stream("count", (3,))?.collect();
//! assert_eq!(items?, [0, 1, 2]);
//! # Ok(())
//! # }
//! ```
//!
//! Options are set on the builders at the root ([`ClientBuilder::build_blocking`],
//! [`ServerBuilder::build_blocking`] and its like), and those of a call on its [`Request`]
//! ([`Request::blocking_call`] and its like).
//!
//! `#[zrpc::service(blocking_client)]` makes a typed client whose methods block the thread, too.
//!
//! # Threads and processes
//!
//! Handles may be shared between threads. A process that forks takes none of the threads of its
//! clients and servers along: let the child make its own. What it inherits would wait for threads
//! that are not there.
//!
//! [`ClientBuilder::build_blocking`]: crate::ClientBuilder::build_blocking
//! [`ServerBuilder::build_blocking`]: crate::ServerBuilder::build_blocking
//! [`Request`]: crate::Request
//! [`Request::blocking_call`]: crate::Request::blocking_call

mod client;
mod emitter;
mod puller;
mod receiver;
mod request;
mod runtime;
mod server;
mod subscriber;
mod thread;
mod wait;

pub use client::Client;
pub use emitter::{Emitter, Publisher, Pusher};
pub use puller::Puller;
pub use receiver::ReceiverHandle;
pub use request::{Items, Response};
pub use server::{Server, ServerHandle};
pub use subscriber::Subscriber;

use wait::wait;
