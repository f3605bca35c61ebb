//! Tests of the multiplexer, in virtual time.

mod calls;
mod cancel;
mod compatibility;
mod flow;
mod heartbeats;
mod limits;
mod pair;
mod proptests;
