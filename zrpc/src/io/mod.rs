//! The I/O side: one task that owns a socket and its multiplexer (L5).
//!
//! Callers and handlers never touch the socket. They send commands to the task, and the task
//! never waits for them: what it has for a caller goes into that caller's mailbox, what a peer
//! cannot take now stays in the multiplexer, and heartbeats leave on time whatever anybody does.
//!
//! - [`IoRuntime`] says on which runtime the task runs; `spawn` starts it there.
//! - `Link` is what client and server sockets have in common.
//! - `Route` names a peer: its connection and the routing frames in front of its messages.
//! - `Driver` runs the task; what differs between clients and servers is its `Engine`, which keeps
//!   a `ChannelMap` of its calls.
//! - `Connections` are those that the task believes to be there, and `Commands` what callers ask.
//! - `Patience` keeps its thread awake while that pays.
//! - `Network` binds and connects while the task runs.
//! - `queue` makes the queues between tasks, which leave nothing behind.
//! - `Lifetime` tells others of the end of the task.

mod channels;
mod commands;
mod connections;
mod driver;
mod lifetime;
mod link;
#[cfg(all(test, shuttle))]
pub(crate) mod model;
mod network;
mod patience;
mod queue;
mod runtime;
mod timer;

pub use lifetime::{Closed, Interrupted};
pub use runtime::IoRuntime;

pub(crate) use channels::ChannelMap;
pub(crate) use driver::{Driver, Engine, Peers, Status};
pub(crate) use lifetime::{Life, Lifetime};
pub(crate) use link::{PeerChange, Route};
pub(crate) use network::Network;
pub(crate) use queue::{QueueReceiver, queue};
pub(crate) use runtime::spawn;

/// The multiplexer of one socket.
pub(crate) type Multiplexer = proto::Multiplexer<Route>;
