//! Greetings over a byte stream.

use std::io;

use bytes::BytesMut;
use thiserror::Error;
use tokio_util::codec::{Decoder, Encoder};

use crate::wire::greeting::{Greeting, GreetingError};

/// Reads and writes greetings.
///
/// One greeting is followed by frames, not by another greeting: go on with a
/// [`FrameCodec`](crate::codec::FrameCodec) through `Framed::map_codec`, which keeps what was
/// received already.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct GreetingCodec;

/// Why no greeting could be exchanged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GreetingCodecError {
    /// The peer sent something that is no greeting.
    #[error("no acceptable greeting")]
    Greeting(#[from] GreetingError),
    /// The stream ended inside the greeting.
    #[error("connection closed after {received} octets of the greeting")]
    Closed {
        /// How many octets came.
        received: usize,
    },
    /// The stream failed.
    #[error("greeting was not exchanged")]
    Io(#[from] io::Error),
}

impl GreetingCodec {
    /// Returns the codec.
    pub const fn new() -> Self {
        Self
    }
}

impl Decoder for GreetingCodec {
    type Item = Greeting;
    type Error = GreetingCodecError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Greeting>, GreetingCodecError> {
        Ok(Greeting::decode(input)?)
    }

    fn decode_eof(&mut self, input: &mut BytesMut) -> Result<Option<Greeting>, GreetingCodecError> {
        match self.decode(input)? {
            None if !input.is_empty() => Err(GreetingCodecError::Closed {
                received: input.len(),
            }),
            greeting => Ok(greeting),
        }
    }
}

impl Encoder<Greeting> for GreetingCodec {
    type Error = GreetingCodecError;

    fn encode(&mut self, greeting: Greeting, dst: &mut BytesMut) -> Result<(), GreetingCodecError> {
        greeting.encode(dst);
        Ok(())
    }
}
