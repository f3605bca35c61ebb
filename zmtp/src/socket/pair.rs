//! PAIR: talks to exactly one peer ([31/EXPAIR]).
//!
//! [31/EXPAIR]: https://rfc.zeromq.org/spec/31/

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::base::{SocketHandle, sealed};
use super::receiving::FairReceiver;
use super::sending::{final_error, when_writable};
use super::sink::SinkState;
use super::transfer::sealed::Handled;
use super::{
    Builder, MessageReceiver, MessageSender, PeerMessage, RecvError, SendError, TryRecvError,
    TrySendError,
};
use crate::driver::sync::{Mutex, lock};
use crate::driver::{
    DisconnectReason, Envelope, Linger, NoVacancy, Notice, Pattern, Peer, Retention,
};
use crate::message::{Message, Part};
use crate::pattern::SocketType;
use crate::session::PeerInfo;

/// A PAIR socket: exchanges messages with one PAIR peer, in any order.
///
/// While it has a peer, others that connect are disconnected again, with
/// [`DisconnectReason::AlreadyPaired`]; once the peer is gone, the next one is accepted. A socket
/// that connects has its peer from then on, also while the connection is lost, and connecting a
/// second time fails with [`ConnectError::AlreadyPaired`](super::ConnectError::AlreadyPaired).
///
/// ```no_run
/// use zmtp::{PairSocket, Socket};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut pair = PairSocket::new();
/// pair.connect("tcp://127.0.0.1:5558").await?;
/// pair.send("ping").await?;
/// let pong = pair.recv().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PairSocket {
    pub(super) sender: PairSender,
    receiver: PairReceiver,
}

/// The sending half of a [`PairSocket`]; clones send to the same peer.
#[derive(Clone, Debug)]
pub struct PairSender {
    partner: Arc<Partner>,
    /// The peer as it was at `generation`.
    peer: Option<Arc<Peer>>,
    generation: Option<usize>,
    /// Messages sent, to know when it is the turn of other tasks.
    sent: u8,
    handle: SocketHandle,
    pub(super) sink: SinkState,
}

/// The receiving half of a [`PairSocket`].
#[derive(Debug)]
pub struct PairReceiver {
    receiver: FairReceiver,
}

impl PairSocket {
    /// Gives the two directions to different tasks. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (PairSender, PairReceiver) {
        (self.sender, self.receiver)
    }

    /// Queues `message` for the peer; waits until there is one, and room for the message.
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

    /// Queues `message` for the peer.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] gives the message back if there is no peer, or no room.
    #[inline]
    pub fn try_send(&mut self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.sender.try_send(message)
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

    /// Takes the next message, if one has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none has.
    #[inline]
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        self.receiver.try_recv()
    }
}

impl PairSender {
    /// The handle of the socket, to bind, connect or close it.
    pub fn handle(&self) -> &SocketHandle {
        &self.handle
    }

    /// As [`PairSocket::send`].
    ///
    /// # Errors
    ///
    /// As [`PairSocket::send`].
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, the message is not sent.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.sent = self.sent.wrapping_add(1);
        if self.sent == 0 {
            tokio::task::coop::consume_budget().await;
        }
        match self.try_send(message) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(message)) => {
                let handle = self.handle.clone();
                when_writable(handle.hub(), message, |message| self.try_send(message)).await
            }
            Err(error) => Err(final_error(error)),
        }
    }

    /// As [`PairSocket::try_send`].
    ///
    /// # Errors
    ///
    /// As [`PairSocket::try_send`].
    pub fn try_send(&mut self, message: impl Into<Message>) -> Result<(), TrySendError> {
        let message = message.into();
        if message.is_empty() {
            return Err(TrySendError::NoParts(message));
        }
        if self.sink.is_behind() {
            let sink = std::mem::take(&mut self.sink);
            let sent = sink.send_behind(message, |message| self.push(message));
            self.sink = sink;
            return sent;
        }
        self.push(message)
    }

    /// Queues `message`, which has parts.
    fn push(&mut self, message: Message) -> Result<(), TrySendError> {
        self.refresh();
        let hub = self.handle.hub();
        let pushed = self
            .peer
            .as_ref()
            .map(|peer| peer.outbox.try_push(&[], &message));
        match pushed {
            Some(Ok(_)) => Ok(()),
            _ if hub.linger() != Linger::Open => Err(TrySendError::Closed(message)),
            _ => Err(TrySendError::Full(message)),
        }
    }

    /// Waits until nothing that the sink accepted is kept.
    pub(super) fn poll_flush_kept(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        let (handle, mut sink) = (self.handle.clone(), std::mem::take(&mut self.sink));
        let flushed = sink.poll_flush(context, handle.hub(), |message| self.push(message));
        self.sink = sink;
        flushed
    }

    /// Waits until the peer has room.
    pub(super) fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (handle, mut sink) = (self.handle.clone(), std::mem::take(&mut self.sink));
        let room = sink.poll_room(context, handle.hub(), || self.has_room());
        self.sink = sink;
        room
    }

    /// Whether trying to send makes sense: the peer has room, or the socket is closing.
    fn has_room(&mut self) -> bool {
        self.refresh();
        self.peer
            .as_ref()
            .is_some_and(|peer| peer.outbox.has_room())
            || self.handle.hub().linger() != Linger::Open
    }

    #[inline]
    fn refresh(&mut self) {
        let generation = Some(self.handle.hub().generation());
        if generation != self.generation {
            self.peer = self.partner.peer();
            self.generation = generation;
        }
    }
}

