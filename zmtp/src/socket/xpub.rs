//! XPUB: as PUB, and shows the application what its peers subscribe to ([29/PUBSUB]).
//!
//! [29/PUBSUB]: https://rfc.zeromq.org/spec/29/

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::base::{SocketHandle, sealed};
use super::publishing::{Offer, Publisher};
use super::{
    Builder, ManualSubscriptionError, RecvError, SendError, TryRecvError, TrySendError, XPubEvent,
    XPubReceiver,
};
use crate::driver::{DropReason, Matching, Notice, NoticePolicy, PeerId, WhenFull};
use crate::message::Message;
use crate::pattern::{SocketType, SubscriptionLimits};

/// An XPUB socket: sends as [`PubSocket`](super::PubSocket) does, and receives what its peers
/// subscribe to, and what XSUB peers send beside that.
///
/// It tells the application of the first subscription to each topic, and when the last one ends,
/// also with a connection. [`Builder::xpub_verbose`], [`Builder::xpub_verboser`] and
/// [`Builder::xpub_manual`] change that.
///
/// What is received has to be taken: a peer whose subscriptions are not is no longer read from at
/// some point ([`Builder::receive_high_water_mark`]), and subscribes to no more until they are. What
/// peers leave behind that are gone keeps others out if it is too much ([`Builder::max_connections`]).
///
/// ```no_run
/// use zmtp::{Socket, XPubEvent, XPubSocket};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut publisher = XPubSocket::new();
/// publisher.bind("tcp://127.0.0.1:5556").await?;
/// if let (peer, XPubEvent::Subscribed(topic)) = publisher.recv_event().await? {
///     println!("peer {peer} wants {topic:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct XPubSocket {
    pub(super) sender: XPubSender,
    pub(super) receiver: XPubReceiver,
}

/// The sending half of an [`XPubSocket`]; clones send to the same peers.
#[derive(Clone, Debug)]
pub struct XPubSender {
    pub(super) publisher: Publisher,
}

impl Builder<XPubSocket> {
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

    /// Tells the application of every subscription, also of repeated ones, and of the end of the
    /// last. Default: only of the first subscription to a topic.
    pub fn xpub_verbose(mut self) -> Self {
        self.options.publishing.notices = NoticePolicy::Verbose;
        self
    }

    /// Tells the application of every subscription and every cancellation, also of those that
    /// change nothing.
    pub fn xpub_verboser(mut self) -> Self {
        self.options.publishing.notices = NoticePolicy::Verboser;
        self
    }

    /// Tells the application of everything that peers subscribe to and cancel, and leaves it to the
    /// application what they get: [`XPubSocket::subscribe`] and [`XPubSocket::cancel`].
    pub fn xpub_manual(mut self) -> Self {
        self.options.publishing.notices = NoticePolicy::Manual;
        self
    }

    /// Sends `message` to every peer as it connects, whatever it subscribes to. A SUB drops it
    /// unless it has subscribed to how it begins.
    pub fn xpub_welcome_message(mut self, message: impl Into<Message>) -> Self {
        let message = message.into();
        self.options.publishing.welcome = (!message.is_empty()).then_some(message);
        self
    }
}

