//! The tcp transport.

mod connect;
mod listen;
mod options;
mod resolve;
mod socks;

pub use options::TcpKeepAlive;
pub use socks::{SocksProxy, SocksProxyError};

pub(crate) use connect::connect;
pub(crate) use listen::{accept, adopt, bind};
pub(crate) use options::{IpVersions, TcpOptions};
#[cfg(all(test, target_os = "linux"))]
pub(crate) use resolve::Resolver;
pub(crate) use socks::check_target;

#[cfg(test)]
mod tests;
