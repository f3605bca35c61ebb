//! All channels of one socket.
//!
//! - `core`: the state, getters, and what every part uses,
//! - `receive`: received events, sorted to channels,
//! - `client`, `server`: the commands and the replies of either side,
//! - `admission`: what a peer may have, and whose turn it is when it has read,
//! - `transmit`: what goes out, fairly and within bounds,
//! - `peers`, `id_hashing`, `slab`, `vacancies`, `deadlines`: where peers, channels and their times are
//!   found,
//! - `timeout`: heartbeats, lost peers, expired calls.

mod admission;
mod capacity;
mod client;
mod config;
mod core;
mod deadlines;
mod id_hashing;
mod output;
mod peers;
mod receive;
mod server;
mod slab;
mod timeout;
mod transmit;
mod vacancies;

pub use self::core::Multiplexer;
pub use config::{Config, Limits, Role, Stats};
pub use output::{
    ChannelEvent, ChannelId, CloseReason, CommandError, OpenError, OverrunUnit, Request, SendError,
    Transmit,
};

#[cfg(test)]
mod tests;
