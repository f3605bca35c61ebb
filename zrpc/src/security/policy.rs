//! What clients and servers are built with.

use std::sync::Arc;

use zmtp::authenticator::Authenticator;
#[cfg(feature = "curve")]
use zmtp::curve::{KeyPair, PublicKey};
use zmtp::mechanism::{CredentialsError, PlainCredentials};
use zmtp::zap::{Domain, DomainError};
use zmtp::{Builder, Socket};

use crate::OptionError;

/// How the connections of a client or server are secured: one mechanism, and what it takes.
///
/// The default is NULL: no encryption, and everybody comes in. Peers with another mechanism, or with
/// the same role in it, are refused. Nothing of this applies to `inproc` endpoints, whose peers are
/// part of the same program.
///
/// Secrets are neither shown by `Debug` nor in any error.
#[derive(Debug, Clone, Default)]
#[must_use = "it does nothing until a builder has it"]
pub struct Security {
    mechanism: Mechanism,
    domain: Option<Domain>,
}

#[derive(Debug, Clone, Default)]
enum Mechanism {
    #[default]
    Null,
    NullServer(Arc<dyn Authenticator>),
    PlainServer(Arc<dyn Authenticator>),
    PlainClient(PlainCredentials),
    #[cfg(feature = "curve")]
    CurveServer(KeyPair, Arc<dyn Authenticator>),
    #[cfg(feature = "curve")]
    CurveClient(PublicKey, KeyPair),
}

impl Security {
    /// No encryption, and everybody comes in. The default.
    pub fn null() -> Self {
        Self::default()
    }

    /// No encryption; `authenticator` decides by the address of the peer who comes in.
    pub fn null_server(authenticator: impl Authenticator) -> Self {
        Self::with(Mechanism::NullServer(Arc::new(authenticator)))
    }

    /// Asks peers for a user name and a password, about which `authenticator` decides.
    ///
    /// PLAIN encrypts nothing: it is for networks that are secured by other means.
    pub fn plain_server(authenticator: impl Authenticator) -> Self {
        Self::with(Mechanism::PlainServer(Arc::new(authenticator)))
    }

    /// Shows peers a user name and a password, of up to 255 printable ASCII characters without spaces
    /// each.
    ///
    /// PLAIN encrypts nothing: it is for networks that are secured by other means. The other side
    /// proves nothing, so that whoever binds with this tells the password to **whoever connects**:
    /// let it bind only where nobody else can connect.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] for other characters, and for more of them.
    pub fn plain_client(username: &str, password: &str) -> Result<Self, CredentialsError> {
        Ok(Self::plain_credentials(PlainCredentials::new(
            username, password,
        )?))
    }

    /// As [`plain_client`](Self::plain_client), with credentials of any octets.
    pub fn plain_credentials(credentials: PlainCredentials) -> Self {
        Self::with(Mechanism::PlainClient(credentials))
    }

    /// Encrypts with CURVE, and proves to peers that this is the owner of `key_pair`, whose public
    /// half they know. `authenticator` decides which keys of theirs come in; [`AnyKey`] lets in all.
    ///
    /// [`AnyKey`]: zmtp::authenticator::AnyKey
    #[cfg(feature = "curve")]
    pub fn curve_server(key_pair: KeyPair, authenticator: impl Authenticator) -> Self {
        Self::with(Mechanism::CurveServer(key_pair, Arc::new(authenticator)))
    }

    /// Encrypts with CURVE, to peers with the public key `server_key` only, and proves to them that
    /// this is the owner of `key_pair`.
    #[cfg(feature = "curve")]
    pub fn curve_client(server_key: PublicKey, key_pair: KeyPair) -> Self {
        Self::with(Mechanism::CurveClient(server_key, key_pair))
    }

    /// As [`curve_client`](Self::curve_client) with a key pair that is made now and that nobody
    /// knows, for servers that let in everybody.
    ///
    /// # Panics
    ///
    /// If the operating system has no random octets.
    #[cfg(feature = "curve")]
    pub fn curve_anonymous(server_key: PublicKey) -> Self {
        Self::curve_client(server_key, KeyPair::generate())
    }

