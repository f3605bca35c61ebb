//! The trie against a list of pairs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

type Peer = u8;

fn matches(trie: &mut SubscriptionTrie<Peer>, text: &[u8]) -> Vec<Peer> {
    let mut peers = Vec::new();
    trie.matches(text, &mut peers);
    peers.sort_unstable();
    peers
}

// ZMTP31-113
#[test]
fn overlapping_topics_of_a_peer_match_once() {
    let mut trie = SubscriptionTrie::default();
    for topic in ["A", "", "AB"] {
        trie.subscribe(&1, topic.as_bytes()).unwrap();
    }
    trie.subscribe(&2, b"ABCD").unwrap();
    assert_eq!(matches(&mut trie, b"ABC"), [1]);
    assert_eq!(matches(&mut trie, b"ABCDE"), [1, 2]);
}

// ZMTP31-111, PUBSUB-022
#[test]
fn one_cancellation_ends_repeated_subscriptions_of_a_peer() {
    let mut trie = SubscriptionTrie::default();
    assert_eq!(trie.subscribe(&1, b"A"), Ok(Subscribed::First));
    assert_eq!(trie.subscribe(&1, b"A"), Ok(Subscribed::Repeated));
    assert_eq!(trie.subscribe(&2, b"A"), Ok(Subscribed::Joined));
    assert_eq!(trie.cancel(&1, b"A"), Cancelled::Left);
    assert_eq!(matches(&mut trie, b"A"), [2]);
    assert_eq!(trie.cancel(&2, b"A"), Cancelled::Last);
    assert!(trie.is_empty());
}

// ZMTP31-111
#[test]
fn counted_subscriptions_need_as_many_cancellations() {
    let mut trie = SubscriptionTrie::new(Repeats::Counted, SubscriptionLimits::default());
    trie.subscribe(&1, b"A").unwrap();
    trie.subscribe(&1, b"A").unwrap();
    assert_eq!(trie.cancel(&1, b"A"), Cancelled::StillHeld);
    assert_eq!(matches(&mut trie, b"A"), [1]);
    assert_eq!(trie.cancel(&1, b"A"), Cancelled::Last);
    assert_eq!(trie.cancel(&1, b"A"), Cancelled::Unknown);
}

// ZMTP31-114
#[test]
fn cancelling_an_unknown_topic_changes_nothing() {
    let mut trie = SubscriptionTrie::default();
    trie.subscribe(&1, b"topic").unwrap();
    assert_eq!(trie.cancel(&1, b"top"), Cancelled::Unknown);
    assert_eq!(trie.cancel(&2, b"topic"), Cancelled::Unknown);
    assert_eq!(matches(&mut trie, b"topic"), [1]);
}

// PUBSUB-011, PUBSUB-024
#[test]
fn leaving_peer_tells_the_topics_that_nobody_else_holds() {
    let mut trie = SubscriptionTrie::default();
    for (peer, topic) in [(1, "a"), (1, "ab"), (1, ""), (2, "ab"), (2, "c")] {
        trie.subscribe(&peer, topic.as_bytes()).unwrap();
    }
    let mut told = Vec::new();
    trie.remove_all(&1, |cancelled, released| {
        told.push((cancelled, released.topic()));
    });
    told.sort_by_key(|(_, topic)| topic.clone());
    let expected = [
        (Cancelled::Last, ""),
        (Cancelled::Last, "a"),
        (Cancelled::Left, "ab"),
    ];
    assert_eq!(
        told,
        expected.map(|(cancelled, topic)| (cancelled, topic.into()))
    );
    assert_eq!(matches(&mut trie, b"abc"), [2]);
    trie.remove_all(&1, |_, released| panic!("told twice: {released:?}"));
    trie.remove_all(&2, |_, _| {});
    assert!(trie.is_empty());
}

