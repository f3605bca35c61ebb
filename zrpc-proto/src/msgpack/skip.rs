//! Walks over a value without recursion and without believing its lengths.

use super::{DecodeError, DecodeLimits, Extent, Reader};

/// Moves `reader` behind the next value.
///
/// `values` is what is left of [`DecodeLimits::values`] and is counted down.
pub(crate) fn skip(
    reader: &mut Reader<'_>,
    limits: &DecodeLimits,
    values: &mut usize,
) -> Result<(), DecodeError> {
    // The values still to come on this level, and on the levels around it. The outermost level has
    // one value, so flat values never touch the heap.
    let mut pending = 1_usize;
    let mut outer: Vec<usize> = Vec::new();
    loop {
        while pending == 0 {
            match outer.pop() {
                Some(level) => pending = level,
                None => return Ok(()),
            }
        }
        pending = pending.saturating_sub(1);
        *values = values.checked_sub(1).ok_or(DecodeError::TooManyValues {
            limit: limits.values,
        })?;
        let children = match reader.extent()? {
            Extent::Bytes(len) => {
                reader.take(len)?;
                continue;
            }
            Extent::Values(count) => count,
        };
        // Every value takes at least one byte: what claims more is refused before it is walked.
        if children > reader.rest().len() {
            return Err(DecodeError::Truncated);
        }
        if outer.len() >= limits.depth {
            return Err(DecodeError::TooDeep {
                limit: limits.depth,
            });
        }
        outer.push(pending);
        pending = children;
    }
}
