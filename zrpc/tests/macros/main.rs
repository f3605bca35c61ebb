//! Services and clients that `#[zrpc::service]` makes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod calls;
mod support;
