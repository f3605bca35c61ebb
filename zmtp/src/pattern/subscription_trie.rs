//! The subscriptions of all peers of a publisher.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use thiserror::Error;

use super::prefix_tree::{NodeId, PrefixTree, Prefixes};

/// Which peers want which messages.
///
/// A topic is a prefix of the first part of a message, in octets; the empty topic matches every
/// message. `K` names a peer, or is the peer. Finding the peers of a message costs as much as the
/// message's own prefix is long in the tree, however many other subscriptions there are, and
/// neither hashes nor allocates.
pub struct SubscriptionTrie<K> {
    /// The slots of the peers that hold each topic.
    tree: PrefixTree<Vec<usize>>,
    peers: HashMap<K, usize>,
    slots: Vec<Slot<K>>,
    free_slots: Vec<usize>,
    /// Numbers the matches by more than one topic, see [`Slot::matched_in`].
    match_number: u64,
    /// How many topics all peers hold, each counted once for each of its holders.
    held_topics: usize,
    /// The octets of those topics.
    held_bytes: usize,
    repeats: Repeats,
    limits: SubscriptionLimits,
}

struct Slot<K> {
    /// `None` while nobody has the slot.
    peer: Option<K>,
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
    /// The length of the topic.
    len: usize,
}

/// A topic that a peer held when it was forgotten.
pub struct Released<'a> {
    tree: &'a PrefixTree<Vec<usize>>,
    id: NodeId,
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

/// How much peers may subscribe to.
///
/// What a topic costs, with all tables: up to some 600 octets if it has no more than 33, and
/// for a longer one from some 13 times its length (64 octets) down to nine times (1000 octets);
/// while a table grows, a third more for a moment. So one peer can cost some 200 MiB with the default
/// limits, and all peers together sixteen times as much: choose lower ones where that is too much.
/// Nothing of the tree is given back before its last topic goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SubscriptionLimits {
    /// The most topics of one peer.
    pub max_topics: usize,
    /// The most octets that the topics of one peer have in total.
    pub max_topic_bytes: usize,
    /// The most topics of all peers together; what several peers hold counts for each.
    pub max_socket_topics: usize,
    /// The most octets that the topics of all peers have in total, counted in the same way.
    pub max_socket_topic_bytes: usize,
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

