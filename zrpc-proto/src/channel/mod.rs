//! One channel: its life cycle, its credit, its heartbeat. See `PROTOCOL.md`, "Channels".

mod client;
mod credit;
mod options;
mod pulse;
mod record;
mod server;

pub(crate) use client::{ClientSide, Progress, ReplyKind};
pub use credit::Credit;
pub(crate) use credit::{Arrival, ReceiveWindow, SendCredit, granted};
pub use options::{ChannelOptions, Heartbeat};
pub(crate) use pulse::{Answer, Cause, Pulse, Tick};
pub(crate) use record::{Channel, Control, Dialect, Expiry, Queued, Side};
pub(crate) use server::{ServerSide, ServerState, Stall};

#[cfg(test)]
mod credit_tests;
#[cfg(test)]
mod tests;
