//! One direction of a proxy.

use std::fmt;
use std::task::{Context, Poll, ready};

use super::control::ProxyTraffic;
use super::run::ProxyError;
use crate::message::Message;
use crate::socket::sink::Room;
use crate::socket::{MessageReceiver, MessageSender, RecvError, TrySendError};

/// Takes one message after the other from a socket to another, and holds one at most.
///
/// A message that finds no room is held and nothing more is received: it is up to the marks of the
/// receiving socket, and then to the senders, how much waits behind it.
#[derive(Debug, Default)]
pub(super) struct Lane {
    held: Held,
    /// Room at the capture and at the destination: what is waited for at the one tells nothing of the
    /// other.
    room_at_capture: Room,
    room: Room,
    pub(super) received: ProxyTraffic,
    pub(super) sent: ProxyTraffic,
    pub(super) undeliverable: u64,
}

/// A message on its way.
#[derive(Default)]
enum Held {
    #[default]
    Nothing,
    /// First a copy goes to the capture.
    ForCapture(Message),
    ForDestination(Message),
}

impl fmt::Debug for Held {
    /// Leaves out the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::ForCapture(_) => "ForCapture",
            Self::ForDestination(_) => "ForDestination",
        })
    }
}

/// What became of a message.
enum Given {
    Sent,
    /// It was dropped: nobody can be given it, now or later.
    Undeliverable,
}

impl Lane {
    /// Receives the next message, if none is held.
    pub(super) fn poll_receive<R: MessageReceiver + ?Sized>(
        &mut self,
        context: &mut Context<'_>,
        from: &mut R,
    ) -> Poll<Result<(), ProxyError>> {
        if !matches!(self.held, Held::Nothing) {
            return Poll::Ready(Ok(()));
        }
        let message = match ready!(from.poll_recv_message(context)) {
            Ok(message) => message,
            Err(RecvError::Closed) => return Poll::Ready(Err(ProxyError::Closed)),
            Err(RecvError::OutOfTurn) => return Poll::Ready(Err(ProxyError::OutOfTurn)),
        };
        self.received.count(message.byte_len());
        self.held = Held::ForCapture(message);
        Poll::Ready(Ok(()))
    }

    /// Sends the message that is held, if one is.
    pub(super) fn poll_send<S: MessageSender + ?Sized>(
        &mut self,
        context: &mut Context<'_>,
        to: &mut S,
        capture: Option<&mut (dyn MessageSender + 'static)>,
    ) -> Poll<Result<(), ProxyError>> {
        if let (Held::ForCapture(message), Some(capture)) = (&self.held, capture) {
            let copy = &mut Some(message.clone());
            // What the capture cannot be given is not missed by anybody else.
            let _ = ready!(poll_give(context, &mut self.room_at_capture, capture, copy))?;
        }
        let message = match std::mem::take(&mut self.held) {
            Held::Nothing => return Poll::Ready(Ok(())),
            Held::ForCapture(message) | Held::ForDestination(message) => message,
        };
        let len = message.byte_len();
        let message = &mut Some(message);
        let given = poll_give(context, &mut self.room, to, message);
        if let Some(message) = message.take() {
            self.held = Held::ForDestination(message);
        }
        match ready!(given)? {
            Given::Sent => self.sent.count(len),
            Given::Undeliverable => self.undeliverable += 1,
        }
        Poll::Ready(Ok(()))
    }
}

/// Sends `message`, or leaves it and waits until there may be room for it.
fn poll_give<S: MessageSender + ?Sized>(
    context: &mut Context<'_>,
    room: &mut Room,
    to: &mut S,
    message: &mut Option<Message>,
) -> Poll<Result<Given, ProxyError>> {
    if let Some(result) = give(to, message) {
        return Poll::Ready(result);
    }
    let handle = to.socket_handle().clone();
    room.poll_until(context, handle.hub(), || give(to, message))
}

/// Sends `message`; `None` if there is no room for it.
fn give<S: MessageSender + ?Sized>(
    to: &mut S,
    message: &mut Option<Message>,
) -> Option<Result<Given, ProxyError>> {
    match to.try_send_message(message.take()?) {
        Ok(()) => Some(Ok(Given::Sent)),
        Err(TrySendError::Full(returned)) => {
            *message = Some(returned);
            None
        }
        Err(
            TrySendError::NoParts(_) | TrySendError::Unroutable(_) | TrySendError::Multipart(_),
        ) => Some(Ok(Given::Undeliverable)),
        Err(TrySendError::Closed(_)) => Some(Err(ProxyError::Closed)),
        Err(TrySendError::OutOfTurn(_)) => Some(Err(ProxyError::OutOfTurn)),
    }
}
