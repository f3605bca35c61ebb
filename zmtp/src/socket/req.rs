//! REQ: asks one peer after another, one question at a time ([28/REQREP]).
//!
//! [28/REQREP]: https://rfc.zeromq.org/spec/28/

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::base::{SocketHandle, sealed};
use super::receiving::{FairReceiver, UNWANTED_PER_TRY};
use super::sending::BalancedSender;
use super::{Builder, PeerMessage, RecvError, SendError, TryRecvError, TrySendError};
use crate::driver::{DropReason, Envelope, NoPattern, PeerId, Received, Requests};
use crate::message::{Message, Part};
use crate::pattern::SocketType;

/// A REQ socket: sends a request to the next of its REP or ROUTER peers, then receives the reply.
///
/// The two alternate strictly: a second request has to wait for the reply to the first. A request
/// whose peer has gone is not sent to another, and its reply is waited for in vain: with a deadline
/// around [`recv`](Self::recv) and [`Builder::req_relaxed`] the program can ask again.
///
/// ```no_run
/// use zmtp::{ReqSocket, Socket};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut req = ReqSocket::new();
/// req.connect("tcp://127.0.0.1:5555").await?;
/// req.send("question").await?;
/// let answer = req.recv().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ReqSocket {
    sender: BalancedSender,
    receiver: FairReceiver,
    requests: Requests,
    /// The number of the next request, if requests are numbered.
    next_number: u32,
    state: State,
}

/// ```text
///            ┌──────────────── recv ────────────────┐
///            ▼                                      │
///          Idle ── send ──► ExpectReply ────────────┘
///                           ▲         │
///                           └─ send ──┘ (relaxed)
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Idle,
    ExpectReply {
        from: PeerId,
        /// What the reply has to repeat in front of the delimiter.
        number: Option<Part>,
    },
}

impl Builder<ReqSocket> {
    /// Numbers the requests and receives only the reply that repeats the number, so that a peer that
    /// replies twice is not taken to have answered the next request. Default: not numbered.
    ///
    /// The number is a part in front of the delimiter. REP peers return it, as they return any
    /// envelope, and so has a program behind a ROUTER to.
    pub fn req_correlate(mut self) -> Self {
        if self.options.requests == Requests::Strict {
            self.options.requests = Requests::Correlated;
        }
        self
    }

    /// Lets a request be sent before the reply to the last one has come, which is then dropped.
    /// Default: [`SendError::OutOfTurn`].
    ///
    /// Implies [`Self::req_correlate`]. In libzmq one can relax the order alone, and then receives the
    /// late reply to the first request as the reply to the second.
    pub fn req_relaxed(mut self) -> Self {
        self.options.requests = Requests::Relaxed;
        self
    }

    /// Sends an empty message first on each connection, so that a ROUTER at the other end learns
    /// that this socket is there, and its routing id. Default: none.
    pub fn probe_router(mut self) -> Self {
        self.options.notices.probe = Some(Message::from(Part::EMPTY));
        self
    }
}

