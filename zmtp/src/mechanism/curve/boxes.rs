//! Boxes: encryption that shows every change, as in NaCl.
//!
//! X25519 makes a key of one secret and one public key, XSalsa20 encrypts with it, and Poly1305
//! makes a tag of the result. The tag stands in front.

use std::fmt;

use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey as Point, StaticSecret};

use super::nonce::Nonce;
pub(super) use super::poly1305::TAG_LEN;
use super::poly1305::{self, tag};
use super::salsa20::{self, BATCH_LEN, xor};
use crate::curve::{PublicKey, SecretKey};

/// A key for boxes between two keys, or under a secret of one's own.
pub(super) struct BoxKey(salsa20::Key);

/// A key for boxes whose nonces begin with the same sixteen octets.
///
/// XSalsa20 derives a key from those before it does anything else. All messages of one direction
/// share them, so this is done once for a connection.
pub(super) struct PrefixedKey(salsa20::Key);

/// A box does not open with this key and nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forged;

impl BoxKey {
    /// Returns the key for boxes between two keys; `None` if the public one is of low order, so
    /// that everybody would know the secret `[CURVE-005]`.
    pub(super) fn agree(ours: &SecretKey, theirs: &PublicKey) -> Option<Self> {
        let ours = StaticSecret::from(*ours.expose_octets());
        let secret = ours.diffie_hellman(&Point::from(*theirs.as_octets()));
        if !secret.was_contributory() {
            return None;
        }
        let key = salsa20::Key::new(secret.as_bytes());
        Some(Self(key.derive(&[0; 16])))
    }

    /// Returns the key for boxes that nobody else opens.
    pub(super) fn from_secret(octets: &[u8; 32]) -> Self {
        Self(salsa20::Key::new(octets))
    }

    /// Returns the key for nonces that begin with `prefix`.
    pub(super) fn with_prefix(&self, prefix: &[u8; 16]) -> PrefixedKey {
        PrefixedKey(self.0.derive(prefix))
    }

    /// Encrypts `octets` in place and returns the tag.
    pub(super) fn seal(&self, nonce: &Nonce, octets: &mut [u8]) -> [u8; TAG_LEN] {
        self.with_prefix(&nonce.prefix).seal(&nonce.rest, octets)
    }

    /// Decrypts `octets` in place if the tag is theirs; otherwise they are left alone.
    pub(super) fn open(
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
    pub(super) fn seal(&self, nonce: &[u8; 8], octets: &mut [u8]) -> [u8; TAG_LEN] {
        let mut stream = self.0.stream(nonce);
        let batch = stream.take(poly1305::KEY_LEN.saturating_add(octets.len()));
        let (tag_key, first) = split_batch(&batch);
        let (head, tail) = octets.split_at_mut(octets.len().min(first.len()));
        xor(head, first);
        stream.apply(tail);
        tag(tag_key, octets)
    }

    /// Decrypts `octets` in place if the tag is theirs; otherwise they are left alone.
    pub(super) fn open(
        &self,
        nonce: &[u8; 8],
        theirs: &[u8; TAG_LEN],
        octets: &mut [u8],
    ) -> Result<(), Forged> {
        let mut stream = self.0.stream(nonce);
        let batch = stream.take(poly1305::KEY_LEN.saturating_add(octets.len()));
        let (tag_key, first) = split_batch(&batch);
        // [CURVE-062] In a time that does not depend on where they differ.
        if !bool::from(tag(tag_key, octets).ct_eq(theirs)) {
            return Err(Forged);
        }
        let (head, tail) = octets.split_at_mut(octets.len().min(first.len()));
        xor(head, first);
        stream.apply(tail);
        Ok(())
    }
}

impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxKey(..)")
    }
}

/// The key of the tag, and what of the key stream is left for the octets.
fn split_batch(batch: &[u8; BATCH_LEN]) -> (&[u8; poly1305::KEY_LEN], &[u8]) {
    batch
        .split_first_chunk()
        .expect("a batch is longer than a key")
}
