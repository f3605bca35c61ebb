//! Whole sockets under a scheduler that tries many interleavings.
//!
//! `shuttle` decides at every lock and every atomic of this crate who runs next. Where that loses a
//! wake-up, nothing can run any more, which it reports with the schedule that led there. Sockets,
//! queues, links and connections are the real ones; only the tasks are those of `shuttle`, and a
//! stream is one of memory.
//!
//! This finds faults and proves nothing. The interleavings are a sample: some are chosen at random,
//! some with few preemptions at random places (PCT). Every atomic is sequentially consistent, whatever
//! ordering it is used with. tokio's `Notify` and `CancellationToken`, its streams of memory, and
//! `OnceLock` are as they are: nobody else runs in the middle of what they do. No timer goes off.
//!
//! `CONTRIBUTING.md` says how to run them.

mod closing;
mod network;
mod publishing;
mod requests;
mod traffic;
