//! What the two sides of CURVE need to know.

use std::sync::Arc;

use crate::curve::{KeyPair, PublicKey};
use crate::mechanism::Authentication;

/// A client: it knows the server's public key, and proves who it is itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurveClient {
    server_key: PublicKey,
    // Behind a reference, so that each connection does not have a copy of the secret.
    key_pair: Arc<KeyPair>,
}

/// A server: it proves that it has the secret key which clients expect, and learns theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurveServer {
    key_pair: Arc<KeyPair>,
    authentication: Authentication,
}

impl CurveClient {
    /// Returns a client of the server that has the secret key to `server_key` `[CURVE-004]`.
    ///
    /// Nobody has one to a key that [is weak](PublicKey::is_weak): the handshake fails then.
    pub fn new(server_key: PublicKey, key_pair: KeyPair) -> Self {
        Self {
            server_key,
            key_pair: Arc::new(key_pair),
        }
    }

    /// Returns the public key of the server.
    pub const fn server_key(&self) -> &PublicKey {
        &self.server_key
    }

    /// Returns the long-term keys of the client.
    pub fn key_pair(&self) -> &KeyPair {
        &self.key_pair
    }
}

impl CurveServer {
    /// Returns a server with these long-term keys.
    ///
    /// With [`Authentication::NotRequired`] whoever knows its public key may come in, with any key
    /// of its own `[CURVE-037]`.
    pub fn new(key_pair: KeyPair, authentication: Authentication) -> Self {
        Self {
            key_pair: Arc::new(key_pair),
            authentication,
        }
    }

    /// Returns the long-term keys of the server.
    pub fn key_pair(&self) -> &KeyPair {
        &self.key_pair
    }

    /// Returns whether somebody has to decide about the keys of clients.
    pub const fn authentication(&self) -> Authentication {
        self.authentication
    }
}
