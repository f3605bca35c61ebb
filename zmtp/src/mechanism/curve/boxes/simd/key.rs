//! One key for the cipher and, through its first octets, the tag.

use subtle::ConstantTimeEq as _;

use super::poly1305::{self, tag};
use super::salsa20::{self, BATCH_LEN, xor};
use crate::mechanism::curve::boxes::{Forged, TAG_LEN};

/// A key of Salsa20.
pub(in super::super) struct Key(salsa20::Key);

impl Key {
    pub(in super::super) fn new(octets: &[u8; 32]) -> Self {
        Self(salsa20::Key::new(octets))
    }

    /// Returns the key that HSalsa20 derives from this one and `input`.
    pub(in super::super) fn derive(&self, input: &[u8; 16]) -> Self {
        Self(self.0.derive(input))
    }

    /// Encrypts `octets` in place and returns the tag.
    pub(in super::super) fn seal(&self, nonce: &[u8; 8], octets: &mut [u8]) -> [u8; TAG_LEN] {
        let mut stream = self.0.stream(nonce);
        let batch = stream.take(poly1305::KEY_LEN.saturating_add(octets.len()));
        let (tag_key, first) = split_batch(&batch);
        let (head, tail) = octets.split_at_mut(octets.len().min(first.len()));
        xor(head, first);
        stream.apply(tail);
        tag(self.0.level(), tag_key, octets)
    }

    /// Decrypts `octets` in place if the tag is theirs; otherwise they are left alone.
    pub(in super::super) fn open(
        &self,
        nonce: &[u8; 8],
        theirs: &[u8; TAG_LEN],
        octets: &mut [u8],
    ) -> Result<(), Forged> {
        let mut stream = self.0.stream(nonce);
        let batch = stream.take(poly1305::KEY_LEN.saturating_add(octets.len()));
        let (tag_key, first) = split_batch(&batch);
        // [CURVE-062] In a time that does not depend on where they differ.
        if !bool::from(tag(self.0.level(), tag_key, octets).ct_eq(theirs)) {
            return Err(Forged);
        }
        let (head, tail) = octets.split_at_mut(octets.len().min(first.len()));
        xor(head, first);
        stream.apply(tail);
        Ok(())
    }
}

/// The key of the tag, and what of the key stream is left for the octets.
fn split_batch(batch: &[u8; BATCH_LEN]) -> (&[u8; poly1305::KEY_LEN], &[u8]) {
    batch
        .split_first_chunk()
        .expect("a batch is longer than a key")
}
