//! Taking frames out of a receive buffer.

use bytes::{Buf, BytesMut};

use crate::message::{Frame, More, Part};
#[cfg(any(feature = "socket", test))]
use crate::wire::frame::MAX_HEADER_LEN;
#[cfg(any(feature = "socket", test))]
use crate::wire::frame::header::LONG;
use crate::wire::frame::header::{MORE, SHORT_HEADER_LEN};
use crate::wire::frame::{FrameError, FrameHeader, FrameKind};

/// A frame as received: a part of a message, or the body of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the protocol has these two and no room for others"
)]
pub enum RawFrame {
    /// One part of a message.
    Message(Frame),
    /// The body of a command frame, not looked at.
    Command(Part),
}

/// The largest bodies that a decoder accepts; more is refused when the size has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "one limit for each kind of frame"
)]
pub struct FrameLimits {
    /// The largest body of a message frame.
    pub max_message_frame: u64,
    /// The largest body of a command frame.
    pub max_command: u64,
}

/// An incremental decoder of frames.
///
/// Call [`decode`](Self::decode) until it returns `Ok(None)`, append octets to the buffer, and
/// call it again; how the octets are cut makes no difference. After an error the rest of the
/// stream has no meaning: close the connection.
///
/// Bodies up to [`Part::INLINE_CAPACITY`] are copied out of the buffer, longer ones are split off it:
/// no octet of theirs is copied, and nothing is allocated but what counts the references to the buffer.
#[derive(Debug, Clone)]
pub struct FrameDecoder {
    limits: FrameLimits,
    cursor: Cursor,
}

#[derive(Debug, Clone)]
enum Cursor {
    Head,
    Body {
        kind: FrameKind,
        len: usize,
        /// How much of the body was in the buffer when it was last looked at.
        buffered: usize,
    },
}

impl FrameLimits {
    /// 256 MiB for message frames, 64 KiB for commands.
    ///
    /// Far more than is usual, yet finite: a peer must not decide how much memory is used.
    pub const DEFAULT: Self = Self {
        max_message_frame: 256 * 1024 * 1024,
        max_command: 64 * 1024,
    };
}

impl Default for FrameLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl FrameDecoder {
    /// Returns a decoder at the start of a frame.
    pub const fn new(limits: FrameLimits) -> Self {
        Self {
            limits,
            cursor: Cursor::Head,
        }
    }

    /// Takes the next frame from the front of `input`.
    ///
    /// `Ok(None)` if more octets are needed.
    ///
    /// # Errors
    ///
    /// Returns a [`FrameError`] as soon as the head of a frame is wrong or claims a body over the
    /// limit, whether or not any of the body was received.
    #[inline]
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<RawFrame>, FrameError> {
        if let Cursor::Head = self.cursor
            && let Some(frame) = self.decode_small(input)
        {
            return Ok(Some(RawFrame::Message(frame)));
        }
        self.decode_any(input)
    }

    /// Takes the next frame if it is a whole message with a small body, and wholly there.
    #[inline]
    pub(crate) fn decode_small_message(&self, input: &mut BytesMut) -> Option<Part> {
        if !self.is_at_boundary() {
            return None;
        }
        let (&[flags, len], rest) = input.split_first_chunk()?;
        if flags != 0 || u64::from(len) > self.limits.max_message_frame {
            return None;
        }
        // `None` for a body that is longer than a block, all of which is there.
        let body = Part::from_block(rest.first_chunk()?, len)?;
        input.advance(SHORT_HEADER_LEN.saturating_add(usize::from(len)));
        Some(body)
    }

    /// Takes the next frame if it is a whole message, and wholly there.
    #[cfg(any(feature = "socket", test))]
    #[inline]
    pub(crate) fn decode_message(&self, input: &mut BytesMut) -> Option<Part> {
        if !self.is_at_boundary() {
            return None;
        }
        let (header_len, size) = match *input.first()? {
            0 => (SHORT_HEADER_LEN, u64::from(*input.get(1)?)),
            LONG => {
                let (_, rest) = input.split_first()?;
                (MAX_HEADER_LEN, u64::from_be_bytes(*rest.first_chunk()?))
            }
            _ => return None,
        };
        let buffered = input.len().saturating_sub(header_len);
        if size > self.limits.max_message_frame || size > buffered as u64 {
            return None;
        }
        let len = usize::try_from(size).ok()?;
        input.advance(header_len);
        Some(take_body(input, len))
    }

