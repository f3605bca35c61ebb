//! XSUB: as SUB, subscribes with messages too, and talks back to its publishers ([29/PUBSUB]).
//!
//! [29/PUBSUB]: https://rfc.zeromq.org/spec/29/

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::task::coop;

use super::base::{SocketHandle, sealed};
use super::receiving::FairReceiver;
use super::sending::final_error;
use super::topics::Topics;
use super::transfer::sealed::Handled;
use super::{
    Builder, MessageReceiver, MessageSender, PeerMessage, RecvError, SendError, TryRecvError,
    TrySendError,
};
use crate::driver::sync::atomic::{AtomicBool, Ordering};
use crate::driver::{
    Cancellations, DropReason, EncodedBatch, Envelope, Fill, Linger, PeerId, PushError,
};
use crate::message::Message;
use crate::pattern::SocketType;
use crate::wire::subscription::Subscription;

/// An XSUB socket: receives as [`SubSocket`](super::SubSocket) does, but everything that its
/// publishers send, and sends messages to all of them.
///
/// Messages whose first octet is 1 or 0 are subscriptions and cancellations, as an
/// [`XPubSocket`](super::XPubSocket) receives them; [`Self::subscribe`] and [`Self::unsubscribe`]
/// say the same. Publishers are told of every subscription, and of the last cancellation of a
/// topic. Subscriptions go ahead of messages that wait to be sent.
#[derive(Debug)]
pub struct XSubSocket {
    pub(super) sender: XSubSender,
    receiver: XSubReceiver,
}

/// The sending half of an [`XSubSocket`]; clones send to the same peers.
#[derive(Clone, Debug)]
pub struct XSubSender {
    topics: Topics,
    /// Whether a queue has filled up since the connections had their turn.
    pub(super) turn_is_over: Arc<AtomicBool>,
}

/// The receiving half of an [`XSubSocket`].
#[derive(Debug)]
pub struct XSubReceiver {
    receiver: FairReceiver,
}

impl Builder<XSubSocket> {
    /// Tells the publishers of every cancellation, also where another subscription to the topic is
    /// left or there was none. Default: only of the last.
    pub fn xsub_verbose_unsubscribe(mut self) -> Self {
        self.options.cancellations = Cancellations::All;
        self
    }
}

impl XSubSocket {
    /// Gives the two directions to different tasks. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (XSubSender, XSubReceiver) {
        (self.sender, self.receiver)
    }

    /// As [`XSubSender::subscribe`].
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) {
        self.sender.subscribe(topic);
    }

    /// As [`XSubSender::unsubscribe`].
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) {
        self.sender.unsubscribe(topic);
    }

    /// As [`XSubSender::topic_count`].
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.sender.topic_count()
    }

    /// As [`XSubSender::send`].
    ///
    /// # Errors
    ///
    /// As [`XSubSender::send`].
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, the message is not sent.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.sender.send(message).await
    }

    /// As [`XSubSender::try_send`].
    ///
    /// # Errors
    ///
    /// As [`XSubSender::try_send`].
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.sender.try_send(message)
    }

    /// As [`XSubReceiver::recv`].
    ///
    /// # Errors
    ///
    /// As [`XSubReceiver::recv`].
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    #[inline]
    pub async fn recv(&mut self) -> Result<Message, RecvError> {
        self.receiver.recv().await
    }

    /// As [`XSubReceiver::recv_from`].
    ///
    /// # Errors
    ///
    /// As [`XSubReceiver::recv_from`].
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    pub async fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        self.receiver.recv_from().await
    }

    /// As [`XSubReceiver::try_recv`].
    ///
    /// # Errors
    ///
    /// As [`XSubReceiver::try_recv`].
    #[inline]
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        self.receiver.try_recv()
    }
}

impl XSubSender {
    /// The handle of the socket, to bind, connect or close it.
    pub fn handle(&self) -> &SocketHandle {
        self.topics.handle()
    }

