//! ROUTER: talks to each of its peers by name ([28/REQREP]).
//!
//! [28/REQREP]: https://rfc.zeromq.org/spec/28/

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;
use tokio::task::coop;

use super::base::{IntoEndpoint, SocketHandle, sealed};
use super::builder::Builder;
use super::receiving::FairReceiver;
use super::routing_table::RoutingTable;
use super::sending::{self, final_error, when_writable};
use super::sink::SinkState;
use super::{ConnectError, RecvError, SendError, TryRecvError, TrySendError};
use crate::driver::{
    DropReason, Envelope, Fill, Hub, Linger, PeerId, PushError, TakenRoutingId, Unroutable,
};
use crate::message::{Message, Part};
use crate::pattern::{RoutingId, SocketType};

/// A ROUTER socket: each message it receives begins with the routing id of the peer it came from,
/// and each message it sends goes to the peer that its first part names.
///
/// A message that names no peer, or one whose queue is full, is dropped, as in libzmq;
/// [`Builder::router_mandatory`] makes that an error and a wait. Peers can also be addressed by
/// their [`PeerId`], without the first part.
///
/// It is a [`Stream`] of messages and a [`Sink`] for them, and so are its halves. Without
/// [`Builder::router_mandatory`] the sink always takes a message.
#[derive(Debug)]
pub struct RouterSocket {
    sender: RouterSender,
    pub(super) receiver: RouterReceiver,
}

/// The sending half of a [`RouterSocket`].
#[derive(Clone, Debug)]
pub struct RouterSender {
    table: Arc<RoutingTable>,
    handle: SocketHandle,
    sink: SinkState,
}

/// The receiving half of a [`RouterSocket`].
#[derive(Debug)]
pub struct RouterReceiver {
    pub(super) receiver: FairReceiver,
}

impl Builder<RouterSocket> {
    /// Makes it an error to send to a peer that is not there, and waits for a peer whose queue is
    /// full. Default: such messages are dropped.
    pub fn router_mandatory(mut self) -> Self {
        self.options.unroutable = Unroutable::Report;
        self
    }

    /// Gives a routing id that two peers announce to the newcomer, and closes the connection of the
    /// other: for peers that come back before this side has noticed that they were gone. Default: the
    /// newcomer is refused.
    ///
    /// The newcomer has to be the same user to the authenticator, and a name given by
    /// [`RouterSocket::connect_as`] stays where it is; otherwise the newcomer is refused, too. Without
    /// an authenticator that tells users apart, this lets any peer receive what is meant for another.
    pub fn router_handover(mut self) -> Self {
        self.options.taken_routing_id = TakenRoutingId::HandOver;
        self
    }

    /// Tells in the stream of messages which peers come and go: each is an empty message from that
    /// peer. Default: [`Socket::monitor`](crate::Socket::monitor) alone tells.
    pub fn router_notify(mut self, notify: RouterNotify) -> Self {
        let tells_arrivals = matches!(notify, RouterNotify::Connect | RouterNotify::Both);
        let tells_ends = matches!(notify, RouterNotify::Disconnect | RouterNotify::Both);
        let notices = &mut self.options.notices;
        notices.arrival = tells_arrivals.then(|| Message::from(Part::EMPTY));
        notices.end = tells_ends.then(|| Message::from(Part::EMPTY));
        self
    }

    /// Sends an empty message first on each connection, so that a ROUTER at the other end learns
    /// that this socket is there. Default: none.
    pub fn probe_router(mut self) -> Self {
        self.options.notices.probe = Some(Message::from(Part::EMPTY));
        self
    }
}

/// Which of its peers' comings and goings a ROUTER receives as messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "peers come and go, and do nothing else"
)]
pub enum RouterNotify {
    /// That a peer has finished its handshake.
    Connect,
    /// That the connection of a peer, which had finished its handshake, has ended.
    Disconnect,
    /// Both.
    Both,
}

