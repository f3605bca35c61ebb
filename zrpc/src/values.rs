//! Which values may be sent.

use proto::{Body, PythonError};

/// Whether values that Python does not accept may be sent.
///
/// Python's zerorpc drops an event without a word if a map in it has a key other than a string or
/// binary, if it is longer than 100 MiB, or if it is nested too deep; the other side only sees a
/// timeout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Values {
    /// Such a value is an error, on the side that would send it.
    #[default]
    Portable,
    /// Every value is sent. For peers that are known not to be Python.
    Any,
}

impl Values {
    pub(crate) fn check(self, body: &Body) -> Result<(), PythonError> {
        match self {
            Self::Portable => body.check_python(),
            Self::Any => Ok(()),
        }
    }
}
