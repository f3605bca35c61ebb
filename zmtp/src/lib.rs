//! The ZeroMQ wire protocol and sockets in pure Rust.
//!
#![cfg_attr(feature = "socket", doc = include_str!("sockets.md"))]
//! # Layers
//!
//! Each layer knows only those before it.
//!
//! - Values and octets: [`Message`], [`Endpoint`], [`wire`]; keys: `curve`.
//! - Security handshakes: [`mechanism`]; the messages that ask about a client: [`zap`].
//! - The rules of the socket types: [`pattern`]; one connection without I/O: [`session`].
//! - Who comes in: `authenticator`. Tasks and queues, one of each per connection and direction; tcp and ipc.
//! - One socket type per pattern, such as `DealerSocket`; all are a `Socket`.
//!
//! # Features
//!
//! - `curve` (default): encryption and authentication with CURVE.
//! - `blocking` (default): the sockets for programs without a runtime; implies `socket`.
//! - `codec`: adapters for the `Framed` of tokio-util.
//! - `socket` (default): sockets, transports and the driver on tokio; implies `codec`.
//!
//! Without any feature the crate knows no I/O and no runtime.

#[cfg(feature = "socket")]
pub mod authenticator;
#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "codec")]
pub mod codec;
#[cfg(feature = "curve")]
pub mod curve;
#[cfg(feature = "socket")]
mod driver;
pub mod endpoint;
pub mod mechanism;
mod message;
pub mod pattern;
pub mod session;
#[cfg(feature = "socket")]
mod socket;
#[cfg(feature = "socket")]
mod transport;
pub mod wire;
pub mod zap;

// Layer 0: values and octets.
pub use endpoint::{Endpoint, EndpointError, PeerAddress};
pub use message::{Frame, IntoParts, Message, More, Part, TextError};

// Layers 3 and 4: sockets and what happens on them.
#[cfg(feature = "socket")]
pub use driver::{
    DisconnectReason, DropReason, Drops, HandshakeFailure, Monitor, PeerCounters, PeerId, Queued,
    ReconnectStop, RefusalReason, SecurityError, SocketCounters, SocketEvent, Traffic,
};
#[cfg(feature = "socket")]
pub use socket::{
    BindError, Builder, Conflating, ConnectError, DealerReceiver, DealerSender, DealerSocket,
    DisconnectError, IntoEndpoint, ManualSubscriptionError, MessageReceiver, MessageSender,
    PairReceiver, PairSender, PairSocket, Proxy, ProxyControl, ProxyError, ProxyStatistics,
    ProxyTraffic, PubSocket, PullSocket, PushSocket, RecvError, RepSocket, ReqSocket, RouterNotify,
    RouterReceiver, RouterSender, RouterSocket, SendError, Socket, SocketHandle, SubSocket,
    TryRecvError, TrySendError, TwoWay, UnbindError, XPubEvent, XPubReceiver, XPubSender,
    XPubSocket, XSubReceiver, XSubSender, XSubSocket, proxy,
};
#[cfg(feature = "socket")]
pub use transport::{ExistingListener, SocksProxy, SocksProxyError, TcpKeepAlive};