/// Who wants a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience<'a, K> {
    Nobody,
    /// A single peer.
    One(&'a K),
    /// More than one peer, or perhaps one that holds several of the topics.
    Several,
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

impl<K: Clone + Eq + Hash> SubscriptionTrie<K> {
    /// Creates a trie without subscriptions.
    #[must_use]
    pub fn new(repeats: Repeats, limits: SubscriptionLimits) -> Self {
        Self {
            tree: PrefixTree::new(),
            peers: HashMap::new(),
            slots: Vec::new(),
            free_slots: Vec::new(),
            match_number: 0,
            held_topics: 0,
            held_bytes: 0,
            repeats,
            limits,
        }
    }

    /// Subscribes `peer` to `topic`.
    ///
    /// # Errors
    /// [`SubscriptionError`] if a limit would be exceeded; nothing has changed then.
    pub fn subscribe(&mut self, peer: &K, topic: &[u8]) -> Result<Subscribed, SubscriptionError> {
        let held = self.tree.find(topic);
        if let Some(&slot) = self.peers.get(peer) {
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
        self.limits
            .check_socket(self.held_topics, self.held_bytes, topic)?;
        let slot = self.slot_of(peer);
        let (id, holders) = self.tree.get_or_insert_with(topic, Vec::new);
        let position = holders.len();
        holders.push(slot);
        let slot = &mut self.slots[slot];
        let holding = Holding {
            position,
            count: 1,
            len: topic.len(),
        };
        slot.topics.insert(id, holding);
        slot.topic_bytes += topic.len();
        self.held_topics += 1;
        self.held_bytes += topic.len();
        Ok(if position == 0 {
            Subscribed::First
        } else {
            Subscribed::Joined
        })
    }

    /// Cancels a subscription of `peer` to `topic`; an unknown one is harmless.
    pub fn cancel(&mut self, peer: &K, topic: &[u8]) -> Cancelled {
        let (Some(&index), Some(id)) = (self.peers.get(peer), self.tree.find(topic)) else {
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
        self.held_topics -= 1;
        self.held_bytes -= topic.len();
        if slot.topics.is_empty() {
            self.peers.remove(peer);
            self.release_slot(index);
        }
        self.leave(id, position)
    }

    /// Forgets `peer`, and tells `released` each topic that it held.
    ///
    /// [`Cancelled::Last`] goes with the topics that nobody holds any longer, and
    /// [`Cancelled::Left`] with the others.
    pub fn remove_all(&mut self, peer: &K, mut released: impl FnMut(Cancelled, Released<'_>)) {
        let Some(index) = self.peers.remove(peer) else {
            return;
        };
        let topics = std::mem::take(&mut self.slots[index].topics);
        self.held_topics -= topics.len();
        for (id, holding) in topics {
            self.held_bytes -= holding.len;
            let tree = &self.tree;
            let cancelled = match tree.value(id) {
                Some(holders) if holders.len() > 1 => Cancelled::Left,
                _ => Cancelled::Last,
            };
            released(cancelled, Released { tree, id });
            self.leave(id, holding.position);
        }
        self.release_slot(index);
    }

    /// Says who wants a message with this first part, if that is one peer with one topic.
    #[inline]
    #[cfg_attr(not(feature = "socket"), expect(dead_code, reason = "for publishers"))]
    pub(crate) fn audience(&self, first_part: &[u8]) -> Audience<'_, K> {
        match self.tree.count_prefixes(first_part) {
            Prefixes::None => Audience::Nobody,
            Prefixes::One(holders) => match holders.as_slice() {
                // A topic without holders is taken out of the tree, and a holder has its slot.
                [holder] => match &self.slots[*holder].peer {
                    Some(peer) => Audience::One(peer),
                    None => Audience::Nobody,
                },
                _ => Audience::Several,
            },
            Prefixes::Several => Audience::Several,
        }
    }

    /// Calls `found` once for each peer that wants a message with this first part.
    #[inline]
    pub fn for_each_match(&mut self, first_part: &[u8], mut found: impl FnMut(&K)) {
        let mut prefixes = self.tree.prefixes(first_part);
        let Some(holders) = prefixes.next() else {
            return;
        };
        let slots = &mut self.slots;
        // Nearly always there is one topic at most, and a peer holds that once.
        let Some(next) = prefixes.next() else {
            for &index in holders {
                if let Some(peer) = &slots[index].peer {
                    found(peer);
                }
            }
            return;
        };
        self.match_number += 1;
        for &index in [holders, next].into_iter().chain(prefixes).flatten() {
            let slot = &mut slots[index];
            if slot.matched_in != self.match_number {
                slot.matched_in = self.match_number;
                if let Some(peer) = &slot.peer {
                    found(peer);
                }
            }
        }
    }

    /// Appends each peer that wants a message with this first part to `peers`.
    pub fn matches(&mut self, first_part: &[u8], peers: &mut Vec<K>) {
        self.for_each_match(first_part, |peer| peers.push(peer.clone()));
    }

    /// The number of distinct topics of all peers.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.tree.len()
    }

    /// The number of distinct topics of `peer`.
    #[must_use]
    pub fn topic_count_of(&self, peer: &K) -> usize {
        let slot = self.peers.get(peer).and_then(|&slot| self.slots.get(slot));
        slot.map_or(0, |slot| slot.topics.len())
    }

    /// The number of topics of all peers, each counted once for each peer that holds it.
    #[must_use]
    pub fn held_topic_count(&self) -> usize {
        self.held_topics
    }

    /// Whether no peer has a subscription, so that no message goes anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    fn slot_of(&mut self, peer: &K) -> usize {
        if let Some(&index) = self.peers.get(peer) {
            return index;
        }
        let slot = Slot {
            peer: Some(peer.clone()),
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
        self.peers.insert(peer.clone(), index);
        index
    }

    fn release_slot(&mut self, index: usize) {
        self.slots[index].peer = None;
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

impl<K: Clone + Eq + Hash> Default for SubscriptionTrie<K> {
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

impl Released<'_> {
    /// The topic.
    #[must_use]
    pub fn topic(&self) -> Vec<u8> {
        self.tree.key(self.id)
    }
}

impl fmt::Debug for Released<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Released").field(&self.topic()).finish()
    }
}

impl SubscriptionLimits {
    /// Limits for one peer from a number of topics and of octets in them; those for all peers
    /// together are the default ones.
    #[must_use]
    pub const fn new(max_topics: usize, max_topic_bytes: usize) -> Self {
        Self {
            max_topics,
            max_topic_bytes,
            max_socket_topics: 1 << 22,
            max_socket_topic_bytes: 256 << 20,
        }
    }

    /// The same with other limits for all peers together.
    #[must_use]
    pub const fn with_socket_limits(mut self, topics: usize, topic_bytes: usize) -> Self {
        self.max_socket_topics = topics;
        self.max_socket_topic_bytes = topic_bytes;
        self
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

    fn check_socket(
        &self,
        topic_count: usize,
        topic_bytes: usize,
        topic: &[u8],
    ) -> Result<(), SubscriptionError> {
        if topic_count >= self.max_socket_topics {
            return Err(SubscriptionError::TooManySocketTopics {
                limit: self.max_socket_topics,
            });
        }
        if topic.len() > self.max_socket_topic_bytes.saturating_sub(topic_bytes) {
            return Err(SubscriptionError::TooManySocketBytes {
                topic_len: topic.len(),
                limit: self.max_socket_topic_bytes,
            });
        }
        Ok(())
    }
}

impl Default for SubscriptionLimits {
    /// 262 144 topics and 16 MiB, several times what large subscribers use and bearable for one peer;
    /// sixteen times as much for all peers together.
    fn default() -> Self {
        Self::new(1 << 18, 16 << 20)
    }
}

/// A subscription that would exceed a limit.
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
    /// All peers together hold as many topics as they may.
    #[error("all peers together have {limit} subscriptions, which is the limit")]
    TooManySocketTopics {
        /// The limit that was reached.
        limit: usize,
    },
    /// The topics of all peers together would have too many octets.
    #[error("a topic of {topic_len} octets takes the topics of all peers over {limit} octets")]
    TooManySocketBytes {
        /// The length of the refused topic.
        topic_len: usize,
        /// The limit for the topics of all peers.
        limit: usize,
    },
}

#[cfg(test)]
mod tests;
