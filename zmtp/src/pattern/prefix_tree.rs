//! A compressed prefix tree over octet strings, without recursion.
//!
//! Nodes live in one vector and name each other by index, so that insertion, removal, matching and
//! dropping are loops whatever topics a peer chooses. A node's label lies inside the node and is
//! short: a long topic is a chain of nodes, and splitting or joining two nodes moves a few octets
//! only, never the megabyte that one short command could otherwise make us copy again and again.

use std::fmt;

/// The most octets of a topic in one node.
///
/// Together with its length octet a label takes four words, which is as much as most topics need.
const MAX_LABEL_LEN: usize = 31;

/// An index into the node vector.
///
/// The id of a node with a value does not change before [`PrefixTree::remove`] takes the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NodeId(usize);

const ROOT: NodeId = NodeId(0);

/// A map from octet strings to values that finds all keys that are prefixes of a string.
///
/// Nodes that are free wait for the next key: ids that others hold must not change, so that the vector
/// shrinks only with the last value.
pub(super) struct PrefixTree<V> {
    nodes: Vec<Node<V>>,
    free: Vec<NodeId>,
    value_count: usize,
}

struct Node<V> {
    label: Label,
    parent: NodeId,
    /// Sorted by octet, the first octet of the child's label.
    edges: Vec<Edge>,
    value: Option<V>,
}

/// The values of the keys that are prefixes of a text.
pub(super) enum Prefixes<'a, V> {
    None,
    One(&'a V),
    Several,
}

#[derive(Clone, Copy)]
struct Edge {
    octet: u8,
    node: NodeId,
}

impl<V> PrefixTree<V> {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::new(Label::EMPTY, ROOT)],
            free: Vec::new(),
            value_count: 0,
        }
    }

    /// The value of `key`, which `default` makes if there is none, and where it is.
    pub(super) fn get_or_insert_with(
        &mut self,
        key: &[u8],
        default: impl FnOnce() -> V,
    ) -> (NodeId, &mut V) {
        let id = self.insert_path(key);
        let value = &mut self.nodes[id.0].value;
        if value.is_none() {
            self.value_count += 1;
        }
        (id, value.get_or_insert_with(default))
    }

    /// Takes the value at `id` and gives back what only it needed.
    pub(super) fn remove(&mut self, id: NodeId) -> Option<V> {
        let value = self.nodes[id.0].value.take()?;
        self.value_count -= 1;
        if self.value_count == 0 {
            *self = Self::new();
        } else {
            self.prune(id);
        }
        Some(value)
    }

    /// Where exactly `key` has its value.
    pub(super) fn find(&self, key: &[u8]) -> Option<NodeId> {
        let mut id = ROOT;
        let mut rest = key;
        while !rest.is_empty() {
            (id, rest) = self.descend(id, rest)?;
        }
        self.nodes[id.0].value.is_some().then_some(id)
    }

    /// The values of all keys that are prefixes of `text`, shortest first.
    #[inline]
    pub(super) fn prefixes<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = &'a V> {
        let mut next = Some((ROOT, text));
        std::iter::from_fn(move || {
            let (id, rest) = next?;
            next = self.descend(id, rest);
            Some(&self.nodes[id.0].value)
        })
        .flatten()
    }

    /// As [`Self::prefixes`], told apart by how many there are.
    #[inline]
    pub(super) fn count_prefixes(&self, text: &[u8]) -> Prefixes<'_, V> {
        let mut found = Prefixes::None;
        let (mut id, mut rest) = (ROOT, text);
        loop {
            let node = &self.nodes[id.0];
            if let Some(value) = &node.value {
                match found {
                    Prefixes::None => found = Prefixes::One(value),
                    Prefixes::One(_) | Prefixes::Several => return Prefixes::Several,
                }
            }
            if node.edges.is_empty() {
                return found;
            }
            match self.descend(id, rest) {
                Some(next) => (id, rest) = next,
                None => return found,
            }
        }
    }

    /// The length of the shortest key that is a prefix of `text`.
    pub(super) fn shortest_prefix_len(&self, text: &[u8]) -> Option<usize> {
        let (mut id, mut rest) = (ROOT, text);
        while self.nodes[id.0].value.is_none() {
            (id, rest) = self.descend(id, rest)?;
        }
        Some(text.len() - rest.len())
    }

    /// All keys that have a value, in no particular order.
    pub(super) fn ids(&self) -> impl Iterator<Item = NodeId> {
        let with_value = |(index, node): (usize, &Node<V>)| node.value.is_some().then_some(index);
        self.nodes
            .iter()
            .enumerate()
            .filter_map(with_value)
            .map(NodeId)
    }

    pub(super) fn value(&self, id: NodeId) -> Option<&V> {
        self.nodes[id.0].value.as_ref()
    }

    pub(super) fn value_mut(&mut self, id: NodeId) -> Option<&mut V> {
        self.nodes[id.0].value.as_mut()
    }

    /// The key of a node, from the labels on the way to it.
    pub(super) fn key(&self, id: NodeId) -> Vec<u8> {
        let mut reversed = Vec::new();
        let mut id = id;
        while id != ROOT {
            let node = &self.nodes[id.0];
            reversed.extend(node.label.as_slice().iter().rev());
            id = node.parent;
        }
        reversed.reverse();
        reversed
    }

    pub(super) fn len(&self) -> usize {
        self.value_count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.value_count == 0
    }

    /// The child of `id` whose label starts `rest`, and what remains of `rest` after it.
    fn descend<'a>(&self, id: NodeId, rest: &'a [u8]) -> Option<(NodeId, &'a [u8])> {
        let child = self.nodes[id.0].child(*rest.first()?)?;
        let rest = rest.strip_prefix(self.nodes[child.0].label.as_slice())?;
        Some((child, rest))
    }

    fn insert_path(&mut self, key: &[u8]) -> NodeId {
        let mut id = ROOT;
        let mut rest = key;
        while let Some(&octet) = rest.first() {
            id = match self.nodes[id.0].child(octet) {
                Some(child) => {
                    let label = self.nodes[child.0].label;
                    match label.common_len(rest) {
                        common if common == label.len() => child,
                        common => self.split(child, common),
                    }
                }
                None => self.add_child(id, Label::start_of(rest)),
            };
            rest = &rest[self.nodes[id.0].label.len()..];
        }
        id
    }

    fn add_child(&mut self, parent: NodeId, label: Label) -> NodeId {
        let id = self.allocate(Node::new(label, parent));
        self.nodes[parent.0].set_child(label.first_octet(), id);
        id
    }

    /// Puts a new node above `id` that takes the first `len` octets of its label.
    fn split(&mut self, id: NodeId, len: usize) -> NodeId {
        let (upper, lower) = self.nodes[id.0].label.split_at(len);
        let upper_id = self.add_child(self.nodes[id.0].parent, upper);
        self.nodes[id.0].label = lower;
        self.nodes[id.0].parent = upper_id;
        self.nodes[upper_id.0].set_child(lower.first_octet(), id);
        upper_id
    }

    /// Removes `id` and the nodes above it as far as nothing needs them.
    fn prune(&mut self, id: NodeId) {
        let mut id = id;
        while id != ROOT && self.nodes[id.0].is_vacant() {
            let Node { parent, label, .. } = self.nodes[id.0];
            self.nodes[parent.0].remove_child(label.first_octet());
            self.release(id);
            id = parent;
        }
        let lowest = self.join_with_child(id);
        self.join_with_child(self.nodes[lowest.0].parent);
    }

    /// Joins a node without a value to its only child, if one label holds both of theirs.
    ///
    /// The child survives, because its id may be that of a value. Returns the node that is left.
    fn join_with_child(&mut self, id: NodeId) -> NodeId {
        let Node {
            label,
            parent,
            ref edges,
            ref value,
        } = self.nodes[id.0];
        let (&[Edge { node: child, .. }], None, false) = (edges.as_slice(), value, id == ROOT)
        else {
            return id;
        };
        let Some(joined) = label.join(&self.nodes[child.0].label) else {
            return id;
        };
        self.nodes[child.0].label = joined;
        self.nodes[child.0].parent = parent;
        self.nodes[parent.0].set_child(joined.first_octet(), child);
        self.release(id);
        child
    }

    fn allocate(&mut self, node: Node<V>) -> NodeId {
        if let Some(id) = self.free.pop() {
            self.nodes[id.0] = node;
            return id;
        }
        self.nodes.push(node);
        NodeId(self.nodes.len() - 1)
    }

    fn release(&mut self, id: NodeId) {
        self.nodes[id.0] = Node::new(Label::EMPTY, ROOT);
        self.free.push(id);
    }
}

