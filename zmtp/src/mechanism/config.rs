//! The choice of a mechanism.

use crate::mechanism::{Authentication, PlainCredentials};
#[cfg(feature = "curve")]
use crate::mechanism::{CurveClient, CurveServer};
use crate::wire::greeting::{MechanismName, SecurityRole};

/// The one mechanism that a socket uses, with what it needs.
///
/// It is announced to every peer and never changed because of one. Which side is client and which
/// server has nothing to do with who connects to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MechanismConfig {
    /// No security at all: for networks that are trusted or secured by other means.
    ///
    /// A decision about each peer can be required nevertheless, by its address.
    Null(Authentication),
    /// PLAIN, as the side that shows credentials.
    PlainClient(PlainCredentials),
    /// PLAIN, as the side that asks for credentials; about which somebody has to decide, always.
    PlainServer,
    /// CURVE, as the side that knows the key of the other one.
    #[cfg(feature = "curve")]
    CurveClient(CurveClient),
    /// CURVE, as the side whose key is known.
    #[cfg(feature = "curve")]
    CurveServer(CurveServer),
}

impl MechanismConfig {
    /// Returns the name in the greeting.
    pub const fn name(&self) -> MechanismName {
        match self {
            Self::Null(_) => MechanismName::NULL,
            Self::PlainClient(_) | Self::PlainServer => MechanismName::PLAIN,
            #[cfg(feature = "curve")]
            Self::CurveClient(_) | Self::CurveServer(_) => MechanismName::CURVE,
        }
    }

    /// Returns the role in the greeting.
    pub const fn role(&self) -> SecurityRole {
        match self {
            // [ZMTP31-011] With NULL, as-server is 0.
            Self::Null(_) | Self::PlainClient(_) => SecurityRole::Client,
            // [ZMTP31-013] The server says so, whoever connects.
            Self::PlainServer => SecurityRole::Server,
            #[cfg(feature = "curve")]
            Self::CurveClient(_) => SecurityRole::Client,
            #[cfg(feature = "curve")]
            Self::CurveServer(_) => SecurityRole::Server,
        }
    }

    /// Whether the protocol lets this side send an ERROR in the handshake.
    pub(crate) const fn may_refuse(&self) -> bool {
        match self {
            Self::Null(_) | Self::PlainServer => true,
            // [PLAIN-008] Only a server refuses.
            Self::PlainClient(_) => false,
            #[cfg(feature = "curve")]
            Self::CurveServer(_) => true,
            // [CURVE-058] A client never does.
            #[cfg(feature = "curve")]
            Self::CurveClient(_) => false,
        }
    }
}

impl Default for MechanismConfig {
    /// NULL, with everybody let in.
    fn default() -> Self {
        Self::Null(Authentication::NotRequired)
    }
}
