//! Sending to one of several peers, shared by PUSH, DEALER and REQ.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::task::coop;

use super::base::SocketHandle;
use super::sink::SinkState;
use super::{SendError, TrySendError};
use crate::driver::{BalanceError, Hub, Linger, LoadBalancer, PeerId, PushError};
use crate::message::{Message, Part};

/// Sends each message to the next peer with room, and waits while there is none.
#[derive(Clone, Debug)]
pub(crate) struct BalancedSender {
    balancer: LoadBalancer,
    /// What goes in front of every message.
    envelope: Vec<Part>,
    /// Messages sent, to know when it is the turn of other tasks.
    sent: u8,
    handle: SocketHandle,
    sink: SinkState,
}

impl BalancedSender {
    pub(crate) fn new(handle: &SocketHandle, envelope: Vec<Part>) -> Self {
        Self {
            balancer: LoadBalancer::new(Arc::clone(handle.hub())),
            envelope,
            sent: 0,
            handle: handle.clone(),
            sink: SinkState::default(),
        }
    }

    pub(crate) fn handle(&self) -> &SocketHandle {
        &self.handle
    }

    /// Changes what goes in front of the messages from here on.
    pub(crate) fn set_envelope(&mut self, envelope: Vec<Part>) {
        self.envelope = envelope;
    }

    #[inline]
    pub(crate) fn try_send(&mut self, message: Message) -> Result<PeerId, TrySendError> {
        if message.is_empty() {
            return Err(TrySendError::NoParts(message));
        }
        let (balancer, envelope) = (&mut self.balancer, &self.envelope);
        if self.sink.is_behind() {
            let attempt = |message| balance(balancer, envelope, message);
            return self.sink.send_behind(message, attempt);
        }
        balance(balancer, envelope, message)
    }

    /// Queues `message` for one peer and no other, without the envelope.
    pub(crate) fn try_send_to(&self, peer: PeerId, message: Message) -> Result<(), TrySendError> {
        let hub = self.handle.hub();
        if self.sink.is_behind() {
            // What is kept goes to whomever; the turns of this balancer stay as they are.
            let mut balancer = self.balancer.clone();
            return self.sink.send_aside(
                message,
                |kept| balance(&mut balancer, &self.envelope, kept).map(drop),
                |message| try_send_to(hub, peer, message),
            );
        }
        try_send_to(hub, peer, message)
    }

    /// Queues `message` if a peer has room for it, and others need not have their turn first: the
    /// common case, in which it need not be moved. [`Self::send_declined`] sends it otherwise.
    #[inline]
    pub(crate) fn offer(&mut self, message: &Message) -> Option<PeerId> {
        self.sent = self.sent.wrapping_add(1);
        if self.sent == 0 || message.is_empty() || self.sink.is_behind() {
            return None;
        }
        self.balancer.try_send(&self.envelope, message).ok()
    }

    #[inline]
    pub(crate) async fn send(&mut self, message: Message) -> Result<PeerId, SendError> {
        self.sent = self.sent.wrapping_add(1);
        self.send_declined(message).await
    }

    /// Sends what [`Self::offer`] did not.
    pub(crate) async fn send_declined(&mut self, message: Message) -> Result<PeerId, SendError> {
        // A sender whose peers always have room would never wait otherwise.
        if self.sent == 0 {
            coop::consume_budget().await;
        }
        match self.try_send(message) {
            Ok(peer) => Ok(peer),
            Err(error) => self.retry(error).await,
        }
    }