    /// Asks all peers, those of now and those to come, for the messages that begin with `topic`.
    ///
    /// Subscriptions count: what is subscribed to twice has to be unsubscribed from twice. The
    /// peers are told each time; those that count as well know what to make of it.
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) {
        self.topics.subscribe_verbosely(topic.as_ref());
    }

    /// Takes one subscription back. What is on its way is still received.
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) {
        self.topics.unsubscribe(topic.as_ref());
    }

    /// How many distinct topics the socket is subscribed to.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.topics.topic_count()
    }

    /// Subscribes, cancels, or sends `message` to all peers.
    ///
    /// Parts that begin with an octet 1 or 0 are subscriptions and cancellations, up to the first
    /// part that does not; from there on it is a message. For a peer at its high-water mark the
    /// message is dropped, so that no peer makes the socket wait.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the message back if the socket is closed or the message has no parts.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, the message is not sent.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        if self.turn_is_over.swap(false, Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        self.try_send(message).map_err(final_error)
    }

    /// As [`Self::send`], without letting anybody else have a turn.
    ///
    /// # Errors
    ///
    /// As [`Self::send`].
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        let mut message = message.into();
        if message.is_empty() {
            return Err(TrySendError::NoParts(message));
        }
        let hub = self.handle().hub();
        if hub.linger() != Linger::Open {
            return Err(TrySendError::Closed(message));
        }
        while let Some(part) = message.pop_front() {
            match Subscription::decode(part) {
                Ok(Subscription::Subscribe(topic)) => self.subscribe(topic),
                Ok(Subscription::Cancel(topic)) => self.unsubscribe(topic),
                Err(part) => {
                    message.push_front(part);
                    self.send_to_all(&message);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn send_to_all(&self, message: &Message) {
        let encoded = &mut EncodedBatch::default();
        // Not under the lock of the peers: who waits for the message is woken here.
        for peer in self.handle().hub().peers() {
            // `PUBSUB`: "SHALL silently drop the message if the queue for a publisher is full".
            match peer.outbox.try_push_shared(message, encoded) {
                Ok(Fill::Mark) => self.turn_is_over.store(true, Ordering::Relaxed),
                Err(PushError::Full) => peer.tally.count_dropped(DropReason::HighWaterMark, 1),
                Ok(Fill::Room) | Err(PushError::Closed | PushError::Multipart) => {}
            }
        }
    }
}

impl XSubReceiver {
    /// The handle of the socket, to bind, connect or close it.
    pub fn handle(&self) -> &SocketHandle {
        self.receiver.handle()
    }

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    #[inline]
    pub async fn recv(&mut self) -> Result<Message, RecvError> {
        if let Some((_peer, body)) = self.receiver.pop_body() {
            return Ok(Message::from(body));
        }
        Ok(self.receiver.recv().await?.message)
    }

    /// Waits for the next message and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    pub async fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        let received = self.receiver.recv().await?;
        Ok((received.peer, received.message))
    }

    /// Takes the next message, if one has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none has.
    #[inline]
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        Ok(self.receiver.try_recv()?.message)
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.receiver
            .poll_recv(context)
            .map_ok(|received| received.message)
    }
}

impl Stream for XSubReceiver {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv(context).map(Result::ok)
    }
}

impl Stream for XSubSocket {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        Pin::new(&mut self.receiver).poll_next(context)
    }
}

impl super::Socket for XSubSocket {
    fn handle(&self) -> &SocketHandle {
        self.sender.handle()
    }
}

impl Handled for XSubSender {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl Handled for XSubReceiver {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl MessageSender for XSubSocket {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }

    async fn send_message(&mut self, message: Message) -> Result<(), SendError> {
        coop::consume_budget().await;
        // Which lets the connections have their turn, rather than drop what is sent in one go.
        self.send(message).await
    }
}

impl MessageSender for XSubSender {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }

    async fn send_message(&mut self, message: Message) -> Result<(), SendError> {
        coop::consume_budget().await;
        // Which lets the connections have their turn, rather than drop what is sent in one go.
        self.send(message).await
    }
}

impl MessageReceiver for XSubSocket {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.receiver.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.receiver.poll_recv_with_peer(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.receiver.try_recv_with_peer()
    }
}

impl MessageReceiver for XSubReceiver {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.receiver.poll_recv_with_peer(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.receiver.try_recv_with_peer()
    }
}

impl sealed::Sealed for XSubSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let topics = Topics::new(SocketType::XSub, builder.options);
        Self {
            receiver: XSubReceiver {
                receiver: FairReceiver::new(topics.handle(), Envelope::Plain),
            },
            sender: XSubSender {
                topics,
                turn_is_over: Arc::new(AtomicBool::new(false)),
            },
        }
    }
}
