//! Frames: flags, a size, and a body.
//!
//! ```text
//! short  flags(1)  size(1)  body(0..=255)
//! long   flags(1)  size(8, network order)  body
//! flags  bit 0 MORE, bit 1 LONG, bit 2 COMMAND, all others zero
//! ```
//!
//! [`FrameDecoder`] takes frames out of a receive buffer; [`encode_part`] and its neighbours
//! append them to a send buffer.

mod decoder;
mod encode;
mod header;

pub(crate) use decoder::take_body;
pub use decoder::{FrameDecoder, FrameLimits, RawFrame};
pub use encode::{encode_header, encode_message, encode_part, encoded_len};
pub use header::{FrameError, FrameHeader, FrameKind, MAX_BODY_LEN, MAX_HEADER_LEN};

/// The longest body of a frame in the short form.
const MAX_SHORT_LEN: usize = 255;

#[cfg(test)]
mod tests;
