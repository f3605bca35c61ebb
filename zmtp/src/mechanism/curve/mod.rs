//! The CURVE mechanism: everything encrypted, and both sides known by their keys.
//!
//! ```text
//! client  HELLO ─► ExpectWelcome ─ WELCOME ─► INITIATE ─► ExpectReady ─ READY ─► done
//! server  ExpectHello ─ HELLO ─► WELCOME ─► ExpectInitiate ─ INITIATE ─► (undecided ─►) READY, done
//! ```
//!
//! Each side has a long-term pair of keys and makes a transient one for the connection: `C`, `c`,
//! `C'` and `c'` are those of the client, `S`, `s`, `S'` and `s'` those of the server, small letters
//! the secret ones. A client knows `S` beforehand. Traffic is encrypted between the transient keys,
//! which are forgotten with the connection, so that nobody who steals a long-term key can read what
//! was said before.
//!
//! Everything that a peer sends is checked, including what libzmq lets pass: the zeros in a HELLO,
//! the server's key in a vouch, and the nonce of an INITIATE.

#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

mod boxes;
mod channel;
mod client;
mod commands;
mod config;
mod nonce;
mod server;

pub(crate) use channel::Channel;
pub(super) use client::start as start_client;
pub(crate) use client::{ExpectReady, ExpectWelcome};
pub use config::{CurveClient, CurveServer};
pub(crate) use server::{ExpectHello, ExpectInitiate, Ready};

#[cfg(test)]
mod tests;
