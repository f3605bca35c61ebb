//! Decodes events.

use std::time::Duration;

use bytes::Bytes;

use super::{Extra, Header, MessageId, Name, Notice, Version, names};
use crate::msgpack::{DecodeError, DecodeLimits, Head, Kind, Reader, skip};

/// One event: `[header, name, args]`.
///
/// The header and the name are decoded; the arguments are a slice of the payload, known to be one
/// well-formed value within the limits, and stay encoded until somebody asks for a type.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Ids, version and task context.
    pub header: Header,
    /// The method, or one of the protocol's own [`names`].
    pub name: Name,
    /// The encoded arguments, of any type.
    pub args: Bytes,
    /// How many values the header and the arguments have, nested ones included.
    pub(crate) values: usize,
}

impl Event {
    /// Decodes one payload. Bytes after the event are ignored, as in Python.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the payload is no event or exceeds `limits`.
    pub fn decode(payload: &Bytes, limits: &DecodeLimits) -> Result<Self, DecodeError> {
        Self::decode_or_header(payload, limits).map_err(|failure| failure.error)
    }

    /// Decodes one payload, or as much of it as tells whom the failure concerns.
    pub(crate) fn decode_or_header(
        payload: &Bytes,
        limits: &DecodeLimits,
    ) -> Result<Self, Box<DecodeFailure>> {
        let (len, limit) = (payload.len(), limits.event_len);
        let mut decoder = Decoder {
            payload,
            reader: Reader::new(payload),
            limits,
            values: limits.values,
            fault: None,
        };
        let header = match decoder.open().and_then(|()| decoder.header()) {
            Ok(header) => header,
            Err(error) => {
                let error = decoder.fault.unwrap_or(error);
                return Err(DecodeFailure::new(error, None));
            }
        };
        if len > limit {
            decoder.note(DecodeError::TooLong { len, limit });
        }
        let rest = match decoder.fault.take() {
            Some(error) => Err(error),
            None => decoder.name().and_then(|name| Ok((name, decoder.value()?))),
        };
        match rest {
            Ok((name, args)) => Ok(Self {
                header,
                name,
                args,
                values: limits.values.saturating_sub(decoder.values),
            }),
            Err(error) => Err(DecodeFailure::new(error, Some(header))),
        }
    }

    /// Sees to it that small parts of a large payload do not keep all of it in memory. Returns how
    /// many bytes the event holds from then on.
    pub(crate) fn detach(&mut self, payload_len: usize) -> usize {
        let extra = &mut self.header.extra;
        let entries = extra.count().saturating_mul(size_of::<(Bytes, Bytes)>());
        let parts = self.args.len().saturating_add(self.name.as_bytes().len());
        let parts = parts.saturating_add(extra.encoded_len());
        let held = if is_small_part(parts, payload_len) {
            self.args = Bytes::copy_from_slice(&self.args);
            self.name = Name::from_bytes(Bytes::copy_from_slice(self.name.as_bytes()));
            extra.detach();
            parts
        } else {
            payload_len
        };
        held.saturating_add(entries)
    }
}

impl Event {
    /// Returns what the arguments may take beside their encoded bytes, once they are decoded.
    ///
    /// A value of a single byte becomes one of some thirty in memory, so that a request may be small
    /// until somebody reads it. Those of ordinary requests are as good as nothing.
    pub(crate) fn expansion(&self) -> usize {
        /// Beside the byte that it has in the request.
        const VALUE_LEN: usize = 31;
        const FREE_VALUES: usize = 1024;
        let values = self.values.saturating_sub(FREE_VALUES);
        values.saturating_mul(VALUE_LEN)
    }
}

/// Returns whether keeping `part` bytes would waste most of the `whole` that they are a slice of.
pub(crate) fn is_small_part(part: usize, whole: usize) -> bool {
    /// What is shorter wastes less than a copy costs.
    const WORTH_IT: usize = 4096;
    whole > WORTH_IT && part < whole / 2
}

/// Why a payload is no event, and its header if that much could be read.
#[derive(Debug)]
pub(crate) struct DecodeFailure {
    pub(crate) error: DecodeError,
    pub(crate) header: Option<Header>,
}

impl DecodeFailure {
    fn new(error: DecodeError, header: Option<Header>) -> Box<Self> {
        Box::new(Self { error, header })
    }
}

struct Decoder<'a> {
    payload: &'a Bytes,
    reader: Reader<'a>,
    limits: &'a DecodeLimits,
    values: usize,
    /// The first thing that is wrong, if what follows can be read nevertheless.
    fault: Option<DecodeError>,
}

impl<'a> Decoder<'a> {
    fn note(&mut self, error: DecodeError) {
        self.fault.get_or_insert(error);
    }

    fn open(&mut self) -> Result<(), DecodeError> {
        match self.reader.head()? {
            Head::Array(3) => Ok(()),
            Head::Array(count) => {
                self.note(DecodeError::WrongArity { count });
                Ok(())
            }
            other => Err(DecodeError::NotAnArray {
                found: other.kind(),
            }),
        }
    }

