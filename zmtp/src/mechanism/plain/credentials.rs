//! User names and passwords.

use std::fmt;

use thiserror::Error;

use crate::mechanism::secret::Secret;

/// A user name and a password, of up to 255 octets each.
///
/// Both are wiped from memory when they are dropped, compared in constant time, and never shown.
#[derive(Clone)]
pub struct PlainCredentials {
    username: Secret,
    password: Secret,
}

/// Misuse: a user name or a password cannot be sent.
///
/// It never tells which octets are wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// One of them does not fit behind its length octet.
    #[error("user name or password of {len} octets exceeds the limit of {limit}")]
    TooLong {
        /// Its length.
        len: usize,
        /// The longest that can be sent.
        limit: usize,
    },
    /// One of them has a character other than the printable ones of ASCII, or a space.
    #[error("user name or password has a character that the protocol does not allow")]
    InvalidCharacter,
}

impl PlainCredentials {
    /// Returns credentials of printable ASCII characters without spaces, as the protocol has them.
    ///
    /// # Errors
    ///
    /// Returns a [`CredentialsError`] for other characters, and for more than 255 of them
    /// `[PLAIN-004]`.
    pub fn new(username: &str, password: &str) -> Result<Self, CredentialsError> {
        let mut octets = username.bytes().chain(password.bytes());
        if !octets.all(|octet| octet.is_ascii_graphic()) {
            return Err(CredentialsError::InvalidCharacter);
        }
        Self::from_octets(username.as_bytes(), password.as_bytes())
    }

    /// Returns credentials of any octets, for peers that accept more than the protocol allows.
    ///
    /// # Errors
    ///
    /// Returns [`CredentialsError::TooLong`] for more than 255 octets.
    pub fn from_octets(username: &[u8], password: &[u8]) -> Result<Self, CredentialsError> {
        Ok(Self {
            username: Secret::new(username)?,
            password: Secret::new(password)?,
        })
    }

    /// Returns the user name, which a peer may have made of any octets.
    ///
    /// Keep it out of logs: people type passwords into the wrong field.
    pub fn expose_username(&self) -> &[u8] {
        self.username.expose()
    }

    /// Returns the password: the secret itself.
    pub fn expose_password(&self) -> &[u8] {
        self.password.expose()
    }
}

impl PartialEq for PlainCredentials {
    fn eq(&self, other: &Self) -> bool {
        // Both are compared, whatever comes of the first.
        (self.username == other.username) & (self.password == other.password)
    }
}

impl Eq for PlainCredentials {}

impl fmt::Debug for PlainCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainCredentials(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // PLAIN-004
    #[test]
    fn only_printable_characters_are_legal_by_default() {
        assert!(PlainCredentials::new("", "").is_ok());
        assert!(PlainCredentials::new("admin!~", "secret").is_ok());
        for (username, password) in [("a b", ""), ("", "a\0"), ("\x7f", ""), ("", "é")] {
            assert_eq!(
                PlainCredentials::new(username, password),
                Err(CredentialsError::InvalidCharacter)
            );
        }
        let any = PlainCredentials::from_octets(b"\xff\xfe", b"a b").unwrap();
        assert_eq!(any.expose_username(), b"\xff\xfe");
        assert_eq!(any.expose_password(), b"a b");
    }

    // PLAIN-003
    #[test]
    fn longer_than_255_octets_is_too_long() {
        let error = CredentialsError::TooLong {
            len: 256,
            limit: 255,
        };
        let long = "x".repeat(256);
        assert_eq!(PlainCredentials::new(&long, ""), Err(error.clone()));
        assert_eq!(PlainCredentials::new("", &long), Err(error));
        assert!(PlainCredentials::new(&long[1..], &long[1..]).is_ok());
    }

    // PLAIN-022
    #[test]
    fn credentials_are_not_shown() {
        let credentials = PlainCredentials::new("admin", "secret").unwrap();
        assert_eq!(format!("{credentials:#?}"), "PlainCredentials(..)");
    }
}
