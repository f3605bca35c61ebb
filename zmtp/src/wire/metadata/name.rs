//! Names of properties.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::wire::metadata::MetadataError;

/// The name of a property: 1 to 255 letters, digits, `-`, `_`, `.` and `+`.
///
/// The spelling is kept, and is of no significance: `identity` equals `Identity`
/// `[ZMTP31-067]`.
#[derive(Clone)]
pub struct PropertyName(Box<str>);

impl PropertyName {
    /// The longest name.
    pub const MAX_LEN: usize = 255;

    /// Returns a name.
    ///
    /// # Errors
    ///
    /// Returns a [`MetadataError`] if the name is empty, too long, or has another character
    /// `[ZMTP31-066]`.
    pub fn new(name: &str) -> Result<Self, MetadataError> {
        Self::from_octets(name.as_bytes())
    }

    /// Returns the name that was received as `octets`.
    pub(super) fn from_octets(octets: &[u8]) -> Result<Self, MetadataError> {
        if octets.is_empty() {
            return Err(MetadataError::EmptyName);
        }
        if octets.len() > Self::MAX_LEN {
            return Err(MetadataError::NameTooLong {
                len: octets.len(),
                limit: Self::MAX_LEN,
            });
        }
        octets
            .iter()
            .map(|&octet| {
                if is_name_octet(octet) {
                    Ok(char::from(octet))
                } else {
                    Err(MetadataError::InvalidName { octet })
                }
            })
            .collect::<Result<String, _>>()
            .map(|name| Self(name.into_boxed_str()))
    }

    /// Returns the name in the spelling that was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true for a name in the space of applications, which begins with `X-`.
    pub fn is_application(&self) -> bool {
        self.0
            .get(..2)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("X-"))
    }
}

impl PartialEq for PropertyName {
    fn eq(&self, other: &Self) -> bool {
        *self == *other.as_str()
    }
}

impl Eq for PropertyName {}

impl PartialEq<str> for PropertyName {
    fn eq(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl PartialEq<&str> for PropertyName {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl Hash for PropertyName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for octet in self.0.bytes() {
            octet.to_ascii_lowercase().hash(state);
        }
    }
}

impl AsRef<str> for PropertyName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for PropertyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for PropertyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_name_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'+')
}
