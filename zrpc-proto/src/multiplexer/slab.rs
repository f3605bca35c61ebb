//! A table whose keys are never valid for a later entry.

use super::ChannelId;
use super::capacity::is_oversized;

/// Entries by [`ChannelId`]. A freed place is used again under another generation, and given back if it
/// is behind all that are used.
#[derive(Debug)]
pub(super) struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// Places to use again. Those that were given back meanwhile are skipped.
    free: Vec<u32>,
    count: usize,
    /// The generation of new places. No place that was given back had a later one.
    fresh: u32,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            count: 0,
            fresh: 0,
        }
    }

    pub(super) fn insert(&mut self, value: T) -> ChannelId {
        self.count = self.count.saturating_add(1);
        while let Some(index) = self.free.pop() {
            if let Some(slot) = self.slots.get_mut(to_usize(index)) {
                // What was given back and has come again is in use.
                if slot.value.is_none() {
                    slot.value = Some(value);
                    return ChannelId {
                        index,
                        generation: slot.generation,
                    };
                }
            }
        }
        // Four billion open channels do not fit into memory.
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot {
            generation: self.fresh,
            value: Some(value),
        });
        ChannelId {
            index,
            generation: self.fresh,
        }
    }

    pub(super) fn remove(&mut self, id: ChannelId) -> Option<T> {
        let slot = self.slot_mut(id)?;
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.count = self.count.saturating_sub(1);
        if to_usize(id.index).saturating_add(1) == self.slots.len() {
            self.give_back();
        } else {
            self.free.push(id.index);
        }
        Some(value)
    }

    pub(super) fn get_mut(&mut self, id: ChannelId) -> Option<&mut T> {
        self.slot_mut(id)?.value.as_mut()
    }

    pub(super) fn get(&self, id: ChannelId) -> Option<&T> {
        let slot = self.slots.get(to_usize(id.index))?;
        if slot.generation == id.generation {
            slot.value.as_ref()
        } else {
            None
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns how many entries there is room for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity().max(self.free.capacity())
    }

    /// Gives the places back that are behind all that are used.
    fn give_back(&mut self) {
        while let Some(slot) = self.slots.pop_if(|slot| slot.value.is_none()) {
            // Generations go round; half of them are ahead of any.
            if slot.generation.wrapping_sub(self.fresh) <= u32::MAX / 2 {
                self.fresh = slot.generation;
            }
        }
        let len = self.slots.len();
        if is_oversized(self.slots.capacity(), len) {
            self.slots.shrink_to(len.saturating_mul(2));
        }
        if len == 0 {
            self.free.clear();
        }
        if is_oversized(self.free.capacity(), len) {
            self.free.retain(|index| to_usize(*index) < len);
            self.free.shrink_to(len.saturating_mul(2));
        }
    }

    fn slot_mut(&mut self, id: ChannelId) -> Option<&mut Slot<T>> {
        self.slots
            .get_mut(to_usize(id.index))
            .filter(|slot| slot.generation == id.generation)
    }
}

/// Widens an index; where a `usize` is smaller, no such entry can exist.
fn to_usize(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_id_is_given_away_twice_while_places_come_and_go() {
        let mut slab = Slab::new();
        let (mut given, mut open) = (HashSet::new(), Vec::new());
        // Any order of insertions and removals, with waves of more and of fewer entries.
        for step in 0..20_000_usize {
            let grows = (step / 1000).is_multiple_of(2);
            if open.is_empty() || (step * 7) % 10 < if grows { 8 } else { 2 } {
                let id = slab.insert(step);
                assert!(given.insert(id), "{id:?} was given away before");
                open.push((id, step));
            } else {
                let (id, value) = open.swap_remove((step * 31) % open.len());
                assert_eq!(slab.remove(id), Some(value));
                assert_eq!(slab.remove(id), None);
            }
            assert_eq!(slab.count(), open.len());
        }
        for (id, value) in &open {
            assert_eq!(slab.get(*id), Some(value));
        }
    }

    #[test]
    fn generations_go_round() {
        let mut slab = Slab::new();
        slab.fresh = u32::MAX - 1;
        let ids: Vec<_> = (0..4)
            .map(|number| {
                let id = slab.insert(number);
                slab.remove(id);
                id.generation
            })
            .collect();
        assert_eq!(ids, [u32::MAX - 1, u32::MAX, 0, 1]);
    }

    #[test]
    fn places_that_nobody_uses_are_given_back() {
        let mut slab = Slab::new();
        let first = slab.insert(0);
        let ids: Vec<_> = (0..100_000).map(|number| slab.insert(number)).collect();
        for id in &ids {
            slab.remove(*id);
        }
        assert!(slab.capacity() < 5000, "{}", slab.capacity());
        assert_eq!(slab.get(first), Some(&0));
        assert_eq!(slab.remove(first), Some(0));
        assert_eq!(slab.count(), 0);
    }
}
