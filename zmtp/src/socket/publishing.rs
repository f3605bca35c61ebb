//! Sending to all peers that want it, shared by PUB and XPUB.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::task::coop;

use super::base::SocketHandle;
use super::sending::{final_error, try_send_to, when_writable};
use super::sink::SinkState;
use super::subscription_table::{Full, SubscriptionTable};
use super::{SendError, TrySendError};
use crate::driver::{Conflation, Hub, Linger, PeerId, SocketOptions};
use crate::message::Message;
use crate::pattern::SocketType;

/// The sending side of a publisher; clones send to the same peers.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    table: Arc<SubscriptionTable>,
    handle: SocketHandle,
    sink: SinkState,
}

impl Publisher {
    pub(crate) fn new(socket_type: SocketType, options: SocketOptions) -> Self {
        let table = Arc::new(SubscriptionTable::new(&options));
        let handle = SocketHandle::new(socket_type, options, Arc::clone(&table) as _);
        Self {
            table,
            handle,
            sink: SinkState::default(),
        }
    }

    #[inline]
    pub(crate) fn handle(&self) -> &SocketHandle {
        &self.handle
    }

    #[inline]
    pub(crate) fn table(&self) -> &SubscriptionTable {
        &self.table
    }

    /// Sends `message` once the connections have had their turn, if it is theirs.
    #[inline]
    pub(crate) async fn send(&self, message: Message) -> Result<(), SendError> {
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

    /// Sends `message` if nothing has to be waited for: the common case, in which it need not be moved.
    #[inline]
    #[must_use]
    pub(crate) fn offer(&self, message: &Message) -> Offer {
        let (table, hub) = (&self.table, self.handle.hub());
        let is_sent = !table.is_turn_over()
            && !self.sink.is_behind()
            && objection(hub, message).is_none()
            && table.publish(message).is_ok();
        if is_sent {
            Offer::Sent
        } else {
            Offer::Declined
        }
    }

    /// Waits until a message that was kept has gone out, and lets the connections have their turn.
    pub(crate) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let turn = ready!(coop::poll_proceed(context));
        ready!(self.poll_flush(context))?;
        turn.made_progress();
        if self.table.take_turn() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends `message`, or keeps it for the next flush.
    pub(crate) fn start_send(&mut self, message: Message) -> Result<(), SendError> {
        let attempt = self.try_send(message);
        self.sink.sent(attempt)
    }

    /// Waits until nothing is kept.
    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let Self {
            table,
            handle,
            sink,
        } = self;
        let hub = handle.hub();
        sink.poll_flush(context, hub, |message| publish(table, hub, message))
    }

    /// Queues `message` for one peer and no other.
    pub(crate) fn try_send_to(&self, peer: PeerId, message: Message) -> Result<(), TrySendError> {
        let (table, hub) = (&self.table, self.handle.hub());
        if self.sink.is_behind() {
            return self.sink.send_aside(
                message,
                |kept| publish(table, hub, kept),
                |message| try_send_to(hub, peer, message),
            );
        }
        try_send_to(hub, peer, message)
    }

    #[inline]
    pub(crate) fn try_send(&self, message: Message) -> Result<(), TrySendError> {
        let (table, hub) = (&self.table, self.handle.hub());
        if self.sink.is_behind() {
            let attempt = |message| publish(table, hub, message);
            return self.sink.send_behind(message, attempt);
        }
        publish(table, hub, message)
    }
}

/// What came of an attempt that keeps the message where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Sent,
    /// It was not sent, and [`Publisher::send`] knows what to do.
    Declined,
}

#[inline]
fn publish(table: &SubscriptionTable, hub: &Hub, message: Message) -> Result<(), TrySendError> {
    if let Some(error) = objection(hub, &message) {
        return Err(error(message));
    }
    match table.publish(&message) {
        Ok(()) => Ok(()),
        Err(Full) => Err(TrySendError::Full(message)),
    }
}

/// Why `message` is not sent, whoever wants it.
#[inline]
fn objection(hub: &Hub, message: &Message) -> Option<fn(Message) -> TrySendError> {
    if message.is_empty() {
        return Some(TrySendError::NoParts);
    }
    if hub.linger() != Linger::Open {
        return Some(TrySendError::Closed);
    }
    let conflation = hub.options.conflation;
    if conflation == Conflation::LastMessage && message.part_count() > 1 {
        return Some(TrySendError::Multipart);
    }
    None
}