impl<V> fmt::Debug for PrefixTree<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrefixTree")
            .field("keys", &self.value_count)
            .field("nodes", &(self.nodes.len() - self.free.len()))
            .finish()
    }
}

impl<V> Node<V> {
    fn new(label: Label, parent: NodeId) -> Self {
        Self {
            label,
            parent,
            edges: Vec::new(),
            value: None,
        }
    }

    fn child(&self, octet: u8) -> Option<NodeId> {
        let position = self.position(octet).ok()?;
        Some(self.edges[position].node)
    }

    fn set_child(&mut self, octet: u8, node: NodeId) {
        match self.position(octet) {
            Ok(position) => self.edges[position].node = node,
            Err(position) => self.edges.insert(position, Edge { octet, node }),
        }
    }

    fn remove_child(&mut self, octet: u8) {
        if let Ok(position) = self.position(octet) {
            self.edges.remove(position);
        }
    }

    fn position(&self, octet: u8) -> Result<usize, usize> {
        self.edges.binary_search_by_key(&octet, |edge| edge.octet)
    }

    fn is_vacant(&self) -> bool {
        self.value.is_none() && self.edges.is_empty()
    }
}

/// One to [`MAX_LABEL_LEN`] octets; none at the root and in free nodes.
#[derive(Clone, Copy)]
struct Label {
    len: u8,
    octets: [u8; MAX_LABEL_LEN],
}

impl Label {
    const EMPTY: Self = Self {
        len: 0,
        octets: [0; MAX_LABEL_LEN],
    };

    fn start_of(text: &[u8]) -> Self {
        let mut label = Self::EMPTY;
        for (slot, &octet) in label.octets.iter_mut().zip(text) {
            *slot = octet;
            label.len += 1;
        }
        label
    }

    fn split_at(&self, len: usize) -> (Self, Self) {
        let (upper, lower) = self.as_slice().split_at(len);
        (Self::start_of(upper), Self::start_of(lower))
    }

    fn join(&self, lower: &Self) -> Option<Self> {
        let len = self.len() + lower.len();
        if len > MAX_LABEL_LEN {
            return None;
        }
        let mut joined = *self;
        joined.octets[self.len()..len].copy_from_slice(lower.as_slice());
        joined.len += lower.len;
        Some(joined)
    }

    fn common_len(&self, text: &[u8]) -> usize {
        let both = self.as_slice().iter().zip(text);
        both.take_while(|(ours, theirs)| ours == theirs).count()
    }

    fn first_octet(&self) -> u8 {
        self.octets[0]
    }

    fn as_slice(&self) -> &[u8] {
        &self.octets[..self.len()]
    }

    fn len(&self) -> usize {
        usize::from(self.len)
    }
}

#[cfg(test)]
mod tests;
