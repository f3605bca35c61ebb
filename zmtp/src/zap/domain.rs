//! The name of a set of credentials.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::zap::envelope::MAX_LEN;

/// Which set of credentials a server wants a client to be in: 1 to 255 printable ASCII characters
/// `[ZAP-011]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Domain(Box<str>);

/// Why a text is not a [`Domain`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DomainError {
    /// It is empty.
    #[error("ZAP domain is empty")]
    Empty,
    /// It is longer than ZAP allows.
    #[error("ZAP domain of {len} octets exceeds the limit of {limit}")]
    TooLong {
        /// The length in octets.
        len: usize,
        /// The longest domain.
        limit: usize,
    },
    /// It has a character that is not printable ASCII.
    #[error("ZAP domain has a character at offset {offset} that is not printable ASCII")]
    Character {
        /// The place of the first such character.
        offset: usize,
    },
}

impl Domain {
    /// Returns the domain of this name.
    ///
    /// # Errors
    ///
    /// Returns a [`DomainError`] if the name is empty, too long, or not printable ASCII.
    pub fn new(name: &str) -> Result<Self, DomainError> {
        let (len, limit) = (name.len(), MAX_LEN);
        if len == 0 {
            return Err(DomainError::Empty);
        }
        if len > limit {
            return Err(DomainError::TooLong { len, limit });
        }
        let is_legal = |c: char| c.is_ascii_graphic() || c == ' ';
        if let Some(offset) = name.find(|c: char| !is_legal(c)) {
            return Err(DomainError::Character { offset });
        }
        Ok(Self(name.into()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(name: &str) -> Result<Self, DomainError> {
        Self::new(name)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // ZAP-011, ZAP-017
    #[test]
    fn a_domain_is_short_printable_and_not_empty() {
        for name in ["a", "two words", &"d".repeat(255)] {
            assert_eq!(Domain::new(name).unwrap().as_str(), name);
        }
        let (len, limit) = (256, 255);
        for (name, error) in [
            ("", DomainError::Empty),
            (&"d".repeat(256), DomainError::TooLong { len, limit }),
            ("a\n", DomainError::Character { offset: 1 }),
            ("aé", DomainError::Character { offset: 1 }),
        ] {
            assert_eq!(name.parse::<Domain>(), Err(error));
        }
    }
}
