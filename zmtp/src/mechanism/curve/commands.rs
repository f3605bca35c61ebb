//! What the commands of both sides have in common.

use crate::mechanism::{CurveCommand, CurveError, HandshakeError};
use crate::wire::command::split_name;
use crate::wire::frame::{FrameKind, encode_header};

pub(super) const HELLO: &[u8] = b"HELLO";
pub(super) const WELCOME: &[u8] = b"WELCOME";
pub(super) const INITIATE: &[u8] = b"INITIATE";
pub(super) const READY: &[u8] = b"READY";
const ERROR: &[u8] = b"ERROR";

/// The length of a cookie `[CURVE-024]`.
pub(super) const COOKIE_LEN: usize = 96;
/// The length of a vouch `[CURVE-029]`.
pub(super) const VOUCH_LEN: usize = 96;
/// The length of the padding of a HELLO.
pub(super) const PADDING_LEN: usize = 72;
/// How many zeros the box of a HELLO holds.
pub(super) const ZEROS_LEN: usize = 64;
/// The version of CurveZMQ `[CURVE-011]`.
pub(super) const VERSION: [u8; 2] = [1, 0];

/// The fields of a command that are still to be read.
pub(super) struct Fields<'a> {
    command: CurveCommand,
    body_len: usize,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Returns the fields of the command that has to come from the client now.
    pub(super) fn from_client(
        command: CurveCommand,
        name: &[u8],
        body: &'a [u8],
    ) -> Result<Self, HandshakeError> {
        match split_name(body)? {
            (found, data) if found == name => Ok(Self::new(command, body, data)),
            // [CURVE-018] [CURVE-058] So is a second HELLO, and an ERROR.
            (found, _) => Err(HandshakeError::unexpected(found)),
        }
    }

    /// Returns the fields of the command that has to come from the server now.
    pub(super) fn from_server(
        command: CurveCommand,
        name: &[u8],
        body: &'a [u8],
    ) -> Result<Self, HandshakeError> {
        match split_name(body)? {
            (found, data) if found == name => Ok(Self::new(command, body, data)),
            // [CURVE-057] [CURVE-059] [CURVE-060] In the clear, so that anybody may have sent it;
            // whoever can do that can cut the connection as well.
            (ERROR, data) => Err(HandshakeError::refusal(data)),
            (found, _) => Err(HandshakeError::unexpected(found)),
        }
    }

    /// Returns the fields that were inside a box of `command`.
    pub(super) const fn in_box(command: CurveCommand, octets: &'a [u8]) -> Self {
        Self::new(command, octets, octets)
    }

    const fn new(command: CurveCommand, body: &[u8], rest: &'a [u8]) -> Self {
        Self {
            command,
            body_len: body.len(),
            rest,
        }
    }

    /// Takes a field of `N` octets.
    pub(super) fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], CurveError> {
        let Some((field, rest)) = self.rest.split_first_chunk() else {
            return Err(self.wrong_length());
        };
        self.rest = rest;
        Ok(field)
    }

    /// Takes a field that is a number.
    pub(super) fn take_counter(&mut self) -> Result<u64, CurveError> {
        self.take().map(|octets| u64::from_be_bytes(*octets))
    }

    /// Returns what is left.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns an error unless nothing is left.
    pub(super) const fn end(self) -> Result<(), CurveError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.wrong_length())
        }
    }

    pub(super) const fn wrong_length(&self) -> CurveError {
        CurveError::Length {
            command: self.command,
            len: self.body_len,
        }
    }
}

/// Appends a command.
pub(super) fn encode(name: &[u8], fields: &[&[u8]], out: &mut Vec<u8>) {
    let data_len: usize = fields.iter().map(|field| field.len()).sum();
    let body_len = name.len().saturating_add(data_len).saturating_add(1);
    encode_header(out, FrameKind::Command, body_len);
    out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(name);
    for field in fields {
        out.extend_from_slice(field);
    }
}
