//! What an engine keeps about the channels of its multiplexer.

use proto::ChannelId;

/// Entries by channel.
///
/// A channel has a small number of its own, so an entry is found without hashing. The multiplexer
/// may give the number away while the engine has not heard yet that a channel has ended; the entry
/// of that one is kept aside until it does.
#[derive(Debug)]
pub(crate) struct ChannelMap<T> {
    entries: Vec<Option<(ChannelId, T)>>,
    outdated: Vec<(ChannelId, T)>,
    count: usize,
}

/// Room for fewer entries than these is kept, whatever is in it.
const KEPT: usize = 1024;

impl<T> ChannelMap<T> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            outdated: Vec::new(),
            count: 0,
        }
    }

    /// Adds the entry of a channel that has none.
    pub(crate) fn insert(&mut self, channel: ChannelId, value: T) {
        if self.entries.len() <= channel.number() {
            self.entries.resize_with(channel.number() + 1, || None);
        }
        if let Some(entry) = self.entries.get_mut(channel.number()) {
            self.count += 1;
            self.outdated.extend(entry.replace((channel, value)));
        }
    }

    pub(crate) fn get(&self, channel: ChannelId) -> Option<&T> {
        let entry = self.entries.get(channel.number());
        let (_, value) = entry
            .and_then(Option::as_ref)
            .filter(|(id, _)| *id == channel)
            .or_else(|| self.outdated.iter().find(|(id, _)| *id == channel))?;
        Some(value)
    }

    pub(crate) fn get_mut(&mut self, channel: ChannelId) -> Option<&mut T> {
        let entry = self.entries.get_mut(channel.number());
        let (_, value) = entry
            .and_then(Option::as_mut)
            .filter(|(id, _)| *id == channel)
            .or_else(|| self.outdated.iter_mut().find(|(id, _)| *id == channel))?;
        Some(value)
    }

    pub(crate) fn remove(&mut self, channel: ChannelId) -> Option<T> {
        let entry = self.entries.get_mut(channel.number());
        let current = entry.and_then(|entry| entry.take_if(|(id, _)| *id == channel));
        let (_, value) = current.or_else(|| {
            let position = self.outdated.iter().position(|(id, _)| *id == channel)?;
            Some(self.outdated.swap_remove(position))
        })?;
        self.count -= 1;
        if channel.number() + 1 == self.entries.len() {
            self.give_back();
        }
        Some(value)
    }

    /// Gives the places back that are behind all that are used: the multiplexer does, too.
    fn give_back(&mut self) {
        while self.entries.pop_if(|entry| entry.is_none()).is_some() {}
        let (capacity, len) = (self.entries.capacity(), self.entries.len());
        if capacity > KEPT && len < capacity / 8 {
            self.entries.shrink_to(2 * len);
        }
    }

    /// Takes all entries out.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (ChannelId, T)> + use<T> {
        let Self {
            entries, outdated, ..
        } = std::mem::replace(self, Self::new());
        entries.into_iter().flatten().chain(outdated)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proto::{Body, ChannelOptions, Config, IdSource, Multiplexer, Request};

    use super::*;

    fn channel(mux: &mut Multiplexer<u8>) -> ChannelId {
        let request = Request::new("method", Body::args(&()).unwrap());
        mux.open(Instant::now(), &0, request, &ChannelOptions::default())
            .unwrap()
    }

    #[test]
    fn an_entry_outlives_its_channel_until_it_is_removed() {
        let mut mux = Multiplexer::new(Config::client(), IdSource::new([0; 12]));
        let mut map = ChannelMap::new();
        let first = channel(&mut mux);
        map.insert(first, "first");
        mux.close(first).unwrap();
        let second = channel(&mut mux);
        assert_eq!(first.number(), second.number());
        map.insert(second, "second");
        assert_eq!(map.get(first), Some(&"first"));
        assert_eq!(map.get(second), Some(&"second"));
        assert_eq!(map.get_mut(first), Some(&mut "first"));
        assert_eq!(map.remove(first), Some("first"));
        assert_eq!(map.remove(first), None);
        assert!(!map.is_empty());
        assert_eq!(map.remove(second), Some("second"));
        assert!(map.is_empty());
    }

    #[test]
    fn places_that_nobody_uses_are_given_back() {
        let mut mux = Multiplexer::new(Config::client(), IdSource::new([0; 12]));
        let mut map = ChannelMap::new();
        let (kept, outdated) = (channel(&mut mux), channel(&mut mux));
        map.insert(kept, 0);
        map.insert(outdated, 1);
        mux.close(outdated).unwrap();
        let channels: Vec<_> = (0..10_000).map(|_| channel(&mut mux)).collect();
        for channel in &channels {
            map.insert(*channel, 2);
        }
        for channel in channels {
            assert_eq!(map.remove(channel), Some(2));
        }
        assert!(map.entries.capacity() < 2000, "{}", map.entries.capacity());
        assert_eq!(map.remove(outdated), Some(1));
        assert_eq!(map.get(kept), Some(&0));
        assert_eq!(map.remove(kept), Some(0));
        assert!(map.is_empty());
    }

    #[test]
    fn all_entries_are_taken() {
        let mut mux = Multiplexer::new(Config::client(), IdSource::new([0; 12]));
        let mut map = ChannelMap::new();
        let first = channel(&mut mux);
        map.insert(first, 1);
        mux.close(first).unwrap();
        map.insert(channel(&mut mux), 2);
        map.insert(channel(&mut mux), 3);
        let mut taken: Vec<_> = map.take().map(|(_, value)| value).collect();
        taken.sort_unstable();
        assert_eq!(taken, [1, 2, 3]);
        assert!(map.is_empty());
    }
}
