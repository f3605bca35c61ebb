//! Names of commands.

use std::fmt;

use crate::message::Part;
use crate::wire::command::CommandError;

/// The name of a command: 1 to 255 ASCII letters, compared exactly `[ZMTP31-043]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CommandName(Part);

impl CommandName {
    /// The longest name.
    pub const MAX_LEN: usize = 255;

    /// Returns a name.
    ///
    /// # Errors
    ///
    /// Returns a [`CommandError`] if the name is empty, too long, or has anything but letters.
    pub fn new(name: &str) -> Result<Self, CommandError> {
        Self::from_octets(name.as_bytes())
    }

    /// Returns the octets of the name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn from_octets(octets: &[u8]) -> Result<Self, CommandError> {
        check(octets)?;
        if octets.len() > Self::MAX_LEN {
            return Err(CommandError::NameTooLong {
                len: octets.len(),
                limit: Self::MAX_LEN,
            });
        }
        Ok(Self(octets.into()))
    }
}

impl fmt::Debug for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandName({self})")
    }
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

/// Splits the body of a command into its name and its data.
pub(crate) fn split(body: &[u8]) -> Result<(&[u8], &[u8]), CommandError> {
    // [ZMTP31-040] A length octet and that many letters, neither padded nor terminated.
    let Some((&name_len, rest)) = body.split_first() else {
        return Err(CommandError::MissingName);
    };
    let Some((name, data)) = rest.split_at_checked(usize::from(name_len)) else {
        return Err(CommandError::TruncatedName {
            claimed: usize::from(name_len),
            available: rest.len(),
        });
    };
    check(name)?;
    Ok((name, data))
}

fn check(name: &[u8]) -> Result<(), CommandError> {
    // [ZMTP31-042] A name has at least one octet.
    if name.is_empty() {
        return Err(CommandError::MissingName);
    }
    match name.iter().find(|octet| !octet.is_ascii_alphabetic()) {
        Some(&octet) => Err(CommandError::InvalidName { octet }),
        None => Ok(()),
    }
}
