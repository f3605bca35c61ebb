//! Writes the few values that a header is made of.

use bytes::BufMut;

/// Writes the head of a string and its content.
pub(crate) fn put_str(out: &mut impl BufMut, content: &[u8]) {
    let len = content.len();
    match (u8::try_from(len), u16::try_from(len), u32::try_from(len)) {
        (Ok(len), ..) if len < 32 => out.put_u8(0xa0 | len),
        (Ok(len), ..) => {
            out.put_u8(0xd9);
            out.put_u8(len);
        }
        (_, Ok(len), _) => {
            out.put_u8(0xda);
            out.put_u16(len);
        }
        (.., len) => {
            out.put_u8(0xdb);
            out.put_u32(len.unwrap_or(u32::MAX));
        }
    }
    // A string of 4 GiB has no encoding; it is cut rather than made malformed.
    out.put_slice(
        content
            .get(..usize::try_from(u32::MAX).unwrap_or(usize::MAX))
            .unwrap_or(content),
    );
}

/// Writes an unsigned integer.
pub(crate) fn put_uint(out: &mut impl BufMut, value: u32) {
    match (u8::try_from(value), u16::try_from(value)) {
        (Ok(value), _) if value < 128 => out.put_u8(value),
        (Ok(value), _) => {
            out.put_u8(0xcc);
            out.put_u8(value);
        }
        (_, Ok(value)) => {
            out.put_u8(0xcd);
            out.put_u16(value);
        }
        _ => {
            out.put_u8(0xce);
            out.put_u32(value);
        }
    }
}
