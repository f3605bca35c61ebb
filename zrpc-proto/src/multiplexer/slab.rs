//! A table whose keys are never valid for a later entry.

use super::ChannelId;
use super::capacity::is_oversized;
use super::vacancies::{Vacancies, to_usize};

/// Entries by [`ChannelId`]. The lowest free place is used first, under another generation than before.
/// Places behind all that are used are given back: an entry that is older than a burst never holds the
/// room of it, and one that came late does until it goes.
#[derive(Debug)]
pub(super) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vacancies,
    count: usize,
    /// The generation of new places. No entry of a place that was given back had it, or a later one.
    /// At a billion entries a second it lasts for centuries.
    fresh: u64,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u64,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vacancies::new(),
            count: 0,
            fresh: 0,
        }
    }

    pub(super) fn insert(&mut self, value: T) -> ChannelId {
        self.count = self.count.saturating_add(1);
        if let Some(index) = self.free.pop(self.slots.len())
            && let Some(slot) = self.slots.get_mut(to_usize(index))
        {
            debug_assert!(slot.value.is_none(), "place {index} is in use");
            slot.value = Some(value);
            return ChannelId {
                index,
                generation: slot.generation,
            };
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

    /// Returns whether there was such an entry.
    pub(super) fn remove(&mut self, id: ChannelId) -> bool {
        let Some(slot) = self.slot_mut(id).filter(|slot| slot.value.is_some()) else {
            return false;
        };
        // In its place: moving it out would copy it, more than once.
        slot.value = None;
        slot.generation = slot.generation.saturating_add(1);
        self.count = self.count.saturating_sub(1);
        if to_usize(id.index).saturating_add(1) == self.slots.len() {
            self.give_back();
        } else {
            self.free.push(id.index);
        }
        true
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
            self.fresh = self.fresh.max(slot.generation);
        }
        let len = self.slots.len();
        if is_oversized(self.slots.capacity(), len) {
            self.slots.shrink_to(len.saturating_mul(2));
        }
        self.free.give_back(len);
    }

    fn slot_mut(&mut self, id: ChannelId) -> Option<&mut Slot<T>> {
        self.slots
            .get_mut(to_usize(id.index))
            .filter(|slot| slot.generation == id.generation)
    }
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
                assert_eq!(slab.get(id), Some(&value));
                assert!(slab.remove(id));
                assert!(!slab.remove(id));
            }
            assert_eq!(slab.count(), open.len());
        }
        for (id, value) in &open {
            assert_eq!(slab.get(*id), Some(value));
        }
    }

    #[test]
    fn a_place_comes_again_under_a_later_generation_however_often_it_was_used() {
        let mut slab = Slab::new();
        let [used, last] = [0, 1].map(|number| slab.insert(number));
        slab.slots[0].generation = u64::from(u32::MAX) * 3;
        assert!(!slab.remove(used), "it names an earlier entry");
        let used = ChannelId {
            generation: u64::from(u32::MAX) * 3,
            ..used
        };
        assert!(slab.remove(used));
        assert!(slab.remove(last));
        let again = [2, 3].map(|number| slab.insert(number));
        assert!(again.iter().all(|id| id.generation > used.generation));
    }

    #[test]
    fn a_late_entry_holds_the_room_of_a_burst_until_it_goes_and_what_comes_after_it_does_not() {
        let mut slab = Slab::new();
        let ids: Vec<_> = (0..100_000).map(|number| slab.insert(number)).collect();
        let (late, others) = ids.split_last().unwrap();
        for id in others {
            slab.remove(*id);
        }
        // One is always there, as on a busy client.
        let mut open = slab.insert(0);
        for number in 0..1000 {
            let next = slab.insert(number);
            slab.remove(open);
            open = next;
        }
        assert!(slab.capacity() >= 100_000, "a place cannot move");
        slab.remove(*late);
        assert!(slab.capacity() < 5000, "{}", slab.capacity());
        assert_eq!(slab.count(), 1);
        assert_eq!(slab.get(open), Some(&999));
    }

    #[test]
    fn free_places_are_still_known_when_those_behind_them_are_given_back() {
        for count in [3, 20_000] {
            let mut slab = Slab::new();
            let ids: Vec<_> = (0..count).map(|number| slab.insert(number)).collect();
            slab.remove(ids[0]);
            for id in &ids[2..] {
                slab.remove(*id);
            }
            assert_eq!(slab.slots.len(), 2);
            assert_eq!(slab.insert(0).number(), 0);
            assert_eq!(slab.insert(0).number(), 2);
        }
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
        assert!(slab.remove(first));
        assert_eq!(slab.count(), 0);
    }
}
