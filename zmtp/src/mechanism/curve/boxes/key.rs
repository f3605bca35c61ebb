//! Keys between two sides, and nonces to use them with.

use std::fmt;

use x25519_dalek::{PublicKey as Point, StaticSecret};

#[cfg(not(feature = "curve-simd"))]
use super::rustcrypto as cipher;
#[cfg(feature = "curve-simd")]
use super::simd as cipher;
use crate::curve::{PublicKey, SecretKey};
use crate::mechanism::curve::nonce::Nonce;

/// The length of a tag.
pub(in super::super) const TAG_LEN: usize = 16;

/// A key for boxes between two keys, or under a secret of one's own.
pub(in super::super) struct BoxKey(cipher::Key);

/// A key for boxes whose nonces begin with the same sixteen octets.
///
/// XSalsa20 derives a key from those before it does anything else. All messages of one direction
/// share them, so this is done once for a connection.
pub(in super::super) struct PrefixedKey(cipher::Key);

/// A box does not open with this key and nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Forged;

impl BoxKey {
    /// Returns the key for boxes between two keys; `None` if the public one is of low order, so
    /// that everybody would know the secret `[CURVE-005]`.
    pub(in super::super) fn agree(ours: &SecretKey, theirs: &PublicKey) -> Option<Self> {
        let ours = StaticSecret::from(*ours.expose_octets());
        let secret = ours.diffie_hellman(&Point::from(*theirs.as_octets()));
        if !secret.was_contributory() {
            return None;
        }
        let key = cipher::Key::new(secret.as_bytes());
        Some(Self(key.derive(&[0; 16])))
    }

    /// Returns the key for boxes that nobody else opens.
    pub(in super::super) fn from_secret(octets: &[u8; 32]) -> Self {
        Self(cipher::Key::new(octets))
    }

    /// Returns the key for nonces that begin with `prefix`.
    pub(in super::super) fn with_prefix(&self, prefix: &[u8; 16]) -> PrefixedKey {
        PrefixedKey(self.0.derive(prefix))
    }

    /// Encrypts `octets` in place and returns the tag.
    pub(in super::super) fn seal(&self, nonce: &Nonce, octets: &mut [u8]) -> [u8; TAG_LEN] {
        self.with_prefix(&nonce.prefix).seal(&nonce.rest, octets)
    }

    /// Decrypts `octets` in place if the tag is theirs; otherwise they are left alone.
    pub(in super::super) fn open(
        &self,
        nonce: &Nonce,
        tag: &[u8; TAG_LEN],
        octets: &mut [u8],
    ) -> Result<(), Forged> {
        self.with_prefix(&nonce.prefix)
            .open(&nonce.rest, tag, octets)
    }
}

impl PrefixedKey {
    /// Encrypts `octets` in place and returns the tag.
    pub(in super::super) fn seal(&self, nonce: &[u8; 8], octets: &mut [u8]) -> [u8; TAG_LEN] {
        self.0.seal(nonce, octets)
    }

    /// Decrypts `octets` in place if the tag is theirs; otherwise they are left alone.
    pub(in super::super) fn open(
        &self,
        nonce: &[u8; 8],
        theirs: &[u8; TAG_LEN],
        octets: &mut [u8],
    ) -> Result<(), Forged> {
        self.0.open(nonce, theirs, octets)
    }
}

impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxKey(..)")
    }
}
