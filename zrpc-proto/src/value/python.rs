//! Checks values for what Python zerorpc drops silently.

use super::PythonError;
use crate::msgpack::{Head, Kind, Reader};

/// The longest event that Python's msgpack takes by default.
const MAX_LEN: usize = 100 * 1024 * 1024;

/// The deepest nesting that Python's msgpack is sure to pack again.
const MAX_DEPTH: usize = 511;

/// Whether the next value is a key, as maps have it alternately.
#[derive(Clone, Copy)]
enum Level {
    Array { pending: usize },
    Map { pending: usize },
}

/// Checks one encoded value, without recursion.
pub(super) fn check(encoded: &[u8]) -> Result<(), PythonError> {
    if encoded.len() > MAX_LEN {
        return Err(PythonError::TooLong {
            len: encoded.len(),
            limit: MAX_LEN,
        });
    }
    let mut reader = Reader::new(encoded);
    let mut levels = Vec::new();
    let mut level = Level::Array { pending: 1 };
    loop {
        let key = match &mut level {
            Level::Array { pending: 0 } | Level::Map { pending: 0 } => match levels.pop() {
                Some(outer) => {
                    level = outer;
                    continue;
                }
                None => return Ok(()),
            },
            Level::Array { pending } => {
                *pending = pending.saturating_sub(1);
                false
            }
            Level::Map { pending } => {
                *pending = pending.saturating_sub(1);
                *pending % 2 == 1
            }
        };
        let head = reader.head().map_err(PythonError::Malformed)?;
        if key && !matches!(head.kind(), Kind::String | Kind::Binary) {
            return Err(PythonError::MapKey { found: head.kind() });
        }
        let inner = match head {
            Head::Str(len) | Head::Bin(len) | Head::Ext(_, len) => {
                reader.take(len).map_err(PythonError::Malformed)?;
                continue;
            }
            Head::Array(count) => Level::Array { pending: count },
            Head::Map(count) => Level::Map {
                pending: count.saturating_mul(2),
            },
            _ => continue,
        };
        if levels.len() >= MAX_DEPTH {
            return Err(PythonError::TooDeep { limit: MAX_DEPTH });
        }
        levels.push(std::mem::replace(&mut level, inner));
    }
}
