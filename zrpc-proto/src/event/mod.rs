//! Events: the values that peers exchange. See `PROTOCOL.md`, "Events".

mod decode;
mod encode;
mod error;
mod header;
mod id;
mod name;
pub mod names;

pub use decode::Event;
pub(crate) use decode::{DecodeFailure, is_small_part};
pub(crate) use encode::{Notice, Outgoing};
pub use error::RemoteError;
pub use header::{Extra, Header, Version};
pub use id::{IdSource, MessageId};
pub use name::Name;

#[cfg(test)]
mod tests;
