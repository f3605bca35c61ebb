//! The subscriptions of all peers of a publisher.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use thiserror::Error;

use super::prefix_tree::{NodeId, PrefixTree};

/// Which peers want which messages.
///
/// A topic is a prefix of the first part of a message, in octets; the empty topic matches every
/// message. `K` names a peer. Finding the peers of a message costs as much as the message's own
/// prefix is long in the tree, however many other subscriptions there are, and nothing allocates.
pub struct SubscriptionTrie<K> {
    /// The slots of the peers that hold each topic.
    tree: PrefixTree<Vec<usize>>,
    peers: HashMap<K, usize>,
    slots: Vec<Slot<K>>,
    free_slots: Vec<usize>,
    /// Numbers the calls of `for_each_match`, see [`Slot::matched_in`].
    match_number: u64,
    repeats: Repeats,
    limits: SubscriptionLimits,
}

struct Slot<K> {
    peer: K,
    topics: HashMap<NodeId, Holding>,
    topic_bytes: usize,
    /// The last match in which the peer was reported, so that overlapping topics count once.
    matched_in: u64,
}

/// One peer's share of one topic.
struct Holding {
    /// Where the peer's slot stands in the topic's list.
    position: usize,
    count: u64,
}

/// What a second subscription of one peer to the same topic means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repeats {
    /// Nothing, and one cancellation ends them all, as in libzmq. Its subscribers depend on this:
    /// they announce each of their subscriptions but cancel only once, after the last.
    #[default]
    Ignored,
    /// Each needs its own cancellation, as the specification says.
    Counted,
}

/// How much one peer may subscribe to.
///
/// The tree keeps at most some 200 octets for a topic beside the topic itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SubscriptionLimits {
    /// The most topics of one peer.
    pub max_topics: usize,
    /// The most octets that the topics of one peer have in total.
    pub max_topic_bytes: usize,
}

/// What a subscription changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subscribed {
    /// Nobody held the topic before.
    First,
    /// Other peers hold the topic too.
    Joined,
    /// The peer held the topic already.
    Repeated,
}

/// What a cancellation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cancelled {
    /// Nobody holds the topic any longer.
    Last,
    /// Other peers still hold the topic.
    Left,
    /// The peer still holds the topic, see [`Repeats::Counted`].
    StillHeld,
    /// The peer did not hold the topic, and nothing changed.
    Unknown,
}

impl<K: Copy + Eq + Hash> SubscriptionTrie<K> {
    /// Creates a trie without subscriptions.
    #[must_use]
    pub fn new(repeats: Repeats, limits: SubscriptionLimits) -> Self {
        Self {
            tree: PrefixTree::new(),
            peers: HashMap::new(),
            slots: Vec::new(),
            free_slots: Vec::new(),
            match_number: 0,
            repeats,
            limits,
        }
    }

    /// Subscribes `peer` to `topic`.
    ///
    /// # Errors
    /// [`SubscriptionError`] if the peer would exceed a limit; nothing has changed then.
    pub fn subscribe(&mut self, peer: K, topic: &[u8]) -> Result<Subscribed, SubscriptionError> {
        let held = self.tree.find(topic);
        if let Some(&slot) = self.peers.get(&peer) {
            let slot = &mut self.slots[slot];
            if let Some(holding) = held.and_then(|id| slot.topics.get_mut(&id)) {
                if self.repeats == Repeats::Counted {
                    holding.count = holding.count.saturating_add(1);
                }
                return Ok(Subscribed::Repeated);
            }
            self.limits
                .check(slot.topics.len(), slot.topic_bytes, topic)?;
        } else {
            self.limits.check(0, 0, topic)?;
        }
        let slot = self.slot_of(peer);
        let (id, holders) = self.tree.get_or_insert_with(topic, Vec::new);
        let position = holders.len();
        holders.push(slot);
        let slot = &mut self.slots[slot];
        slot.topics.insert(id, Holding { position, count: 1 });
        slot.topic_bytes += topic.len();
        Ok(if position == 0 {
            Subscribed::First
        } else {
            Subscribed::Joined
        })
    }

    /// Cancels a subscription of `peer` to `topic`; an unknown one is harmless.
    pub fn cancel(&mut self, peer: K, topic: &[u8]) -> Cancelled {
        let (Some(&index), Some(id)) = (self.peers.get(&peer), self.tree.find(topic)) else {
            return Cancelled::Unknown;
        };
        let slot = &mut self.slots[index];
        let Some(holding) = slot.topics.get_mut(&id) else {
            return Cancelled::Unknown;
        };
        if holding.count > 1 {
            holding.count -= 1;
            return Cancelled::StillHeld;
        }
        let position = holding.position;
        slot.topics.remove(&id);
        slot.topic_bytes -= topic.len();
        if slot.topics.is_empty() {
            self.peers.remove(&peer);
            self.release_slot(index);
        }
        self.leave(id, position)
    }

