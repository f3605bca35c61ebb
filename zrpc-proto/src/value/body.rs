//! Encodes values with room in front of them, so that the header needs no copy.

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::Serialize;

use super::compat::Text;
use super::ser::serialize;
use super::{Compat, CompatError, EncodeError};
use crate::event::Extra;
use crate::msgpack::{DecodeError, DecodeLimits, Head, Reader, skip};

/// An encoded value on its way out, with the header entries that go with it.
///
/// A body is encoded once, straight from the caller's types. Structs become maps with their field
/// names, as every other language expects. Integers of 128 bits are sent if they fit into 64, for
/// msgpack has no others.
///
/// # Example
///
/// ```
/// # use zrpc_proto::{Body, EncodeError};
/// # fn main() -> Result<(), EncodeError> {
/// assert_eq!(Body::args(&(1, "two"))?.encoded(), b"\x92\x01\xa3two");
/// assert_eq!(Body::args(&())?.encoded(), b"\x90");
/// assert_eq!(Body::value(&())?.encoded(), b"\xc0");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Body {
    /// `start` bytes of room, then the value.
    buffer: Vec<u8>,
    start: usize,
    text: Text,
    extra: Extra,
}

/// Room for the usual head of an event: array, map, two ids of 38 bytes, version, notice, name.
const HEADROOM: usize = 144;

/// Room for small values, so that most bodies are one allocation.
const SMALL: usize = 112;

impl Body {
    /// Encodes positional arguments: a tuple, a sequence, or `()` for none.
    ///
    /// # Errors
    ///
    /// [`EncodeError::NotPositional`] if `args` is neither, [`EncodeError::IntegerOutOfRange`] and
    /// [`EncodeError::Unserializable`] if it cannot be encoded.
    pub fn args<T: Serialize + ?Sized>(args: &T) -> Result<Self, EncodeError> {
        let mut body = Self::value(args)?;
        match Reader::new(body.encoded()).head().map(Head::kind) {
            Ok(crate::Kind::Array) => Ok(body),
            Ok(crate::Kind::Nil) => {
                body.buffer.truncate(body.start);
                body.buffer.push(0x90);
                Ok(body)
            }
            Ok(found) => Err(EncodeError::NotPositional { found }),
            Err(error) => Err(EncodeError::Unserializable {
                message: error.to_string(),
            }),
        }
    }

    /// Encodes one value: a result or a stream item.
    ///
    /// # Errors
    ///
    /// [`EncodeError::IntegerOutOfRange`] and [`EncodeError::Unserializable`] if it cannot be encoded.
    pub fn value<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let mut body = Self::with_capacity(SMALL);
        serialize(&mut body.buffer, value)?;
        Ok(body)
    }

    /// Takes a value that is encoded already, as a proxy has it.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if `encoded` is not exactly one msgpack value within the default limits.
    pub fn from_encoded(encoded: &[u8]) -> Result<Self, DecodeError> {
        let limits = DecodeLimits::default();
        let mut reader = Reader::new(encoded);
        skip(&mut reader, &limits, &mut limits.values.clone())?;
        match reader.rest().len() {
            0 => {}
            count => return Err(DecodeError::TrailingBytes { count }),
        }
        let mut body = Self::with_capacity(encoded.len());
        body.text = Text::Unknown;
        body.buffer.extend_from_slice(encoded);
        Ok(body)
    }

    /// Returns the encoded nil.
    #[must_use]
    pub fn nil() -> Self {
        let mut body = Self::with_capacity(1);
        body.buffer.push(0xc0);
        body
    }

    /// Sets the header entries that go with the value.
    #[must_use]
    pub fn with_extra(mut self, extra: Extra) -> Self {
        self.extra = extra;
        self
    }

    /// Returns the header entries that go with the value.
    #[must_use]
    pub fn extra(&self) -> &Extra {
        &self.extra
    }

    /// Returns the header entries that go with the value, to change them.
    pub fn extra_mut(&mut self) -> &mut Extra {
        &mut self.extra
    }

    /// Returns the encoded value.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Returns the encoded value without copying it.
    #[must_use]
    pub fn into_encoded(self) -> Bytes {
        let mut encoded = Bytes::from(self.buffer);
        encoded.advance(self.start.min(encoded.len()));
        encoded
    }

    /// Checks that the other side takes the value, and the header entries that go with it, for what
    /// they are.
    ///
    /// # Errors
    ///
    /// [`CompatError`] says what would be dropped or changed, by whom, and where it is.
    pub fn check(&self, compat: Compat) -> Result<(), CompatError> {
        compat.check(self.encoded(), self.text)?;
        self.extra.check(compat)?;
        let len = self.encoded().len();
        compat.check_len(len.saturating_add(self.extra.encoded_len()))
    }

    /// Puts `head` in front of the value, in place if it fits.
    pub(crate) fn prepend(&mut self, head: &[u8]) {
        let fits = self.start.checked_sub(head.len());
        let target = fits.and_then(|start| self.buffer.get_mut(start..self.start));
        if let (Some(start), Some(target)) = (fits, target) {
            target.copy_from_slice(head);
            self.start = start;
        } else {
            let whole = [head, self.encoded()].concat();
            self.buffer = whole;
            self.start = 0;
        }
    }

    pub(crate) fn take_extra(&mut self) -> Extra {
        std::mem::take(&mut self.extra)
    }

    fn with_capacity(len: usize) -> Self {
        let mut buffer = Vec::with_capacity(len.saturating_add(HEADROOM));
        buffer.resize(HEADROOM, 0);
        Self {
            buffer,
            start: HEADROOM,
            text: Text::Known,
            extra: Extra::new(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("len", &self.encoded().len())
            .field("extra", &self.extra)
            .finish()
    }
}

/// Appends the encoded `value`.
pub(crate) fn encode_into<T>(out: &mut BytesMut, value: &T) -> Result<(), EncodeError>
where
    T: Serialize + ?Sized,
{
    let mut buffer = Vec::new();
    serialize(&mut buffer, value)?;
    out.put_slice(&buffer);
    Ok(())
}
