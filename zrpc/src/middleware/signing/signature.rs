//! What is signed, and how the signature is written.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::SigningKey;

/// The name of the header entry.
pub(super) const ENTRY: &str = "signature";

/// What a request, or a published event, is signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) key: String,
    /// Milliseconds since 1970.
    pub(super) time: u64,
    pub(super) nonce: Fixed<16>,
    mac: Fixed<32>,
}

/// Bytes of a fixed number, which are binary in msgpack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fixed<const N: usize>(pub(super) [u8; N]);

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content<'a> {
    pub(super) message_id: &'a [u8],
    pub(super) method: &'a str,
    /// As msgpack.
    pub(super) args: &'a [u8],
}

/// Keeps what is signed here apart from whatever else is signed with the same key.
const DOMAIN: &[u8] = b"zrpc-signature-1\0";

impl Signature {
    pub(super) fn new(
        key: &SigningKey,
        content: Content<'_>,
        time: u64,
        nonce: [u8; 16],
    ) -> Option<Self> {
        let mut signature = Self {
            key: key.id().to_owned(),
            time,
            nonce: Fixed(nonce),
            mac: Fixed([0; 32]),
        };
        let mac = signature.mac(key, content)?;
        signature.mac = Fixed(mac.finalize().into_bytes().into());
        Some(signature)
    }

    /// Returns whether the signature was made with this key for this content. Takes the same time
    /// whichever of its bytes are wrong.
    pub(super) fn is_valid(&self, key: &SigningKey, content: Content<'_>) -> bool {
        self.mac(key, content)
            .is_some_and(|mac| mac.verify_slice(&self.mac.0).is_ok())
    }

    /// `None` never: HMAC takes keys of any length.
    fn mac(&self, key: &SigningKey, content: Content<'_>) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.secret()).ok()?;
        mac.update(DOMAIN);
        let parts = [
            self.key.as_bytes(),
            content.message_id,
            content.method.as_bytes(),
            content.args,
        ];
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.update(&self.time.to_be_bytes());
        mac.update(&self.nonce.0);
        Some(mac)
    }
}

impl<const N: usize> Serialize for Fixed<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(FixedVisitor::<N>)
    }
}

struct FixedVisitor<const N: usize>;

impl<const N: usize> serde::de::Visitor<'_> for FixedVisitor<N> {
    type Value = Fixed<N>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Fixed<N>, E> {
        let fixed = <[u8; N]>::try_from(bytes);
        fixed
            .map(Fixed)
            .map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

/// What [`Signature`] is read as: an array, as it is written in other languages too.
pub(super) type Written = (String, u64, Fixed<16>, Fixed<32>);

impl From<Written> for Signature {
    fn from((key, time, nonce, mac): Written) -> Self {
        Self {
            key,
            time,
            nonce,
            mac,
        }
    }
}

impl Signature {
    /// Returns the value of the header entry.
    pub(super) fn written(&self) -> Written {
        (self.key.clone(), self.time, self.nonce, self.mac)
    }
}
