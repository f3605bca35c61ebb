//! Groups that subscribers of the radio-dish pattern join and leave.

use std::fmt;

use crate::message::Part;
use crate::wire::command::CommandError;

/// The name of a group: up to 255 octets, none of which is zero `[ZMTP31-119]`.
///
/// # Examples
///
/// ```
/// use zmtp::wire::command::{CommandError, Group};
///
/// assert_eq!(Group::new("weather")?.as_bytes(), b"weather");
/// assert_eq!(Group::new("a\0b"), Err(CommandError::ZeroInGroup { offset: 1 }));
/// # Ok::<(), CommandError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Group(Part);

impl Group {
    /// The longest name.
    pub const MAX_LEN: usize = 255;

    /// Returns a group.
    ///
    /// # Errors
    ///
    /// Returns [`CommandError::GroupTooLong`] for more than 255 octets, and
    /// [`CommandError::ZeroInGroup`] if one of them is zero.
    pub fn new(name: impl Into<Part>) -> Result<Self, CommandError> {
        let name = name.into();
        if name.len() > Self::MAX_LEN {
            return Err(CommandError::GroupTooLong {
                len: name.len(),
                limit: Self::MAX_LEN,
            });
        }
        match name.iter().position(|octet| *octet == 0) {
            Some(offset) => Err(CommandError::ZeroInGroup { offset }),
            None => Ok(Self(name)),
        }
    }

    /// Returns the octets of the name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({self})")
    }
}
