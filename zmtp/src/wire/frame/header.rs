//! The head of a frame: what it is and how long its body will be.

use bytes::BufMut;
use thiserror::Error;

use crate::message::More;
use crate::wire::frame::MAX_SHORT_LEN;

/// The longest head of a frame: flags and a size of eight octets.
pub const MAX_HEADER_LEN: usize = 9;

/// The longest body that the protocol allows, 2^63 - 1 octets.
pub const MAX_BODY_LEN: u64 = (1 << 63) - 1;

/// The length of a head with a size of one octet.
pub(super) const SHORT_HEADER_LEN: usize = 2;

pub(super) const MORE: u8 = 0b001;
pub(super) const LONG: u8 = 0b010;
const COMMAND: u8 = 0b100;
const RESERVED: u8 = 0b1111_1000;

/// What a frame is, as its flags say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the legal combinations of two bits, with no room for others"
)]
pub enum FrameKind {
    /// A part of a message.
    Message(More),
    /// A command, which is always one frame.
    Command,
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the two fields are all that the protocol defines"
)]
pub struct FrameHeader {
    /// What the frame is.
    pub kind: FrameKind,
    /// The number of octets of the body.
    pub body_len: u64,
}

/// Why octets are not a frame that may be received.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Malformed: a flag is set that the protocol reserves.
    #[error("frame flags 0x{flags:02x} have reserved bits set")]
    ReservedFlags {
        /// The first octet of the frame.
        flags: u8,
    },
    /// Malformed: a command claims to be continued by another frame.
    #[error("command frame with flags 0x{flags:02x} has the MORE bit set")]
    CommandWithMore {
        /// The first octet of the frame.
        flags: u8,
    },
    /// Malformed: the size of the body is 2^63 or more.
    #[error("frame size {size} is beyond the protocol's maximum of 2^63 - 1")]
    SizeOutOfRange {
        /// The size that the frame claims.
        size: u64,
    },
    /// Violation: the body of a message frame is longer than the limit.
    #[error("message frame of {size} octets exceeds the limit of {limit}")]
    MessageFrameTooLarge {
        /// The size that the frame claims.
        size: u64,
        /// The largest size that is accepted.
        limit: u64,
    },
    /// Violation: the body of a command frame is longer than the limit.
    #[error("command frame of {size} octets exceeds the limit of {limit}")]
    CommandTooLarge {
        /// The size that the frame claims.
        size: u64,
        /// The largest size that is accepted.
        limit: u64,
    },
}

impl FrameHeader {
    /// Reads a head from the start of `octets`, and returns it with its own length.
    ///
    /// `Ok(None)` if more octets are needed. A wrong flag is found with the first octet.
    ///
    /// # Errors
    ///
    /// Returns a [`FrameError`] that says which rule of the format the head breaks. No limits
    /// are applied.
    pub fn decode(octets: &[u8]) -> Result<Option<(Self, usize)>, FrameError> {
        let Some((&flags, rest)) = octets.split_first() else {
            return Ok(None);
        };
        let kind = FrameKind::from_flags(flags)?;
        let (size, header_len) = if flags & LONG == 0 {
            let Some(&size) = rest.first() else {
                return Ok(None);
            };
            (u64::from(size), SHORT_HEADER_LEN)
        } else {
            let Some(&size) = rest.first_chunk() else {
                return Ok(None);
            };
            (u64::from_be_bytes(size), MAX_HEADER_LEN)
        };
        // [ZMTP31-035] A size field is at most 2^63 - 1.
        if size > MAX_BODY_LEN {
            return Err(FrameError::SizeOutOfRange { size });
        }
        let header = Self {
            kind,
            body_len: size,
        };
        Ok(Some((header, header_len)))
    }

    /// Appends the head to `dst`, in the short form if the body allows it.
    ///
    /// A receiver refuses a `body_len` beyond [`MAX_BODY_LEN`].
    #[inline]
    pub fn encode(self, dst: &mut impl BufMut) {
        let flags = self.kind.flags();
        // [ZMTP31-031] [ZMTP31-032] The form depends on the whole body alone.
        match u8::try_from(self.body_len) {
            Ok(size) => dst.put_slice(&[flags, size]),
            Err(_) => {
                let [a, b, c, d, e, f, g, h] = self.body_len.to_be_bytes();
                dst.put_slice(&[flags | LONG, a, b, c, d, e, f, g, h]);
            }
        }
    }

