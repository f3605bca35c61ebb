//! Frames over a byte stream.

use std::io;

use bytes::{BufMut, BytesMut};
use thiserror::Error;
use tokio_util::codec::{Decoder, Encoder};

use crate::message::{Frame, Message};
use crate::wire::command::Command;
use crate::wire::frame::{
    FrameDecoder, FrameError, FrameKind, FrameLimits, RawFrame, encode_header, encode_message,
    encode_part, encoded_len,
};

/// Reads frames, and writes frames, commands and whole messages.
///
/// Parts are not put together to messages, and commands are not interpreted.
#[derive(Debug, Clone)]
pub struct FrameCodec {
    decoder: FrameDecoder,
}

/// Why no frame could be exchanged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FrameCodecError {
    /// The peer sent something that is no acceptable frame.
    #[error("no acceptable frame")]
    Frame(#[from] FrameError),
    /// The stream ended inside a frame.
    #[error("connection closed inside a frame")]
    Closed,
    /// The stream failed.
    #[error("frame was not exchanged")]
    Io(#[from] io::Error),
}

impl FrameCodec {
    /// Returns a codec that accepts frames up to these limits.
    pub const fn new(limits: FrameLimits) -> Self {
        Self {
            decoder: FrameDecoder::new(limits),
        }
    }
}

impl Default for FrameCodec {
    fn default() -> Self {
        Self::new(FrameLimits::DEFAULT)
    }
}

impl Decoder for FrameCodec {
    type Item = RawFrame;
    type Error = FrameCodecError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<RawFrame>, FrameCodecError> {
        let frame = self.decoder.decode(input)?;
        if frame.is_none() {
            input.reserve(self.decoder.read_hint());
        }
        Ok(frame)
    }

    fn decode_eof(&mut self, input: &mut BytesMut) -> Result<Option<RawFrame>, FrameCodecError> {
        match self.decoder.decode(input)? {
            // [ZMTP31-039] What is left of a frame does not surface.
            None if !(input.is_empty() && self.decoder.is_at_boundary()) => {
                Err(FrameCodecError::Closed)
            }
            frame => Ok(frame),
        }
    }
}

impl Encoder<RawFrame> for FrameCodec {
    type Error = FrameCodecError;

    fn encode(&mut self, frame: RawFrame, dst: &mut BytesMut) -> Result<(), FrameCodecError> {
        match frame {
            RawFrame::Message(frame) => self.encode(frame, dst),
            RawFrame::Command(body) => {
                dst.reserve(encoded_len(body.len()));
                encode_header(dst, FrameKind::Command, body.len());
                dst.put_slice(&body);
                Ok(())
            }
        }
    }
}

impl Encoder<Frame> for FrameCodec {
    type Error = FrameCodecError;

    fn encode(&mut self, frame: Frame, dst: &mut BytesMut) -> Result<(), FrameCodecError> {
        dst.reserve(encoded_len(frame.body.len()));
        encode_part(dst, frame.more, &frame.body);
        Ok(())
    }
}

impl Encoder<Message> for FrameCodec {
    type Error = FrameCodecError;

    fn encode(&mut self, message: Message, dst: &mut BytesMut) -> Result<(), FrameCodecError> {
        encode_message(dst, &message);
        Ok(())
    }
}

impl Encoder<Command> for FrameCodec {
    type Error = FrameCodecError;

    fn encode(&mut self, command: Command, dst: &mut BytesMut) -> Result<(), FrameCodecError> {
        command.encode(dst);
        Ok(())
    }
}
