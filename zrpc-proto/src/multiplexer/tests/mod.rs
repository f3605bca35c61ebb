//! Tests of the multiplexer, in virtual time.

mod calls;
mod cancel;
mod compatibility;
mod flow;
mod heartbeats;
mod limits;
mod memory;
mod order;
mod pair;
mod proptests;
mod unread;
