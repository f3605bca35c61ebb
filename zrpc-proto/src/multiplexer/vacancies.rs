//! Which places of a table are free.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::capacity::is_oversized;

/// The free places of a table, of which the lowest is used first: so what is left of a burst moves to
/// the front, and the room behind it can be given back.
///
/// A table takes a new place at its end only when this has none. What is in here is therefore either
/// free, and in here once, or behind the end of the table.
#[derive(Debug)]
pub(super) struct Vacancies(BinaryHeap<Reverse<u32>>);

impl Vacancies {
    pub(super) const fn new() -> Self {
        Self(BinaryHeap::new())
    }

    /// Adds a place that has become free.
    pub(super) fn push(&mut self, index: u32) {
        self.0.push(Reverse(index));
    }

    /// Takes the lowest free place of a table of `len` places.
    pub(super) fn pop(&mut self, len: usize) -> Option<u32> {
        let Reverse(index) = self.0.pop()?;
        if to_usize(index) < len {
            return Some(index);
        }
        // All others were given back, too.
        self.0.clear();
        None
    }

    /// Gives back the room that a burst has left behind, of a table that has `len` places now.
    pub(super) fn give_back(&mut self, len: usize) {
        if len == 0 {
            self.0.clear();
        }
        if is_oversized(self.0.capacity(), len) {
            self.0.retain(|Reverse(index)| to_usize(*index) < len);
            self.0.shrink_to(len.saturating_mul(2));
        }
    }

    /// Returns how many places there is room for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

/// Widens an index; where a `usize` is smaller, no such entry can exist.
pub(super) fn to_usize(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
