//! How a ROUTER names its peers.

use std::fmt;

use thiserror::Error;

use crate::message::Part;

/// The name of one peer at a ROUTER, of 1 to 255 octets.
///
/// A name that begins with a zero octet was made by the ROUTER itself; a peer cannot choose such a
/// name, so that it never collides with a generated one. A routing id says where messages go and proves
/// nothing about who is there: any peer may announce any name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RoutingId(Part);

impl RoutingId {
    /// The most octets of a routing id.
    pub const MAX_LEN: usize = 255;

    /// Takes a name that a user or a peer chose.
    ///
    /// # Errors
    ///
    /// [`RoutingIdError`] if the name is empty, too long, or reserved.
    pub fn new(name: impl Into<Part>) -> Result<Self, RoutingIdError> {
        let name = name.into();
        match name.first() {
            None => Err(RoutingIdError::Empty),
            Some(0) => Err(RoutingIdError::Reserved),
            Some(_) if name.len() > Self::MAX_LEN => {
                Err(RoutingIdError::TooLong { len: name.len() })
            }
            Some(_) => Ok(Self(name)),
        }
    }

    /// Makes the name of a peer that announced none: a zero octet and a number.
    ///
    /// Nothing but the caller's choice of numbers keeps generated names apart.
    #[must_use]
    pub fn generated(number: u32) -> Self {
        let [a, b, c, d] = number.to_be_bytes();
        Self(Part::from(&[GENERATED_PREFIX, a, b, c, d]))
    }

    /// Whether the ROUTER made the name, because the peer announced none.
    #[must_use]
    pub fn is_generated(&self) -> bool {
        self.0.first() == Some(&GENERATED_PREFIX)
    }

    /// The octets of the name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name as the part of a message that carries it.
    #[must_use]
    pub fn as_part(&self) -> &Part {
        &self.0
    }

    /// The name as the part of a message that carries it.
    #[must_use]
    pub fn into_part(self) -> Part {
        self.0
    }
}

impl fmt::Debug for RoutingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoutingId({self})")
    }
}

impl fmt::Display for RoutingId {
    /// Writes a generated name as hexadecimal digits and a chosen one as text, escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_generated() {
            return write!(f, "{}", self.as_bytes().escape_ascii());
        }
        for octet in self.as_bytes() {
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

/// Why octets are not a routing id that a user or a peer may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RoutingIdError {
    /// The name has no octets.
    #[error("a routing id has at least one octet")]
    Empty,
    /// The name is longer than [`RoutingId::MAX_LEN`].
    #[error("a routing id of {len} octets is longer than 255")]
    TooLong {
        /// The number of octets.
        len: usize,
    },
    /// The name begins with a zero octet, as only generated names do.
    #[error("routing ids that begin with a zero octet are reserved")]
    Reserved,
}

/// Begins each generated name.
const GENERATED_PREFIX: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    // ZMTP31-083, ZMTP31-085, ZMTP31-086
    #[test]
    fn chosen_names_have_1_to_255_octets_and_no_leading_zero() {
        assert_eq!(RoutingId::new(""), Err(RoutingIdError::Empty));
        assert_eq!(RoutingId::new(b"\0abc"), Err(RoutingIdError::Reserved));
        assert_eq!(RoutingId::new(b"\0"), Err(RoutingIdError::Reserved));
        assert_eq!(
            RoutingId::new(vec![b'i'; 256]),
            Err(RoutingIdError::TooLong { len: 256 })
        );
        for len in [1, 38, 39, 255] {
            let id = RoutingId::new(vec![b'i'; len]).unwrap();
            assert_eq!(id.as_bytes().len(), len);
            assert!(!id.is_generated());
        }
        assert!(RoutingId::new(b"a\0b").is_ok());
    }

    // INT-046
    #[test]
    fn generated_names_are_a_zero_octet_and_the_number() {
        let id = RoutingId::generated(0x0102_0304);
        assert_eq!(id.as_bytes(), [0, 1, 2, 3, 4]);
        assert!(id.is_generated());
        assert_ne!(id, RoutingId::generated(0x0102_0305));
    }

    #[test]
    fn names_print_on_one_line() {
        assert_eq!(RoutingId::generated(255).to_string(), "00000000ff");
        assert_eq!(
            RoutingId::new(b"a\nb\xff").unwrap().to_string(),
            r"a\nb\xff"
        );
    }
}
