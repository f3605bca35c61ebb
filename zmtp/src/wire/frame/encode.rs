//! Appending frames to a send buffer.

use bytes::BufMut;

use crate::message::{Message, More};
use crate::wire::frame::header::SHORT_HEADER_LEN;
use crate::wire::frame::{FrameHeader, FrameKind, MAX_HEADER_LEN, MAX_SHORT_LEN};

/// Appends one part of a message.
#[inline]
pub fn encode_part(dst: &mut impl BufMut, more: More, body: &[u8]) {
    let kind = FrameKind::Message(more);
    // [ZMTP31-031] The short form encodes 0 to 255 octets.
    if let Ok(size) = u8::try_from(body.len()) {
        dst.put_slice(&[kind.flags(), size]);
    } else {
        encode_header(dst, kind, body.len());
    }
    dst.put_slice(body);
}

/// Appends the head of a frame whose body of `body_len` octets the caller writes elsewhere.
#[inline]
pub fn encode_header(dst: &mut impl BufMut, kind: FrameKind, body_len: usize) {
    // Memory is never longer than 2^63 - 1 octets, so neither is a body that exists.
    let body_len = body_len as u64;
    FrameHeader { kind, body_len }.encode(dst);
}

/// Appends all parts of a message; nothing for a message without parts.
#[inline]
pub fn encode_message(dst: &mut impl BufMut, message: &Message) {
    if let Some((last, others)) = message.parts().split_last() {
        for part in others {
            encode_part(dst, More::More, part);
        }
        encode_part(dst, More::Last, last);
    }
}

/// Returns the length of a frame with a body of `body_len` octets.
#[inline]
pub const fn encoded_len(body_len: usize) -> usize {
    let header_len = if body_len <= MAX_SHORT_LEN {
        SHORT_HEADER_LEN
    } else {
        MAX_HEADER_LEN
    };
    body_len.saturating_add(header_len)
}
