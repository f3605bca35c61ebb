//! Secret keys and pairs.

use std::fmt;
use std::str::FromStr;

use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey as Point, StaticSecret};
use zeroize::ZeroizeOnDrop;

use crate::curve::key::{KEY_LEN, decode};
use crate::curve::{KeyError, PublicKey};
use crate::wire::z85;

/// The secret half of a [`KeyPair`]: whoever has it is whom the public half names.
///
/// It is wiped from memory when it is dropped, compared in constant time, and never shown: only
/// the methods whose names begin with `expose` give it away.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SecretKey([u8; KEY_LEN]);

/// A secret key and the public key that belongs to it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPair {
    public_key: PublicKey,
    secret_key: SecretKey,
}

impl SecretKey {
    /// Returns the key with these octets, which must come from a source that nobody can guess.
    ///
    /// The caller's copy is the caller's to wipe.
    pub const fn from_octets(octets: [u8; KEY_LEN]) -> Self {
        Self(octets)
    }

    /// Returns the public key that belongs to it `[CURVE-066]`.
    pub fn public_key(&self) -> PublicKey {
        let secret = StaticSecret::from(self.0);
        PublicKey::from_octets(Point::from(&secret).to_bytes())
    }

    /// Returns the octets: the secret itself.
    pub const fn expose_octets(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Returns the Z85 text: the secret itself, and the caller's to wipe.
    pub fn expose_text(&self) -> String {
        // The length is a multiple of four, so this does not fail.
        z85::encode(&self.0).unwrap_or_default()
    }
}

impl KeyPair {
    /// Returns the pair of a secret key.
    pub fn new(secret_key: SecretKey) -> Self {
        Self {
            public_key: secret_key.public_key(),
            secret_key,
        }
    }

    /// Returns the pair of two keys that were kept side by side.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::Mismatch`] if they do not belong together.
    pub fn from_keys(public_key: PublicKey, secret_key: SecretKey) -> Result<Self, KeyError> {
        let pair = Self::new(secret_key);
        if pair.public_key != public_key {
            return Err(KeyError::Mismatch);
        }
        Ok(pair)
    }

    /// Returns the public key.
    pub const fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// Returns the secret key.
    pub const fn secret_key(&self) -> &SecretKey {
        &self.secret_key
    }
}

impl From<SecretKey> for KeyPair {
    fn from(secret_key: SecretKey) -> Self {
        Self::new(secret_key)
    }
}

impl TryFrom<&[u8]> for SecretKey {
    type Error = KeyError;

    fn try_from(octets: &[u8]) -> Result<Self, KeyError> {
        let len = octets.len();
        let octets = octets.try_into().map_err(|_| KeyError::Length { len })?;
        Ok(Self(octets))
    }
}

impl FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // In its place from the start, so that nothing is left behind after an error.
        let mut key = Self([0; KEY_LEN]);
        decode(text, &mut key.0)?;
        Ok(key)
    }
}

impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretKey {}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    const SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

    fn secret() -> SecretKey {
        SECRET.parse().unwrap()
    }

    // CURVE-066
    #[test]
    fn public_key_follows_from_the_secret_one() {
        assert_eq!(secret().public_key().to_string(), PUBLIC);
        assert_eq!(KeyPair::from(secret()).public_key().to_string(), PUBLIC);
    }

    #[test]
    fn keys_that_do_not_belong_together_are_no_pair() {
        let other = SecretKey::from_octets([7; 32]).public_key();
        let error = KeyPair::from_keys(other, secret()).unwrap_err();
        assert_eq!(error, KeyError::Mismatch);
        let pair = KeyPair::from_keys(secret().public_key(), secret()).unwrap();
        assert_eq!(pair.secret_key(), &secret());
    }

    // CURVE-065
    #[test]
    fn text_is_read_and_given_on_request() {
        assert_eq!(secret().expose_text(), SECRET);
        let octets = secret().expose_octets().as_slice().to_vec();
        assert_eq!(SecretKey::try_from(octets.as_slice()), Ok(secret()));
        for len in [0, 39, 41] {
            let error = "0".repeat(len).parse::<SecretKey>().unwrap_err();
            assert_eq!(error, KeyError::TextLength { len });
        }
    }

    // CURVE-007
    #[test]
    fn secret_is_in_no_debug_output() {
        let octets = format!("{:?}", secret().expose_octets());
        for shown in [
            format!("{:?}", secret()),
            format!("{:#?}", KeyPair::from(secret())),
        ] {
            assert!(!shown.contains(SECRET));
            assert!(!shown.contains(&octets));
        }
    }
}
