//! The topics that a subscriber asks for.

use super::prefix_tree::PrefixTree;

/// Counts how often a SUB or XSUB socket subscribed to each topic.
///
/// A publisher may count subscriptions, as the specification says, or keep a set, as libzmq does.
/// A subscriber that sends SUBSCRIBE only for the first and CANCEL only for the last of its own
/// subscriptions to a topic is right with both.
#[derive(Debug)]
pub struct TopicCounts {
    counts: PrefixTree<u64>,
}

impl TopicCounts {
    /// Creates an empty table: a new subscriber receives nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            counts: PrefixTree::new(),
        }
    }

    /// Counts one subscription.
    ///
    /// Returns whether it is the first to `topic`, so that publishers must be told.
    #[must_use = "publishers must be told of the first subscription"]
    pub fn subscribe(&mut self, topic: &[u8]) -> bool {
        let (_, count) = self.counts.get_or_insert_with(topic, || 0);
        *count = count.saturating_add(1);
        *count == 1
    }

    /// Takes one subscription back; without one, nothing happens.
    ///
    /// Returns whether it was the last to `topic`, so that publishers must be told.
    #[must_use = "publishers must be told of the last cancellation"]
    pub fn cancel(&mut self, topic: &[u8]) -> bool {
        let Some(id) = self.counts.find(topic) else {
            return false;
        };
        match self.counts.value_mut(id) {
            Some(count) if *count > 1 => {
                *count -= 1;
                false
            }
            _ => self.counts.remove(id).is_some(),
        }
    }

    /// Whether a message with this first part was asked for.
    ///
    /// Messages that a publisher sent before it knew of a cancellation are filtered out by this.
    #[must_use]
    pub fn matches(&self, first_part: &[u8]) -> bool {
        self.matched_len(first_part).is_some()
    }

    /// The length of the shortest topic that matches a message with this first part.
    ///
    /// As long as no topic is given up, all messages that begin with it match.
    #[must_use]
    pub fn matched_len(&self, first_part: &[u8]) -> Option<usize> {
        self.counts.shortest_prefix_len(first_part)
    }

    /// The distinct topics, in no particular order, as every new publisher is told them.
    pub fn topics(&self) -> impl Iterator<Item = Vec<u8>> {
        self.counts.ids().map(|id| self.counts.key(id))
    }

    /// The number of distinct topics.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.counts.len()
    }

    /// Whether there is no subscription.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

impl Default for TopicCounts {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // ZMTP31-112, INT-009
    #[test]
    fn only_the_first_subscription_and_the_last_cancellation_are_told() {
        let mut topics = TopicCounts::new();
        assert!(topics.subscribe(b"A"));
        assert!(!topics.subscribe(b"A"));
        assert!(!topics.cancel(b"A"));
        assert!(topics.matches(b"ABC"));
        assert!(topics.cancel(b"A"));
        assert!(!topics.matches(b"ABC"));
    }

    // PUBSUB-040
    #[test]
    fn cancelling_an_unknown_topic_tells_nobody() {
        let mut topics = TopicCounts::new();
        assert!(topics.subscribe(b"topic"));
        assert!(!topics.cancel(b"top"));
        assert!(!topics.cancel(b"topics"));
        assert!(!topics.cancel(b""));
        assert_eq!(topics.topic_count(), 1);
    }

    // PUBSUB-039, PUBSUB-041
    #[test]
    fn each_distinct_topic_is_listed_once() {
        let mut topics = TopicCounts::new();
        assert!(topics.is_empty() && !topics.matches(b""));
        for topic in ["", "a", "ab", "ab", "b", ""] {
            let _ = topics.subscribe(topic.as_bytes());
        }
        let mut listed: Vec<_> = topics.topics().collect();
        listed.sort();
        assert_eq!(listed, [&b""[..], b"a", b"ab", b"b"]);
    }

    #[test]
    fn the_shortest_topic_that_matches_is_told() {
        let mut topics = TopicCounts::new();
        for topic in ["abc", "ab", "b"] {
            let _ = topics.subscribe(topic.as_bytes());
        }
        assert_eq!(topics.matched_len(b"abcd"), Some(2));
        assert_eq!(topics.matched_len(b"bc"), Some(1));
        assert_eq!(topics.matched_len(b"a"), None);
    }

    // ZMTP31-110
    #[test]
    fn the_empty_topic_matches_everything() {
        let mut topics = TopicCounts::new();
        assert!(topics.subscribe(b""));
        assert!(topics.matches(b"") && topics.matches(b"\0anything"));
        assert_eq!(topics.matched_len(b"anything"), Some(0));
    }
}
