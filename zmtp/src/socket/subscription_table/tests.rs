//! The table against lists of pairs: who holds what, and what the application is told of it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::driver::{Hub, NoPattern, Retention};
use crate::pattern::{SocketType, TopicCounts};
use crate::session::{SessionConfig, Side};

const PEERS: usize = 3;

#[derive(Debug, Clone)]
enum Operation {
    Attach(usize),
    Subscribe(usize, Vec<u8>),
    Cancel(usize, Vec<u8>),
    Detach(usize),
    /// The application receives this many notices.
    Receive(usize),
}

fn topic() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0, b'a']), 0..3)
}

fn operation() -> impl Strategy<Value = Operation> {
    let peer = || 0..PEERS;
    prop_oneof![
        2 => peer().prop_map(Operation::Attach),
        6 => (peer(), topic()).prop_map(|(peer, topic)| Operation::Subscribe(peer, topic)),
        5 => (peer(), topic()).prop_map(|(peer, topic)| Operation::Cancel(peer, topic)),
        1 => peer().prop_map(Operation::Detach),
        3 => (0..4_usize).prop_map(Operation::Receive),
    ]
}

/// A table, its peers, what each of them holds, and an XSUB that is told what the table tells.
struct Setup {
    table: SubscriptionTable,
    peers: Vec<Arc<Peer>>,
    held: BTreeMap<usize, BTreeSet<Vec<u8>>>,
    downstream: TopicCounts,
    told: Vec<Subscription>,
}

impl Setup {
    fn new(notices: NoticePolicy) -> Self {
        let mut options = SocketOptions::default();
        options.publishing.notices = notices;
        let table = SubscriptionTable::new(&options);
        let hub = Hub::new(SocketType::XPub, options, Arc::new(NoPattern));
        Self {
            table,
            peers: (0..PEERS)
                .map(|_| hub.new_peer(Retention::Connection))
                .collect(),
            held: BTreeMap::new(),
            downstream: TopicCounts::new(),
            told: Vec::new(),
        }
    }

    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Attach(peer) => {
                if let Entry::Vacant(held) = self.held.entry(peer) {
                    let config = SessionConfig::new(SocketType::XSub, Side::Connector);
                    let info = PeerInfo::in_process(SocketType::XPub, &config).unwrap();
                    self.table.attach(&self.peers[peer], &info).unwrap();
                    held.insert(BTreeSet::new());
                }
            }
            Operation::Subscribe(peer, topic) => {
                if let Some(held) = self.held.get_mut(&peer) {
                    let _ = self.table.subscribe(&self.peers[peer], &topic).unwrap();
                    held.insert(topic);
                }
            }
            Operation::Cancel(peer, topic) => {
                if let Some(held) = self.held.get_mut(&peer) {
                    let _ = self.table.cancel(&self.peers[peer], &topic).unwrap();
                    held.remove(&topic);
                }
            }
            Operation::Detach(peer) => {
                if self.held.remove(&peer).is_some() {
                    let _ = self.table.detach(&self.peers[peer]);
                }
            }
            Operation::Receive(count) => {
                for _ in 0..count {
                    self.receive();
                }
            }
        }
    }

    /// Hands the next notice to the XSUB, if there is one.
    fn receive(&mut self) -> bool {
        let Some(told) = self.table.pop_notice() else {
            return false;
        };
        let _ = match &told.change {
            Subscription::Subscribe(topic) => self.downstream.subscribe(topic),
            Subscription::Cancel(topic) => self.downstream.cancel(topic),
        };
        self.told.push(told.change);
        true
    }

    fn all_held(&self) -> BTreeSet<Vec<u8>> {
        self.held.values().flatten().cloned().collect()
    }
}

proptest! {
    // PUBSUB-022, PUBSUB-024, PUBSUB-055, PUBSUB-056
    #[test]
    fn an_xsub_that_is_told_everything_holds_what_the_peers_hold(
        operations in prop::collection::vec(operation(), 0..80),
    ) {
        let mut setup = Setup::new(NoticePolicy::Changes);
        for operation in operations {
            setup.apply(operation);
            prop_assert_eq!(setup.table.topic_count(), setup.all_held().len());
        }
        while setup.receive() {}
        let downstream: BTreeSet<Vec<u8>> = setup.downstream.topics().collect();
        prop_assert_eq!(downstream, setup.all_held());
        // Of each topic it is told in turn that somebody wants it and that nobody does.
        let mut wanted = BTreeSet::new();
        for change in &setup.told {
            match change {
                Subscription::Subscribe(topic) => prop_assert!(wanted.insert(topic.to_vec())),
                Subscription::Cancel(topic) => prop_assert!(wanted.remove(topic.as_slice())),
            }
        }
    }

    // PUBSUB-023, PUBSUB-028
    #[test]
    fn verboser_and_manual_tables_tell_each_subscription_and_each_cancellation(
        policy in prop::sample::select(vec![NoticePolicy::Verboser, NoticePolicy::Manual]),
        operations in prop::collection::vec(operation(), 0..80),
    ) {
        let mut setup = Setup::new(policy);
        let mut expected = 0;
        for operation in operations {
            expected += match &operation {
                Operation::Subscribe(peer, _) | Operation::Cancel(peer, _) => {
                    usize::from(setup.held.contains_key(peer))
                }
                Operation::Detach(peer) => setup.held.get(peer).map_or(0, BTreeSet::len),
                Operation::Attach(_) | Operation::Receive(_) => 0,
            };
            setup.apply(operation);
            // In manual mode nobody gets anything unless the application says so.
            let given = if policy == NoticePolicy::Manual { 0 } else { setup.all_held().len() };
            prop_assert_eq!(setup.table.topic_count(), given);
        }
        while setup.receive() {}
        prop_assert_eq!(setup.told.len(), expected);
    }
}
