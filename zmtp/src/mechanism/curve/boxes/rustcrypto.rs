//! The cipher and the tag from the crates `salsa20` and `poly1305` of RustCrypto.

use poly1305::Poly1305;
use poly1305::universal_hash::{KeyInit as _, UniversalHash as _};
use salsa20::cipher::consts::U10;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use salsa20::{Salsa20, hsalsa};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Forged, TAG_LEN};

/// A key of Salsa20.
pub(super) struct Key(Zeroizing<salsa20::Key>);

impl Key {
    pub(super) fn new(octets: &[u8; 32]) -> Self {
        Self(Zeroizing::new((*octets).into()))
    }

    /// Returns the key that HSalsa20 derives from this one and `input`.
    pub(super) fn derive(&self, input: &[u8; 16]) -> Self {
        Self(Zeroizing::new(hsalsa::<U10>(&self.0, input.into())))
    }

    /// Encrypts `octets` in place and returns the tag.
    pub(super) fn seal(&self, nonce: &[u8; 8], octets: &mut [u8]) -> [u8; TAG_LEN] {
        let (mut stream, authenticator) = self.start(nonce);
        stream.apply_keystream(octets);
        tag(authenticator, octets).into()
    }

    /// Decrypts `octets` in place if the tag is theirs; otherwise they are left alone.
    pub(super) fn open(
        &self,
        nonce: &[u8; 8],
        theirs: &[u8; TAG_LEN],
        octets: &mut [u8],
    ) -> Result<(), Forged> {
        let (mut stream, authenticator) = self.start(nonce);
        // [CURVE-062] In a time that does not depend on where they differ.
        if !bool::from(tag(authenticator, octets).ct_eq(theirs)) {
            return Err(Forged);
        }
        stream.apply_keystream(octets);
        Ok(())
    }

    /// Returns the key stream behind the key of the tag, and what makes a tag with that.
    fn start(&self, nonce: &[u8; 8]) -> (Salsa20, Poly1305) {
        let mut stream = Salsa20::new(&self.0, nonce.into());
        let mut key = Zeroizing::new(poly1305::Key::default());
        stream.apply_keystream(&mut key);
        (stream, Poly1305::new(&key))
    }
}

/// Returns the tag of `octets`; whole blocks go in several at a time.
fn tag(mut authenticator: Poly1305, octets: &[u8]) -> poly1305::Tag {
    let (blocks, rest) = poly1305::Block::slice_as_chunks(octets);
    authenticator.update(blocks);
    authenticator.compute_unpadded(rest)
}
