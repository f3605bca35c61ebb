//! How the connections of a socket are secured (L3).

use std::sync::Arc;

use crate::authenticator::Authenticator;
use crate::mechanism::{Authentication, MechanismConfig};
use crate::wire::greeting::SecurityRole;
use crate::zap::Domain;

/// What was asked for, in whatever order.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecurityOptions {
    choice: Choice,
    authenticator: Option<Arc<dyn Authenticator>>,
    domain: Option<Domain>,
}

#[derive(Clone, Debug, Default)]
enum Choice {
    /// NULL.
    #[default]
    None,
    One(MechanismConfig),
    Several,
    #[cfg(feature = "curve")]
    WeakServerKey,
}

/// Options that make no sense together.
///
/// Nobody is let in by a socket that has such options, nor does it connect to anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// A socket has one mechanism and one role in it, and several were chosen.
    #[error("several security mechanisms were chosen")]
    SeveralMechanisms,
    /// The key that a client of CURVE expects its servers to have is none that anybody has, such as
    /// 32 zero octets: everybody would know what is encrypted for it.
    #[error("the key of the server is weak")]
    WeakServerKey,
    /// A server has to know whom to let in. Take
    /// [`AnyKey`](crate::authenticator::AnyKey) for CURVE without authentication.
    #[error("a server of PLAIN or CURVE needs an authenticator; AnyKey lets every key of CURVE in")]
    NoAuthenticator,
    /// The client of a mechanism is not asked whom to let in.
    #[error("a client of PLAIN or CURVE has no use for an authenticator")]
    AuthenticatorOfClient,
    /// A domain tells authenticators apart, and there is none.
    #[error("a ZAP domain without an authenticator")]
    DomainWithoutAuthenticator,
}

impl SecurityOptions {
    pub(crate) fn choose(&mut self, mechanism: MechanismConfig) {
        self.choice = match (&self.choice, mechanism) {
            #[cfg(feature = "curve")]
            (Choice::None, MechanismConfig::CurveClient(client))
                if client.server_key().is_weak() =>
            {
                Choice::WeakServerKey
            }
            (Choice::None, mechanism) => Choice::One(mechanism),
            _ => Choice::Several,
        };
    }

    pub(crate) fn set_authenticator(&mut self, authenticator: Arc<dyn Authenticator>) {
        self.authenticator = Some(authenticator);
    }

    pub(crate) fn set_domain(&mut self, domain: Domain) {
        self.domain = Some(domain);
    }

    pub(crate) fn authenticator(&self) -> Option<&Arc<dyn Authenticator>> {
        self.authenticator.as_ref()
    }

    pub(crate) fn domain(&self) -> Option<&Domain> {
        self.domain.as_ref()
    }

    /// What follows for the connections.
    pub(crate) fn mechanism(&self) -> Result<MechanismConfig, SecurityError> {
        let has_authenticator = self.authenticator.is_some();
        if self.domain.is_some() && !has_authenticator {
            return Err(SecurityError::DomainWithoutAuthenticator);
        }
        let mechanism = match &self.choice {
            Choice::None if has_authenticator => {
                return Ok(MechanismConfig::Null(Authentication::Required));
            }
            Choice::None => return Ok(MechanismConfig::Null(Authentication::NotRequired)),
            Choice::One(mechanism) => mechanism,
            Choice::Several => return Err(SecurityError::SeveralMechanisms),
            #[cfg(feature = "curve")]
            Choice::WeakServerKey => return Err(SecurityError::WeakServerKey),
        };
        match (mechanism.role(), has_authenticator) {
            (SecurityRole::Server, false) => Err(SecurityError::NoAuthenticator),
            (SecurityRole::Client, true) => Err(SecurityError::AuthenticatorOfClient),
            (SecurityRole::Server, true) | (SecurityRole::Client, false) => Ok(mechanism.clone()),
        }
    }
}
