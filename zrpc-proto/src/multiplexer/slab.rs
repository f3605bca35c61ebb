//! A table whose keys are never valid for a later entry.

use super::ChannelId;

/// Entries by [`ChannelId`]. A freed place is used again under another generation.
#[derive(Debug)]
pub(super) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
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
        }
    }

    pub(super) fn insert(&mut self, value: T) -> ChannelId {
        if let Some(index) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(to_usize(index))
        {
            slot.value = Some(value);
            return ChannelId {
                index,
                generation: slot.generation,
            };
        }
        // Four billion open channels do not fit into memory.
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot {
            generation: 0,
            value: Some(value),
        });
        ChannelId {
            index,
            generation: 0,
        }
    }

    pub(super) fn remove(&mut self, id: ChannelId) -> Option<T> {
        let slot = self.slot_mut(id)?;
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index);
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
        self.slots.len().saturating_sub(self.free.len())
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
