//! What an XPUB receives: the subscriptions of its peers and their messages, in turn.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::task::coop;

use super::base::SocketHandle;
use super::notices::Told;
use super::publishing::Publisher;
use super::receiving::FairReceiver;
use super::{PeerMessage, RecvError, TryRecvError};
use crate::driver::{Envelope, PeerId, Received};
use crate::message::{Message, Part};
use crate::wire::subscription::Subscription;

/// The receiving half of an [`XPubSocket`](super::XPubSocket).
#[derive(Debug)]
pub struct XPubReceiver {
    publisher: Publisher,
    /// Notices since messages had their turn.
    told: u8,
    receiver: FairReceiver,
}

/// What an [`XPubSocket`](super::XPubSocket) receives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum XPubEvent {
    /// A peer wants the messages that begin with this topic.
    Subscribed(Part),
    /// A peer, or the last one, no longer wants the messages that begin with this topic.
    Cancelled(Part),
    /// An XSUB peer sent a message.
    Message(Message),
}

impl XPubReceiver {
    pub(super) fn new(publisher: Publisher) -> Self {
        Self {
            receiver: FairReceiver::new(publisher.handle(), Envelope::Plain),
            publisher,
            told: 0,
        }
    }

    /// The handle of the socket, to bind, connect or close it.
    pub fn handle(&self) -> &SocketHandle {
        self.receiver.handle()
    }

    /// Waits for the next message, in the form that an XSUB sends on: a subscription is one part
    /// with an octet 1 and the topic, a cancellation one with an octet 0. What XSUB peers send
    /// beside that begins with neither.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    pub async fn recv(&mut self) -> Result<Message, RecvError> {
        let incoming = poll_fn(|context| self.poll_next_incoming(context)).await?;
        Ok(incoming.into_message())
    }

    /// Waits for what a peer does next and tells which one it is.
    ///
    /// Subscriptions and cancellations come in the order in which they took effect, and before
    /// messages that were there at the same time, which wait for no more than 64 of them.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped.
    pub async fn recv_event(&mut self) -> Result<(PeerId, XPubEvent), RecvError> {
        let incoming = poll_fn(|context| self.poll_next_incoming(context)).await?;
        Ok(incoming.into_event())
    }

    /// As [`Self::recv`], if something has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if nothing has.
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        Ok(self.try_next_incoming()?.into_message())
    }

    /// As [`Self::recv_event`], if something has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if nothing has.
    pub fn try_recv_event(&mut self) -> Result<(PeerId, XPubEvent), TryRecvError> {
        Ok(self.try_next_incoming()?.into_event())
    }

    pub(super) fn poll_recv(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Message, RecvError>> {
        self.poll_next_incoming(context)
            .map_ok(Incoming::into_message)
    }

    pub(super) fn poll_recv_attributed(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        loop {
            let incoming = ready!(self.poll_next_incoming(context))?;
            if let Some(message) = self.attribute(incoming) {
                return Poll::Ready(Ok(message));
            }
        }
    }

    pub(super) fn try_recv_attributed(&mut self) -> Result<PeerMessage, TryRecvError> {
        let incoming = self.try_next_incoming()?;
        self.attribute(incoming).ok_or(TryRecvError::Empty)
    }

    fn attribute(&mut self, incoming: Incoming) -> Option<PeerMessage> {
        match incoming {
            Incoming::Told(told) => told.into_message(),
            Incoming::Message(received) => self.receiver.attribute(received),
        }
    }

    /// Takes a message if there were only notices for some time, which peers can make without end.
    fn pop_overdue(&mut self) -> Option<Incoming> {
        if self.told < NOTICES_PER_TURN {
            return None;
        }
        self.told = 0;
        self.receiver.try_recv().map(Incoming::Message).ok()
    }

    fn pop_notice(&mut self) -> Option<Incoming> {
        let told = self.publisher.table().pop_notice()?;
        self.told += 1;
        Some(Incoming::Told(told))
    }

    fn try_next_incoming(&mut self) -> Result<Incoming, TryRecvError> {
        match self.pop_overdue().or_else(|| self.pop_notice()) {
            Some(incoming) => Ok(incoming),
            None => self.receiver.try_recv().map(Incoming::Message),
        }
    }

    fn poll_next_incoming(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Incoming, RecvError>> {
        let popped = poll_in_turn(context, || self.pop_overdue().or_else(|| self.pop_notice()));
        if let Some(incoming) = ready!(popped) {
            return Poll::Ready(Ok(incoming));
        }
        match self.receiver.poll_recv(context) {
            Poll::Ready(Ok(received)) => Poll::Ready(Ok(Incoming::Message(received))),
            // A notice may have come before the receiver was ready to be woken for it.
            other => match self.pop_notice() {
                Some(told) => Poll::Ready(Ok(told)),
                None => other.map_ok(Incoming::Message),
            },
        }
    }
}

/// After so many notices messages have a turn.
const NOTICES_PER_TURN: u8 = 64;

/// A receiver that always finds something still lets others have their turn.
fn poll_in_turn<T>(context: &mut Context<'_>, pop: impl FnOnce() -> Option<T>) -> Poll<Option<T>> {
    let turn = ready!(coop::poll_proceed(context));
    let popped = pop();
    if popped.is_some() {
        turn.made_progress();
    }
    Poll::Ready(popped)
}

/// What was received, before it has the form that was asked for.
#[derive(Debug)]
enum Incoming {
    Told(Told),
    Message(Received),
}

impl Incoming {
    fn into_message(self) -> Message {
        match self {
            Self::Told(told) => Message::from(told.change.to_part()),
            Self::Message(received) => received.message,
        }
    }

    fn into_event(self) -> (PeerId, XPubEvent) {
        match self {
            Self::Told(Told { peer, change, .. }) => match change {
                Subscription::Subscribe(topic) => (peer, XPubEvent::Subscribed(topic)),
                Subscription::Cancel(topic) => (peer, XPubEvent::Cancelled(topic)),
            },
            Self::Message(received) => (received.peer, XPubEvent::Message(received.message)),
        }
    }
}

impl Stream for XPubReceiver {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv(context).map(Result::ok)
    }
}