impl ReqSocket {
    /// Sends a request to the next peer with room; waits until there is one.
    ///
    /// # Errors
    ///
    /// [`SendError::OutOfTurn`] while the reply to the last request has not been received, unless the
    /// order is [relaxed](Builder::req_relaxed).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, the request is not sent, and the reply to the
    /// one before can still be received.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        if !self.may_send() {
            return Err(SendError::OutOfTurn(message));
        }
        let number = self.prepare();
        let from = self.sender.send(message).await?;
        self.state = State::ExpectReply { from, number };
        Ok(())
    }

    /// Sends a request to the next peer with room.
    ///
    /// # Errors
    ///
    /// [`TrySendError::OutOfTurn`] while the reply to the last request has not been received, unless
    /// the order is [relaxed](Builder::req_relaxed); [`TrySendError::Full`] if there is no such peer
    /// now.
    pub fn try_send(&mut self, message: impl Into<Message>) -> Result<(), TrySendError> {
        let message = message.into();
        if !self.may_send() {
            return Err(TrySendError::OutOfTurn(message));
        }
        let number = self.prepare();
        let from = self.sender.try_send(message)?;
        self.state = State::ExpectReply { from, number };
        Ok(())
    }

    /// Waits for the reply to the last request.
    ///
    /// What other peers send, and what is no reply, is dropped (`REQREP`).
    ///
    /// # Errors
    ///
    /// [`RecvError::OutOfTurn`] if no request was sent.
    ///
    /// # Cancel safety
    ///
    /// No reply is lost if the future is dropped.
    pub async fn recv(&mut self) -> Result<Message, RecvError> {
        Ok(self.recv_from().await?.1)
    }

    /// As [`Self::recv`], and tells which peer replied.
    ///
    /// # Errors
    ///
    /// [`RecvError::OutOfTurn`] if no request was sent.
    ///
    /// # Cancel safety
    ///
    /// No reply is lost if the future is dropped.
    pub async fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        std::future::poll_fn(|context| self.poll_recv_from(context)).await
    }

    pub(super) fn poll_recv_attributed(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        let (peer, message) = ready!(self.poll_recv_from(context))?;
        let reply = self.receiver.attribute(Received { peer, message });
        // The reply was nobody's, and there is no other.
        Poll::Ready(reply.ok_or(RecvError::OutOfTurn))
    }

    pub(super) fn try_recv_attributed(&mut self) -> Result<PeerMessage, TryRecvError> {
        let (peer, message) = self.try_recv_from()?;
        let reply = self.receiver.attribute(Received { peer, message });
        reply.ok_or(TryRecvError::OutOfTurn)
    }

    /// Takes the reply to the last request, if it has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if it has not, [`TryRecvError::OutOfTurn`] if no request was sent.
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        Ok(self.try_recv_from()?.1)
    }

    fn try_recv_from(&mut self) -> Result<(PeerId, Message), TryRecvError> {
        for _ in 0..UNWANTED_PER_TRY {
            if self.state == State::Idle {
                return Err(TryRecvError::OutOfTurn);
            }
            let received = self.receiver.try_recv()?;
            if let Some(reply) = self.accept(received) {
                return Ok(reply);
            }
        }
        Err(TryRecvError::Empty)
    }

    pub(crate) fn poll_recv(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Message, RecvError>> {
        let received = self.poll_recv_from(context);
        received.map_ok(|(_, message)| message)
    }

    fn poll_recv_from(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(PeerId, Message), RecvError>> {
        loop {
            if self.state == State::Idle {
                return Poll::Ready(Err(RecvError::OutOfTurn));
            }
            let received = ready!(self.receiver.poll_recv(context))?;
            if let Some(reply) = self.accept(received) {
                return Poll::Ready(Ok(reply));
            }
        }
    }

    fn may_send(&self) -> bool {
        self.state == State::Idle || self.requests == Requests::Relaxed
    }

    /// Gives the next request its number, if it shall have one, and forgets what came before it.
    fn prepare(&mut self) -> Option<Part> {
        if self.requests != Requests::Strict {
            let number = Part::from(&self.next_number.to_be_bytes());
            self.next_number = self.next_number.wrapping_add(1);
            self.sender.set_envelope(vec![number.clone(), Part::EMPTY]);
            return Some(number);
        }
        // A second reply of the peer that will be asked now would pass for the one to come.
        for _ in 0..STALE_REPLIES {
            let Ok(stale) = self.receiver.try_recv() else {
                break;
            };
            tracing::debug!(peer = %stale.peer, "dropped what is no reply to any request");
            self.count_unexpected(stale.peer);
        }
        None
    }

    fn count_unexpected(&self, peer: PeerId) {
        let hub = self.receiver.handle().hub();
        hub.count_dropped(peer, DropReason::Unexpected);
    }

    /// The body of a reply from the peer that was asked; `None` for anything else.
    fn accept(&mut self, received: Received) -> Option<(PeerId, Message)> {
        let State::ExpectReply { from, number } = &self.state else {
            return None;
        };
        let (from, peer) = (*from, received.peer);
        let Some(reply) = reply(received, from, number.as_ref()) else {
            tracing::debug!(%peer, "dropped what is no reply to the last request");
            self.count_unexpected(peer);
            return None;
        };
        self.state = State::Idle;
        Some((from, reply))
    }
}

fn reply(received: Received, from: PeerId, number: Option<&Part>) -> Option<Message> {
    let mut message = received.message;
    if received.peer != from {
        return None;
    }
    if let Some(number) = number
        && message.pop_front()? != *number
    {
        return None;
    }
    let delimiter = message.pop_front()?;
    (delimiter.is_empty() && !message.is_empty()).then_some(message)
}

/// No more messages than this are dropped before a request: a peer that sends faster than that is
/// not waited for.
const STALE_REPLIES: usize = 1000;

impl super::Socket for ReqSocket {
    fn handle(&self) -> &SocketHandle {
        self.sender.handle()
    }
}

impl sealed::Sealed for ReqSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let requests = builder.options.requests;
        let handle = SocketHandle::new(SocketType::Req, builder.options, Arc::new(NoPattern));
        Self {
            sender: BalancedSender::new(&handle, vec![Part::EMPTY]),
            receiver: FairReceiver::new(&handle, Envelope::Plain),
            requests,
            // A reply to a socket that this one replaces shall not pass for one to this.
            next_number: rand::random(),
            state: State::Idle,
        }
    }
}
