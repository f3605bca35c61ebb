//! A network that breaks, as it is told to: a proxy between two sockets.
//!
//! - [`plan`]: what befalls a connection, and the schedule that decides it from a seed,
//! - [`proxy`]: who passes octets on, and does it to them,
//! - `pump`: one direction of one connection,
//! - `frames`: where in it a frame begins.
//!
//! The octets are those of the kernel: what a socket has written may be in any buffer on the way
//! when its connection is cut.

mod frames;
pub mod plan;
pub mod proxy;
mod pump;
#[cfg(test)]
mod tests;
