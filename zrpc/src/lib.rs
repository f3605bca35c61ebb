//! zerorpc clients and servers in pure Rust.
//!
//! A server offers methods, and a client calls them: with a single result or with a stream of
//! results, from Rust, Python or Node.
//!
//! ```
//! use futures_util::stream::{self, Stream};
//! use zrpc::{Client, Server};
//!
//! struct Hello;
//!
//! #[zrpc::service]
//! impl Hello {
//!     /// Greets somebody.
//!     async fn hello(&self, name: String) -> String {
//!         format!("Hello, {name}")
//!     }
//!
//!     /// Counts up.
//!     fn count(&self, to: u64) -> impl Stream<Item = u64> {
//!         stream::iter(0..to)
//!     }
//!
//!     /// Works hard: holds a thread, and heartbeats go on.
//!     #[zrpc(blocking)]
//!     fn crunch(&self, text: String) -> Result<u64, std::num::ParseIntError> {
//!         Ok(text.parse::<u64>()? * 2)
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder().service(Hello).bind("tcp://127.0.0.1:*").build().await?;
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
//!
//! let hello = HelloClient::new(client); // The same with types.
//! assert_eq!(hello.crunch("21").await?, 42);
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! [`macro@service`] says all that such a block, or a `trait`, can have. Without it, a server offers
//! closures: [`ServerBuilder::method`], [`ServerBuilder::stream`] and [`ServerBuilder::blocking`].
//!
//! # How it works
//!
//! Each client and each server has one I/O task, which owns the socket and the state of all calls
//! and never waits for anybody. By default it runs on a thread of its own ([`IoRuntime`]), so that
//! heartbeats are on time whatever handlers and callers do. Values are encoded and decoded by the
//! tasks that have or want them.
//!
//! - [`Server`], [`ServerBuilder`] and [`ServerHandle`] serve; [`Method`], [`Service`] and
//!   [`MethodSet`] are what they serve, [`Fault`] is how a method fails, [`CallContext`] is what it can
//!   ask about its call.
//! - [`Client`] and [`ClientBuilder`] call; [`Request`] is a call with options of its own, [`Stub`] a
//!   client for one of several services, [`ReplyStream`] a stream of results, [`CallError`] why there
//!   is none.
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
//! - `blocking`: clients, servers and one-way events for programs without a runtime.
//! - `tower`: clients and methods as services of tower.
//! - `metrics`: [`middleware::Metrics`](crate::middleware), numbers for the `metrics` facade.
//! - `signing`: requests that are signed with HMAC-SHA-256, in [`middleware`].

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
#[cfg(all(test, shuttle))]
mod models;
mod one_way;
mod option_error;
pub mod security;
mod server;
mod service;
mod socket_options;
mod stats;
mod sync;
#[cfg(feature = "tower")]
pub mod tower;

pub use client::{Client, ClientBuilder, ReplyStream, Request, Response, Stub};
pub use context::{CallContext, HeaderError};
pub use error::{BuildError, CallError, ConnectError, ConnectionFailure, ServeError};
pub use fault::Fault;
pub use heartbeat::Heartbeat;
pub use io::{Closed, Interrupted, IoRuntime};
pub use one_way::{
    EmitError, Emitter, EmitterBuilder, Event, OutgoingEvent, Pattern, Publisher, Publishing,
    Puller, Pusher, Pushing, ReceiveError, ReceiverBuilder, ReceiverHandle, ReceiverStats,
    Subscriber,
};
pub use option_error::OptionError;
pub use server::{
    Authorize, Drained, Introspection, Server, ServerBuilder, ServerHandle, Tracebacks,
};
pub use service::{Argument, Fallible, IntoReply, Method, MethodSet, Plain, Reply, Service};
pub use socket_options::SocketOptions;
pub use stats::Stats;