// ZMTP31-116, INT-025
#[test]
fn peer_over_a_limit_is_refused_and_loses_nothing() {
    let mut trie = SubscriptionTrie::new(Repeats::Ignored, SubscriptionLimits::new(2, 10));
    trie.subscribe(&1, b"1234567").unwrap();
    assert_eq!(
        trie.subscribe(&1, b"8901"),
        Err(SubscriptionError::TooManyBytes {
            topic_len: 4,
            limit: 10
        })
    );
    trie.subscribe(&1, b"890").unwrap();
    assert_eq!(
        trie.subscribe(&1, b""),
        Err(SubscriptionError::TooManyTopics { limit: 2 })
    );
    assert_eq!(trie.subscribe(&1, b"890"), Ok(Subscribed::Repeated));
    assert_eq!(trie.subscribe(&2, b"8901"), Ok(Subscribed::First));
    assert_eq!(trie.cancel(&1, b"890"), Cancelled::Last);
    assert_eq!(trie.subscribe(&1, b"8"), Ok(Subscribed::First));
    assert_eq!(
        trie.subscribe(&3, &[0; 11]),
        Err(SubscriptionError::TooManyBytes {
            topic_len: 11,
            limit: 10
        })
    );
}

// ZMTP31-116
#[test]
fn peers_together_are_held_to_the_limits_of_the_socket() {
    let limits = SubscriptionLimits::new(10, 100).with_socket_limits(3, 10);
    let mut trie = SubscriptionTrie::new(Repeats::Ignored, limits);
    for peer in 1..=3 {
        trie.subscribe(&peer, b"all").unwrap();
    }
    assert_eq!(
        trie.subscribe(&4, b""),
        Err(SubscriptionError::TooManySocketTopics { limit: 3 })
    );
    assert_eq!(trie.subscribe(&1, b"all"), Ok(Subscribed::Repeated));
    trie.remove_all(&1, |_, _| {});
    assert_eq!(trie.cancel(&2, b"all"), Cancelled::Left);
    assert_eq!(
        trie.subscribe(&4, b"12345678"),
        Err(SubscriptionError::TooManySocketBytes {
            topic_len: 8,
            limit: 10
        })
    );
    assert_eq!(trie.subscribe(&4, b"1234567"), Ok(Subscribed::First));
}

// ZMTP31-115
#[test]
fn topics_of_any_octets_and_length_match() {
    const LONG: usize = if cfg!(miri) { 1000 } else { 70_000 };
    let mut trie = SubscriptionTrie::default();
    for len in [0, 1, 245, 246, 255, 256, LONG] {
        let topic: Vec<_> = (0..=u8::MAX).cycle().take(len).collect();
        trie.subscribe(&1, &topic).unwrap();
        assert_eq!(matches(&mut trie, &topic), [1]);
        trie.remove_all(&1, |_, _| {});
        assert_eq!(matches(&mut trie, &topic), [0; 0]);
    }
}

#[test]
fn hundred_thousand_subscriptions_are_cheap() {
    const COUNT: u32 = if cfg!(miri) { 40 } else { 100_000 };
    let mut trie = SubscriptionTrie::default();
    for number in 0..COUNT {
        let topic = format!("market.{number}.price");
        trie.subscribe(&number.to_be_bytes()[3], topic.as_bytes())
            .unwrap();
    }
    assert_eq!(trie.topic_count(), COUNT as usize);
    let last = format!("market.{}.price.eur", COUNT - 1);
    let peer = (COUNT - 1).to_be_bytes()[3];
    assert_eq!(matches(&mut trie, last.as_bytes()), [peer]);
    for peer in 0..=u8::MAX {
        trie.remove_all(&peer, |_, _| {});
    }
    assert!(trie.is_empty());
}

#[derive(Debug, Clone)]
enum Operation {
    Subscribe(Peer, Vec<u8>),
    Cancel(Peer, Vec<u8>),
    RemoveAll(Peer),
}

fn topic() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0, b'a', 0xff]), 0..5)
}

fn operation() -> impl Strategy<Value = Operation> {
    let peer = || 0..4_u8;
    prop_oneof![
        5 => (peer(), topic()).prop_map(|(peer, topic)| Operation::Subscribe(peer, topic)),
        4 => (peer(), topic()).prop_map(|(peer, topic)| Operation::Cancel(peer, topic)),
        1 => peer().prop_map(Operation::RemoveAll),
    ]
}

const OPERATIONS: usize = if cfg!(miri) { 20 } else { 100 };

