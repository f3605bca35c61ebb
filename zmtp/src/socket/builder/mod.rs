//! The options of a socket, one file for each thing that they are about.
//!
//! What only one socket type has stands beside that type.

mod accepting;
mod connecting;
mod notices;
mod queues;
mod security;
mod session;
mod start;
mod tcp;

pub use start::Builder;
