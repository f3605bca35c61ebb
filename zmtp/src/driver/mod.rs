//! Layer 3: the tasks that move octets between sockets and streams.
//!
//! ```text
//!   socket handles ──► Outbox ──►┐            ┌──► stream
//!                                Connection ──┤
//!   FairQueue ◄── ReadySet, Inbox ◄┘          └◄── stream
//!        Hub: what they share        listen, keep_connected: what makes connections
//! ```
//!
//! One task per connection owns the stream and the [`Session`](crate::session::Session). Between it
//! and the socket stands one queue per direction, which the consumer swaps out whole.

mod accept_filter;
mod alarm;
mod backoff;
mod busy_wait;
mod commands;
mod connection;
mod connector;
mod counters;
mod encoded;
mod endpoints;
mod fair_queue;
#[cfg(feature = "curve")]
mod generate;
mod half_open;
mod hub;
mod inbox;
mod inproc;
mod inquiry;
mod listener;
mod load_balancer;
mod monitor;
mod options;
mod origin;
mod outbox;
mod peer;
mod pipe;
mod queue_limits;
mod randomness;
mod read_buffer;
mod read_pool;
mod ready_set;
mod report;
mod sealed;
mod security;
pub(crate) mod sync;
mod tally;
mod unreceived;
mod wakes;
mod warnings;

pub use counters::{DropReason, Drops, PeerCounters, Queued, SocketCounters, Traffic};
pub use monitor::{DisconnectReason, HandshakeFailure, Monitor, RefusalReason, SocketEvent};
pub use options::ReconnectStop;
pub use peer::PeerId;
pub use security::SecurityError;

pub(crate) use commands::ConnectionCommand;
#[cfg(all(test, shuttle))]
pub(crate) use connection::Connection;
pub(crate) use connector::keep_connected;
pub(crate) use encoded::EncodedBatch;
pub(crate) use endpoints::Link;
pub(crate) use fair_queue::{Envelope, FairQueue, Received};
#[cfg(all(test, shuttle))]
pub(crate) use half_open::Share;
pub(crate) use hub::{Hub, Linger, NoPattern, NoVacancy, Notice, Pattern};
#[cfg(test)]
pub(crate) use inbox::FrameBatch;
pub(crate) use inbox::charge;
pub(crate) use inproc::{BoundName, hold, keep_linked};
pub(crate) use listener::listen;
pub(crate) use load_balancer::{BalanceError, LoadBalancer};
pub(crate) use options::{
    Cancellations, Conflation, Matching, NoticePolicy, PublishOptions, Queueing, Requests,
    SocketOptions, TakenRoutingId, Unroutable, WhenFull,
};
pub(crate) use outbox::{Fill, PushError};
pub(crate) use peer::{Peer, Retention};
#[cfg(all(test, shuttle))]
pub(crate) use randomness::randomness;
pub(crate) use warnings::{Chain, Verdict, Warnings, warn_or_debug};
