//! The secret that signer and verifier share.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// A secret key with a name.
///
/// It is wiped from memory with its last copy, and never printed.
#[derive(Clone)]
pub struct SigningKey {
    id: Arc<str>,
    secret: Arc<Zeroizing<Vec<u8>>>,
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// The secret is too short to be one.
    #[error("secret has {len} bytes, fewer than {min}")]
    TooShort {
        /// How long it is.
        len: usize,
        /// [`SigningKey::MIN_LEN`].
        min: usize,
    },
    /// The name is empty or too long.
    #[error("name of the key has {len} bytes, not 1 to {max}")]
    IdLength {
        /// How long it is.
        len: usize,
        /// [`SigningKey::MAX_ID_LEN`].
        max: usize,
    },
}

impl SigningKey {
    /// The shortest secret, in bytes. Random ones of 32 bytes are best.
    pub const MIN_LEN: usize = 16;

    /// The longest name of a key, in bytes. It comes with every request.
    pub const MAX_ID_LEN: usize = 64;

    /// Makes a key. Its name goes with each signature, and tells the verifier which key to use.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError`]: the name or the secret does not have the right length.
    pub fn new(id: impl Into<String>, secret: impl Into<Vec<u8>>) -> Result<Self, SigningKeyError> {
        let (id, secret) = (id.into(), Zeroizing::new(secret.into()));
        if secret.len() < Self::MIN_LEN {
            return Err(SigningKeyError::TooShort {
                len: secret.len(),
                min: Self::MIN_LEN,
            });
        }
        if id.is_empty() || id.len() > Self::MAX_ID_LEN {
            return Err(SigningKeyError::IdLength {
                len: id.len(),
                max: Self::MAX_ID_LEN,
            });
        }
        Ok(Self {
            id: id.into(),
            secret: Arc::new(secret),
        })
    }

    /// Returns the name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_none_are_refused() {
        let short = SigningKey::new("a", [0; 15]).unwrap_err();
        assert_eq!(short, SigningKeyError::TooShort { len: 15, min: 16 });
        for id in [String::new(), "x".repeat(65)] {
            let error = SigningKey::new(id, [0; 32]).unwrap_err();
            assert!(matches!(error, SigningKeyError::IdLength { .. }), "{error}");
        }
    }

    #[test]
    fn the_secret_is_not_printed() {
        let key = SigningKey::new("a", *b"0123456789abcdef").unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey { id: \"a\", .. }");
    }
}
