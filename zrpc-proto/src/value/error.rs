//! What may be wrong with the values of applications.

use std::fmt;

use super::ValuePath;
use crate::msgpack::{DecodeError, Kind};

/// Why a value was not encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Misuse: arguments are positional, so they are a tuple, a sequence or nothing.
    #[error("arguments are {found}, not a tuple or a sequence; a single argument is `(value,)`")]
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
    /// Misuse: the integer has no msgpack form, which is from −2⁶³ to 2⁶⁴ − 1. Strings and binary
    /// are what larger numbers are usually sent as.
    #[error("{path}: integer {value} is out of the range of msgpack")]
    IntegerOutOfRange {
        /// Where it is.
        path: ValuePath,
        /// The integer in decimal digits.
        value: String,
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

/// A value that the other side would drop or change without a word. See [`Compat`](crate::Compat).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {fault}")]
#[non_exhaustive]
pub struct CompatError {
    /// Where it is.
    pub path: ValuePath,
    /// What is wrong with it.
    pub fault: CompatFault,
}

/// What the other side would do to a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompatFault {
    /// Python takes no such map key. [`Compat::ANY`](crate::Compat::ANY) is for whoever has no peers in
    /// Python.
    #[error(
        "map key is {found}: Python drops events with keys other than strings and binary \
         (Compat::ANY lets them through)"
    )]
    PythonMapKey {
        /// What the key is.
        found: Kind,
    },
    /// Node makes a string of such a map key.
    #[error("map key is {found}: Node makes a string of it")]
    NodeMapKey {
        /// What the key is.
        found: Kind,
    },
    /// The value is longer than Python accepts.
    #[error("{len} bytes: Python drops events longer than 100 MiB, which leaves {limit}")]
    TooLong {
        /// Its encoded length.
        len: usize,
        /// The most that Python accepts.
        limit: usize,
    },
    /// The value is nested deeper than Python accepts.
    #[error("nested deeper than {limit}: Python cannot answer it")]
    TooDeep {
        /// The most that Python accepts.
        limit: usize,
    },
    /// Node cannot tell the integer from its neighbours.
    #[error("integer {value}: Node has no exact numbers beyond ±(2^53 - 1)")]
    NodeInteger {
        /// The integer.
        value: i128,
    },
    /// Node sends the integer as a float.
    #[error("integer {value}: Node sends integers beyond 32 bits as floats")]
    NodeFloat {
        /// The integer.
        value: i128,
    },
    /// The string is not UTF-8.
    #[error("string is not UTF-8: Python drops the event, and Node replaces characters")]
    NotUtf8,
    /// Python takes extensions with tags of applications only.
    #[error("extension {tag}: Python drops events with extensions other than 0 to 127")]
    PythonExtension {
        /// The tag.
        tag: i8,
    },
    /// Node makes an object of the extension.
    #[error("extension {tag}: Node makes a JavaScript object of it")]
    NodeExtension {
        /// The tag.
        tag: i8,
    },
    /// A timestamp of no known form, or with a second or more of nanoseconds.
    #[error("malformed timestamp: Python drops the event")]
    Timestamp,
    /// The bytes are no msgpack value.
    #[error("malformed value: {0}")]
    Malformed(DecodeError),
}

impl CompatFault {
    pub(super) fn at(self, path: ValuePath) -> CompatError {
        CompatError { path, fault: self }
    }
}