    /// Tells the authenticator which set of credentials to look into, as
    /// [`Candidate::domain`](zmtp::authenticator::Candidate::domain). Peers do not see it. Without
    /// an authenticator the client or server is not built.
    ///
    /// # Errors
    ///
    /// [`DomainError`] unless the name has 1 to 255 printable ASCII characters.
    pub fn with_domain(mut self, domain: &str) -> Result<Self, DomainError> {
        self.domain = Some(Domain::new(domain)?);
        Ok(self)
    }

    /// Says what makes no sense together.
    pub(crate) fn check(&self) -> Result<(), OptionError> {
        let has_authenticator = match &self.mechanism {
            Mechanism::Null | Mechanism::PlainClient(_) => false,
            Mechanism::NullServer(_) | Mechanism::PlainServer(_) => true,
            #[cfg(feature = "curve")]
            Mechanism::CurveServer(..) => true,
            #[cfg(feature = "curve")]
            Mechanism::CurveClient(..) => false,
        };
        #[cfg(feature = "curve")]
        if let Mechanism::CurveClient(server_key, _) = &self.mechanism
            && server_key.is_weak()
        {
            return Err(OptionError::WeakServerKey);
        }
        match self.domain {
            Some(_) if !has_authenticator => Err(OptionError::DomainWithoutAuthenticator),
            _ => Ok(()),
        }
    }

    /// The least octets that a command of the handshake must be allowed to have for any peer to come
    /// in, where what it says of its socket type takes so many.
    pub(crate) fn min_command_len(&self, socket_type_len: u64) -> u64 {
        const READY: u64 = 6;
        const INITIATE: u64 = 9;
        match &self.mechanism {
            Mechanism::Null | Mechanism::NullServer(_) | Mechanism::PlainClient(_) => {
                READY + socket_type_len
            }
            Mechanism::PlainServer(_) => INITIATE + socket_type_len,
            // Cookie, nonce, box, key, nonce and box of the vouch.
            #[cfg(feature = "curve")]
            Mechanism::CurveServer(..) => INITIATE + 96 + 8 + 16 + 32 + 16 + 80 + socket_type_len,
            // WELCOME: its name, a nonce, a box, a key and the cookie.
            #[cfg(feature = "curve")]
            Mechanism::CurveClient(..) => 8 + 16 + 16 + 32 + 96,
        }
    }

    /// Secures a socket of `zmtp` as clients and servers are secured, for what stands between them.
    ///
    /// # Errors
    ///
    /// [`OptionError::DomainWithoutAuthenticator`] and [`OptionError::WeakServerKey`], as builders
    /// report them.
    ///
    /// # Example
    ///
    /// ```
    /// use zmtp::{DealerSocket, Proxy, RouterSocket, Socket};
    /// use zrpc::security::{Passwords, Security};
    ///
    /// let mut passwords = Passwords::new();
    /// passwords.insert("ann", "secret")?;
    /// let clients = Security::plain_server(passwords).apply(RouterSocket::builder())?;
    /// let proxy = Proxy::new(clients.build(), DealerSocket::new());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[expect(
        clippy::missing_panics_doc,
        reason = "it cannot panic: the name was checked when it was set"
    )]
    pub fn apply<S: Socket>(self, builder: Builder<S>) -> Result<Builder<S>, OptionError> {
        self.check()?;
        let builder = match &self.domain {
            // The name was checked when it was set; without it nobody would come in.
            Some(domain) => builder
                .zap_domain(domain.as_str())
                .expect("a domain is a legal name"),
            None => builder,
        };
        Ok(match self.mechanism {
            Mechanism::Null => builder,
            Mechanism::NullServer(authenticator) => builder.authenticator(authenticator),
            Mechanism::PlainServer(authenticator) => {
                builder.plain_server().authenticator(authenticator)
            }
            Mechanism::PlainClient(credentials) => builder.plain_credentials(credentials),
            #[cfg(feature = "curve")]
            Mechanism::CurveServer(key_pair, authenticator) => {
                builder.curve_server(key_pair).authenticator(authenticator)
            }
            #[cfg(feature = "curve")]
            Mechanism::CurveClient(server_key, key_pair) => {
                builder.curve_client(server_key, key_pair)
            }
        })
    }

    fn with(mechanism: Mechanism) -> Self {
        Self {
            mechanism,
            domain: None,
        }
    }
}
