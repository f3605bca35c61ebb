//! Errors as servers send them.

use std::fmt;

use bytes::Bytes;

use crate::msgpack::{Elements, read_text};

/// What a server says about a failed call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct RemoteError {
    /// The type of the error, such as `NameError`.
    pub name: String,
    /// The message for a person.
    pub message: String,
    /// The traceback in the server, if it sent one.
    pub traceback: Option<String>,
}

/// What Python calls an error whose name was not sent.
const UNNAMED: &str = "RemoteError";

impl RemoteError {
    /// Returns an error without a traceback.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            message: message.into(),
            traceback: None,
        }
    }

    /// Sets the traceback.
    #[must_use]
    pub fn with_traceback(mut self, traceback: impl Into<String>) -> Self {
        self.traceback = Some(traceback.into());
        self
    }

    /// Reads the arguments of an `ERR`, in every shape that is seen: `[name, message, traceback]`
    /// of version 2 and 3 with any of them nil, binary or missing, and the single string of
    /// version 1.
    pub(crate) fn from_args(args: &Bytes) -> Self {
        let Some(elements) = Elements::of(args) else {
            let message = text(args).unwrap_or_default();
            return Self::new(UNNAMED, message);
        };
        let mut fields = elements.map(text);
        let first = fields.next().flatten();
        let message = fields.next().flatten();
        let traceback = fields.next().flatten();
        match (first, message, traceback) {
            (first, None, None) => Self::new(UNNAMED, first.unwrap_or_default()),
            (name, message, traceback) => Self {
                name: name.unwrap_or_else(|| UNNAMED.to_owned()),
                message: message.unwrap_or_default(),
                traceback,
            },
        }
    }

    /// Returns what a version 1 peer gets: Python's `repr` of the exception.
    pub(crate) fn repr(&self) -> String {
        let quote = if self.message.contains('\'') && !self.message.contains('"') {
            '"'
        } else {
            '\''
        };
        let mut repr = format!("{}({quote}", self.name);
        for character in self.message.chars() {
            match character {
                '\\' => repr.push_str("\\\\"),
                '\n' => repr.push_str("\\n"),
                '\r' => repr.push_str("\\r"),
                '\t' => repr.push_str("\\t"),
                _ if character == quote => repr.extend(['\\', quote]),
                _ => repr.push(character),
            }
        }
        repr.extend([quote, ')']);
        repr
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

/// Reads a string or binary as text; nil is nothing, and anything else is shown as it is encoded.
fn text(encoded: impl AsRef<[u8]>) -> Option<String> {
    let encoded = encoded.as_ref();
    if encoded == [0xc0] {
        return None;
    }
    match read_text(encoded) {
        Some(content) => Some(String::from_utf8_lossy(content).into_owned()),
        None => match crate::value::decode::<rmpv::Value>(encoded) {
            Ok(value) => Some(value.to_string()),
            Err(_) => Some(encoded.escape_ascii().to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Body;

    fn read<T: serde::Serialize>(args: &T) -> RemoteError {
        RemoteError::from_args(&Body::value(args).unwrap().into_encoded())
    }

    #[test]
    fn three_fields_are_name_message_and_traceback() {
        let expected = RemoteError::new("KeyError", "'x'").with_traceback("Traceback…");
        assert_eq!(read(&("KeyError", "'x'", "Traceback…")), expected);
    }

    #[test]
    fn q12_version_1_error_is_one_string() {
        assert_eq!(
            read(&("KeyError('x',)",)),
            RemoteError::new("RemoteError", "KeyError('x',)")
        );
    }

    #[test]
    fn q13_binary_fields_of_python_2_are_text() {
        let bin = serde_bytes::Bytes::new(b"KeyError");
        assert_eq!(read(&(bin, "x", ())), RemoteError::new("KeyError", "x"));
    }

    #[test]
    fn q23_message_alone_is_the_message() {
        assert_eq!(
            read(&("boom", (), ())),
            RemoteError::new("RemoteError", "boom")
        );
    }

    #[test]
    fn hostile_fields_do_not_hide_the_error() {
        assert_eq!(read(&()), RemoteError::new("RemoteError", ""));
        assert_eq!(read(&(1, [2], 3.5)).message, "[2]");
        assert_eq!(read(&"bare"), RemoteError::new("RemoteError", "bare"));
    }

    #[test]
    fn repr_is_what_python_writes() {
        assert_eq!(
            RemoteError::new("ValueError", "it's").repr(),
            "ValueError(\"it's\")"
        );
        assert_eq!(
            RemoteError::new("ValueError", "a'b\"\n\\").repr(),
            "ValueError('a\\'b\"\\n\\\\')"
        );
    }
}
