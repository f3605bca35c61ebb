//! REP: answers one question after another ([28/REQREP]).
//!
//! [28/REQREP]: https://rfc.zeromq.org/spec/28/

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::base::{SocketHandle, sealed};
use super::receiving::{FairReceiver, UNWANTED_PER_TRY};
use super::{Builder, PeerMessage, RecvError, SendError, TryRecvError};
use crate::driver::{DropReason, Envelope, Linger, NoPattern, PeerId, PushError, Received};
use crate::message::Message;
use crate::pattern::SocketType;

/// A REP socket: receives a request, then sends the reply to the peer that asked.
///
/// The two alternate strictly. Requests may come through any number of ROUTER and DEALER hops; the
/// reply takes the same way back.
///
/// ```no_run
/// use zmtp::{RepSocket, Socket};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut rep = RepSocket::new();
/// rep.bind("tcp://127.0.0.1:5555").await?;
/// loop {
///     let question = rep.recv().await?;
///     rep.send(question)?;
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct RepSocket {
    receiver: FairReceiver,
    state: State,
}

/// ```text
///   Idle ── recv ──► OwesReply ── send ──► Idle
/// ```
#[derive(Debug)]
enum State {
    Idle,
    OwesReply {
        to: PeerId,
        /// The routing ids of the hops, and the delimiter.
        envelope: Message,
    },
}

impl RepSocket {
    /// Waits for the next request.
    ///
    /// What is no request, for want of a delimiter, is dropped (`REQREP`).
    ///
    /// # Errors
    ///
    /// [`RecvError::OutOfTurn`] while the last request has not been answered.
    ///
    /// # Cancel safety
    ///
    /// No request is lost if the future is dropped.
    pub async fn recv(&mut self) -> Result<Message, RecvError> {
        Ok(self.recv_from().await?.1)
    }

    /// As [`Self::recv`], and tells which peer asks.
    ///
    /// # Errors
    ///
    /// [`RecvError::OutOfTurn`] while the last request has not been answered.
    ///
    /// # Cancel safety
    ///
    /// No request is lost if the future is dropped.
    pub async fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        std::future::poll_fn(|context| self.poll_recv_from(context)).await
    }

    pub(super) fn poll_recv_attributed(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        loop {
            let request = ready!(self.poll_recv_from(context))?;
            if let Some(request) = self.attribute(request) {
                return Poll::Ready(Ok(request));
            }
        }
    }

    pub(super) fn try_recv_attributed(&mut self) -> Result<PeerMessage, TryRecvError> {
        let request = self.try_recv_from()?;
        self.attribute(request).ok_or(TryRecvError::Empty)
    }

    fn attribute(&mut self, (peer, message): (PeerId, Message)) -> Option<PeerMessage> {
        let request = self.receiver.attribute(Received { peer, message });
        if request.is_none() {
            // It is nobody's, who is not replied to.
            self.state = State::Idle;
        }
        request
    }

    /// Takes the next request, if one has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none has, [`TryRecvError::OutOfTurn`] while the last one has not
    /// been answered.
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        Ok(self.try_recv_from()?.1)
    }

    fn try_recv_from(&mut self) -> Result<(PeerId, Message), TryRecvError> {
        let State::Idle = self.state else {
            return Err(TryRecvError::OutOfTurn);
        };
        for _ in 0..UNWANTED_PER_TRY {
            let received = self.receiver.try_recv()?;
            if let Some(request) = self.accept(received) {
                return Ok(request);
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
        let State::Idle = self.state else {
            return Poll::Ready(Err(RecvError::OutOfTurn));
        };
        loop {
            let received = ready!(self.receiver.poll_recv(context))?;
            if let Some(request) = self.accept(received) {
                return Poll::Ready(Ok(request));
            }
        }
    }

    /// Sends the reply to the peer that asked. It is dropped if that peer is gone, or does not read
    /// its replies (`REQREP`), so this never waits.
    ///
    /// # Errors
    ///
    /// [`SendError::OutOfTurn`] if there is no request to reply to, [`SendError::Closed`] if the socket
    /// was closed, [`SendError::NoParts`] for a message without parts; the request can still be replied
    /// to then.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        let State::OwesReply { to, envelope } = &self.state else {
            return Err(SendError::OutOfTurn(message));
        };
        if message.is_empty() {
            return Err(SendError::NoParts(message));
        }
        let hub = self.receiver.handle().hub();
        if hub.linger() != Linger::Open {
            return Err(SendError::Closed(message));
        }
        let pushed = match hub.peer(*to) {
            Some(peer) => peer.outbox.try_push(envelope.parts(), &message),
            None => Err(PushError::Closed),
        };
        if let Err(error) = pushed {
            let reason = match error {
                PushError::Full => DropReason::HighWaterMark,
                PushError::Closed | PushError::Multipart => DropReason::PeerGone,
            };
            tracing::debug!(peer = %to, %reason, "reply dropped");
            hub.count_dropped(*to, reason);
        }
        self.state = State::Idle;
        Ok(())
    }

    /// Takes the envelope off a request and keeps it for the reply.
    fn accept(&mut self, received: Received) -> Option<(PeerId, Message)> {
        let Received { peer, mut message } = received;
        let Some(envelope) = message.pop_envelope() else {
            tracing::debug!(%peer, "dropped a request without delimiter and body");
            let hub = self.receiver.handle().hub();
            hub.count_dropped(peer, DropReason::Unexpected);
            return None;
        };
        self.state = State::OwesReply { to: peer, envelope };
        Some((peer, message))
    }
}

impl super::Socket for RepSocket {
    fn handle(&self) -> &SocketHandle {
        self.receiver.handle()
    }
}

impl sealed::Sealed for RepSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let handle = SocketHandle::new(SocketType::Rep, builder.options, Arc::new(NoPattern));
        Self {
            receiver: FairReceiver::new(&handle, Envelope::Plain),
            state: State::Idle,
        }
    }
}
