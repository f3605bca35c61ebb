//! A foreign program that a test drives.

mod error;
mod process;

pub use error::PeerError;
pub use process::{Peer, Program};
