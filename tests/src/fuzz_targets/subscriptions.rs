//! Subscriptions against tables that are slow and obvious.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use zmtp::pattern::{
    Cancelled, Repeats, Subscribed, SubscriptionLimits, SubscriptionTrie, TopicCounts,
};

/// Peers that subscribe.
const PEERS: u8 = 4;

/// Small, so that they are met often.
const MAX_TOPICS: usize = 8;
const MAX_TOPIC_BYTES: usize = 160;
const MAX_SOCKET_TOPICS: usize = 20;
const MAX_SOCKET_TOPIC_BYTES: usize = 400;

/// The subscriptions of all peers, and those of one subscriber, are what simple tables say.
///
/// The first octet says what repeated subscriptions mean, the others are operations.
pub fn subscriptions(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let repeats = match input.arbitrary::<u8>() {
        Ok(choice) if choice % 2 == 1 => Repeats::Counted,
        _ => Repeats::Ignored,
    };
    let mut tables = Tables::new(repeats);
    while !input.is_empty() {
        let Ok(operation) = input.arbitrary() else {
            return;
        };
        tables.apply(operation);
        tables.compare();
    }
}

/// What happens to the tables. Each takes an octet, one for the peer, and a topic.
enum Operation {
    Subscribe { peer: u8, topic: Vec<u8> },
    Cancel { peer: u8, topic: Vec<u8> },
    RemoveAll { peer: u8 },
    Match { text: Vec<u8> },
}

impl<'a> Arbitrary<'a> for Operation {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let choice = input.arbitrary::<u8>()? % 8;
        let peer = input.arbitrary::<u8>()? % PEERS;
        Ok(match choice {
            0..=2 => Self::Subscribe {
                peer,
                topic: topic(input)?,
            },
            3..=4 => Self::Cancel {
                peer,
                topic: topic(input)?,
            },
            5 => Self::RemoveAll { peer },
            _ => Self::Match {
                text: topic(input)?,
            },
        })
    }
}

/// Up to seven octets; from 128 on the first of them many times in front, so that a topic does not
/// fit into one node of a tree.
fn topic(input: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let len = input.arbitrary::<u8>()?;
    let end = usize::from(len % 8).min(input.len());
    let tail = input.bytes(end)?;
    let mut topic = Vec::new();
    if let (128.., Some(first)) = (len, tail.first()) {
        topic.resize(usize::from(len / 8), *first);
    }
    topic.extend_from_slice(tail);
    Ok(topic)
}

struct Tables {
    trie: SubscriptionTrie<u8>,
    counts: TopicCounts,
    repeats: Repeats,
    /// How often each peer holds each topic.
    held: BTreeMap<(u8, Vec<u8>), u64>,
    /// How often the one subscriber holds each topic, which all peers are for it.
    counted: BTreeMap<Vec<u8>, u64>,
}

