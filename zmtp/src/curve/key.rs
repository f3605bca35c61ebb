//! Public keys.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use subtle::ConstantTimeEq;
use thiserror::Error;
use x25519_dalek::{PublicKey as Point, StaticSecret};

use crate::wire::z85::{self, Z85Error};

/// The length of a key in octets.
pub(super) const KEY_LEN: usize = 32;

/// The length of a key as text, in characters.
pub(super) const KEY_TEXT_LEN: usize = 40;

/// The public half of a [`KeyPair`](crate::curve::KeyPair): who somebody is.
///
/// Shown and read as Z85. Whether two keys are equal takes the same time wherever they differ; their order
/// does not.
///
/// ```
/// use zmtp::curve::PublicKey;
///
/// let key: PublicKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID".parse()?;
/// assert_eq!(key.as_octets()[0], 0xbb);
/// # Ok::<(), zmtp::curve::KeyError>(())
/// ```
#[derive(Clone, Copy)]
pub struct PublicKey([u8; KEY_LEN]);

/// Why something is not a key.
///
/// It never tells what was there instead: that may be a secret in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A key in binary form has another length.
    #[error("a key has {KEY_LEN} octets, not {len}")]
    Length {
        /// The length in octets.
        len: usize,
    },
    /// A key in text form has another length.
    #[error("the text of a key has {KEY_TEXT_LEN} characters, not {len}")]
    TextLength {
        /// The length in octets.
        len: usize,
    },
    /// The text of a key is not Z85.
    #[error("the text of a key is not Z85")]
    Z85(#[source] Z85Error),
    /// The public key belongs to another secret key.
    #[error("the public key belongs to another secret key")]
    Mismatch,
}

impl PublicKey {
    /// Returns the key with these octets, whatever they are.
    ///
    /// Keys with which no secret can be agreed [are weak](Self::is_weak).
    pub const fn from_octets(octets: [u8; KEY_LEN]) -> Self {
        Self(octets)
    }

    /// Returns true for a key with which no secret can be agreed, such as 32 zero octets: everybody
    /// would know it. Nobody has such a key honestly, and handshakes refuse it `[CURVE-005]`.
    pub fn is_weak(&self) -> bool {
        // What is of low order agrees on zero with every secret key.
        let any = StaticSecret::from([1; KEY_LEN]);
        let agreed = any.diffie_hellman(&Point::from(self.0));
        !agreed.was_contributory()
    }

    /// Returns the octets.
    pub const fn as_octets(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}

impl TryFrom<&[u8]> for PublicKey {
    type Error = KeyError;

    fn try_from(octets: &[u8]) -> Result<Self, KeyError> {
        let len = octets.len();
        let octets = octets.try_into().map_err(|_| KeyError::Length { len })?;
        Ok(Self(octets))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut octets = [0; KEY_LEN];
        decode(text, &mut octets)?;
        Ok(Self(octets))
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    /// Compares the octets.
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The length is a multiple of four, so this does not fail.
        f.pad(&z85::encode(&self.0).map_err(|_| fmt::Error)?)
    }
}

/// As its text.
#[cfg(feature = "serde")]
impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// Reads the text of a key `[CURVE-065]` `[Z85-016]`.
pub(super) fn decode(text: &str, octets: &mut [u8; KEY_LEN]) -> Result<(), KeyError> {
    if text.len() != KEY_TEXT_LEN {
        return Err(KeyError::TextLength { len: text.len() });
    }
    z85::decode_into(text.as_bytes(), octets).map_err(KeyError::Z85)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const TEXT: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

    // Z85-016
    #[test]
    fn text_and_octets_are_two_forms_of_one_key() {
        let key: PublicKey = TEXT.parse().unwrap();
        assert_eq!(key.to_string(), TEXT);
        assert_eq!(PublicKey::from_octets(*key.as_octets()), key);
        assert_eq!(PublicKey::try_from(key.as_octets().as_slice()), Ok(key));
        assert_eq!(format!("{key:?}"), format!("PublicKey({TEXT})"));
    }

    // CURVE-065, Z85-016
    #[test]
    fn other_lengths_are_no_keys() {
        for len in [0, 31, 33, 40, 64] {
            let octets = vec![1; len];
            let error = PublicKey::try_from(octets.as_slice()).unwrap_err();
            assert_eq!(error, KeyError::Length { len });
        }
        for len in [0, 32, 35, 39, 41, 45] {
            let error = "0".repeat(len).parse::<PublicKey>().unwrap_err();
            assert_eq!(error, KeyError::TextLength { len });
        }
    }

    // CURVE-065
    #[test]
    fn a_text_with_other_characters_is_no_key() {
        let text = TEXT.replace('@', "~");
        let error = text.parse::<PublicKey>().unwrap_err();
        assert_eq!(error, KeyError::Z85(Z85Error::Character { offset: 3 }));
    }

    #[test]
    fn keys_differ_in_any_octet() {
        let key: PublicKey = TEXT.parse().unwrap();
        for at in 0..KEY_LEN {
            let mut octets = *key.as_octets();
            octets[at] ^= 1;
            let other = PublicKey::from_octets(octets);
            assert_ne!(other, key);
            assert_eq!(other.cmp(&key), octets.cmp(key.as_octets()));
            assert_eq!(HashSet::from([key, other, key]).len(), 2);
        }
    }

    // CURVE-005
    #[test]
    fn keys_of_low_order_are_weak() {
        let mut one = [0; KEY_LEN];
        one[0] = 1;
        let mut minus_one = [0xff; KEY_LEN];
        (minus_one[0], minus_one[31]) = (0xec, 0x7f);
        // Of order eight.
        let eighth = [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
            0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
            0x5f, 0x49, 0xb8, 0x00,
        ];
        for octets in [[0; KEY_LEN], one, minus_one, eighth] {
            assert!(PublicKey::from_octets(octets).is_weak(), "{octets:x?}");
        }
        assert!(!TEXT.parse::<PublicKey>().unwrap().is_weak());
    }
}
