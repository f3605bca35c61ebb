//! The tcp transport.

mod connect;
mod listen;
mod options;
mod resolve;

pub use options::TcpKeepAlive;

pub(crate) use connect::connect;
pub(crate) use listen::{accept, adopt, bind};
pub(crate) use options::{IpVersions, TcpOptions};

#[cfg(test)]
mod tests;
