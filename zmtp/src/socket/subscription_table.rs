//! Who gets what is published, shared by PUB and XPUB.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::notices::{NoticeQueue, Told};
use crate::driver::sync::atomic::{AtomicBool, Ordering};
use crate::driver::sync::{Mutex, MutexGuard, lock};
use crate::driver::{
    DisconnectReason, DropReason, EncodedBatch, Fill, Matching, Notice, NoticePolicy, Pattern,
    Peer, PeerId, PublishOptions, PushError, SocketOptions, WhenFull,
};
use crate::message::{Message, Part};
use crate::pattern::{
    Audience, Cancelled, Repeats, Subscribed, SubscriptionError, SubscriptionTrie,
};
use crate::session::PeerInfo;
use crate::wire::subscription::Subscription;

/// The subscriptions of all peers.
#[derive(Debug)]
pub(crate) struct SubscriptionTable {
    state: Mutex<State>,
    options: PublishOptions,
    matching: Matching,
    /// Whether it is the turn of the connections; lets senders look without the lock.
    turn_is_over: AtomicBool,
    /// Whether there are notices; lets the receiver look without the lock.
    has_notices: AtomicBool,
}

#[derive(Debug)]
struct State {
    /// What is sent to whom.
    trie: SubscriptionTrie<Subscriber>,
    /// What the peers asked for, where that is not what they get: with `NoticePolicy::Manual`.
    requests: SubscriptionTrie<Subscriber>,
    attached: BTreeMap<PeerId, Subscriber>,
    notices: NoticeQueue,
    /// Scratch space: a message is encoded once, however many peers it goes to.
    encoded: EncodedBatch,
    /// Scratch space for those who get a message, where it is not sent as they are found.
    selected: Vec<Subscriber>,
    /// Messages since the connections had their last turn.
    sent: usize,
}

/// A peer, by its id.
#[derive(Clone, Debug)]
struct Subscriber(Arc<Peer>);

/// A peer that the message is for has no room for it, and none got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Why the application cannot subscribe on behalf of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManualSubscriptionError {
    /// The socket was not built with `xpub_manual`: the peers decide themselves.
    #[error("the peers of this socket decide on their subscriptions themselves")]
    NotManual,
    /// The peer is not connected any more.
    #[error("the peer is not connected")]
    UnknownPeer,
    /// The peer would have more subscriptions than it may.
    #[error(transparent)]
    Limit(#[from] SubscriptionError),
}

/// After so many messages the connections get a turn, whether or not a queue has filled up.
const MAX_TURN: usize = 1000;

impl SubscriptionTable {
    pub(crate) fn new(options: &SocketOptions) -> Self {
        let limits = options.publishing.subscription_limits;
        Self {
            state: Mutex::new(State {
                trie: SubscriptionTrie::new(Repeats::Ignored, limits),
                requests: SubscriptionTrie::new(Repeats::Ignored, limits),
                attached: BTreeMap::new(),
                notices: NoticeQueue::new(limits),
                encoded: EncodedBatch::default(),
                selected: Vec::new(),
                sent: 0,
            }),
            options: options.publishing.clone(),
            matching: options.matching,
            turn_is_over: AtomicBool::new(false),
            has_notices: AtomicBool::new(false),
        }
    }