    /// Waits until a peer has room.
    pub(crate) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        // A sink that always has room still lets others have their turn.
        let turn = ready!(coop::poll_proceed(context));
        ready!(self.poll_flush(context))?;
        let balancer = &mut self.balancer;
        ready!(
            self.sink
                .poll_room(context, self.handle.hub(), || balancer.has_room())
        );
        turn.made_progress();
        Poll::Ready(Ok(()))
    }

    /// Queues `message`, or keeps it for the next flush.
    pub(crate) fn start_send(&mut self, message: Message) -> Result<(), SendError> {
        let attempt = self.try_send(message).map(drop);
        self.sink.sent(attempt)
    }

    /// Waits until nothing is kept.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let (balancer, envelope) = (&mut self.balancer, &self.envelope);
        self.sink.poll_flush(context, self.handle.hub(), |message| {
            balance(balancer, envelope, message).map(drop)
        })
    }

    /// Goes on after an attempt that failed: waits if that can help.
    async fn retry(&mut self, error: TrySendError) -> Result<PeerId, SendError> {
        let TrySendError::Full(message) = error else {
            return Err(final_error(error));
        };
        let handle = self.handle.clone();
        when_writable(handle.hub(), message, |message| self.try_send(message)).await
    }
}

/// Queues `message`, which has parts, for the next peer with room.
#[inline]
fn balance(
    balancer: &mut LoadBalancer,
    envelope: &[Part],
    message: Message,
) -> Result<PeerId, TrySendError> {
    match balancer.try_send(envelope, &message) {
        Ok(peer) => Ok(peer),
        Err(BalanceError::Full) => Err(TrySendError::Full(message)),
        Err(BalanceError::Closed) => Err(TrySendError::Closed(message)),
        Err(BalanceError::Multipart) => Err(TrySendError::Multipart(message)),
    }
}

/// Tries until somebody has room for `message`.
///
/// Gives way first, which is mostly enough: the connections that were woken are to write what fills their
/// queues. A multi-thread runtime runs only so many tasks in a row of which each wakes the next; after
/// that it wakes another thread for them, and sender and connection work against each other.
pub(crate) async fn when_writable<T>(
    hub: &Hub,
    mut message: Message,
    mut attempt: impl FnMut(Message) -> Result<T, TrySendError>,
) -> Result<T, SendError> {
    tokio::task::yield_now().await;
    loop {
        // From here on no wake is missed: the attempt below tells the queues that somebody waits.
        let writable = hub.writable.notified();
        match attempt(message) {
            Ok(sent) => return Ok(sent),
            Err(TrySendError::Full(returned)) => message = returned,
            Err(error) => return Err(final_error(error)),
        }
        writable.await;
    }
}

/// Queues `message` for one peer and no other.
pub(crate) fn try_send_to(hub: &Hub, peer: PeerId, message: Message) -> Result<(), TrySendError> {
    if message.is_empty() {
        return Err(TrySendError::NoParts(message));
    }
    if hub.linger() != Linger::Open {
        return Err(TrySendError::Closed(message));
    }
    let Some(peer) = hub.peer(peer) else {
        return Err(TrySendError::Unroutable(message));
    };
    match peer.outbox.try_push(&[], &message) {
        Ok(_) => Ok(()),
        Err(PushError::Full) => Err(TrySendError::Full(message)),
        Err(PushError::Closed) => Err(TrySendError::Unroutable(message)),
        Err(PushError::Multipart) => Err(TrySendError::Multipart(message)),
    }
}

/// Resolves when, after this call, a queue that was found full has room, or a peer comes or goes.
pub(crate) fn writable(hub: &Hub) -> impl Future<Output = ()> + Send + use<> {
    Arc::clone(&hub.writable).notified_owned()
}

/// What remains of a failed attempt when waiting does not help.
pub(crate) fn final_error(error: TrySendError) -> SendError {
    match error {
        // Callers that can wait have handled it; for others a full queue is the end of the road.
        TrySendError::Full(message) | TrySendError::Closed(message) => SendError::Closed(message),
        TrySendError::NoParts(message) => SendError::NoParts(message),
        TrySendError::Unroutable(message) => SendError::Unroutable(message),
        TrySendError::OutOfTurn(message) => SendError::OutOfTurn(message),
        TrySendError::Multipart(message) => SendError::Multipart(message),
    }
}