    fn header(&mut self) -> Result<Header, DecodeError> {
        let before = self.reader.rest().len();
        let header = self.entries()?;
        let len = before.saturating_sub(self.reader.rest().len());
        let limit = self.limits.header_len;
        if len > limit {
            self.note(DecodeError::HeaderTooLong { len, limit });
        }
        Ok(header)
    }

    fn entries(&mut self) -> Result<Header, DecodeError> {
        const MESSAGE_ID: &[u8] = names::MESSAGE_ID.as_bytes();
        const RESPONSE_TO: &[u8] = names::RESPONSE_TO.as_bytes();
        const VERSION: &[u8] = names::VERSION.as_bytes();
        const CANCEL: &[u8] = names::CANCEL.as_bytes();
        const TIMEOUT: &[u8] = names::TIMEOUT.as_bytes();
        let count = match self.reader.head()? {
            Head::Map(count) => count,
            other => {
                return Err(DecodeError::HeaderNotAMap {
                    found: other.kind(),
                });
            }
        };
        let limit = self.limits.header_entries;
        if count > limit {
            self.note(DecodeError::TooManyHeaderEntries { count, limit });
        }
        let mut header = Header {
            message_id: None,
            version: Version::V1,
            response_to: None,
            timeout: None,
            extra: Extra::new(),
            notice: Notice::Nothing,
        };
        for _ in 0..count {
            let key = self.raw()?;
            match crate::msgpack::text_of(key) {
                Some(MESSAGE_ID) => {
                    header.message_id = match self.id() {
                        Err(error @ DecodeError::IdTooLong { .. }) => {
                            self.note(error);
                            None
                        }
                        id => id?,
                    };
                }
                Some(RESPONSE_TO) => header.response_to = self.id()?,
                Some(VERSION) => header.version = self.version()?,
                Some(CANCEL) => {
                    if self.raw()? == [TRUE] {
                        header.notice = Notice::UnderstandsCancel;
                    }
                }
                Some(TIMEOUT) => header.timeout = read_timeout(self.raw()?),
                _ if count > limit => drop(self.raw()?),
                _ => {
                    let key = self.payload.slice_ref(key);
                    header.extra.push(key, self.value()?);
                }
            }
        }
        Ok(header)
    }

    /// Reads an id of any type; nil is none.
    fn id(&mut self) -> Result<Option<MessageId>, DecodeError> {
        let encoded = self.raw()?;
        if encoded == [0xc0] {
            return Ok(None);
        }
        let (len, limit) = (encoded.len(), MessageId::MAX_LEN);
        if len > limit {
            return Err(DecodeError::IdTooLong { len, limit });
        }
        Ok(Some(MessageId::from_encoded(encoded)))
    }

    /// Reads a version; JavaScript may send a float, and what is newer than 3 is taken for 3.
    fn version(&mut self) -> Result<Version, DecodeError> {
        let encoded = self.raw()?;
        if encoded == [3] {
            return Ok(Version::V3);
        }
        match Reader::new(encoded).head()? {
            Head::Unsigned(3..) => Ok(Version::V3),
            Head::Unsigned(2) => Ok(Version::V2),
            Head::Unsigned(_) | Head::Negative(_) | Head::Nil => Ok(Version::V1),
            Head::F64(version) if version.fract() == 0.0 => Ok(version_of_float(version)),
            Head::F32(version) if version.fract() == 0.0 => {
                Ok(version_of_float(f64::from(version)))
            }
            other => {
                self.note(DecodeError::VersionNotAnInteger {
                    found: other.kind(),
                });
                Ok(Version::V3)
            }
        }
    }

    fn name(&mut self) -> Result<Name, DecodeError> {
        match self.reader.head()? {
            Head::Str(len) | Head::Bin(len) => {
                let content = self.reader.take(len)?;
                Ok(Name::from_bytes(self.payload.slice_ref(content)))
            }
            other => {
                let found: Kind = other.kind();
                Err(DecodeError::NameNotAString { found })
            }
        }
    }

    fn value(&mut self) -> Result<Bytes, DecodeError> {
        self.raw().map(|encoded| self.payload.slice_ref(encoded))
    }

    fn raw(&mut self) -> Result<&'a [u8], DecodeError> {
        if let Some(left) = self.values.checked_sub(1)
            && let Some(short) = self.reader.take_short()
        {
            self.values = left;
            return Ok(short);
        }
        let before = self.reader.rest();
        skip(&mut self.reader, self.limits, &mut self.values)?;
        let len = before.len().saturating_sub(self.reader.rest().len());
        before.get(..len).ok_or(DecodeError::Truncated)
    }
}

/// Reads a number of milliseconds. What is none is as good as no entry: nothing depends on it.
fn read_timeout(encoded: &[u8]) -> Option<Duration> {
    match Reader::new(encoded).head().ok()? {
        Head::Unsigned(millis) => Some(Duration::from_millis(millis)),
        Head::F64(millis) => Duration::try_from_secs_f64(millis / 1000.0).ok(),
        _ => None,
    }
}

/// The encoded true.
const TRUE: u8 = 0xc3;

fn version_of_float(version: f64) -> Version {
    if version >= 3.0 {
        Version::V3
    } else if version >= 2.0 {
        Version::V2
    } else {
        Version::V1
    }
}
