//! What an XPUB has yet to tell the application of its peers' subscriptions.

use std::collections::VecDeque;
use std::sync::Arc;

use super::PeerMessage;
use crate::driver::{Peer, PeerId, charge};
use crate::message::{Message, Part};
use crate::pattern::SubscriptionLimits;
use crate::session::PeerInfo;
use crate::wire::subscription::Subscription;

/// Subscriptions and cancellations in the order in which they took effect.
///
/// One queue for all peers: the first subscription to a topic and the end of the last can come from
/// two of them, and told in the wrong order they would say that somebody still wants it.
///
/// While a peer is there, its notices count as its messages do, and it is not read from while they
/// are too many. What peers that are gone have left behind is bounded for all of them together, and
/// so is how many have left some.
#[derive(Debug)]
pub(crate) struct NoticeQueue {
    queue: VecDeque<Entry>,
    bytes: usize,
    limits: SubscriptionLimits,
}

#[derive(Debug)]
struct Entry {
    told: Told,
    /// Who is credited when the notice is taken.
    charged: Arc<Peer>,
    charge: Charge,
}

/// What a notice costs its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    /// Room in its inbox.
    Room,
    /// Its place among those that have gone and are not done with.
    Place,
}

/// One notice.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) peer: PeerId,
    pub(crate) info: Option<Arc<PeerInfo>>,
    pub(crate) change: Subscription,
}

impl Told {
    /// The message that says the same.
    pub(crate) fn into_message(self) -> Option<PeerMessage> {
        Some(PeerMessage {
            peer: self.peer,
            info: self.info?,
            message: Message::from(self.change.to_part()),
        })
    }
}

impl NoticeQueue {
    pub(crate) fn new(limits: SubscriptionLimits) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            limits,
        }
    }

    /// Whether as many notices wait as there may be subscriptions, so that no peer may cause more.
    ///
    /// To be asked before a subscription takes effect: each that does may cause another notice when
    /// its peer leaves, which there is always room for.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() >= self.limits.max_socket_topics
            || self.bytes >= self.limits.max_socket_topic_bytes
    }

    /// Appends what `peer`, which is charged for it, has just done, and tells what it is charged.
    pub(crate) fn push(&mut self, peer: &Arc<Peer>, change: Subscription) -> usize {
        let bytes = charge(change.topic());
        let info = peer.inbox.charge_notice(bytes);
        self.bytes += change.topic().len();
        self.queue.push_back(Entry {
            told: Told {
                peer: peer.id,
                info,
                change,
            },
            charged: Arc::clone(peer),
            charge: Charge::Room,
        });
        bytes
    }

    /// Appends the end of a subscription of a peer that has left.
    pub(crate) fn push_departure(&mut self, peer: &Arc<Peer>, topic: Vec<u8>) {
        self.bytes += topic.len();
        self.queue.push_back(Entry {
            told: Told {
                peer: peer.id,
                info: peer.inbox.charge_departure(),
                change: Subscription::Cancel(topic.into()),
            },
            charged: Arc::clone(peer),
            charge: Charge::Place,
        });
    }

    /// Takes the oldest one.
    pub(crate) fn pop(&mut self) -> Option<Told> {
        let entry = self.queue.pop_front()?;
        let (told, inbox) = (entry.told, &entry.charged.inbox);
        let topic: &Part = told.change.topic();
        self.bytes -= topic.len();
        match entry.charge {
            Charge::Room => inbox.credit_notice(charge(topic)),
            Charge::Place => inbox.credit_departure(),
        }
        if self.queue.is_empty() && self.queue.capacity() > IDLE_ENTRIES {
            self.queue = VecDeque::new();
        }
        Some(told)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}

/// A queue that runs dry and has room for more than this is given back.
const IDLE_ENTRIES: usize = 32;
