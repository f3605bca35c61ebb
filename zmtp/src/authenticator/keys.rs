//! Letting clients of CURVE in by their keys.

use std::collections::HashMap;
use std::fmt;

use crate::authenticator::decide::decided;
use crate::authenticator::{Authenticator, Candidate, Deciding};
use crate::curve::{Certificate, PublicKey};
use crate::mechanism::{Credentials, Decision, Denial};
use crate::message::Part;
use crate::wire::metadata::Metadata;

/// Knows public keys, and lets in whoever has the secret key of one. Peers with another mechanism
/// stay out.
///
/// The text of the key becomes the user id. The metadata of the certificate are attached to the
/// connection, as far as their names are legal there.
#[derive(Clone, Default)]
pub struct PublicKeys {
    keys: HashMap<PublicKey, Metadata>,
}

/// Lets in everybody who speaks CURVE, with whatever key.
///
/// Connections are encrypted then, and peers know that this is the server they meant; but who they
/// are is not checked. The text of the key becomes the user id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing to choose")]
pub struct AnyKey;

impl PublicKeys {
    /// Returns an authenticator that knows nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key.
    pub fn insert(&mut self, public_key: PublicKey) {
        self.insert_certificate(&Certificate::new(public_key));
    }

    /// Adds the key of a certificate, or gives it other metadata.
    pub fn insert_certificate(&mut self, certificate: &Certificate) {
        let mut metadata = Metadata::new();
        for (name, value) in certificate.metadata() {
            // Certificates can have names that ZMTP has not, and names that differ in case only.
            let _ = metadata.insert(name, value);
        }
        self.keys.insert(certificate.public_key(), metadata);
    }

    /// Removes a key; connections that are there stay.
    pub fn remove(&mut self, public_key: &PublicKey) {
        self.keys.remove(public_key);
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn decide(&self, credentials: &Credentials) -> Decision {
        let Credentials::Curve { public_key } = credentials else {
            return Decision::Deny(Denial::Refused);
        };
        match self.keys.get(public_key) {
            Some(metadata) => admit(public_key, metadata.clone()),
            None => Decision::Deny(Denial::Refused),
        }
    }
}

impl Authenticator for PublicKeys {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        decided(self.decide(&candidate.credentials))
    }
}

impl Authenticator for AnyKey {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        decided(match &candidate.credentials {
            Credentials::Curve { public_key } => admit(public_key, Metadata::new()),
            _ => Decision::Deny(Denial::Refused),
        })
    }
}

impl FromIterator<PublicKey> for PublicKeys {
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        let mut set = Self::new();
        set.extend(keys);
        set
    }
}

impl Extend<PublicKey> for PublicKeys {
    fn extend<I: IntoIterator<Item = PublicKey>>(&mut self, keys: I) {
        for key in keys {
            self.insert(key);
        }
    }
}

impl fmt::Debug for PublicKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKeys")
            .field("count", &self.keys.len())
            .finish_non_exhaustive()
    }
}

fn admit(public_key: &PublicKey, metadata: Metadata) -> Decision {
    Decision::Allow {
        user_id: Some(Part::from(public_key.to_string())),
        metadata,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::endpoint::PeerAddress;

    async fn ask(authenticator: &impl Authenticator, credentials: Credentials) -> Decision {
        let address = PeerAddress::from(SocketAddr::from(([127, 0, 0, 1], 1)));
        let candidate = Candidate::new(address, credentials);
        authenticator.authenticate(&candidate).await
    }

    fn curve(octet: u8) -> Credentials {
        Credentials::Curve {
            public_key: PublicKey::from_octets([octet; 32]),
        }
    }

    // ZAP-045, CURVE-037
    #[tokio::test]
    async fn known_keys_come_in_under_their_name() {
        let known = PublicKey::from_octets([1; 32]);
        let mut certificate = Certificate::new(known);
        certificate.insert("role", "printer").unwrap();
        certificate.insert("not/legal", "in ZMTP").unwrap();
        let mut keys: PublicKeys = [PublicKey::from_octets([2; 32])].into_iter().collect();
        keys.insert_certificate(&certificate);
        assert_eq!(keys.count(), 2);

        let mut metadata = Metadata::new();
        metadata.insert("role", "printer").unwrap();
        let expected = Decision::Allow {
            user_id: Some(known.to_string().into()),
            metadata,
        };
        assert_eq!(ask(&keys, curve(1)).await, expected);
        assert!(matches!(ask(&keys, curve(2)).await, Decision::Allow { .. }));
        let refused = Decision::Deny(Denial::Refused);
        assert_eq!(ask(&keys, curve(3)).await, refused);
        assert_eq!(ask(&keys, Credentials::Null).await, refused);
        keys.remove(&known);
        assert_eq!(ask(&keys, curve(1)).await, refused);
    }

    // CURVE-037
    #[tokio::test]
    async fn any_key_is_still_a_key() {
        assert!(matches!(
            ask(&AnyKey, curve(9)).await,
            Decision::Allow { .. }
        ));
        let refused = Decision::Deny(Denial::Refused);
        assert_eq!(ask(&AnyKey, Credentials::Null).await, refused);
    }
}
