//! All channels of one socket.

mod config;
mod output;
mod stub;

pub use config::{Config, Limits, Role, Stats};
pub use output::{
    ChannelEvent, ChannelId, CloseReason, CommandError, OpenError, OverrunUnit, Request, SendError,
    Transmit,
};
pub use stub::Multiplexer;
