//! The task of one connection: the only one that touches its stream and its session (L3).
//!
//! Every poll goes once around:
//!
//! ```text
//!  read, decode, publish ─► decision ─► timers ─► commands ─► control and queued messages, write
//! ```
//!
//! and sleeps until something happens. Reading stops while the inbox is full and writing while the
//! kernel takes nothing; neither holds up the other. Control octets (handshake, PING, PONG,
//! subscriptions) go out between two messages, before the next batch.

mod farewell;
mod readable;
mod task;
mod write;

#[cfg(all(test, shuttle))]
pub(crate) use task::Connection;
pub(crate) use task::{Progress, RunningConnection};

#[cfg(test)]
mod tests;
