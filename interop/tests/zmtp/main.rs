//! The sockets of `zmtp` against libzmq: each type, in both bind directions.

mod conversations;
mod flow;
mod heartbeats;
mod identities;
mod reconnection;
mod subscriptions;
mod support;
