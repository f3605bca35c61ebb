//! PUB: sends each message to the peers that asked for it ([29/PUBSUB]).
//!
//! [29/PUBSUB]: https://rfc.zeromq.org/spec/29/

use super::base::{SocketHandle, sealed};
use super::publishing::{Offer, Publisher};
use super::{Builder, SendError, TrySendError};
use crate::driver::{DropReason, Matching, WhenFull};
use crate::message::Message;
use crate::pattern::{SocketType, SubscriptionLimits};

/// A PUB socket: sends each message to every SUB peer that subscribed to how it begins.
///
/// A peer that does not read fast enough misses messages and costs the others nothing;
/// [`Self::dropped`] counts them. [`Builder::xpub_nodrop`] makes the publisher wait instead.
///
/// Clones send to the same peers and may be used from different tasks. It is a
/// [`Sink`](futures_sink::Sink) of messages.
///
/// ```no_run
/// use zmtp::{PubSocket, Socket};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let publisher = PubSocket::new();
/// publisher.bind("tcp://127.0.0.1:5556").await?;
/// publisher.send(["weather.london", "rain"]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PubSocket {
    pub(super) publisher: Publisher,
}

impl Builder<PubSocket> {
    /// How much one peer, and all together, may subscribe to; a peer that wants more is
    /// disconnected.
    pub fn subscription_limits(mut self, limits: SubscriptionLimits) -> Self {
        self.options.publishing.subscription_limits = limits;
        self
    }

    /// Sends a message only when every peer that wants it has room for it: sending waits for the
    /// slowest. Default: a peer at its high-water mark misses the message.
    pub fn xpub_nodrop(mut self) -> Self {
        self.options.publishing.when_full = WhenFull::Wait;
        self
    }

    /// Sends each message to the peers that did not subscribe to how it begins, also to those
    /// without any subscription. The subscribers have to be told the same.
    pub fn invert_matching(mut self) -> Self {
        self.options.matching = Matching::Inverted;
        self
    }
}

impl PubSocket {
    /// Sends `message` to the peers whose subscriptions its first part begins with.
    ///
    /// For a peer at its high-water mark the message is dropped. Before that happens to a sender
    /// that is merely quicker than the connections get their turn, it lets them have it. Only with
    /// [`Builder::xpub_nodrop`] a slow peer makes it wait.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the message back if the socket is closed or the message has no parts.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, the message is not sent.
    #[inline]
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        match self.publisher.offer(&message) {
            Offer::Sent => Ok(()),
            Offer::Declined => self.publisher.send(message).await,
        }
    }

    /// As [`Self::send`], without letting anybody else have a turn: for a few messages at a time.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] gives the message back if the socket is closed or the message has no
    /// parts; with [`Builder::xpub_nodrop`] also if a peer that wants it has no room for it.
    #[inline]
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.publisher.try_send(message.into())
    }

    /// How many messages were dropped because a peer was at its high-water mark, once per peer.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let hub = self.publisher.handle().hub();
        hub.tally.dropped(DropReason::HighWaterMark)
    }

    /// How many distinct topics the peers are subscribed to.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.publisher.table().topic_count()
    }
}

impl super::Conflating for PubSocket {}

impl super::Socket for PubSocket {
    fn handle(&self) -> &SocketHandle {
        self.publisher.handle()
    }
}

impl sealed::Sealed for PubSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        Self {
            publisher: Publisher::new(SocketType::Pub, builder.options),
        }
    }
}
