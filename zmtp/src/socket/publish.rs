//! PUB: sends each message to the peers that asked for it ([29/PUBSUB]).
//!
//! [29/PUBSUB]: https://rfc.zeromq.org/spec/29/

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::base::{SocketHandle, sealed};
use super::{Builder, SendError};
use crate::driver::{
    DisconnectReason, EncodedBatch, Linger, Pattern, Peer, PeerId, PushError, lock,
};
use crate::message::{Message, Part};
use crate::pattern::{Repeats, SocketType, SubscriptionLimits, SubscriptionTrie};
use crate::session::PeerInfo;

/// A PUB socket: sends each message to every SUB peer that subscribed to how it begins.
///
/// A peer that does not read fast enough misses messages and costs the others nothing;
/// [`Self::dropped`] counts them.
///
/// Clones send to the same peers and may be used from different tasks.
///
/// ```no_run
/// use zmtp::{PubSocket, Socket};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let publisher = PubSocket::new();
/// publisher.bind("tcp://127.0.0.1:5556").await?;
/// publisher.send(["weather.london", "rain"])?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PubSocket {
    table: Arc<SubscriptionTable>,
    handle: SocketHandle,
}

impl Builder<PubSocket> {
    /// How much one peer may subscribe to; a peer that wants more is disconnected.
    pub fn subscription_limits(mut self, limits: SubscriptionLimits) -> Self {
        self.options.subscription_limits = limits;
        self
    }
}

impl PubSocket {
    /// Sends `message` to the peers whose subscriptions its first part begins with. Never waits:
    /// for a peer at its high-water mark the message is dropped. A burst beyond the mark therefore
    /// wants pauses, in which the connections get their turn: `tokio::task::yield_now` is one.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the message back if the socket is closed or the message has no parts.
    pub fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        if message.is_empty() {
            return Err(SendError::NoParts(message));
        }
        if self.handle.hub().linger() != Linger::Open {
            return Err(SendError::Closed(message));
        }
        lock(&self.table.state).send(&message);
        Ok(())
    }

    /// How many messages were dropped because a peer was at its high-water mark, once per peer.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        lock(&self.table.state).dropped
    }
}

/// The subscriptions of all peers.
#[derive(Debug)]
struct SubscriptionTable {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    trie: SubscriptionTrie<PeerId>,
    peers: HashMap<PeerId, Arc<Peer>>,
    /// Scratch space: a message is encoded once, however many peers it goes to.
    encoded: EncodedBatch,
    dropped: u64,
}

impl State {
    fn send(&mut self, message: &Message) {
        if self.trie.is_empty() {
            return;
        }
        let Self {
            trie,
            peers,
            encoded,
            dropped,
        } = self;
        encoded.clear();
        let first = message.first().map_or(&[][..], Part::as_slice);
        trie.for_each_match(first, |id| {
            let Some(peer) = peers.get(&id) else { return };
            if peer.outbox.try_push_shared(message, encoded) == Err(PushError::Full) {
                *dropped += 1;
            }
        });
        encoded.clear();
        encoded.release();
    }
}

impl Pattern for SubscriptionTable {
    fn attach(&self, peer: &Arc<Peer>, _info: &PeerInfo) -> Result<Vec<Part>, DisconnectReason> {
        lock(&self.state).peers.insert(peer.id, Arc::clone(peer));
        Ok(Vec::new())
    }

    fn detach(&self, peer: &Arc<Peer>) {
        let mut state = lock(&self.state);
        state.peers.remove(&peer.id);
        state.trie.remove_all(peer.id, |_topic| {});
    }

    fn subscribe(&self, peer: &Arc<Peer>, topic: &[u8]) -> Result<(), DisconnectReason> {
        lock(&self.state)
            .trie
            .subscribe(peer.id, topic)
            .map(drop)
            .map_err(|_limit| DisconnectReason::TooManySubscriptions)
    }

    fn cancel(&self, peer: &Arc<Peer>, topic: &[u8]) {
        lock(&self.state).trie.cancel(peer.id, topic);
    }
}

impl super::Socket for PubSocket {
    fn handle(&self) -> &SocketHandle {
        &self.handle
    }
}

impl sealed::Sealed for PubSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let table = Arc::new(SubscriptionTable {
            state: Mutex::new(State {
                trie: SubscriptionTrie::new(Repeats::Ignored, builder.options.subscription_limits),
                peers: HashMap::new(),
                encoded: EncodedBatch::default(),
                dropped: 0,
            }),
        });
        let handle = SocketHandle::new(SocketType::Pub, builder.options, Arc::clone(&table) as _);
        Self { table, handle }
    }
}
