//! Runs the binary against servers in this process: what it prints, and how it exits.

#![expect(clippy::unwrap_used, reason = "tests")]

mod bench;
mod calls;
mod events;
mod failures;
mod listings;
mod proxy;
mod running;
mod serve;
mod support;
mod terminal;
mod tools;
