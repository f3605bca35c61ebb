//! Security mechanisms: what happens between the greetings and the traffic.
//!
//! Layer L1. A handshake is a value of the state that it is in, named after what it waits for. A
//! command of the peer consumes it and yields what comes next, so that no step can be taken twice
//! or out of turn.
//!
//! ```text
//! NULL          (undecided ─►) READY, ExpectReady ─ READY ─► done
//! PLAIN client  HELLO, ExpectWelcome ─ WELCOME ─► INITIATE, ExpectReady ─ READY ─► done
//! PLAIN server  ExpectHello ─ HELLO ─► undecided ─► WELCOME, ExpectInitiate ─ INITIATE ─► READY, done
//! CURVE client  HELLO, ExpectWelcome ─ WELCOME ─► INITIATE, ExpectReady ─ READY ─► done
//! CURVE server  ExpectHello ─ HELLO ─► WELCOME, ExpectInitiate ─ INITIATE ─► (undecided ─►) READY, done
//! ```
//!
//! A handshake that is undecided has asked somebody who the peer is, and goes no further without a
//! [`Decision`]. What the exchanged metadata mean is for the session to judge, before the last
//! READY.

mod authentication;
mod channel;
mod config;
#[cfg(feature = "curve")]
mod curve;
mod error;
mod handshake;
mod null;
mod plain;
mod randomness;
mod secret;

pub use authentication::{Authentication, AuthenticationRequest, Credentials, Decision, Denial};
pub(crate) use channel::Channel;
pub use channel::SealError;
pub use config::MechanismConfig;
#[cfg(feature = "curve")]
pub use curve::{CurveClient, CurveServer};
pub use error::{CurveCommand, CurveError, HandshakeError, PlainError};
pub(crate) use handshake::{Done, Handshake, Next, Step, Undecided};
pub use plain::{CredentialsError, PlainCredentials};
pub use randomness::Randomness;
#[cfg(feature = "socket")]
pub(crate) use secret::Wiped;
pub(crate) use secret::wipe;
