//! The name of a security mechanism as it stands in a greeting.

use std::fmt;

use thiserror::Error;

/// The mechanism field of a greeting: 20 octets.
///
/// Two names are equal if all 20 octets are `[ZMTP31-008]`. A field that a peer sent may hold
/// anything; one that is made by [`new`](Self::new) is a legal name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MechanismName([u8; Self::LEN]);

/// Why a text is not the name of a mechanism.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MechanismNameError {
    /// Misuse: the name is empty.
    #[error("mechanism name is empty")]
    Empty,
    /// Misuse: the name is longer than its field.
    #[error("mechanism name of {len} octets exceeds the limit of {limit}")]
    TooLong {
        /// The length of the name.
        len: usize,
        /// The length of the field.
        limit: usize,
    },
    /// Misuse: the name has a character other than `A` to `Z`, `0` to `9`, `-`, `_`, `.` and `+`.
    #[error("mechanism name has the octet '{}'", octet.escape_ascii())]
    InvalidOctet {
        /// The first such octet.
        octet: u8,
    },
}

impl MechanismName {
    /// The length of the field.
    pub const LEN: usize = 20;

    /// No security at all.
    pub const NULL: Self = Self(*b"NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    /// A user name and a password in clear text.
    pub const PLAIN: Self = Self(*b"PLAIN\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    /// Encryption and authentication with elliptic-curve keys.
    pub const CURVE: Self = Self(*b"CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");

    /// Returns the field for `name`.
    ///
    /// # Errors
    ///
    /// Returns a [`MechanismNameError`] if the protocol does not allow the name `[ZMTP31-006]`.
    pub fn new(name: &str) -> Result<Self, MechanismNameError> {
        let octets = name.as_bytes();
        if octets.is_empty() {
            return Err(MechanismNameError::Empty);
        }
        if let Some(&octet) = octets.iter().find(|&&octet| !is_name_octet(octet)) {
            return Err(MechanismNameError::InvalidOctet { octet });
        }
        let mut field = [0; Self::LEN];
        field
            .get_mut(..octets.len())
            .ok_or(MechanismNameError::TooLong {
                len: octets.len(),
                limit: Self::LEN,
            })?
            .copy_from_slice(octets);
        Ok(Self(field))
    }

    /// Returns the field as a peer sent it, whatever it holds.
    pub const fn from_octets(octets: [u8; Self::LEN]) -> Self {
        Self(octets)
    }

    /// Returns the whole field.
    pub const fn as_octets(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Returns the field without the zeros that fill its end.
    pub fn name(&self) -> &[u8] {
        let len = self
            .0
            .iter()
            .rposition(|&octet| octet != 0)
            .map_or(0, |last| last.saturating_add(1));
        self.0.get(..len).unwrap_or_default()
    }
}

impl fmt::Display for MechanismName {
    /// Writes the name, with everything escaped that is not printable ASCII.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().escape_ascii().fmt(f)
    }
}

impl fmt::Debug for MechanismName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MechanismName({self})")
    }
}

fn is_name_octet(octet: u8) -> bool {
    matches!(octet, b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_names_are_padded_with_zeros() {
        assert_eq!(MechanismName::new("NULL"), Ok(MechanismName::NULL));
        assert_eq!(MechanismName::new("PLAIN"), Ok(MechanismName::PLAIN));
        assert_eq!(MechanismName::new("CURVE"), Ok(MechanismName::CURVE));
        let longest = "ABCDEFGHIJ0123456-_+";
        assert_eq!(
            MechanismName::new(longest).unwrap().name(),
            longest.as_bytes()
        );
    }

    #[test]
    fn names_that_the_protocol_forbids_are_refused() {
        // [ZMTP31-006]
        assert_eq!(MechanismName::new(""), Err(MechanismNameError::Empty));
        for (name, octet) in [("null", b'n'), ("A B", b' '), ("A\0", 0)] {
            let error = MechanismNameError::InvalidOctet { octet };
            assert_eq!(MechanismName::new(name), Err(error));
        }
        assert_eq!(
            MechanismName::new("ABCDEFGHIJKLMNOPQRSTU"),
            Err(MechanismNameError::TooLong { len: 21, limit: 20 })
        );
    }

    #[test]
    fn all_twenty_octets_are_compared() {
        // [ZMTP31-008]
        for name in [&b"null"[..], b"NULL\0x", b"NULL "] {
            let mut field = [0; 20];
            field[..name.len()].copy_from_slice(name);
            let name = MechanismName::from_octets(field);
            assert_ne!(name, MechanismName::NULL);
        }
    }

    #[test]
    fn display_escapes_what_a_peer_sent() {
        let mut field = *MechanismName::NULL.as_octets();
        assert_eq!(MechanismName::NULL.to_string(), "NULL");
        field[5] = 0x1b;
        let name = MechanismName::from_octets(field);
        assert_eq!(name.to_string(), "NULL\\x00\\x1b");
        assert_eq!(format!("{name:?}"), "MechanismName(NULL\\x00\\x1b)");
    }
}