    /// Queues `message`, which has a part, for every peer that wants it.
    ///
    /// # Errors
    ///
    /// [`Full`] with [`WhenFull::Wait`], if one of them has no room.
    #[inline]
    pub(crate) fn publish(&self, message: &Message) -> Result<(), Full> {
        let state = &mut *lock(&self.state);
        let fill = match self.matching {
            Matching::Prefix => state.send_to_matches(message, self.options.when_full)?,
            Matching::Inverted => {
                state.select_others(message);
                state.send_to_selected(message, self.options.when_full)?
            }
        };
        state.sent += 1;
        if fill == Fill::Mark || state.sent >= MAX_TURN {
            state.sent = 0;
            self.turn_is_over.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether [`Self::take_turn`] would tell the sender to wait.
    #[inline]
    pub(crate) fn is_turn_over(&self) -> bool {
        self.turn_is_over.load(Ordering::Relaxed)
    }

    /// Whether the connections should have a turn before the next message, so that what is sent in
    /// one go is not dropped for want of one.
    #[inline]
    pub(crate) fn take_turn(&self) -> bool {
        self.is_turn_over() && self.turn_is_over.swap(false, Ordering::Relaxed)
    }

    /// The distinct topics that messages are matched with.
    pub(crate) fn topic_count(&self) -> usize {
        lock(&self.state).trie.topic_count()
    }

    /// Takes what a peer asked for or gave up and the application has not been told.
    #[inline]
    pub(crate) fn pop_notice(&self) -> Option<Told> {
        if !self.has_notices.load(Ordering::Acquire) {
            return None;
        }
        let mut state = lock(&self.state);
        let told = state.notices.pop();
        self.has_notices
            .store(!state.notices.is_empty(), Ordering::Release);
        told
    }

    /// Lets `peer` have the messages that begin with `topic`.
    pub(crate) fn subscribe_for(
        &self,
        peer: PeerId,
        topic: &[u8],
    ) -> Result<(), ManualSubscriptionError> {
        let (state, subscriber) = &mut self.manual(peer)?;
        state.trie.subscribe(subscriber, topic)?;
        Ok(())
    }

    /// Takes back what [`Self::subscribe_for`] gave.
    pub(crate) fn cancel_for(
        &self,
        peer: PeerId,
        topic: &[u8],
    ) -> Result<(), ManualSubscriptionError> {
        let (state, subscriber) = &mut self.manual(peer)?;
        state.trie.cancel(subscriber, topic);
        Ok(())
    }

    fn manual(
        &self,
        peer: PeerId,
    ) -> Result<(MutexGuard<'_, State>, Subscriber), ManualSubscriptionError> {
        if self.options.notices != NoticePolicy::Manual {
            return Err(ManualSubscriptionError::NotManual);
        }
        let state = lock(&self.state);
        let subscriber = state.attached.get(&peer).cloned();
        let subscriber = subscriber.ok_or(ManualSubscriptionError::UnknownPeer)?;
        Ok((state, subscriber))
    }

    /// Refuses what would be told to an application that does not listen.
    fn check_notices(&self, state: &State) -> Result<(), DisconnectReason> {
        if self.options.notices != NoticePolicy::None && state.notices.is_full() {
            return Err(DisconnectReason::UnreadSubscriptions);
        }
        Ok(())
    }

    fn tell(&self, state: &mut State, peer: &Arc<Peer>, change: Subscription) -> Notice {
        let bytes = state.notices.push(peer, change);
        self.has_notices.store(true, Ordering::Release);
        Notice::Queued { bytes }
    }
}

impl Pattern for SubscriptionTable {
    fn attach(&self, peer: &Arc<Peer>, _info: &PeerInfo) -> Result<Vec<Part>, DisconnectReason> {
        let subscriber = Subscriber(Arc::clone(peer));
        lock(&self.state).attached.insert(peer.id, subscriber);
        if let Some(welcome) = &self.options.welcome {
            peer.outbox.push_first(welcome);
        }
        Ok(Vec::new())
    }

    fn detach(&self, peer: &Arc<Peer>) -> Notice {
        let policy = self.options.notices;
        let state = &mut *lock(&self.state);
        let State {
            trie,
            requests,
            attached,
            notices,
            ..
        } = state;
        let Some(subscriber) = attached.remove(&peer.id) else {
            return Notice::None;
        };
        let before = notices.len();
        trie.remove_all(&subscriber, |cancelled, released| match policy {
            NoticePolicy::None | NoticePolicy::Manual => {}
            NoticePolicy::Changes | NoticePolicy::Verbose if cancelled != Cancelled::Last => {}
            _ => notices.push_departure(peer, released.topic()),
        });
        requests.remove_all(&subscriber, |_, released| {
            notices.push_departure(peer, released.topic());
        });
        if notices.len() == before {
            return Notice::None;
        }
        self.has_notices.store(true, Ordering::Release);
        Notice::Queued { bytes: 0 }
    }

    fn subscription_count(&self) -> usize {
        lock(&self.state).trie.held_topic_count()
    }

    fn subscription_count_of(&self, peer: &Arc<Peer>) -> usize {
        let subscriber = Subscriber(Arc::clone(peer));
        lock(&self.state).trie.topic_count_of(&subscriber)
    }

    fn subscribe(&self, peer: &Arc<Peer>, topic: &[u8]) -> Result<Notice, DisconnectReason> {
        let subscriber = Subscriber(Arc::clone(peer));
        let state = &mut *lock(&self.state);
        self.check_notices(state)?;
        let is_told = match self.options.notices {
            NoticePolicy::None => {
                state.trie.subscribe(&subscriber, topic)?;
                false
            }
            NoticePolicy::Changes => state.trie.subscribe(&subscriber, topic)? == Subscribed::First,
            NoticePolicy::Verbose | NoticePolicy::Verboser => {
                state.trie.subscribe(&subscriber, topic)?;
                true
            }
            NoticePolicy::Manual => {
                state.requests.subscribe(&subscriber, topic)?;
                true
            }
        };
        if !is_told {
            return Ok(Notice::None);
        }
        let topic = Part::copy_from_slice(topic);
        Ok(self.tell(state, peer, Subscription::Subscribe(topic)))
    }

    fn cancel(&self, peer: &Arc<Peer>, topic: &[u8]) -> Result<Notice, DisconnectReason> {
        let subscriber = Subscriber(Arc::clone(peer));
        let state = &mut *lock(&self.state);
        self.check_notices(state)?;
        let is_told = match self.options.notices {
            NoticePolicy::Manual => {
                state.requests.cancel(&subscriber, topic);
                true
            }
            policy => {
                let cancelled = state.trie.cancel(&subscriber, topic);
                match policy {
                    NoticePolicy::Changes | NoticePolicy::Verbose => cancelled == Cancelled::Last,
                    NoticePolicy::Verboser => true,
                    NoticePolicy::None | NoticePolicy::Manual => false,
                }
            }
        };
        if !is_told {
            return Ok(Notice::None);
        }
        let topic = Part::copy_from_slice(topic);
        Ok(self.tell(state, peer, Subscription::Cancel(topic)))
    }
}

impl State {
    /// Whether one of the peers that `message` is for has no room for it.
    #[inline]
    fn a_match_is_full(&mut self, message: &Message) -> bool {
        let mut found = false;
        self.trie
            .for_each_match(first_octets(message), |Subscriber(peer)| {
                // All of them are asked, so that each tells when it has room again.
                found |= peer.outbox.is_full();
            });
        found
    }

    /// The way of nearly all messages. One that a single peer wants is queued under the lock that tells
    /// whether there is room.
    #[inline]
    fn send_to_matches(&mut self, message: &Message, when_full: WhenFull) -> Result<Fill, Full> {
        let peer = match self.trie.audience(first_octets(message)) {
            Audience::Nobody => return Ok(Fill::Room),
            Audience::One(Subscriber(peer)) => peer,
            Audience::Several => return self.send_to_several(message, when_full),
        };
        match peer.outbox.try_push(&[], message) {
            Ok(fill) => return Ok(fill),
            Err(PushError::Full) if when_full == WhenFull::Wait => return Err(Full),
            Err(PushError::Full) => overflow(peer, message, when_full),
            Err(PushError::Closed | PushError::Multipart) => {}
        }
        Ok(Fill::Room)
    }

    /// To each peer as it is found, at most one lock for each.
    fn send_to_several(&mut self, message: &Message, when_full: WhenFull) -> Result<Fill, Full> {
        if when_full == WhenFull::Wait && self.a_match_is_full(message) {
            return Err(Full);
        }
        let Self { trie, encoded, .. } = self;
        let mut fill = Fill::Room;
        trie.for_each_match(first_octets(message), |Subscriber(peer)| {
            match peer.outbox.try_push_shared(message, encoded) {
                Ok(Fill::Mark) => fill = Fill::Mark,
                Err(PushError::Full) => overflow(peer, message, when_full),
                Ok(Fill::Room) | Err(PushError::Closed | PushError::Multipart) => {}
            }
        });
        encoded.clear();
        encoded.release();
        Ok(fill)
    }

    /// Finds the peers that did not subscribe to `message`.
    fn select_others(&mut self, message: &Message) {
        let mut matched: Vec<PeerId> = Vec::new();
        self.trie
            .for_each_match(first_octets(message), |peer| matched.push(peer.0.id));
        matched.sort_unstable();
        let others = self.attached.iter();
        let others = others.filter(|(id, _)| matched.binary_search(id).is_err());
        self.selected.clear();
        self.selected.extend(others.map(|(_, peer)| peer.clone()));
    }

    fn send_to_selected(&mut self, message: &Message, when_full: WhenFull) -> Result<Fill, Full> {
        // All of them are asked, so that each tells when it has room again.
        let full_count = match when_full {
            WhenFull::Drop => 0,
            WhenFull::Wait => {
                let peers = self.selected.iter();
                peers.filter(|peer| peer.0.outbox.is_full()).count()
            }
        };
        if full_count > 0 {
            self.selected.clear();
            return Err(Full);
        }
        let mut fill = Fill::Room;
        for Subscriber(peer) in self.selected.drain(..) {
            match peer.outbox.try_push_shared(message, &mut self.encoded) {
                Ok(Fill::Mark) => fill = Fill::Mark,
                Err(PushError::Full) => overflow(&peer, message, when_full),
                Ok(Fill::Room) | Err(PushError::Closed | PushError::Multipart) => {}
            }
        }
        self.encoded.clear();
        self.encoded.release();
        Ok(fill)
    }
}

/// Goes on with a message that `peer` has no room for.
#[cold]
fn overflow(peer: &Peer, message: &Message, when_full: WhenFull) {
    match when_full {
        WhenFull::Drop => peer.tally.count_dropped(DropReason::HighWaterMark, 1),
        // There was room before others got it: a greeting or a lower mark has come since.
        WhenFull::Wait => peer.outbox.push_past_mark(message),
    }
}

/// What subscriptions are compared with.
#[inline]
fn first_octets(message: &Message) -> &[u8] {
    message.first().map_or(&[], Part::as_slice)
}

impl PartialEq for Subscriber {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Subscriber {}

impl Hash for Subscriber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

#[cfg(test)]
mod tests;
