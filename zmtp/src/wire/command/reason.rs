//! Reasons of ERROR commands.

use std::fmt;

use crate::message::Part;
use crate::wire::command::CommandError;

/// Why a peer refuses to go on: up to 255 octets, for people and logs only.
///
/// What a peer sent may hold anything; [`Display`](fmt::Display) escapes it `[ZMTP31-062]`.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct ErrorReason(Part);

impl ErrorReason {
    /// The longest reason.
    pub const MAX_LEN: usize = 255;

    /// Returns a reason that may be sent.
    ///
    /// The protocol allows printable ASCII without spaces: other characters become `-`, and a
    /// text is cut after 255 octets.
    pub fn new(text: &str) -> Self {
        let octets = text
            .chars()
            .map(|c| match u8::try_from(c) {
                Ok(octet) if octet.is_ascii_graphic() => octet,
                _ => b'-',
            })
            .take(Self::MAX_LEN);
        Self(octets.collect::<Vec<_>>().into())
    }

    /// Returns the octets of the reason.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads the data of an ERROR: a length octet and the reason.
    pub(crate) fn decode(data: &[u8]) -> Result<Self, CommandError> {
        match data.split_first() {
            // [ZMTP31-060] The reason is exactly as long as its length octet says.
            Some((&len, reason)) if usize::from(len) == reason.len() => Ok(Self(reason.into())),
            _ => Err(CommandError::ErrorReasonLength),
        }
    }
}

impl fmt::Display for ErrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

impl fmt::Debug for ErrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorReason({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_to_send_is_made_printable_and_cut() {
        // [ZMTP31-059]
        assert_eq!(ErrorReason::new("400").as_bytes(), b"400");
        assert_eq!(ErrorReason::new("a b\nc\u{e9}").as_bytes(), b"a-b-c-");
        assert_eq!(ErrorReason::new(&"x".repeat(300)).as_bytes().len(), 255);
    }

    #[test]
    fn received_reason_is_escaped_for_people() {
        // [ZMTP31-062]
        let reason = ErrorReason::decode(b"\x05\x1b[2J\xff").unwrap();
        assert_eq!(reason.to_string(), "\\x1b[2J\\xff");
    }
}