/// How often each peer holds each topic.
#[derive(Default)]
struct Model(BTreeMap<(Peer, Vec<u8>), u64>);

impl Model {
    fn is_held(&self, wanted: &[u8]) -> bool {
        self.0.keys().any(|(_, topic)| topic == wanted)
    }

    fn subscribe(&mut self, repeats: Repeats, peer: Peer, topic: Vec<u8>) -> Subscribed {
        let held = self.is_held(&topic);
        let count = self.0.entry((peer, topic)).or_default();
        let repeated = *count > 0;
        if !repeated || repeats == Repeats::Counted {
            *count += 1;
        }
        match (repeated, held) {
            (true, _) => Subscribed::Repeated,
            (false, true) => Subscribed::Joined,
            (false, false) => Subscribed::First,
        }
    }

    fn cancel(&mut self, peer: Peer, topic: Vec<u8>) -> Cancelled {
        let key = (peer, topic);
        let Some(count) = self.0.get_mut(&key) else {
            return Cancelled::Unknown;
        };
        *count -= 1;
        if *count > 0 {
            return Cancelled::StillHeld;
        }
        self.0.remove(&key);
        if self.is_held(&key.1) {
            Cancelled::Left
        } else {
            Cancelled::Last
        }
    }

    fn held_by(&self, wanted: Peer) -> BTreeSet<Vec<u8>> {
        let held = self.0.keys().filter(|(peer, _)| *peer == wanted);
        held.map(|(_, topic)| topic.clone()).collect()
    }

    fn remove_all(&mut self, leaving: Peer) -> BTreeSet<Vec<u8>> {
        let held = self.0.keys().filter(|(peer, _)| *peer == leaving);
        let held: Vec<_> = held.map(|(_, topic)| topic.clone()).collect();
        self.0.retain(|(peer, _), _| *peer != leaving);
        held.into_iter()
            .filter(|topic| !self.is_held(topic))
            .collect()
    }

    fn matches(&self, text: &[u8]) -> Vec<Peer> {
        let matching = self.0.keys().filter(|(_, topic)| text.starts_with(topic));
        let peers: BTreeSet<_> = matching.map(|(peer, _)| *peer).collect();
        peers.into_iter().collect()
    }
}

proptest! {
    // PUBSUB-056, ZMTP31-110, ZMTP31-113, ZMTP31-114
    #[test]
    fn agrees_with_a_list_of_pairs(
        counted in any::<bool>(),
        operations in prop::collection::vec(operation(), 0..OPERATIONS),
        texts in prop::collection::vec(topic(), 1..6),
    ) {
        let repeats = if counted { Repeats::Counted } else { Repeats::Ignored };
        let mut trie = SubscriptionTrie::new(repeats, SubscriptionLimits::default());
        let mut model = Model::default();
        for operation in operations {
            match operation {
                Operation::Subscribe(peer, topic) => {
                    let result = trie.subscribe(&peer, &topic);
                    prop_assert_eq!(result, Ok(model.subscribe(repeats, peer, topic)));
                }
                Operation::Cancel(peer, topic) => {
                    prop_assert_eq!(trie.cancel(&peer, &topic), model.cancel(peer, topic));
                }
                Operation::RemoveAll(peer) => {
                    let mut held = BTreeSet::new();
                    let mut told = BTreeSet::new();
                    trie.remove_all(&peer, |cancelled, released| {
                        assert!(held.insert(released.topic()), "told twice");
                        if cancelled == Cancelled::Last {
                            told.insert(released.topic());
                        }
                    });
                    prop_assert_eq!(held, model.held_by(peer));
                    prop_assert_eq!(told, model.remove_all(peer));
                }
            }
            prop_assert_eq!(trie.is_empty(), model.0.is_empty());
            for text in &texts {
                let matching = model.matches(text);
                let holdings = model.0.keys().filter(|(_, topic)| text.starts_with(topic));
                match trie.audience(text) {
                    Audience::Nobody => prop_assert!(matching.is_empty()),
                    Audience::One(peer) => prop_assert_eq!(&matching, &[*peer]),
                    Audience::Several => prop_assert!(holdings.count() > 1),
                }
                prop_assert_eq!(matches(&mut trie, text), matching);
            }
        }
    }
}