    /// Returns the number of octets that [`encode`](Self::encode) appends.
    #[inline]
    pub const fn encoded_len(self) -> usize {
        if self.body_len <= MAX_SHORT_LEN as u64 {
            SHORT_HEADER_LEN
        } else {
            MAX_HEADER_LEN
        }
    }
}

impl FrameKind {
    /// Returns the flags of a frame in the short form.
    #[inline]
    pub(super) const fn flags(self) -> u8 {
        match self {
            Self::Message(More::Last) => 0,
            Self::Message(More::More) => MORE,
            Self::Command => COMMAND,
        }
    }

    fn from_flags(flags: u8) -> Result<Self, FrameError> {
        // [ZMTP31-029] Bits 7 to 3 are reserved for future use and are zero.
        if flags & RESERVED != 0 {
            return Err(FrameError::ReservedFlags { flags });
        }
        match (flags & COMMAND != 0, flags & MORE != 0) {
            (false, false) => Ok(Self::Message(More::Last)),
            (false, true) => Ok(Self::Message(More::More)),
            (true, false) => Ok(Self::Command),
            // [ZMTP31-030] MORE is zero on command frames.
            (true, true) => Err(FrameError::CommandWithMore { flags }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(octets: &[u8]) -> Result<Option<(FrameHeader, usize)>, FrameError> {
        FrameHeader::decode(octets)
    }

    #[test]
    fn every_first_octet_is_one_of_six_legal_ones_or_refused() {
        // [ZMTP31-027] [ZMTP31-029] [ZMTP31-030]
        for flags in 0..=u8::MAX {
            let result = decode(&[flags, 0, 0, 0, 0, 0, 0, 0, 0]);
            match flags {
                0..=4 | 6 => assert!(result.unwrap().is_some()),
                5 | 7 => assert_eq!(result, Err(FrameError::CommandWithMore { flags })),
                _ => assert_eq!(result, Err(FrameError::ReservedFlags { flags })),
            }
        }
    }

    #[test]
    fn form_changes_between_255_and_256_octets() {
        // [ZMTP31-031]
        for (body_len, expected) in [
            (0, &[0, 0][..]),
            (1, &[0, 1]),
            (254, &[0, 254]),
            (255, &[0, 255]),
            (256, &[2, 0, 0, 0, 0, 0, 0, 1, 0]),
            (65_536, &[2, 0, 0, 0, 0, 0, 1, 0, 0]),
            (MAX_BODY_LEN, &[2, 127, 255, 255, 255, 255, 255, 255, 255]),
        ] {
            let header = FrameHeader {
                kind: FrameKind::Message(More::Last),
                body_len,
            };
            let mut encoded = Vec::new();
            header.encode(&mut encoded);
            assert_eq!(encoded, expected);
            assert_eq!(header.encoded_len(), expected.len());
            assert_eq!(decode(&encoded), Ok(Some((header, expected.len()))));
        }
    }

    #[test]
    fn long_form_of_a_short_body_is_legal() {
        // [ZMTP31-033]
        let (header, len) = decode(&[2, 0, 0, 0, 0, 0, 0, 0, 5]).unwrap().unwrap();
        assert_eq!((header.body_len, len), (5, 9));
    }

    #[test]
    fn size_of_two_to_the_63_is_refused() {
        // [ZMTP31-035]
        for size in [1 << 63, u64::MAX] {
            let mut encoded = vec![2];
            encoded.extend_from_slice(&size.to_be_bytes());
            assert_eq!(decode(&encoded), Err(FrameError::SizeOutOfRange { size }));
        }
    }

    #[test]
    fn cut_head_needs_more() {
        for octets in [&[][..], &[0], &[2], &[2, 0, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(decode(octets), Ok(None));
        }
    }
}