impl RouterSocket {
    /// Gives the two directions to different tasks. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (RouterSender, RouterReceiver) {
        (self.sender, self.receiver)
    }

    /// Connects to `endpoint` as [`Socket::connect`](crate::Socket::connect) does, and names the peer
    /// there `routing_id`, whatever it calls itself.
    ///
    /// It can be sent to at once: unless the socket queues for connected peers alone, the messages
    /// wait for it.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint, or that a peer has the name already.
    ///
    /// # Cancel safety
    ///
    /// Does not wait.
    pub fn connect_as(
        &self,
        endpoint: impl IntoEndpoint,
        routing_id: RoutingId,
    ) -> impl Future<Output = Result<PeerId, ConnectError>> + Send {
        let table = Arc::clone(&self.sender.table);
        self.sender.handle.connect_named(endpoint, move |peer| {
            let named = table.name(peer, &routing_id);
            named.map_err(|_taken| ConnectError::DuplicateRoutingId { routing_id })
        })
    }

    /// Sends `message` without its first part to the peer that this part names.
    ///
    /// Before a message is dropped because the sender is merely quicker than the connections get
    /// their turn, it lets them have it.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the message back if the socket is closed, if the message has fewer than
    /// two parts, or, with [`Builder::router_mandatory`], if there is no such peer.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, the message is not sent.
    #[inline]
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        self.sender.send(message).await
    }

    /// As [`Self::send`], without waiting.
    ///
    /// # Errors
    ///
    /// As [`Self::send`]; with [`Builder::router_mandatory`] also [`TrySendError::Full`] if the queue
    /// of the peer is full.
    #[inline]
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.sender.try_send(message)
    }

    /// Queues `message`, which does not begin with a routing id, for `peer`.
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

    /// Waits for the next message, which begins with the routing id of its peer.
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

    /// Waits for the next message, as its peer sent it, and tells which peer that is.
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

    /// Takes the next message, if one has come; it begins with the routing id of its peer.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none has.
    #[inline]
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        self.receiver.try_recv()
    }

    /// Takes the next message, if one has come, as its peer sent it, and tells which peer that is.
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

impl RouterSender {
    /// The handle of the socket, to bind, connect or close it.
    pub fn handle(&self) -> &SocketHandle {
        &self.handle
    }

    /// As [`RouterSocket::send`].
    ///
    /// # Errors
    ///
    /// As [`RouterSocket::send`].
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, the message is not sent.
    #[inline]
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        if self.offer(&message) {
            return Ok(());
        }
        self.send_declined(message).await
    }

    /// Sends `message` if nothing has to be waited for: the common case, in which it need not be moved.
    /// Returns whether it was sent.
    #[inline]
    fn offer(&self, message: &Message) -> bool {
        let (table, hub) = (&self.table, self.handle.hub());
        !table.is_turn_over() && !self.sink.is_behind() && try_route(table, hub, message).is_ok()
    }

    /// Sends what [`Self::offer`] did not.
    async fn send_declined(&self, message: Message) -> Result<(), SendError> {
        if self.table.take_turn() {
            tokio::task::yield_now().await;
        }
        match self.try_send(message) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(message)) => {
                when_writable(self.handle.hub(), message, |message| self.try_send(message)).await
            }
            Err(error) => Err(final_error(error)),
        }
    }

    /// As [`RouterSocket::try_send`].
    ///
    /// # Errors
    ///
    /// As [`RouterSocket::try_send`].
    pub fn try_send(&self, message: impl Into<Message>) -> Result<(), TrySendError> {
        let (table, hub, message) = (&self.table, self.handle.hub(), message.into());
        if self.sink.is_behind() {
            let attempt = |message| route(table, hub, message);
            return self.sink.send_behind(message, attempt);
        }
        route(table, hub, message)
    }

    /// As [`RouterSocket::try_send_to`].
    ///
    /// # Errors
    ///
    /// As [`RouterSocket::try_send_to`].
    #[inline]
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        let (table, hub, message) = (&self.table, self.handle.hub(), message.into());
        if self.sink.is_behind() {
            return self.sink.send_aside(
                message,
                |kept| route(table, hub, kept),
                |message| sending::try_send_to(hub, peer, message),
            );
        }
        sending::try_send_to(hub, peer, message)
    }

    /// As [`RouterSocket::writable`].
    ///
    /// # Cancel safety
    ///
    /// Nothing happens if the future is dropped.
    pub fn writable(&self) -> impl Future<Output = ()> + Send + use<> {
        sending::writable(self.handle.hub())
    }
}

impl RouterReceiver {
    /// The handle of the socket, to bind, connect or close it.
    pub fn handle(&self) -> &SocketHandle {
        self.receiver.handle()
    }

    /// As [`RouterSocket::recv`].
    ///
    /// # Errors
    ///
    /// As [`RouterSocket::recv`].
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    #[inline]
    pub async fn recv(&mut self) -> Result<Message, RecvError> {
        if let Some((routing_id, body)) = self.receiver.pop_routed() {
            return Ok(Message::of_two(routing_id, body));
        }
        Ok(self.receiver.recv().await?.message)
    }

