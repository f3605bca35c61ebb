//! The ZeroMQ wire protocol and sockets in pure Rust.
//!
//! # Layers
//!
//! Each layer knows only those before it.
//!
//! - Values and octets: [`Message`], [`Endpoint`], [`wire`].
//! - Security handshakes: [`mechanism`].
//! - The rules of the socket types: [`pattern`]; one connection without I/O: [`session`].
//!
//! # Features
//!
//! - `codec`: adapters for the `Framed` of tokio-util.
//! - `socket` (default): sockets, transports and the driver on tokio; implies `codec`.
//!
//! Without any feature the crate knows no I/O and no runtime.

#[cfg(feature = "codec")]
pub mod codec;
pub mod endpoint;
mod message;
pub mod mechanism;
pub mod pattern;
pub mod session;
pub mod wire;

// Layer 0: values and octets.
pub use endpoint::{Endpoint, EndpointError};
pub use message::{Frame, IntoParts, Message, More, Part};
