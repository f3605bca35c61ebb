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
//! - `curve` (default): encryption and authentication with CURVE. X25519 is that of the crate
//!   `x25519-dalek`, XSalsa20 and Poly1305 are those of the crates `salsa20` and `poly1305` of
//!   RustCrypto.
//! - `curve-simd`: this crate's own XSalsa20 and Poly1305 in place of RustCrypto's, with the vectors
//!   that the processor has; implies `curve`. Where there is AVX2, sealing or opening a message of
//!   16 octets takes a seventh of the time, and one of 64 KiB less than half. It is tested against
//!   the vectors of RFC 8439 and of libsodium, and beside those crates with random keys and
//!   messages, but nobody outside of this project has reviewed it. Take it if you have measured that
//!   encryption is what your program waits for, and if you accept that. The API and what is sent are
//!   the same. Features add up: if one crate in a program asks for it, all of them get it.
//! - `blocking` (default): the sockets for programs without a runtime; implies `socket`.
//! - `codec`: adapters for the `Framed` of tokio-util.
//! - `serde`: `Serialize` and `Deserialize` for [`Endpoint`] and public keys, as their text, and
//!   `Serialize` for the counters of sockets.
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
#[cfg(all(feature = "socket", any(test, fuzzing)))]
pub mod fuzz_targets;
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
    PairReceiver, PairSender, PairSocket, PeerMessage, Proxy, ProxyControl, ProxyError,
    ProxyStatistics, ProxyTraffic, PubSocket, PullSocket, PushSocket, RecvError, RepSocket,
    ReqSocket, RouterNotify, RouterReceiver, RouterSender, RouterSocket, SendError, Socket,
    SocketHandle, SubSocket, TryRecvError, TrySendError, TwoWay, UnbindError, XPubEvent,
    XPubReceiver, XPubSender, XPubSocket, XSubReceiver, XSubSender, XSubSocket, ZapAuthenticator,
    ZapError, ZapHandler, proxy,
};
#[cfg(feature = "socket")]
pub use transport::{ExistingListener, SocksProxy, SocksProxyError, TcpKeepAlive};
