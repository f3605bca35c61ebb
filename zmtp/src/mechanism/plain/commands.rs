//! The commands of PLAIN, as octets.

use bytes::BufMut;

use crate::mechanism::{HandshakeError, PlainCredentials, PlainError};
use crate::wire::command::split_name;
use crate::wire::frame::{FrameKind, encode_header};
use crate::wire::metadata::{Metadata, MetadataLimits};

pub(super) const HELLO: &[u8] = b"HELLO";
pub(super) const WELCOME: &[u8] = b"WELCOME";
pub(super) const INITIATE: &[u8] = b"INITIATE";
pub(super) const READY: &[u8] = b"READY";
pub(super) const ERROR: &[u8] = b"ERROR";

/// Appends `HELLO` `[PLAIN-001]`.
pub(super) fn encode_hello(credentials: &PlainCredentials, out: &mut impl BufMut) {
    let fields = [credentials.expose_username(), credentials.expose_password()];
    let data_len = fields.iter().map(|field| LENGTH_LEN + field.len()).sum();
    encode_head(HELLO, data_len, out);
    for field in fields {
        put_short(field, out);
    }
}

/// Appends `WELCOME` `[PLAIN-005]`.
pub(super) fn encode_welcome(out: &mut impl BufMut) {
    encode_head(WELCOME, 0, out);
}

/// Appends `INITIATE` `[PLAIN-006]`.
pub(super) fn encode_initiate(metadata: &Metadata, out: &mut impl BufMut) {
    encode_head(INITIATE, metadata.encoded_len(), out);
    metadata.encode(out);
}

/// Reads the data of a `HELLO`.
pub(super) fn decode_hello(data: &[u8]) -> Result<PlainCredentials, HandshakeError> {
    // [PLAIN-010] Two fields of one length octet each, and nothing else.
    let (username, rest) = split_short(data).ok_or(PlainError::Hello)?;
    let (password, rest) = split_short(rest).ok_or(PlainError::Hello)?;
    if !rest.is_empty() {
        return Err(PlainError::Hello.into());
    }
    // [PLAIN-004] Any octets: it is the authenticator who judges them. No field is too long.
    PlainCredentials::from_octets(username, password).map_err(|_| PlainError::Hello.into())
}

/// Reads the data of a `WELCOME`.
pub(super) fn decode_welcome(data: &[u8]) -> Result<(), HandshakeError> {
    // [PLAIN-010] WELCOME carries nothing.
    if !data.is_empty() {
        return Err(PlainError::Welcome { len: data.len() }.into());
    }
    Ok(())
}

/// Reads the data of an `INITIATE` or a `READY`.
pub(super) fn decode_metadata(
    data: &[u8],
    limits: &MetadataLimits,
) -> Result<Metadata, HandshakeError> {
    Ok(Metadata::decode(data, limits)?)
}

/// Splits the body of a command that a server sent into its name and its data.
pub(super) fn split_from_server(body: &[u8]) -> Result<(&[u8], &[u8]), HandshakeError> {
    // [PLAIN-009] [INT-008] libzmq takes the length of ERROR's name and its first letter for one
    // octet, 0x5e.
    match body.strip_prefix(LIBZMQ_ERROR) {
        Some(reason) => Ok((ERROR, reason)),
        None => Ok(split_name(body)?),
    }
}

fn encode_head(name: &[u8], data_len: usize, out: &mut impl BufMut) {
    let body_len = data_len.saturating_add(LENGTH_LEN + name.len());
    encode_header(out, FrameKind::Command, body_len);
    put_short(name, out);
}

/// Appends `octets`, which are no more than 255, behind their length.
fn put_short(octets: &[u8], out: &mut impl BufMut) {
    out.put_u8(u8::try_from(octets.len()).unwrap_or(u8::MAX));
    out.put_slice(octets);
}

fn split_short(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = octets.split_first()?;
    rest.split_at_checked(usize::from(*len))
}

const LIBZMQ_ERROR: &[u8] = b"\x5eRROR";
const LENGTH_LEN: usize = 1;
