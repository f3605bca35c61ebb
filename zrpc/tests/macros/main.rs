//! Services and clients that `#[zrpc::service]` makes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod blocking_clients;
mod calls;
mod clients;
mod composition;
mod definitions;
mod endings;
mod generics;
mod introspection;
mod lints;
mod mistakes;

mod support;
