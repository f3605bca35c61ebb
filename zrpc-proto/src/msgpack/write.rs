//! Writes the heads of values: their type, and their number or length.

use bytes::BufMut;

/// Writes the head of a string and its content.
#[inline]
pub(crate) fn put_str(out: &mut impl BufMut, content: &[u8]) {
    match u8::try_from(content.len()) {
        Ok(len) if len < 32 => {
            out.put_u8(0xa0 | len);
            out.put_slice(content);
        }
        _ => put_long_str(out, content),
    }
}

/// Writes a string that is too long for the length to be in its first byte.
fn put_long_str(out: &mut impl BufMut, content: &[u8]) {
    let len = content.len();
    match (u8::try_from(len), u16::try_from(len), u32::try_from(len)) {
        (Ok(len), ..) => put(out, 0xd9, len.to_be_bytes()),
        (_, Ok(len), _) => put(out, 0xda, len.to_be_bytes()),
        (.., len) => put(out, 0xdb, len.unwrap_or(u32::MAX).to_be_bytes()),
    }
    // A string of 4 GiB has no encoding; it is cut rather than made malformed.
    out.put_slice(
        content
            .get(..usize::try_from(u32::MAX).unwrap_or(usize::MAX))
            .unwrap_or(content),
    );
}

/// Writes the head of binary.
pub(crate) fn put_bin(out: &mut impl BufMut, len: u32) {
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len), _) => put(out, 0xc4, len.to_be_bytes()),
        (_, Ok(len)) => put(out, 0xc5, len.to_be_bytes()),
        _ => put(out, 0xc6, len.to_be_bytes()),
    }
}

/// Writes the head of an extension.
pub(crate) fn put_ext(out: &mut impl BufMut, tag: i8, len: u32) {
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(1), _) => out.put_u8(0xd4),
        (Ok(2), _) => out.put_u8(0xd5),
        (Ok(4), _) => out.put_u8(0xd6),
        (Ok(8), _) => out.put_u8(0xd7),
        (Ok(16), _) => out.put_u8(0xd8),
        (Ok(len), _) => put(out, 0xc7, len.to_be_bytes()),
        (_, Ok(len)) => put(out, 0xc8, len.to_be_bytes()),
        _ => put(out, 0xc9, len.to_be_bytes()),
    }
    out.put_i8(tag);
}

/// Writes the head of an array.
pub(crate) fn put_array(out: &mut impl BufMut, count: u32) {
    match (u8::try_from(count), u16::try_from(count)) {
        (Ok(count), _) if count < 16 => out.put_u8(0x90 | count),
        (_, Ok(count)) => put(out, 0xdc, count.to_be_bytes()),
        _ => put(out, 0xdd, count.to_be_bytes()),
    }
}

/// Writes the head of a map.
pub(crate) fn put_map(out: &mut impl BufMut, count: u32) {
    match (u8::try_from(count), u16::try_from(count)) {
        (Ok(count), _) if count < 16 => out.put_u8(0x80 | count),
        (_, Ok(count)) => put(out, 0xde, count.to_be_bytes()),
        _ => put(out, 0xdf, count.to_be_bytes()),
    }
}

/// Writes an unsigned integer in its shortest form.
pub(crate) fn put_uint(out: &mut impl BufMut, value: u64) {
    match (
        u8::try_from(value),
        u16::try_from(value),
        u32::try_from(value),
    ) {
        (Ok(value), ..) if value < 128 => out.put_u8(value),
        (Ok(value), ..) => put(out, 0xcc, value.to_be_bytes()),
        (_, Ok(value), _) => put(out, 0xcd, value.to_be_bytes()),
        (.., Ok(value)) => put(out, 0xce, value.to_be_bytes()),
        _ => put(out, 0xcf, value.to_be_bytes()),
    }
}

/// Writes an integer in its shortest form.
pub(crate) fn put_int(out: &mut impl BufMut, value: i64) {
    if let Ok(value) = u64::try_from(value) {
        return put_uint(out, value);
    }
    match (
        i8::try_from(value),
        i16::try_from(value),
        i32::try_from(value),
    ) {
        (Ok(value), ..) if value >= -32 => out.put_i8(value),
        (Ok(value), ..) => put(out, 0xd0, value.to_be_bytes()),
        (_, Ok(value), _) => put(out, 0xd1, value.to_be_bytes()),
        (.., Ok(value)) => put(out, 0xd2, value.to_be_bytes()),
        _ => put(out, 0xd3, value.to_be_bytes()),
    }
}

fn put<const N: usize>(out: &mut impl BufMut, marker: u8, number: [u8; N]) {
    out.put_u8(marker);
    out.put_slice(&number);
}
