//! Connections between the sockets of one process (L3).
//!
//! ```text
//!   bind ──► names ◄── keep_linked ──► Link ── attaches one socket to the other, and takes them apart
//!                                        │
//!            Outbox of one peer ── Pipe ─┴─► Inbox of the other, in each direction
//! ```
//!
//! Messages never pass through a task: see [`Pipe`](super::pipe::Pipe). Nothing is encoded, so there is
//! no handshake, no heartbeat and no security mechanism; what both sides would have announced is
//! compared as it is.

mod connector;
mod link;
mod names;

pub(crate) use connector::keep_linked;
pub(crate) use names::{BoundName, hold};