/// Makes a service and a typed client of it, from an `impl` block or a `trait`. Every method in it is
/// served, private ones too, unless `#[zrpc(skip)]` is in front of it.
///
/// # From an `impl` block
///
/// What callers must not reach belongs into a block of its own, or is skipped. The type implements
/// [`Service`]. The client has the name of the type and `Client` behind it.
///
/// ```
/// use futures_util::stream::{self, Stream};
/// use zrpc::{CallContext, Client, Server};
///
/// struct Hello {
///     greeting: String,
/// }
///
/// #[zrpc::service]
/// impl Hello {
///     /// Greets somebody.
///     async fn hello(&self, name: String) -> String {
///         format!("{}, {name}", self.greeting)
///     }
///
///     /// Counts up.
///     fn count(&self, #[zrpc(default = 10)] to: u64) -> impl Stream<Item = u64> {
///         stream::iter(0..to)
///     }
///
///     /// Works hard, on a thread that it may hold.
///     #[zrpc(blocking)]
///     fn parse(&self, text: String, context: &CallContext) -> Result<i64, std::num::ParseIntError> {
///         if context.is_cancelled() {
///             return Ok(0); // Nobody waits for the answer any more.
///         }
///         text.parse()
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let hello = Hello { greeting: "Hello".to_owned() };
/// let server = Server::builder().service(hello).bind("tcp://127.0.0.1:*").build().await?;
///
/// let client = HelloClient::connect(&server.endpoints()[0]).await?;
/// assert_eq!(client.hello("RPC").await?, "Hello, RPC");
/// assert_eq!(client.parse("-4").await?, -4);
/// let mut items = client.count(None).await?; // To 10.
/// assert_eq!(items.next_item().await?, Some(0));
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
///
/// # From a `trait`
///
/// A trait defines a service that several types implement, or another program, in any language. An
/// implementation becomes a service by `into_service`, which the trait provides, or by the same
/// attribute in front of it. A trait whose service is always somebody else's is marked with
/// `no_server`; its methods can take references.
///
/// ```
/// use zrpc::Server;
///
/// #[zrpc::service]
/// trait Calculator {
///     /// Adds two numbers.
///     async fn add(&self, left: i64, right: Option<i64>) -> i64;
/// }
///
/// struct Exact;
///
/// impl Calculator for Exact {
///     async fn add(&self, left: i64, right: Option<i64>) -> i64 {
///         left + right.unwrap_or(1)
///     }
/// }
///
/// let server = Server::builder().service(Exact.into_service());
/// # drop(server);
///
/// #[zrpc::service(no_server)]
/// trait Python {
///     async fn join(&self, words: &[&str]) -> String;
/// }
/// # async fn example(client: zrpc::Client) -> Result<(), zrpc::CallError> {
/// assert_eq!(CalculatorClient::new(client.clone()).add(2, None).await?, 3);
/// assert_eq!(PythonClient::new(client).join(&["a", "b"]).await?, "a b");
/// # Ok(())
/// # }
/// ```
///
/// # Methods
///
/// - `async fn` runs as a task of its own, and is dropped when its caller is gone.
/// - `fn` runs on such a task too, in one go: for what is over at once.
/// - `#[zrpc(blocking)] fn` runs on a thread of the blocking pool, see [`Method::blocking`].
///
/// They take `&self` or `self: Arc<Self>`, because calls run at the same time and share the service.
/// They return any `T: Serialize`, which may be borrowed from the service, or `Result<T, E>` where
/// `E` converts into [`Fault`], as every [`std::error::Error`] does. Neither a boxed error nor a text is
/// one: `.map_err(Fault::from_boxed)` makes a fault of a `Box<dyn Error + Send + Sync>`, and
/// `.map_err(|text| Fault::new("ValueError", text))` of a `String`. A stream is `impl Stream<Item =
/// T>`, `BoxStream<'_, T>` or the like, or `impl Iterator<Item = T>`, which is the only kind that a
/// blocking method has; the items may be results, and the stream itself may be in a `Result`.
///
/// What serde knows as a sequence is an array for callers, so that a `Vec<u8>` is one of integers.
/// Binary is what [`bytes::Bytes`] and the types of `serde_bytes` are, as results and as arguments.
/// Maps with keys other than strings and binary are errors, because Python drops them; with
/// [`compat(Compat::ANY)`](ServerBuilder::compat) they are sent.
///
/// | in front of a method | |
/// |---|---|
/// | `#[zrpc(blocking)]` | it may hold its thread |
/// | `#[zrpc(name = "…")]` | callers know it by this name |
/// | `#[zrpc(skip)]` | it is no part of the service |
/// | `#[zrpc(stream = T)]` | what it returns is a stream of `T`, although its type does not show it |
/// | `#[zrpc(reply = T)]` | what clients get is a `T`, although it returns something else |
///
/// # Arguments
///
/// Arguments are decoded into values of their own, so they are no references. Trailing arguments of
/// type `Option` may be left out. In the client a `String` is taken as `impl Into<String>`, and an
/// argument with a default as an `Option`; where the last ones are `None`, they are not sent, so that
/// the server's defaults count.
///
/// | in front of an argument | |
/// |---|---|
/// | `#[zrpc(default = …)]` | the value where it is left out; `#[zrpc(default)]` is that of the type |
/// | `#[zrpc(rest)]` | any number of further arguments, in a `Vec` |
/// | `#[zrpc(name = "…")]` | introspection and errors show this name |
/// | `#[zrpc(context)]` | the context of the call, as arguments of type [`CallContext`] are anyway |
///
/// Callers do not see the context: a [`CallContext`] or a reference to one, anywhere among the
/// arguments. Documentation, names and defaults are what introspection shows, to Python's callers
/// and the command line as well.
///
/// # The client
///
/// Its methods are those of the service and return `Result<T, CallError>`, or
/// `Result<ReplyStream<T>, CallError>` for streams. Besides, it has `new(client)`,
/// `connect(endpoint)`, `from_stub(stub)` and `stub()`; and `with_prefix("math.")`,
/// `with_timeout(duration)` and `with(|request| …)`, which return a client of the same connection
/// whose calls differ, see [`Stub`].
///
/// A client is seen by whoever sees the trait, or the most visible method of the `impl` block. Type
/// parameters that callers send or get are parameters of the client, too.
///
/// With the option `blocking_client` there is a second one, for programs without a runtime (and with
/// the feature `blocking`). It has the same methods, which block the thread and return
/// `Result<T, CallError>` or, for streams, an iterator: `Result<blocking::Items<T>, CallError>`. It is
/// made of a `blocking::Client`, and its name ends in `BlockingClient`.
///
/// ```
/// # #[cfg(feature = "blocking")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use zrpc::Server;
/// struct Adder;
///
/// #[zrpc::service(blocking_client)]
/// impl Adder {
///     async fn add(&self, left: i64, right: i64) -> i64 {
///         left + right
///     }
/// }
///
/// let server = Server::builder().service(Adder).bind("tcp://127.0.0.1:*").build_blocking()?;
/// let client = AdderBlockingClient::connect(&server.endpoints()[0])?;
/// client.stub().blocking_client().connected()?; // Not needed: calls wait, too.
/// assert_eq!(client.add(1, 2)?, 3);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "blocking"))]
/// # fn main() {}
/// ```
///
/// # Options
///
/// `#[zrpc::service(name = "Greeter", client = pub(crate) Caller)]`, and so on:
///
/// | | |
/// |---|---|
/// | `name = "…"` | the name that introspection shows |
/// | `client = Name` | the name of the client, with a visibility in front if need be |
/// | `no_client` | no such client is made |
/// | `blocking_client`, `blocking_client = Name` | a client is made whose calls block the thread, with a name as above |
/// | `no_server` | a trait is only called |
/// | `crate = path` | where this crate is, if not at `::zrpc` |
#[cfg(feature = "macros")]
pub use zrpc_macros::service;

pub use zmtp::DisconnectReason;
pub use zmtp::session::PeerInfo;

pub use proto::{
    ArgumentsError, Compat, CompatError, CompatFault, DecodeError, DecodeLimits, EncodeError, Ext,
    JsDate, Limits, MessageId, OverrunUnit, PathStep, RemoteError, Timestamp, TimestampError,
    ValueError, ValuePath,
};

/// Keeps the program on the first page of the project one that compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
