//! How connections are secured, and who comes in.

use std::sync::Arc;

use super::Builder;
use crate::authenticator::Authenticator;
#[cfg(feature = "curve")]
use crate::curve::{KeyPair, PublicKey};
#[cfg(feature = "curve")]
use crate::mechanism::{Authentication, CurveClient, CurveServer};
use crate::mechanism::{CredentialsError, MechanismConfig, PlainCredentials};
use crate::socket::Socket;
use crate::zap::{Domain, DomainError};

/// Which side is the server of a mechanism has nothing to do with who connects to whom. A socket has
/// one mechanism; peers with another are refused. Options that make no sense together are a
/// [`SecurityError`](crate::SecurityError) of `bind` and `connect`.
///
/// Nothing of this applies to connections within the process.
impl<S: Socket> Builder<S> {
    /// Asks clients for a user name and a password, about which the
    /// [authenticator](Self::authenticator) decides.
    ///
    /// PLAIN encrypts nothing: it is for networks that are secured by other means.
    pub fn plain_server(mut self) -> Self {
        self.options.security.choose(MechanismConfig::PlainServer);
        self
    }

    /// Shows servers a user name and a password, of up to 255 printable ASCII characters without
    /// spaces each.
    ///
    /// PLAIN encrypts nothing: it is for networks that are secured by other means. A peer that does
    /// not speak PLAIN is shown nothing.
    ///
    /// Servers prove nothing. A client that binds tells the password to **whoever connects** and
    /// claims to be a server: let it bind only where nobody else can connect, such as an ipc
    /// endpoint in a directory of its own, or name the peers by
    /// [`accept_networks`](Self::accept_networks) or [`accept_users`](Self::accept_users).
    ///
    /// # Errors
    ///
    /// Returns a [`CredentialsError`] for other characters, and for more of them.
    pub fn plain_client(self, username: &str, password: &str) -> Result<Self, CredentialsError> {
        Ok(self.plain_credentials(PlainCredentials::new(username, password)?))
    }

    /// As [`plain_client`](Self::plain_client), with credentials of any octets.
    pub fn plain_credentials(mut self, credentials: PlainCredentials) -> Self {
        let mechanism = MechanismConfig::PlainClient(credentials);
        self.options.security.choose(mechanism);
        self
    }

    /// Encrypts with CURVE, and proves to clients that this is the server with the public key of
    /// `key_pair`.
    ///
    /// The [authenticator](Self::authenticator) decides which keys of clients come in; there has to
    /// be one. libzmq lets in every key where nobody decides; here
    /// [`AnyKey`](crate::authenticator::AnyKey) says so.
    #[cfg(feature = "curve")]
    pub fn curve_server(mut self, key_pair: KeyPair) -> Self {
        let server = CurveServer::new(key_pair, Authentication::Required);
        let mechanism = MechanismConfig::CurveServer(server);
        self.options.security.choose(mechanism);
        self
    }

    /// Encrypts with CURVE, to servers with the public key `server_key` only, and proves to them
    /// that this is the client with the public key of `key_pair`.
    ///
    /// A client whose key nobody has to know takes a [new pair](KeyPair::generate).
    #[cfg(feature = "curve")]
    pub fn curve_client(mut self, server_key: PublicKey, key_pair: KeyPair) -> Self {
        let client = CurveClient::new(server_key, key_pair);
        let mechanism = MechanismConfig::CurveClient(client);
        self.options.security.choose(mechanism);
        self
    }

    /// Who decides which peers come in. Default: nobody, so that with NULL everybody does.
    ///
    /// With NULL it decides by the address of the peer; with PLAIN and CURVE the server has one, and
    /// the client must not.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        let authenticator = Arc::new(authenticator);
        self.options.security.set_authenticator(authenticator);
        self
    }

    /// The name of the set of credentials that the authenticator shall look into. Default: none.
    ///
    /// It is told to the [authenticator](Self::authenticator), as
    /// [`Candidate::domain`](crate::authenticator::Candidate::domain), and means what that makes of
    /// it: the ready-made ones do not look at it, and peers do not see it.
    ///
    /// # Errors
    ///
    /// Returns a [`DomainError`] unless the name has 1 to 255 printable ASCII characters.
    pub fn zap_domain(mut self, domain: &str) -> Result<Self, DomainError> {
        self.options.security.set_domain(Domain::new(domain)?);
        Ok(self)
    }
}
