//! One channel: its life cycle, its credit, its heartbeat. See `PROTOCOL.md`, "Channels".

mod credit;
mod options;

pub use credit::Credit;
pub use options::{ChannelOptions, Heartbeat};
