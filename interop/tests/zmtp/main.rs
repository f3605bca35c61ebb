//! The sockets of `zmtp` against libzmq: each type, in both bind directions.

mod flow;
mod forwarding;
mod heartbeats;
mod identities;
mod ipc;
mod keys;
mod matrix;
mod options;
mod reconnection;
mod security;
mod subscriptions;
mod support;
mod zap;
