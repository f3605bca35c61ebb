//! Sessions against scripted peers and each other, in virtual time.

mod authentication;
#[cfg(feature = "curve")]
mod curve;
mod exchanges;
mod greeting;
mod handshake;
mod heartbeat;
mod limits;
mod malformed;
mod pair;
mod peer;
mod properties;
mod subscriptions;
mod traffic;
mod transcripts;
