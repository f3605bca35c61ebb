//! What an authenticator is asked, and what it answers.

use std::fmt;

#[cfg(feature = "curve")]
use crate::curve::PublicKey;
use crate::mechanism::PlainCredentials;
use crate::message::Part;
use crate::wire::greeting::MechanismName;
use crate::wire::metadata::Metadata;

/// Whether peers are let in by a [`Decision`] only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "somebody decides, or nobody does")]
pub enum Authentication {
    /// Each handshake stops until somebody has decided about the peer.
    Required,
    /// Whoever completes the handshake is let in.
    NotRequired,
}

/// Asks who a peer is, and whether it may come in.
///
/// It comes once in a handshake: with NULL and PLAIN before the peer has announced anything, with
/// CURVE after everything has been checked that keys can prove.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthenticationRequest {
    /// What the peer has to show for itself.
    pub credentials: Credentials,
    /// What the peer announced so far, such as its `Identity`; empty unless with CURVE.
    ///
    /// Only the peer itself vouches for it.
    pub metadata: Metadata,
}

/// What a peer has to show for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing: only the address can tell peers apart.
    Null,
    /// A user name and a password, which are not checked yet.
    Plain(PlainCredentials),
    /// A long-term public key, of which the peer has proven that it owns the secret one.
    #[cfg(feature = "curve")]
    Curve {
        /// The key.
        public_key: PublicKey,
    },
}

/// The answer to an [`AuthenticationRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a peer comes in or does not")]
pub enum Decision {
    /// The peer may come in.
    Allow {
        /// Who it is, if it has a name here.
        user_id: Option<Part>,
        /// Properties to attach to the connection. The peer cannot override them, and is not
        /// told.
        metadata: Metadata,
    },
    /// The peer may not come in.
    Deny(Denial),
}

/// Why a peer may not come in.
///
/// The peer learns no more than the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three codes that the protocol defines"
)]
pub enum Denial {
    /// 300: not now. Nothing is said to the peer, so that it tries again.
    Temporary,
    /// 400: not with these credentials.
    Refused,
    /// 500: the authenticator failed.
    InternalError,
}

impl Credentials {
    /// Returns the mechanism that they belong to.
    pub const fn mechanism(&self) -> MechanismName {
        match self {
            Self::Null => MechanismName::NULL,
            Self::Plain(_) => MechanismName::PLAIN,
            #[cfg(feature = "curve")]
            Self::Curve { .. } => MechanismName::CURVE,
        }
    }
}

impl Decision {
    /// Returns a decision that lets a peer in that has no name and gets no properties.
    pub const fn allowed() -> Self {
        Self::Allow {
            user_id: None,
            metadata: Metadata::new(),
        }
    }
}

impl Denial {
    /// Returns the status code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Temporary => "300",
            Self::Refused => "400",
            Self::InternalError => "500",
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denial_is_shown_as_its_status_code() {
        let denials = [Denial::Temporary, Denial::Refused, Denial::InternalError];
        let shown = denials.map(|denial| denial.to_string());
        assert_eq!(shown, ["300", "400", "500"]);
    }
}
