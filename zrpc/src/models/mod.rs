//! Whole clients and servers under a scheduler that tries many interleavings.
//!
//! `shuttle` decides at every lock, notification and semaphore of a call who runs next.
//! Where that loses a wake-up, nothing can run any more, which it reports with the schedule that led
//! there. Mailboxes, relays, engines, queues, spawner, handlers and their windows are the real ones,
//! and so are the multiplexers; the I/O tasks have a wire in place of a socket (`io::model`).
//!
//! This finds faults and proves nothing. The interleavings are a sample: some are chosen at random,
//! some with few preemptions at random places (PCT). Atomics, tokio's channels and `OnceLock` are as
//! they are: nobody else runs in the middle of what they do. No timer goes off, and what belongs to a
//! task (`CallContext::current`) is not told apart.
//!
//! `CONTRIBUTING.md` says how to run them.

mod calls;
mod ends;
mod network;
mod streams;

pub(crate) use network::{Tasks, explore};
