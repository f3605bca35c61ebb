//! Deciding who comes in.
//!
//! Layer L3. A socket with an [`Authenticator`] asks it about each peer that shakes hands, and lets
//! nobody in whom it does not allow. It hears what a ZAP handler hears, as a [`Candidate`], and
//! answers with a [`Decision`].
//!
//! Ready-made are
//!
//! - [`Addresses`], for peers of some networks, or all but those;
//! - [`Passwords`], for the users of PLAIN;
//! - `PublicKeys` and `CertificateDirectory`, for the keys of CURVE, and `AnyKey`, for encryption
//!   without authentication;
//! - [`ZapAuthenticator`](crate::ZapAuthenticator), which asks a ZAP handler, here or in another
//!   process;
//! - [`from_fn`], for everything else.
//!
//! [`ZapHandler`](crate::ZapHandler) makes any of them a ZAP handler, for the sockets of others.
//!
//! [`Authenticator::and`] and [`Authenticator::or`] combine them:
//!
//! ```
//! use zmtp::authenticator::{Addresses, Authenticator, Passwords};
//!
//! let mut passwords = Passwords::new();
//! passwords.insert("admin", "secret")?;
//! let authenticator = Addresses::allow(["192.0.2.0/24".parse()?, "::1".parse()?]).and(passwords);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod addresses;
mod candidate;
mod combine;
mod decide;
#[cfg(feature = "curve")]
mod directory;
#[cfg(feature = "curve")]
mod keys;
mod passwords;

pub use crate::mechanism::{Credentials, Decision, Denial};
pub use addresses::Addresses;
pub use candidate::{Candidate, CandidateError};
pub use combine::{And, Or};
pub use decide::{Authenticator, Deciding, FromFn, from_fn};
#[cfg(feature = "curve")]
pub use directory::{CertificateDirectory, CertificateFileError, Reload};
#[cfg(feature = "curve")]
pub use keys::{AnyKey, PublicKeys};
pub use passwords::Passwords;
