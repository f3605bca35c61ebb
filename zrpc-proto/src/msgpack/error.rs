//! What may be wrong with received bytes, and what is accepted.

use std::fmt;

/// Why received bytes are not an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Malformed: the bytes end within a value, or a value claims more than there is.
    #[error("bytes end within a value")]
    Truncated,
    /// Malformed: the byte 0xc1, which msgpack never uses.
    #[error("reserved byte 0xc1")]
    Reserved,
    /// Malformed: there is more behind the value.
    #[error("{count} bytes follow the value")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// The event is longer than accepted.
    #[error("event of {len} bytes is longer than {limit}")]
    TooLong {
        /// Its length.
        len: usize,
        /// [`DecodeLimits::event_len`].
        limit: usize,
    },
    /// Values are nested deeper than accepted.
    #[error("values are nested deeper than {limit}")]
    TooDeep {
        /// [`DecodeLimits::depth`].
        limit: usize,
    },
    /// The event has more values than accepted.
    #[error("event has more than {limit} values")]
    TooManyValues {
        /// [`DecodeLimits::values`].
        limit: usize,
    },
    /// The header has more entries than accepted.
    #[error("header has {count} entries, more than {limit}")]
    TooManyHeaderEntries {
        /// How many it claims.
        count: usize,
        /// [`DecodeLimits::header_entries`].
        limit: usize,
    },
    /// The header is longer than accepted.
    #[error("header of {len} bytes is longer than {limit}")]
    HeaderTooLong {
        /// Its encoded length.
        len: usize,
        /// [`DecodeLimits::header_len`].
        limit: usize,
    },
    /// An id is longer than accepted.
    #[error("message id of {len} bytes is longer than {limit}")]
    IdTooLong {
        /// Its encoded length.
        len: usize,
        /// [`MessageId::MAX_LEN`](crate::MessageId::MAX_LEN).
        limit: usize,
    },
    /// Violation: an event is an array.
    #[error("event is {found}, not an array")]
    NotAnArray {
        /// What it is instead.
        found: Kind,
    },
    /// Violation: an event has three elements.
    #[error("event has {count} elements, not 3")]
    WrongArity {
        /// How many it has.
        count: usize,
    },
    /// Violation: the header is a map.
    #[error("header is {found}, not a map")]
    HeaderNotAMap {
        /// What it is instead.
        found: Kind,
    },
    /// Violation: the name is a string.
    #[error("name is {found}, not a string")]
    NameNotAString {
        /// What it is instead.
        found: Kind,
    },
    /// Violation: the version is an integer.
    #[error("version is {found}, not an integer")]
    VersionNotAnInteger {
        /// What it is instead.
        found: Kind,
    },
    /// Violation: an event that opens a channel has an id, for there is no other way to answer it.
    #[error("event that opens a channel has no message id")]
    MissingMessageId,
}

/// What is accepted when an event is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// The longest event in bytes. Default 128 MiB: Python sends and accepts at most 100 MiB.
    pub event_len: usize,
    /// The deepest nesting. Default [`MAX_DEPTH`](Self::MAX_DEPTH). An event may be accepted that is
    /// deeper if this is more, but what is deeper in it cannot be decoded into a value.
    pub depth: usize,
    /// The most values in one event. Default 16 Mi: one byte on the wire may become a value of 32
    /// bytes in memory, and this bounds what an event can grow to.
    pub values: usize,
    /// The most header entries. Default 128; the protocol uses three, middleware a handful.
    pub header_entries: usize,
    /// The longest header in bytes. Default 64 KiB: ids take 80, and task context is names and numbers.
    pub header_len: usize,
}

impl DecodeLimits {
    /// The deepest nesting of a value that is decoded: a decoder that recurses survives it on a stack
    /// of 2 MiB.
    pub const MAX_DEPTH: usize = 512;
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            event_len: 128 * 1024 * 1024,
            depth: Self::MAX_DEPTH,
            values: 16 * 1024 * 1024,
            header_entries: 128,
            header_len: 64 * 1024,
        }
    }
}

/// The type of a msgpack value, as error messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Nil.
    Nil,
    /// A boolean.
    Boolean,
    /// An integer.
    Integer,
    /// A float of either width.
    Float,
    /// A string, which need not be UTF-8.
    String,
    /// Binary.
    Binary,
    /// An array.
    Array,
    /// A map.
    Map,
    /// An extension.
    Extension,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nil => "nil",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Float => "a float",
            Self::String => "a string",
            Self::Binary => "binary",
            Self::Array => "an array",
            Self::Map => "a map",
            Self::Extension => "an extension",
        })
    }
}
