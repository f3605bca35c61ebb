//! Walks over a value without recursion and without believing its lengths.

use super::{DecodeError, DecodeLimits, Extent, Reader};

/// Moves `reader` behind the next value.
///
/// `values` is what is left of [`DecodeLimits::values`] and is counted down.
#[inline]
pub(crate) fn skip(
    reader: &mut Reader<'_>,
    limits: &DecodeLimits,
    values: &mut usize,
) -> Result<(), DecodeError> {
    match extent(reader, limits, values)? {
        Extent::Bytes(len) => reader.take(len).map(drop),
        Extent::Values(count) => skip_values(count, reader, limits, values),
    }
}

/// Moves `reader` behind the values of a compound value.
fn skip_values(
    count: usize,
    reader: &mut Reader<'_>,
    limits: &DecodeLimits,
    values: &mut usize,
) -> Result<(), DecodeError> {
    // The values still to come on this level, and how many levels it is in.
    let (mut pending, mut depth) = (0_usize, 0_usize);
    // The same of the levels around it that are not at their end, so that a value whose last element
    // alone is compound never touches the heap.
    let mut outer: Vec<(usize, usize)> = Vec::new();
    let mut children = count;
    loop {
        // Every value takes at least one byte: what claims more is refused before it is walked.
        if children > reader.rest().len() {
            return Err(DecodeError::Truncated);
        }
        if depth >= limits.depth {
            return Err(DecodeError::TooDeep {
                limit: limits.depth,
            });
        }
        if pending > 0 {
            outer.push((pending, depth));
        }
        depth = depth.saturating_add(1);
        pending = children;
        children = loop {
            while pending == 0 {
                match outer.pop() {
                    Some(level) => (pending, depth) = level,
                    None => return Ok(()),
                }
            }
            pending = pending.saturating_sub(1);
            match extent(reader, limits, values)? {
                Extent::Bytes(len) => drop(reader.take(len)?),
                Extent::Values(count) => break count,
            }
        };
    }
}

/// Reads and counts the head of the next value.
#[inline]
fn extent(
    reader: &mut Reader<'_>,
    limits: &DecodeLimits,
    values: &mut usize,
) -> Result<Extent, DecodeError> {
    *values = values.checked_sub(1).ok_or(DecodeError::TooManyValues {
        limit: limits.values,
    })?;
    reader.extent()
}
