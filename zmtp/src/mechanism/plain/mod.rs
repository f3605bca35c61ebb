//! The PLAIN mechanism: a user name and a password in clear text.
//!
//! ```text
//! client  HELLO ─► ExpectWelcome ─ WELCOME ─► INITIATE ─► ExpectReady ─ READY ─► done
//! server  ExpectHello ─ HELLO ─► undecided ─► WELCOME ─► ExpectInitiate ─ INITIATE ─► READY, done
//! ```
//!
//! Whoever listens on the way learns the password: use it where the network is trusted or secured
//! by other means `[PLAIN-023]`.

mod client;
mod commands;
mod credentials;
mod server;

pub(super) use client::start as start_client;
pub(crate) use client::{ExpectReady, ExpectWelcome};
pub use credentials::{CredentialsError, PlainCredentials};
pub(crate) use server::{ExpectHello, ExpectInitiate, Undecided};

#[cfg(test)]
mod tests;
