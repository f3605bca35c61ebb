//! Commands: what two peers tell each other beside messages.
//!
//! ```text
//! body  name-length(1)  name  data
//! ```
//!
//! A command is always one frame. This is the vocabulary of the NULL mechanism and of traffic;
//! other mechanisms bring their own commands, which come out as [`Command::Unknown`].

mod body;
mod group;
mod heartbeat;
mod name;
mod reason;

pub use body::{Command, CommandError};
pub use group::Group;
pub use heartbeat::{PingContext, PingTtl, PingTtlError};
pub use name::CommandName;
pub(crate) use name::split as split_name;
pub use reason::ErrorReason;

#[cfg(test)]
mod tests;