    /// As [`RouterSocket::recv_from`].
    ///
    /// # Errors
    ///
    /// As [`RouterSocket::recv_from`].
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    #[inline]
    pub async fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        let received = self.receiver.recv_as(Envelope::Plain).await?;
        Ok((received.peer, received.message))
    }

    /// As [`RouterSocket::try_recv`].
    ///
    /// # Errors
    ///
    /// As [`RouterSocket::try_recv`].
    #[inline]
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        Ok(self.receiver.try_recv()?.message)
    }

    /// As [`RouterSocket::try_recv_from`].
    ///
    /// # Errors
    ///
    /// As [`RouterSocket::try_recv_from`].
    #[inline]
    pub fn try_recv_from(&mut self) -> Result<(PeerId, Message), TryRecvError> {
        let received = self.receiver.try_recv_as(Envelope::Plain)?;
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

/// Queues `message` without its first part for the peer that this part names.
fn route(table: &RoutingTable, hub: &Hub, message: Message) -> Result<(), TrySendError> {
    match try_route(table, hub, &message) {
        Ok(()) => Ok(()),
        Err(refuse) => Err(refuse(message)),
    }
}

/// As [`route`], where the message stays.
fn try_route(
    table: &RoutingTable,
    hub: &Hub,
    message: &Message,
) -> Result<(), fn(Message) -> TrySendError> {
    let [routing_id, parts @ ..] = message.parts() else {
        return Err(TrySendError::NoParts);
    };
    if parts.is_empty() {
        return Err(TrySendError::NoParts);
    }
    let peer = table.peer(routing_id);
    let pushed = match &peer {
        Some(peer) => peer.outbox.try_push_parts(&[], parts),
        None => Err(PushError::Closed),
    };
    let policy = hub.options.unroutable;
    match (pushed, policy) {
        (Ok(fill), _) => {
            if fill == Fill::Mark && policy == Unroutable::Drop {
                table.end_turn();
            }
            Ok(())
        }
        (Err(_), _) if hub.linger() != Linger::Open => Err(TrySendError::Closed),
        // `REQREP`: "SHALL silently drop" what cannot be routed.
        (Err(error), Unroutable::Drop) => {
            let tally = peer.as_ref().map_or(&hub.tally, |peer| &peer.tally);
            let reason = match error {
                PushError::Full => DropReason::HighWaterMark,
                PushError::Closed | PushError::Multipart => DropReason::Unroutable,
            };
            tally.count_dropped(reason, 1);
            Ok(())
        }
        (Err(PushError::Full), Unroutable::Report) => Err(TrySendError::Full),
        (Err(PushError::Closed | PushError::Multipart), Unroutable::Report) => {
            Err(TrySendError::Unroutable)
        }
    }
}

/// A message that was accepted counts as sent when the sink is flushed. Closing flushes; the socket
/// itself closes with its last handle.
impl Sink<Message> for RouterSender {
    type Error = SendError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        // Which peer has to have room is not known before there is a message.
        let turn = ready!(coop::poll_proceed(context));
        ready!(self.as_mut().poll_flush(context))?;
        turn.made_progress();
        if self.table.take_turn() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        let attempt = self.try_send(message);
        self.sink.sent(attempt)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        let Self {
            table,
            handle,
            sink,
        } = &mut *self;
        let hub = handle.hub();
        sink.poll_flush(context, hub, |message| route(table, hub, message))
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_flush(context)
    }
}

impl Stream for RouterReceiver {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv(context).map(Result::ok)
    }
}

/// As of [`RouterSender`].
impl Sink<Message> for RouterSocket {
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

impl Stream for RouterSocket {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        Pin::new(&mut self.receiver).poll_next(context)
    }
}

impl super::Socket for RouterSocket {
    fn handle(&self) -> &SocketHandle {
        &self.sender.handle
    }
}

impl super::TwoWay for RouterSocket {}

impl sealed::Sealed for RouterSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let if_taken = builder.options.taken_routing_id;
        let table = Arc::new(RoutingTable::new(rand::random(), if_taken));
        let handle =
            SocketHandle::new(SocketType::Router, builder.options, Arc::clone(&table) as _);
        Self {
            sender: RouterSender {
                table,
                handle: handle.clone(),
                sink: SinkState::default(),
            },
            receiver: RouterReceiver {
                receiver: FairReceiver::new(&handle, Envelope::RoutingId),
            },
        }
    }
}
