//! What the end-to-end tests share: scripted raw peers, bytes built by hand, the bodies of the
//! fuzz targets, a recorder of `tracing` events, processes that are attacked, a network that breaks
//! and books on what became of every message in it, and ports that stay one's own.
//!
//! Raw peers build their bytes from the specification alone and use no encoder or decoder of the
//! crates under test, so that a mistake cannot cancel itself out.

pub mod bytes;
pub mod fuzz_targets;
pub mod ledger;
pub mod network;
pub mod random;
pub mod raw_curve;
pub mod raw_peer;
pub mod recorder;
pub mod reserved_port;
pub mod rpc;
pub mod usage;
pub mod victim;
