//! Receiving from all peers in turn, shared by PULL, DEALER, ROUTER, SUB, REP and REQ.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::base::SocketHandle;
use super::{PeerMessage, RecvError, TryRecvError};
use crate::driver::{Envelope, FairQueue, Linger, PeerId, Received};
use crate::message::Part;

/// So many messages that are not for the application are dropped before an attempt to receive finds
/// nothing: a peer that sends them without end shall not hold it.
pub(crate) const UNWANTED_PER_TRY: usize = 1000;

/// Receives one message from each peer in turn.
#[derive(Debug)]
pub(crate) struct FairReceiver {
    queue: FairQueue,
    envelope: Envelope,
    handle: SocketHandle,
}

impl FairReceiver {
    pub(crate) fn new(handle: &SocketHandle, envelope: Envelope) -> Self {
        Self {
            queue: FairQueue::new(Arc::clone(handle.hub())),
            envelope,
            handle: handle.clone(),
        }
    }

    pub(crate) fn handle(&self) -> &SocketHandle {
        &self.handle
    }

    #[inline]
    pub(crate) fn poll_recv(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Received, RecvError>> {
        self.poll_recv_as(context, self.envelope)
    }

    #[inline]
    pub(crate) fn poll_recv_as(
        &mut self,
        context: &mut Context<'_>,
        envelope: Envelope,
    ) -> Poll<Result<Received, RecvError>> {
        self.queue
            .poll_pop(context, envelope)
            .map_err(|_closed| RecvError::Closed)
    }

    /// Takes the next message of a single part if it is there; most are, and need no task context to be
    /// taken.
    // Not inlined, it would hand the message over in memory, and it is moved on at once.
    #[inline(always)]
    pub(crate) fn pop_body(&mut self) -> Option<(PeerId, Part)> {
        self.queue.pop_body_in_turn()
    }

    /// As [`Self::pop_body`], with the routing id of its peer in front.
    #[inline(always)]
    pub(crate) fn pop_routed(&mut self) -> Option<(Part, Part)> {
        self.queue.pop_routed_in_turn()
    }

    pub(crate) async fn recv(&mut self) -> Result<Received, RecvError> {
        self.recv_as(self.envelope).await
    }

    pub(crate) async fn recv_as(&mut self, envelope: Envelope) -> Result<Received, RecvError> {
        poll_fn(|context| self.poll_recv_as(context, envelope)).await
    }

    #[inline]
    pub(crate) fn try_recv(&mut self) -> Result<Received, TryRecvError> {
        self.try_recv_as(self.envelope)
    }

    #[inline]
    pub(crate) fn try_recv_as(&mut self, envelope: Envelope) -> Result<Received, TryRecvError> {
        match self.queue.pop(envelope) {
            Some(received) => Ok(received),
            None if self.handle.hub().linger() == Linger::Open => Err(TryRecvError::Empty),
            None => Err(TryRecvError::Closed),
        }
    }

    /// Says who sent `received`, which was taken last.
    pub(crate) fn attribute(&mut self, received: Received) -> Option<PeerMessage> {
        // A message whose sender is unknown is nobody's, and there is none.
        Some(PeerMessage {
            peer: received.peer,
            info: self.queue.info_of_last()?,
            message: received.message,
        })
    }

    pub(crate) fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        loop {
            let received = ready!(self.poll_recv_as(context, Envelope::Plain))?;
            if let Some(message) = self.attribute(received) {
                return Poll::Ready(Ok(message));
            }
        }
    }

    pub(crate) fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        let received = self.try_recv_as(Envelope::Plain)?;
        self.attribute(received).ok_or(TryRecvError::Empty)
    }
}
