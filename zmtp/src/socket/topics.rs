//! What a SUB or XSUB asks its publishers for.

use std::sync::Arc;

use super::base::SocketHandle;
use crate::driver::sync::atomic::{AtomicUsize, Ordering};
use crate::driver::sync::{Mutex, lock};
use crate::driver::{
    Cancellations, ConnectionCommand, DisconnectReason, Hub, Matching, Pattern, Peer, SocketOptions,
};
use crate::message::{Message, Part};
use crate::pattern::{SocketType, TopicCounts};
use crate::session::PeerInfo;

/// The topics of a socket, which all its publishers are told.
#[derive(Clone, Debug)]
pub(crate) struct Topics {
    shared: Arc<Shared>,
    handle: SocketHandle,
}

#[derive(Debug)]
struct Shared {
    counts: Mutex<TopicCounts>,
    /// Changes when a topic is given up.
    generation: AtomicUsize,
    matching: Matching,
    cancellations: Cancellations,
}

/// Which messages are for the application: those that its topics match now. Others may have been on
/// their way when a topic was given up, or are sent without being asked for.
#[derive(Debug, Default)]
pub(crate) struct TopicFilter {
    /// A topic that matched, and the generation in which it did.
    last: Option<(Part, usize)>,
}

impl Topics {
    pub(crate) fn new(socket_type: SocketType, options: SocketOptions) -> Self {
        let shared = Arc::new(Shared {
            counts: Mutex::new(TopicCounts::new()),
            generation: AtomicUsize::new(0),
            matching: options.matching,
            cancellations: options.cancellations,
        });
        let handle = SocketHandle::new(socket_type, options, Arc::clone(&shared) as _);
        Self { shared, handle }
    }

    #[inline]
    pub(crate) fn handle(&self) -> &SocketHandle {
        &self.handle
    }

    /// Counts a subscription and tells the peers of the first one to its topic.
    pub(crate) fn subscribe(&self, topic: &[u8]) {
        let mut counts = lock(&self.shared.counts);
        if counts.subscribe(topic) {
            tell_subscription(self.handle.hub(), topic);
        }
    }

    /// Counts a subscription and tells the peers of it, whether or not it is the first: an XPUB at
    /// the other end of a proxy may want to know of each.
    pub(crate) fn subscribe_verbosely(&self, topic: &[u8]) {
        let mut counts = lock(&self.shared.counts);
        let _ = counts.subscribe(topic);
        tell_subscription(self.handle.hub(), topic);
    }

    /// Takes a subscription back and tells the peers of the last one to its topic.
    pub(crate) fn unsubscribe(&self, topic: &[u8]) {
        let mut counts = lock(&self.shared.counts);
        let is_last = counts.cancel(topic);
        if is_last {
            self.shared.generation.fetch_add(1, Ordering::Release);
        }
        if is_last || self.shared.cancellations == Cancellations::All {
            let topic = Part::copy_from_slice(topic);
            tell_peers(self.handle.hub(), || {
                ConnectionCommand::Cancel(topic.clone())
            });
        }
    }

    /// The number of distinct topics.
    pub(crate) fn topic_count(&self) -> usize {
        lock(&self.shared.counts).topic_count()
    }

    /// Whether `message` is for the application.
    #[inline]
    pub(crate) fn matches(&self, filter: &mut TopicFilter, message: &Message) -> bool {
        let first = message.first().map_or(&[][..], Part::as_slice);
        self.matches_first(filter, first)
    }

    /// As [`Self::matches`], of a message whose first part is `first`.
    #[inline]
    pub(crate) fn matches_first(&self, filter: &mut TopicFilter, first: &[u8]) -> bool {
        // Most messages match as the one before did, and need no lock.
        if let Some((topic, generation)) = &filter.last
            && *generation == self.shared.generation.load(Ordering::Acquire)
            && first.starts_with(topic)
        {
            return true;
        }
        self.look_up(filter, first)
    }

    fn look_up(&self, filter: &mut TopicFilter, first: &[u8]) -> bool {
        let counts = lock(&self.shared.counts);
        let matched = counts.matched_len(first);
        if self.shared.matching == Matching::Inverted {
            return matched.is_none();
        }
        let generation = self.shared.generation.load(Ordering::Acquire);
        filter.last = matched.map(|len| (Part::copy_from_slice(&first[..len]), generation));
        matched.is_some()
    }
}

impl Pattern for Shared {
    fn attach(&self, peer: &Arc<Peer>, _info: &PeerInfo) -> Result<Vec<Part>, DisconnectReason> {
        let counts = lock(&self.counts);
        // What changes from here on is told beside the whole that is sent now.
        peer.outbox.accept_commands();
        Ok(counts.topics().map(Part::from).collect())
    }

    fn subscription_count(&self) -> usize {
        lock(&self.counts).topic_count()
    }
}

fn tell_subscription(hub: &Hub, topic: &[u8]) {
    let topic = Part::copy_from_slice(topic);
    tell_peers(hub, || ConnectionCommand::Subscribe(topic.clone()));
}

/// Called with the topics locked, so that a peer that attaches in the meantime is told either by
/// this or by its attachment, and not twice.
fn tell_peers(hub: &Hub, command: impl Fn() -> ConnectionCommand) {
    hub.for_each_peer(|peer| peer.outbox.push_command(command()));
}
