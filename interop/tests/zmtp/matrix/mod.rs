//! Every legal pair of socket types × who binds × mechanism × transport, against libzmq.
//!
//! All cells share one process of libzmq. Each exchanges messages of many shapes; over TCP without
//! a mechanism, either side is also replaced by a new one in the middle. The result is a table,
//! `docs/interop.md`, which `CONFORMANCE=write` writes and a plain run compares.

mod cell;
mod exchange;
mod life;
mod ours;
mod report;
mod run;
