//! The choice of a mechanism.

use crate::wire::greeting::{MechanismName, SecurityRole};

/// The one mechanism that a socket uses, with what it needs.
///
/// It is announced to every peer and never changed because of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MechanismConfig {
    /// No security at all: for networks that are trusted or secured by other means.
    #[default]
    Null,
}

impl MechanismConfig {
    /// Returns the name in the greeting.
    pub const fn name(&self) -> MechanismName {
        match self {
            Self::Null => MechanismName::NULL,
        }
    }

    /// Returns the role in the greeting.
    pub const fn role(&self) -> SecurityRole {
        match self {
            // [ZMTP31-011] With NULL, as-server is 0.
            Self::Null => SecurityRole::Client,
        }
    }
}
