//! Our server and client against scripted raw zerorpc peers.
//!
//! The names `q1` to `q27` in comments are those of the quirks that `zrpc-proto/PROTOCOL.md` and
//! the tests of `zrpc-proto` use for what other implementations do.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something fails, and says where"
)]

mod client;
mod hostile;
mod server;
mod streams;
mod support;
mod versions;
