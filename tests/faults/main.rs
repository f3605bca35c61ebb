//! Networks that delay, split, merge, cut, stall and falsify: every message is delivered once and in
//! order, or known to be lost.
//!
//! What may be lost, and is: messages that were handed to the operating system, wholly or in part,
//! when their connection broke. Nobody can tell whether the other side has them. What has not been
//! begun to be written to a peer that is connected to waits for the next connection; what waits for
//! a peer that came by itself, and went, is dropped and counted. On one connection messages arrive in
//! the order in which they were sent, and none ever arrives twice.
//!
//! `NETWORK_SEED` repeats a run: the faults are then the same, at the same octets, though not the
//! times of everything else.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something fails, and says where"
)]

mod accounts;
mod calls;
mod closing;
mod corruption;
mod emitting;
mod events;
mod one_way;
mod several;
mod shutdown;
mod subscriptions;
mod support;
mod two_way;
