//! Proxies: sockets that pass on what others receive.
//!
//! ```text
//!            ┌── lane: receive ► capture ► send ──►┐
//!  frontend ─┤                                     ├─ backend
//!            └◄── send ◄ capture ◄ receive: lane ──┘
//! ```

mod control;
mod lane;
mod run;

pub use control::{ProxyControl, ProxyStatistics, ProxyTraffic};
pub use run::{Proxy, ProxyError, proxy};
