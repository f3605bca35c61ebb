//! Whole sockets under a scheduler that tries one interleaving after the other.
//!
//! `shuttle` decides at every lock and every atomic who runs next, so that a wake-up that can be lost
//! is lost in one of the runs, and then nothing can run any more, which it reports with the schedule
//! that led there. Sockets, queues, links and connections are the real ones; only the tasks are those
//! of `shuttle`, and a stream is one of memory.
//!
//! `CONTRIBUTING.md` says how to run them.

mod closing;
mod network;
mod publishing;
mod requests;
mod traffic;
