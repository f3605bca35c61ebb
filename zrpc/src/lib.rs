//! zerorpc clients and servers in pure Rust.
//!
//! A server offers methods, and a client calls them: with a single result or with a stream of
//! results, from Rust, Python or Node.
//!
//! ```
//! use zrpc::{Client, Server};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder()
//!     .name("Hello")
//!     .method("hello", |(name,): (String,)| async move { format!("Hello, {name}") })
//!     .stream("count", |(to,): (u64,)| futures_util::stream::iter(0..to))
//!     .bind("tcp://127.0.0.1:*")
//!     .build()
//!     .await?;
//!
//! let client = Client::connect(&server.endpoints()[0]).await?;
//! let reply: String = client.call("hello", ("RPC",)).await?;
//! assert_eq!(reply, "Hello, RPC");
//!
//! let mut items = client.stream::<u64>("count", (3,)).await?;
//! let mut sum = 0;
//! while let Some(item) = items.next_item().await? {
//!     sum += item;
//! }
//! assert_eq!(sum, 0 + 1 + 2);
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! # How it works
//!
//! Each client and each server has one I/O task, which owns the socket and the state of all calls
//! and never waits for anybody. By default it runs on a thread of its own ([`IoRuntime`]), so that
//! heartbeats are on time whatever handlers and callers do. Values are encoded and decoded by the
//! tasks that have or want them.
//!
//! - [`Server`], [`ServerBuilder`] and [`ServerHandle`] serve; [`Method`] and [`Service`] are what
//!   they serve, [`Fault`] is how a method fails, [`CallContext`] is what it can ask about its call.
//! - [`Client`] and [`ClientBuilder`] call; [`Request`] is a call with options of its own,
//!   [`ReplyStream`] a stream of results, [`CallError`] why there is none.
//! - [`Publisher`], [`Subscriber`], [`Pusher`] and [`Puller`] are for calls that nobody answers.
//! - [`middleware`] is code of the program around every call, on both sides.
//! - [`Heartbeat`] is how both sides notice that the other is gone, and [`Compat`] keeps them from
//!   sending what Python or Node would drop or change.
//! - [`Timestamp`], [`JsDate`] and [`Ext`] are the values that serde has no types for.
//! - [`security`] says who comes in and what is encrypted, [`Authorize`] who may call what,
//!   [`SocketOptions`] how connections are made, and [`Limits`] what a peer may use.
//!
//! # Features
//!
//! - `curve` (default): encryption and authentication with CURVE. `curve-simd` makes it faster, with
//!   code that nobody outside of this project has reviewed; see `zmtp`.
//! - `macros` (default): `#[zrpc::service]`.
//! - `blocking`: clients and servers for programs without a runtime.

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "blocking")]
pub mod blocking;
mod client;
mod context;
mod endpoints;
mod error;
mod fault;
mod heartbeat;
mod io;
mod limits;
pub mod middleware;
mod one_way;
mod option_error;
pub mod security;
mod server;
mod service;
mod socket_options;

pub use client::{Client, ClientBuilder, ReplyStream, Request, Response, Stub};
pub use context::{CallContext, HeaderError};
pub use error::{BuildError, CallError, ConnectError, ServeError};
pub use fault::Fault;
pub use heartbeat::Heartbeat;
pub use io::{Interrupted, IoRuntime};
pub use one_way::{
    EmitError, EmitterBuilder, Event, OutgoingEvent, Publisher, Puller, Pusher, ReceiveError,
    ReceiverBuilder, ReceiverHandle, ReceiverStats, Subscriber,
};
pub use option_error::OptionError;
pub use server::{
    Authorize, Drained, Introspection, Server, ServerBuilder, ServerHandle, Tracebacks,
};
pub use service::{Argument, Fallible, IntoReply, Method, MethodSet, Plain, Reply, Service};
pub use socket_options::SocketOptions;

#[cfg(feature = "macros")]
pub use zrpc_macros::service;

pub use zmtp::session::PeerInfo;

pub use proto::{
    Compat, CompatError, CompatFault, DecodeError, DecodeLimits, EncodeError, Ext, JsDate, Limits,
    MessageId, OverrunUnit, PathStep, RemoteError, Timestamp, TimestampError, ValueError,
    ValuePath,
};

/// Keeps the program on the first page of the project one that compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
