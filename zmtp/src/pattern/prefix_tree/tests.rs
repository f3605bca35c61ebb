//! The tree against a sorted map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn values(tree: &PrefixTree<u32>, text: &[u8]) -> Vec<u32> {
    tree.prefixes(text).copied().collect()
}

fn put(tree: &mut PrefixTree<u32>, key: &[u8], new: u32) -> NodeId {
    let (id, value) = tree.get_or_insert_with(key, || new);
    *value = new;
    id
}

fn node_count<V>(tree: &PrefixTree<V>) -> usize {
    tree.nodes.len() - tree.free.len()
}

#[test]
fn prefixes_come_shortest_first() {
    let mut tree = PrefixTree::new();
    for (value, key) in (0..).zip(["", "a", "abc", "abd", "b"]) {
        put(&mut tree, key.as_bytes(), value);
    }
    assert_eq!(values(&tree, b"abcd"), [0, 1, 2]);
    assert_eq!(values(&tree, b"ab"), [0, 1]);
    assert_eq!(values(&tree, b""), [0]);
    assert_eq!(values(&tree, b"x"), [0]);
}

#[test]
fn ids_survive_splits_and_joins_around_them() {
    let mut tree = PrefixTree::new();
    let long = put(&mut tree, b"abcdef", 1);
    let short = put(&mut tree, b"abc", 2);
    let other = put(&mut tree, b"abx", 3);
    assert_eq!(tree.find(b"abcdef"), Some(long));
    assert_eq!(tree.key(short), b"abc");
    assert_eq!(tree.remove(other), Some(3));
    assert_eq!(tree.remove(short), Some(2));
    assert_eq!(tree.find(b"abcdef"), Some(long));
    assert_eq!(tree.key(long), b"abcdef");
    assert_eq!(node_count(&tree), 2);
}

#[test]
fn removed_key_has_no_value_left() {
    let mut tree = PrefixTree::new();
    put(&mut tree, b"abcd", 1);
    let id = put(&mut tree, b"ab", 2);
    assert_eq!(tree.remove(id), Some(2));
    assert_eq!(tree.find(b"ab"), None);
    assert_eq!(values(&tree, b"abc"), [0_u32; 0]);
    assert_eq!(tree.len(), 1);
}

// INT-028
#[test]
fn key_of_megabytes_is_walked_and_dropped_without_recursion() {
    const LEN: usize = if cfg!(miri) { 1000 } else { 8 << 20 };
    let key = vec![b'k'; LEN];
    let mut tree = PrefixTree::new();
    let id = put(&mut tree, &key, 1);
    assert_eq!(values(&tree, &key), [1]);
    assert_eq!(tree.key(id), key);
    put(&mut tree, b"k", 2);
    assert_eq!(tree.remove(id), Some(1));
    assert_eq!(node_count(&tree), 2);
}

// INT-025
#[test]
#[cfg_attr(miri, ignore = "walks hundreds of thousands of nodes")]
fn nodes_stay_proportional_to_the_octets_of_live_keys() {
    let key = vec![b'k'; 1000];
    let mut tree = PrefixTree::new();
    put(&mut tree, &key, 0);
    let at_first = node_count(&tree);
    for round in 0..3 {
        let branches: Vec<_> = (0..key.len())
            .map(|len| [&key[..len], b"x"].concat())
            .map(|branch| put(&mut tree, &branch, round))
            .collect();
        for id in branches {
            tree.remove(id);
        }
        assert!(node_count(&tree) <= 3 * at_first, "{}", node_count(&tree));
    }
    assert_eq!(values(&tree, &key), [0]);
}

#[derive(Debug, Clone)]
enum Operation {
    Put(Vec<u8>, u32),
    Remove(Vec<u8>),
}

/// Keys over two letters share prefixes; the repeated run makes them longer than a label.
fn key() -> impl Strategy<Value = Vec<u8>> {
    let letters = prop::collection::vec(prop::sample::select(vec![b'a', b'b']), 0..6);
    (
        letters,
        prop::sample::select(vec![0, 0, 30, 31, 32, 70]),
        0..3_usize,
    )
        .prop_map(|(letters, run, tail)| {
            let mut key = vec![b'r'; run];
            key.extend(&letters);
            key.extend(vec![b'z'; tail]);
            key
        })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (key(), any::<u32>()).prop_map(|(key, value)| Operation::Put(key, value)),
        key().prop_map(Operation::Remove),
    ]
}

const OPERATIONS: usize = if cfg!(miri) { 20 } else { 120 };

proptest! {
    // ZMTP31-110
    #[test]
    fn agrees_with_a_sorted_map(
        operations in prop::collection::vec(operation(), 0..OPERATIONS),
        texts in prop::collection::vec(key(), 1..8),
    ) {
        let mut tree = PrefixTree::new();
        let mut model = BTreeMap::new();
        let mut ids = BTreeMap::new();
        for operation in operations {
            match operation {
                Operation::Put(key, value) => {
                    let id = put(&mut tree, &key, value);
                    prop_assert_eq!(*ids.entry(key.clone()).or_insert(id), id);
                    model.insert(key, value);
                }
                Operation::Remove(key) => {
                    let removed = tree.find(&key).and_then(|id| tree.remove(id));
                    ids.remove(&key);
                    prop_assert_eq!(removed, model.remove(&key));
                }
            }
        }
        prop_assert_eq!(tree.len(), model.len());
        for text in &texts {
            let expected: Vec<_> = model
                .iter()
                .filter(|(key, _)| text.starts_with(key))
                .map(|(_, value)| *value)
                .collect();
            prop_assert_eq!(values(&tree, text), expected);
        }
        let mut keys: Vec<_> = tree.ids().map(|id| tree.key(id)).collect();
        keys.sort();
        prop_assert_eq!(keys, model.into_keys().collect::<Vec<_>>());
    }
}
