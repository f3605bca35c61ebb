//! What may be wrong with the values of applications.

use std::fmt;

use crate::msgpack::{DecodeError, Kind};

/// Why a value was not encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Misuse: arguments are positional, so they are a tuple, a sequence or nothing.
    #[error("arguments are {found}, not a tuple or a sequence")]
    NotPositional {
        /// What they encode to instead.
        found: Kind,
    },
    /// Misuse: the header entry is one that the protocol itself writes.
    #[error("header key {key} belongs to the protocol")]
    ReservedKey {
        /// The key.
        key: String,
    },
    /// The value refused to be serialized, or has no msgpack form.
    #[error("cannot serialize: {message}")]
    Unserializable {
        /// What the value says.
        message: String,
    },
}

/// Why an encoded value is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The bytes are no msgpack value, or one that exceeds the limits.
    #[error("malformed value")]
    Malformed(#[source] DecodeError),
    /// The value has another type or range than was asked for.
    #[error("{message}")]
    Mismatch {
        /// What was found and what was expected.
        message: String,
    },
}

impl serde::de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Mismatch {
            message: message.to_string(),
        }
    }
}

/// Why arguments do not fit a method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentsError {
    /// The caller sent no array.
    #[error("arguments are {found}, not an array")]
    NotAnArray {
        /// What they are instead.
        found: Kind,
    },
    /// The caller sent too few or too many.
    #[error("takes {expected} arguments but {got} were given")]
    Count {
        /// What the method takes.
        expected: usize,
        /// What was sent.
        got: usize,
    },
    /// One argument is not what the method takes.
    #[error("argument {}: {error}", .index.saturating_add(1))]
    Argument {
        /// Its position, from zero.
        index: usize,
        /// What is wrong with it.
        error: ValueError,
    },
    /// The arguments as a whole were refused by the type that they are decoded to.
    #[error("{message}")]
    Refused {
        /// What the type says.
        message: String,
    },
}

impl serde::de::Error for ArgumentsError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Refused {
            message: message.to_string(),
        }
    }
}

/// What Python zerorpc would drop without a word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PythonError {
    /// A map key is neither a string nor binary.
    #[error("map key is {found}: Python drops events with keys other than strings and binary")]
    MapKey {
        /// What it is instead.
        found: Kind,
    },
    /// The value is longer than Python accepts.
    #[error("value of {len} bytes: Python drops events longer than {limit}")]
    TooLong {
        /// Its encoded length.
        len: usize,
        /// The most that Python accepts.
        limit: usize,
    },
    /// The value is nested deeper than Python accepts.
    #[error("values are nested deeper than {limit}: Python cannot answer them")]
    TooDeep {
        /// The most that Python accepts.
        limit: usize,
    },
    /// The bytes are no msgpack value.
    #[error("malformed value")]
    Malformed(#[source] DecodeError),
}
