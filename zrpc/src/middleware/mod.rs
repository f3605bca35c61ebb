//! Code of programs around every call: the hooks of zerorpc's `Context` (L5).
//!
//! A [`Middleware`] is registered with `middleware` of the builders of clients and servers, and its
//! hooks run around every call. Those of several run in the order in which they were registered,
//! on the way out and on the way back. Where none is registered, calls cost nothing more.
//!
//! # Order
//!
//! This is the order of Python's zerorpc. `C` is the client, `S` the server.
//!
//! | what | hooks |
//! |---|---|
//! | a call | C `get_task_context`, C `client_before_request`, S `load_task_context`, S `server_before_exec`, the method, S `get_task_context`, S `server_after_exec`, C `client_patterns_list`, C `client_after_request` |
//! | one that fails | as far as it got, then S `get_task_context` twice, S `server_inspect_exception`, C `client_patterns_list`, C `client_handle_remote_error`, C `client_after_request` |
//! | a stream | S `get_task_context` once, before the first item; C `client_patterns_list` at the first item; S `server_after_exec` before the end is sent, C `client_after_request` when it was taken |
//! | an unknown method, or one that [`Authorize`](crate::Authorize) does not allow | without S `server_before_exec`; otherwise as one that fails |
//! | no answer: timeout, lost server, closed client | C `client_after_request` |
//! | a call or stream that is dropped | C `client_after_request` |
//! | an event that is published or pushed | its sender: `get_task_context`, `before_publish`; its receiver as a server, up to `server_after_exec` or `server_inspect_exception`, without a reply; for an unknown method `server_inspect_exception` alone |
//!
//! Whether a call is allowed is asked between `load_task_context` and `server_before_exec`, so that no
//! hook that waits or decodes works for a caller who has no business here. What the authorizer decides
//! by, other than the connection, was not looked at by any middleware then.
//!
//! Python's client calls no hook for a lost server or an abandoned stream; here every call that was sent gets its `client_after_request`, once. Where a caller is
//! gone before it was answered, the handler is dropped and with it the [`ServerRequest`], without
//! a hook, as in Python. What must be undone then, undoes its `Drop` in
//! [`ServerRequest::extensions_mut`].
//!
//! Hooks of clients run in the task that makes the call, those of servers in the task, or on the
//! thread, of the handler: one that waits holds up its own call, and no heartbeat. What a hook of a
//! server takes is part of the call, with its place under `max_concurrency`; what a hook of a client
//! takes before the request is sent is not counted against its timeout.
//!
//! # Task context
//!
//! [`TaskContext`] is what travels along: the entries that a handler's nested calls pass on.
//! [`Propagation`] carries it between the headers of events and the tasks.
//!
//! # Ready-made
//!
//! | middleware | what it does |
//! |---|---|
//! | [`Propagation`] | lets the task context travel |
//! | [`Tracing`] | a `tracing` span for each call, in a distributed trace ([`TraceContext`]) |
//! | [`Logging`] | a log line for each call |
//! | [`RateLimit`] | refuses calls that come too often |
//! | `Signer`, `Verifier` (feature `signing`) | sign requests with a shared key, and refuse others |
//! | `Metrics` (feature `metrics`) | counts and times calls, for the `metrics` facade |

mod chain;
mod entries;
mod extensions;
mod future;
mod hooks;
mod logging;
#[cfg(feature = "metrics")]
mod metrics;
mod outcome;
mod propagation;
mod rate_limit;
mod request;
mod resolution;
mod server_reply;
mod server_request;
#[cfg(feature = "signing")]
mod signing;
mod spans;
mod task_context;
mod trace_context;

pub use entries::{EntryError, HeaderEntries};
pub use extensions::Extensions;
pub use future::HookFuture;
pub use hooks::Middleware;
pub use logging::Logging;
#[cfg(feature = "metrics")]
pub use metrics::Metrics;
pub use outcome::{CallOutcome, ClientReply, ReplyPattern, TranslatedError};
pub use propagation::Propagation;
pub use rate_limit::{RateLimit, RateLimitKey};
pub use request::ClientRequest;
pub use resolution::{Resolution, ResolveError};
pub use server_reply::ServerReply;
pub use server_request::ServerRequest;
#[cfg(feature = "signing")]
pub use signing::{SignatureError, Signer, SigningKey, SigningKeyError, Verifier};
pub use spans::Tracing;
pub use task_context::TaskContext;
pub use trace_context::{SpanId, TraceContext, TraceContextError, TraceId};

pub(crate) use chain::Chain;
pub(crate) use outcome::Content as ClientReplyContent;
pub(crate) use server_reply::Content as ReplyContent;
