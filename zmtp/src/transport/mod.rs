//! Layer 3: where streams of octets come from.
//!
//! ```text
//!  Endpoint ── bind ───► Listener ── accept ──► Stream, PeerAddress
//!  Endpoint ── Target::new ► Target ── connect ──► Stream, PeerAddress
//! ```

mod error;
#[cfg(unix)]
mod ipc;
mod listener;
mod options;
mod stream;
mod target;
mod tcp;

pub use listener::ExistingListener;
pub use tcp::{SocksProxy, SocksProxyError, TcpKeepAlive};

pub(crate) use error::{BindFailure, UnusableEndpoint};
pub(crate) use listener::{Listener, adopt, bind};
pub(crate) use options::TransportOptions;
pub(crate) use stream::Stream;
pub(crate) use target::Target;
pub(crate) use tcp::IpVersions;
#[cfg(all(test, target_os = "linux"))]
pub(crate) use tcp::Resolver;
