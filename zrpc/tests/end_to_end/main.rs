//! Our client and our server, over a real connection.

#![expect(clippy::unwrap_used, reason = "tests")]

mod authorization;
mod calls;
mod cancel_storm;
mod cancellation;
mod deadlines;
mod drain;
mod endpoints;
mod errors;
mod heartbeats;
mod introspection;
mod lifecycle;
mod middleware;
mod nonsense;
mod one_way;
mod one_way_endpoints;
mod one_way_errors;
mod one_way_hooks;
mod options;
mod places;
mod scripted;
mod security;
mod streams;
mod support;