impl Tables {
    fn new(repeats: Repeats) -> Self {
        let limits = SubscriptionLimits::new(MAX_TOPICS, MAX_TOPIC_BYTES)
            .with_socket_limits(MAX_SOCKET_TOPICS, MAX_SOCKET_TOPIC_BYTES);
        Self {
            trie: SubscriptionTrie::new(repeats, limits),
            counts: TopicCounts::new(),
            repeats,
            held: BTreeMap::new(),
            counted: BTreeMap::new(),
        }
    }

    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Subscribe { peer, topic } => self.subscribe(peer, topic),
            Operation::Cancel { peer, topic } => self.cancel(peer, &topic),
            Operation::RemoveAll { peer } => self.remove_all(peer),
            Operation::Match { text } => self.matches(&text),
        }
    }

    fn subscribe(&mut self, peer: u8, topic: Vec<u8>) {
        let is_first = !self.counted.contains_key(&topic);
        assert_eq!(self.counts.subscribe(&topic), is_first);
        *self.counted.entry(topic.clone()).or_default() += 1;

        let result = self.trie.subscribe(&peer, &topic);
        if let Some(count) = self.held.get_mut(&(peer, topic.clone())) {
            assert_eq!(result, Ok(Subscribed::Repeated));
            if self.repeats == Repeats::Counted {
                *count += 1;
            }
            return;
        }
        if self.exceeds_limits(peer, &topic) {
            assert!(result.is_err(), "a limit is exceeded");
            return;
        }
        let expected = match self.holders(&topic) {
            0 => Subscribed::First,
            _ => Subscribed::Joined,
        };
        assert_eq!(result, Ok(expected));
        self.held.insert((peer, topic), 1);
    }

    fn cancel(&mut self, peer: u8, topic: &[u8]) {
        let is_last = match self.counted.get_mut(topic) {
            None => false,
            Some(count) => {
                *count -= 1;
                *count == 0
            }
        };
        if is_last {
            self.counted.remove(topic);
        }
        assert_eq!(self.counts.cancel(topic), is_last);

        let key = (peer, topic.to_vec());
        let expected = match self.held.get_mut(&key) {
            None => Cancelled::Unknown,
            Some(count @ 2..) => {
                *count -= 1;
                Cancelled::StillHeld
            }
            Some(_) => {
                self.held.remove(&key);
                match self.holders(topic) {
                    0 => Cancelled::Last,
                    _ => Cancelled::Left,
                }
            }
        };
        assert_eq!(self.trie.cancel(&peer, topic), expected);
    }

    fn remove_all(&mut self, peer: u8) {
        let mut released = BTreeMap::new();
        self.trie.remove_all(&peer, |cancelled, topic| {
            let before = released.insert(topic.topic(), cancelled);
            assert_eq!(before, None, "a topic is released once");
        });
        let topics = self.held.keys().filter(|(holder, _)| *holder == peer);
        let topics: Vec<Vec<u8>> = topics.map(|(_, topic)| topic.clone()).collect();
        self.held.retain(|(holder, _), _| *holder != peer);
        let expected = topics.into_iter().map(|topic| {
            let cancelled = match self.holders(&topic) {
                0 => Cancelled::Last,
                _ => Cancelled::Left,
            };
            (topic, cancelled)
        });
        assert_eq!(released, expected.collect());
    }

    fn matches(&mut self, text: &[u8]) {
        let mut found = Vec::new();
        self.trie.matches(text, &mut found);
        found.sort_unstable();
        let held = self.held.keys();
        let expected: BTreeSet<u8> = held
            .filter(|(_, topic)| text.starts_with(topic))
            .map(|(peer, _)| *peer)
            .collect();
        assert!(found.iter().eq(&expected), "{found:?}, not {expected:?}");

        let lens = self.counted.keys().filter(|topic| text.starts_with(topic));
        let shortest = lens.map(Vec::len).min();
        assert_eq!(self.counts.matched_len(text), shortest);
        assert_eq!(self.counts.matches(text), shortest.is_some());
    }

    fn holders(&self, topic: &[u8]) -> usize {
        self.held.keys().filter(|(_, held)| held == topic).count()
    }

    fn exceeds_limits(&self, peer: u8, topic: &[u8]) -> bool {
        let total = |of: &dyn Fn(u8) -> bool| {
            let topics = self.held.keys().filter(|(holder, _)| of(*holder));
            topics.fold((1, topic.len()), |(count, len), (_, topic)| {
                (count + 1, len + topic.len())
            })
        };
        let (topics, bytes) = total(&|holder| holder == peer);
        let (socket_topics, socket_bytes) = total(&|_| true);
        topics > MAX_TOPICS
            || bytes > MAX_TOPIC_BYTES
            || socket_topics > MAX_SOCKET_TOPICS
            || socket_bytes > MAX_SOCKET_TOPIC_BYTES
    }

    /// What is counted is what is there.
    fn compare(&self) {
        let topics: BTreeSet<&Vec<u8>> = self.held.keys().map(|(_, topic)| topic).collect();
        assert_eq!(self.trie.topic_count(), topics.len());
        assert_eq!(self.trie.held_topic_count(), self.held.len());
        assert_eq!(self.trie.is_empty(), self.held.is_empty());
        for peer in 0..PEERS {
            let held = self.held.keys().filter(|(holder, _)| *holder == peer);
            assert_eq!(self.trie.topic_count_of(&peer), held.count());
        }
        let mut topics: Vec<Vec<u8>> = self.counts.topics().collect();
        topics.sort_unstable();
        assert!(topics.iter().eq(self.counted.keys()));
        assert_eq!(self.counts.topic_count(), self.counted.len());
    }
}
