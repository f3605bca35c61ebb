//! DEALER: sends to its peers in turn and receives from all ([28/REQREP]).
//!
//! [28/REQREP]: https://rfc.zeromq.org/spec/28/

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;

use super::base::{SocketHandle, sealed};
use super::receiving::FairReceiver;
use super::sending::{self, BalancedSender};
use super::{Builder, RecvError, SendError, TryRecvError, TrySendError};
use crate::driver::{Envelope, NoPattern, PeerId};
use crate::message::{Message, Part};
use crate::pattern::SocketType;

/// A DEALER socket: talks to ROUTER, REP and DEALER peers, without alternating.
///
/// [`Self::split`] gives the two directions to different tasks. Beyond what libzmq offers, a
/// message can be addressed to one peer ([`Self::try_send_to`]), so that a conversation stays with
/// the peer that holds the other end of it.
///
/// It is a [`Stream`] of messages and a [`Sink`] for them, and so are its halves.
#[derive(Debug)]
pub struct DealerSocket {
    sender: DealerSender,
    pub(super) receiver: DealerReceiver,
}

/// The sending half of a [`DealerSocket`].
#[derive(Clone, Debug)]
pub struct DealerSender {
    sender: BalancedSender,
}

/// The receiving half of a [`DealerSocket`].
#[derive(Debug)]
pub struct DealerReceiver {
    pub(super) receiver: FairReceiver,
}

impl Builder<DealerSocket> {
    /// Sends an empty message first on each connection, so that a ROUTER at the other end learns
    /// that this socket is there, and its routing id. Default: none.
    pub fn probe_router(mut self) -> Self {
        self.options.notices.probe = Some(Message::from(Part::EMPTY));
        self
    }
}

impl DealerSocket {
    /// Gives the two directions to different tasks. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (DealerSender, DealerReceiver) {
        (self.sender, self.receiver)
    }

    /// Queues `message` for the next peer with room; waits until there is one.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the message back if the socket is closed or the message has no parts.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, the message is not sent.
    #[inline]
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.sender.send(message).await
    }

    /// Queues `message` for the next peer with room and names it.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] gives the message back if there is no such peer now.
    #[inline]
    pub fn try_send(&mut self, message: impl Into<Message>) -> Result<PeerId, TrySendError> {
        self.sender.try_send(message)
    }

    /// Queues `message` for `peer` and no other.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] if its queue is full, [`TrySendError::Unroutable`] if it is gone.
    #[inline]
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        self.sender.try_send_to(peer, message)
    }

    /// Waits until a queue that was found full has room, or a peer comes or goes.
    ///
    /// What happens after this call counts, so call it before the attempt that may fail.
    ///
    /// # Cancel safety
    ///
    /// Nothing happens if the future is dropped.
    pub fn writable(&self) -> impl Future<Output = ()> + Send + use<> {
        self.sender.writable()
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
        self.receiver.recv().await
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
    #[inline]
    pub async fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        self.receiver.recv_from().await
    }

    /// Takes the next message, if one has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none has.
    #[inline]
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        self.receiver.try_recv()
    }

    /// Takes the next message, if one has come, and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none has.
    #[inline]
    pub fn try_recv_from(&mut self) -> Result<(PeerId, Message), TryRecvError> {
        self.receiver.try_recv_from()
    }

    pub(crate) fn poll_recv(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Message, RecvError>> {
        self.receiver.poll_recv(context)
    }
}

impl DealerSender {
    /// The handle of the socket, to bind, connect or close it.
    pub fn handle(&self) -> &SocketHandle {
        self.sender.handle()
    }

    /// As [`DealerSocket::send`].
    ///
    /// # Errors
    ///
    /// As [`DealerSocket::send`].
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, the message is not sent.
    #[inline]
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        if self.sender.offer(&message).is_some() {
            return Ok(());
        }
        self.sender.send_declined(message).await.map(drop)
    }

    /// As [`DealerSocket::try_send`].
    ///
    /// # Errors
    ///
    /// As [`DealerSocket::try_send`].
    #[inline]
    pub fn try_send(&mut self, message: impl Into<Message>) -> Result<PeerId, TrySendError> {
        self.sender.try_send(message.into())
    }

    /// As [`DealerSocket::try_send_to`].
    ///
    /// # Errors
    ///
    /// As [`DealerSocket::try_send_to`].
    #[inline]
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        self.sender.try_send_to(peer, message.into())
    }

    /// As [`DealerSocket::writable`].
    ///
    /// # Cancel safety
    ///
    /// Nothing happens if the future is dropped.
    pub fn writable(&self) -> impl Future<Output = ()> + Send + use<> {
        sending::writable(self.sender.handle().hub())
    }
}

impl DealerReceiver {
    /// The handle of the socket, to bind, connect or close it.
    pub fn handle(&self) -> &SocketHandle {
        self.receiver.handle()
    }

    /// As [`DealerSocket::recv`].
    ///
    /// # Errors
    ///
    /// As [`DealerSocket::recv`].
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

    /// As [`DealerSocket::recv_from`].
    ///
    /// # Errors
    ///
    /// As [`DealerSocket::recv_from`].
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    #[inline]
    pub async fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        let received = self.receiver.recv().await?;
        Ok((received.peer, received.message))
    }

    /// As [`DealerSocket::try_recv`].
    ///
    /// # Errors
    ///
    /// As [`DealerSocket::try_recv`].
    #[inline]
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        Ok(self.receiver.try_recv()?.message)
    }

    /// As [`DealerSocket::try_recv_from`].
    ///
    /// # Errors
    ///
    /// As [`DealerSocket::try_recv_from`].
    #[inline]
    pub fn try_recv_from(&mut self) -> Result<(PeerId, Message), TryRecvError> {
        let received = self.receiver.try_recv()?;
        Ok((received.peer, received.message))
    }

    pub(crate) fn poll_recv(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Message, RecvError>> {
        let received = self.receiver.poll_recv(context);
        received.map_ok(|received| received.message)
    }
}

/// A message that was accepted counts as sent when the sink is flushed. Closing flushes; the socket
/// itself closes with its last handle.
impl Sink<Message> for DealerSender {
    type Error = SendError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        self.sender.poll_ready(context)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        self.sender.start_send(message)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        self.sender.poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_flush(context)
    }
}

impl Stream for DealerReceiver {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv(context).map(Result::ok)
    }
}

/// As of [`DealerSender`].
impl Sink<Message> for DealerSocket {
    type Error = SendError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        Pin::new(&mut self.sender).poll_ready(context)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        Pin::new(&mut self.sender).start_send(message)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        Pin::new(&mut self.sender).poll_flush(context)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        Pin::new(&mut self.sender).poll_close(context)
    }
}

impl Stream for DealerSocket {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        Pin::new(&mut self.receiver).poll_next(context)
    }
}

impl super::Conflating for DealerSocket {}

impl super::Socket for DealerSocket {
    fn handle(&self) -> &SocketHandle {
        self.sender.sender.handle()
    }
}

impl super::TwoWay for DealerSocket {}

impl sealed::Sealed for DealerSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let handle = SocketHandle::new(SocketType::Dealer, builder.options, Arc::new(NoPattern));
        Self {
            sender: DealerSender {
                sender: BalancedSender::new(&handle, Vec::new()),
            },
            receiver: DealerReceiver {
                receiver: FairReceiver::new(&handle, Envelope::Plain),
            },
        }
    }
}