    /// Replaces the limits, from the next head of a frame on.
    pub const fn set_limits(&mut self, limits: FrameLimits) {
        self.limits = limits;
    }

    /// Returns the limits.
    pub const fn limits(&self) -> FrameLimits {
        self.limits
    }

    /// Returns true if no frame has been begun: a stream may end here.
    ///
    /// Octets of a head that is not complete stay in the buffer, so this holds for the stream
    /// only if the buffer is empty too.
    pub const fn is_at_boundary(&self) -> bool {
        matches!(self.cursor, Cursor::Head)
    }

    /// Returns how many octets it makes sense to have room for in the next read.
    ///
    /// Zero between frames. Within a body it is what is missing, but not more than was received
    /// of it already or 64 KiB, whichever is larger: memory grows with what comes, not
    /// with what is announced `[ZMTP31-036]`.
    pub fn read_hint(&self) -> usize {
        match self.cursor {
            Cursor::Head => 0,
            Cursor::Body { len, buffered, .. } => {
                len.saturating_sub(buffered).min(buffered.max(READ_STEP))
            }
        }
    }

    /// The hot path: a part of a message that is wholly there and fits into its value.
    #[inline]
    fn decode_small(&self, input: &mut BytesMut) -> Option<Frame> {
        let (&[flags, len], rest) = input.split_first_chunk()?;
        let more = match flags {
            0 => More::Last,
            MORE => More::More,
            _ => return None,
        };
        if u64::from(len) > self.limits.max_message_frame {
            return None;
        }
        let body_len = usize::from(len);
        let body = match rest.first_chunk() {
            Some(block) => Part::from_block(block, len)?,
            None => Part::copy_from_slice(rest.get(..body_len)?),
        };
        input.advance(SHORT_HEADER_LEN.saturating_add(body_len));
        Some(Frame { body, more })
    }

    fn decode_any(&mut self, input: &mut BytesMut) -> Result<Option<RawFrame>, FrameError> {
        let Some((kind, len)) = self.decode_head(input)? else {
            return Ok(None);
        };
        let body = take_body(input, len);
        Ok(Some(match kind {
            FrameKind::Message(more) => RawFrame::Message(Frame { body, more }),
            FrameKind::Command => RawFrame::Command(body),
        }))
    }

    /// Takes the head of the next frame from the front of `input` once all of its body is there,
    /// and returns the length of the body, which the caller has to take.
    ///
    /// `Ok(None)` if more octets are needed.
    ///
    /// # Errors
    ///
    /// Like [`decode`](Self::decode).
    #[inline]
    pub(crate) fn decode_head(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<(FrameKind, usize)>, FrameError> {
        let (kind, len) = match self.cursor {
            Cursor::Body { kind, len, .. } => (kind, len),
            Cursor::Head => {
                let Some((header, header_len)) = FrameHeader::decode(input)? else {
                    return Ok(None);
                };
                let len = self.check(header)?;
                input.advance(header_len);
                (header.kind, len)
            }
        };
        if input.len() < len {
            let buffered = input.len();
            self.cursor = Cursor::Body {
                kind,
                len,
                buffered,
            };
            return Ok(None);
        }
        self.cursor = Cursor::Head;
        Ok(Some((kind, len)))
    }

    /// Compares the size with the limit as it came, and returns it in the width of this machine.
    fn check(&self, header: FrameHeader) -> Result<usize, FrameError> {
        let size = header.body_len;
        let limit = match header.kind {
            FrameKind::Message(_) => self.limits.max_message_frame,
            FrameKind::Command => self.limits.max_command,
        };
        match usize::try_from(size) {
            Ok(len) if size <= limit => Ok(len),
            _ => {
                // A limit above what this machine can address means just that.
                let limit = limit.min(usize::MAX as u64);
                Err(match header.kind {
                    FrameKind::Message(_) => FrameError::MessageFrameTooLarge { size, limit },
                    FrameKind::Command => FrameError::CommandTooLarge { size, limit },
                })
            }
        }
    }
}

/// Takes a body of `len` octets, all of which are in `input`.
pub(crate) fn take_body(input: &mut BytesMut, len: usize) -> Part {
    match input.get(..len) {
        Some(octets) if len <= Part::INLINE_CAPACITY => {
            let body = Part::copy_from_slice(octets);
            input.advance(len);
            body
        }
        _ => Part::from(input.split_to(len)),
    }
}

/// The room that a body gets before any of it was received.
///
/// A connection that only announces a large frame costs this much and no more.
const READ_STEP: usize = 64 * 1024;