impl PairReceiver {
    /// The handle of the socket, to bind, connect or close it.
    pub fn handle(&self) -> &SocketHandle {
        self.receiver.handle()
    }

    /// As [`PairSocket::recv`].
    ///
    /// # Errors
    ///
    /// As [`PairSocket::recv`].
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

    /// As [`PairSocket::try_recv`].
    ///
    /// # Errors
    ///
    /// As [`PairSocket::try_recv`].
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

/// The one peer of a PAIR.
#[derive(Debug, Default)]
struct Partner {
    peer: Mutex<Option<Arc<Peer>>>,
}

impl Partner {
    fn peer(&self) -> Option<Arc<Peer>> {
        lock(&self.peer).clone()
    }

    /// Gives the place to `newcomer`, unless another peer has it.
    fn admit(&self, newcomer: &Arc<Peer>) -> Result<(), NoVacancy> {
        let mut place = lock(&self.peer);
        // A peer that was connected to keeps the place until the socket parts from it.
        let is_vacant = place
            .as_ref()
            .is_none_or(|peer| peer.id == newcomer.id || peer.outbox.is_ending());
        if !is_vacant {
            return Err(NoVacancy);
        }
        *place = Some(Arc::clone(newcomer));
        Ok(())
    }
}

impl Pattern for Partner {
    fn connecting(&self, peer: &Arc<Peer>) -> Result<(), NoVacancy> {
        self.admit(peer)
    }

    fn attach(&self, peer: &Arc<Peer>, _info: &PeerInfo) -> Result<Vec<Part>, DisconnectReason> {
        // One that the socket parts from comes for its last messages, and takes no place.
        if !peer.outbox.is_ending() {
            self.admit(peer)
                .map_err(|NoVacancy| DisconnectReason::AlreadyPaired)?;
        }
        Ok(Vec::new())
    }

    fn detach(&self, peer: &Arc<Peer>) -> Notice {
        if peer.retention == Retention::Connection {
            lock(&self.peer).take_if(|partner| partner.id == peer.id);
        }
        Notice::None
    }
}

impl Stream for PairReceiver {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv(context).map(Result::ok)
    }
}

impl Stream for PairSocket {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        Pin::new(&mut self.receiver).poll_next(context)
    }
}

impl super::TwoWay for PairSocket {}

impl super::Socket for PairSocket {
    fn handle(&self) -> &SocketHandle {
        self.sender.handle()
    }
}

impl Handled for PairSender {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl Handled for PairReceiver {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl MessageSender for PairSocket {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }
}

impl MessageSender for PairSender {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }
}

impl MessageReceiver for PairSocket {
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

impl MessageReceiver for PairReceiver {
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

impl sealed::Sealed for PairSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let partner = Arc::new(Partner::default());
        let handle =
            SocketHandle::new(SocketType::Pair, builder.options, Arc::clone(&partner) as _);
        Self {
            receiver: PairReceiver {
                receiver: FairReceiver::new(&handle, Envelope::Plain),
            },
            sender: PairSender {
                partner,
                peer: None,
                generation: None,
                sent: 0,
                handle,
                sink: SinkState::default(),
            },
        }
    }
}