    /// Forgets `peer`, and tells `on_last` each topic that nobody holds any longer.
    pub fn remove_all(&mut self, peer: K, mut on_last: impl FnMut(&[u8])) {
        let Some(index) = self.peers.remove(&peer) else {
            return;
        };
        let topics = std::mem::take(&mut self.slots[index].topics);
        for (id, holding) in topics {
            if self
                .tree
                .value(id)
                .is_some_and(|holders| holders.len() == 1)
            {
                on_last(&self.tree.key(id));
            }
            self.leave(id, holding.position);
        }
        self.release_slot(index);
    }

    /// Calls `found` once for each peer that wants a message with this first part.
    pub fn for_each_match(&mut self, first_part: &[u8], mut found: impl FnMut(K)) {
        if let Some(holders) = self.tree.catch_all() {
            for &index in holders {
                found(self.slots[index].peer);
            }
            return;
        }
        self.match_number += 1;
        for &index in self.tree.prefixes(first_part).flatten() {
            let slot = &mut self.slots[index];
            if slot.matched_in != self.match_number {
                slot.matched_in = self.match_number;
                found(slot.peer);
            }
        }
    }

    /// Appends each peer that wants a message with this first part to `peers`.
    pub fn matches(&mut self, first_part: &[u8], peers: &mut Vec<K>) {
        self.for_each_match(first_part, |peer| peers.push(peer));
    }

    /// The number of distinct topics of all peers.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.tree.len()
    }

    /// Whether no peer has a subscription, so that no message goes anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    fn slot_of(&mut self, peer: K) -> usize {
        if let Some(&index) = self.peers.get(&peer) {
            return index;
        }
        let slot = Slot {
            peer,
            topics: HashMap::new(),
            topic_bytes: 0,
            matched_in: 0,
        };
        let index = match self.free_slots.pop() {
            Some(index) => {
                self.slots[index] = slot;
                index
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        };
        self.peers.insert(peer, index);
        index
    }

    fn release_slot(&mut self, index: usize) {
        self.slots[index].topics = HashMap::new();
        self.free_slots.push(index);
    }

    /// Takes the holder at `position` off a topic; the last holder moves to its place.
    fn leave(&mut self, id: NodeId, position: usize) -> Cancelled {
        let Some(holders) = self.tree.value_mut(id) else {
            return Cancelled::Unknown;
        };
        holders.swap_remove(position);
        if holders.is_empty() {
            self.tree.remove(id);
            return Cancelled::Last;
        }
        if let Some(&moved) = holders.get(position)
            && let Some(holding) = self.slots[moved].topics.get_mut(&id)
        {
            holding.position = position;
        }
        Cancelled::Left
    }
}

impl<K: Copy + Eq + Hash> Default for SubscriptionTrie<K> {
    fn default() -> Self {
        Self::new(Repeats::default(), SubscriptionLimits::default())
    }
}

impl<K> fmt::Debug for SubscriptionTrie<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionTrie")
            .field("tree", &self.tree)
            .field("peers", &self.peers.len())
            .field("repeats", &self.repeats)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl SubscriptionLimits {
    /// Limits from a number of topics and of octets in them.
    #[must_use]
    pub const fn new(max_topics: usize, max_topic_bytes: usize) -> Self {
        Self {
            max_topics,
            max_topic_bytes,
        }
    }

    fn check(
        &self,
        topic_count: usize,
        topic_bytes: usize,
        topic: &[u8],
    ) -> Result<(), SubscriptionError> {
        if topic_count >= self.max_topics {
            return Err(SubscriptionError::TooManyTopics {
                limit: self.max_topics,
            });
        }
        if topic.len() > self.max_topic_bytes.saturating_sub(topic_bytes) {
            return Err(SubscriptionError::TooManyBytes {
                topic_len: topic.len(),
                limit: self.max_topic_bytes,
            });
        }
        Ok(())
    }
}

impl Default for SubscriptionLimits {
    /// 262 144 topics and 16 MiB, some times what large subscribers use and bearable for one peer.
    fn default() -> Self {
        Self::new(1 << 18, 16 << 20)
    }
}

/// A peer subscribes to more than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// The peer holds as many topics as it may.
    #[error("the peer has {limit} subscriptions, which is the limit")]
    TooManyTopics {
        /// The limit that was reached.
        limit: usize,
    },
    /// The topics of the peer would have too many octets.
    #[error("a topic of {topic_len} octets takes the peer over its {limit} octets of topics")]
    TooManyBytes {
        /// The length of the refused topic.
        topic_len: usize,
        /// The limit for all topics of the peer.
        limit: usize,
    },
}

#[cfg(test)]
mod tests;
