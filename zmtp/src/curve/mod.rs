//! The keys of CURVE and the files that hold them.
//!
//! Layer L0. A server has a [`KeyPair`], whose public half its clients know beforehand. A client
//! has one too, by which the server knows the client. Both are written as
//! [Z85](crate::wire::z85) text of 40 characters, alone or in a [`Certificate`].

#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

mod certificate;
mod key;
mod secret;
mod zpl;

pub use certificate::{Certificate, CertificateError, SecretCertificate};
pub use key::{KeyError, PublicKey};
pub use secret::{KeyPair, SecretKey};
pub use zpl::SyntaxError;