impl XPubSocket {
    /// Gives the two directions to different tasks. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (XPubSender, XPubReceiver) {
        (self.sender, self.receiver)
    }

    /// Sends `message` to the peers whose subscriptions its first part begins with, as
    /// [`PubSocket::send`](super::PubSocket::send) does.
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
        self.sender.send(message).await
    }

    /// As [`Self::send`], without letting anybody else have a turn: for a few messages at a time.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] gives the message back if the socket is closed or the message has no
    /// parts; with [`Builder::xpub_nodrop`] also if a peer that wants it has no room for it.
    #[inline]
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.sender.try_send(message)
    }

    /// As [`XPubSender::try_send_to`].
    ///
    /// # Errors
    ///
    /// As [`XPubSender::try_send_to`].
    #[inline]
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        self.sender.try_send_to(peer, message)
    }

    /// As [`XPubSender::subscribe`].
    ///
    /// # Errors
    ///
    /// As [`XPubSender::subscribe`].
    pub fn subscribe(
        &self,
        peer: PeerId,
        topic: impl AsRef<[u8]>,
    ) -> Result<(), ManualSubscriptionError> {
        self.sender.subscribe(peer, topic)
    }

    /// As [`XPubSender::cancel`].
    ///
    /// # Errors
    ///
    /// As [`XPubSender::cancel`].
    pub fn cancel(
        &self,
        peer: PeerId,
        topic: impl AsRef<[u8]>,
    ) -> Result<(), ManualSubscriptionError> {
        self.sender.cancel(peer, topic)
    }

    /// As [`XPubReceiver::recv`].
    ///
    /// # Errors
    ///
    /// As [`XPubReceiver::recv`].
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    pub async fn recv(&mut self) -> Result<Message, RecvError> {
        self.receiver.recv().await
    }

    /// As [`XPubReceiver::recv_event`].
    ///
    /// # Errors
    ///
    /// As [`XPubReceiver::recv_event`].
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped.
    pub async fn recv_event(&mut self) -> Result<(PeerId, XPubEvent), RecvError> {
        self.receiver.recv_event().await
    }

    /// As [`XPubReceiver::try_recv`].
    ///
    /// # Errors
    ///
    /// As [`XPubReceiver::try_recv`].
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        self.receiver.try_recv()
    }

    /// As [`XPubReceiver::try_recv_event`].
    ///
    /// # Errors
    ///
    /// As [`XPubReceiver::try_recv_event`].
    pub fn try_recv_event(&mut self) -> Result<(PeerId, XPubEvent), TryRecvError> {
        self.receiver.try_recv_event()
    }

    /// How many messages were dropped because a peer was at its high-water mark, once per peer.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.sender.dropped()
    }

    /// How many distinct topics messages are matched with.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.sender.topic_count()
    }
}

impl XPubSender {
    /// The handle of the socket, to bind, connect or close it.
    pub fn handle(&self) -> &SocketHandle {
        self.publisher.handle()
    }

    /// As [`XPubSocket::send`].
    ///
    /// # Errors
    ///
    /// As [`XPubSocket::send`].
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

    /// As [`XPubSocket::try_send`].
    ///
    /// # Errors
    ///
    /// As [`XPubSocket::try_send`].
    #[inline]
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.publisher.try_send(message.into())
    }

    /// Queues `message` for `peer` and no other, whatever it subscribed to: the last value of a
    /// topic for one that has just subscribed, say.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] if its queue is full, [`TrySendError::Unroutable`] if it is gone.
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        self.publisher.try_send_to(peer, message.into())
    }

    /// Lets `peer` have the messages that begin with `topic`, which may be another one than it
    /// asked for. It is told of none of this.
    ///
    /// # Errors
    ///
    /// [`ManualSubscriptionError`] if the peer is gone or would have too many subscriptions, or if
    /// the socket was built without [`Builder::xpub_manual`].
    pub fn subscribe(
        &self,
        peer: PeerId,
        topic: impl AsRef<[u8]>,
    ) -> Result<(), ManualSubscriptionError> {
        self.publisher.table().subscribe_for(peer, topic.as_ref())?;
        self.handle().hub().tell(Notice::None);
        Ok(())
    }

    /// Takes back what [`Self::subscribe`] gave. What a peer has when its connection ends goes with
    /// it.
    ///
    /// # Errors
    ///
    /// [`ManualSubscriptionError`] if the peer is gone, or if the socket was built without
    /// [`Builder::xpub_manual`].
    pub fn cancel(
        &self,
        peer: PeerId,
        topic: impl AsRef<[u8]>,
    ) -> Result<(), ManualSubscriptionError> {
        self.publisher.table().cancel_for(peer, topic.as_ref())?;
        self.handle().hub().tell(Notice::None);
        Ok(())
    }

    /// As [`XPubSocket::dropped`].
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.handle().hub().tally.dropped(DropReason::HighWaterMark)
    }

    /// As [`XPubSocket::topic_count`].
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.publisher.table().topic_count()
    }
}

impl Stream for XPubSocket {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        Pin::new(&mut self.receiver).poll_next(context)
    }
}

impl super::Socket for XPubSocket {
    fn handle(&self) -> &SocketHandle {
        self.sender.handle()
    }
}

impl sealed::Sealed for XPubSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let mut options = builder.options;
        if options.publishing.notices == NoticePolicy::None {
            options.publishing.notices = NoticePolicy::Changes;
        }
        let publisher = Publisher::new(SocketType::XPub, options);
        Self {
            receiver: XPubReceiver::new(publisher.clone()),
            sender: XPubSender { publisher },
        }
    }
}
