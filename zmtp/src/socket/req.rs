//! REQ: asks one peer after another, one question at a time ([28/REQREP]).
//!
//! [28/REQREP]: https://rfc.zeromq.org/spec/28/

use std::sync::Arc;

use super::base::{SocketHandle, sealed};
use super::receiving::FairReceiver;
use super::sending::BalancedSender;
use super::{Builder, RecvError, SendError, TryRecvError, TrySendError};
use crate::driver::{Envelope, NoPattern, PeerId, Received};
use crate::message::{Message, Part};
use crate::pattern::SocketType;

/// What stands between the route and the body of a request or reply.
const DELIMITER: &[Part] = &[Part::EMPTY];

/// A REQ socket: sends a request to the next of its REP or ROUTER peers, then receives the reply.
///
/// The two alternate strictly: a second request has to wait for the reply to the first.
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
    state: State,
}

/// ```text
///   Idle ── send ──► ExpectReply ── recv ──► Idle
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    ExpectReply { from: PeerId },
}

impl ReqSocket {
    /// Sends a request to the next peer with room; waits until there is one.
    ///
    /// # Errors
    ///
    /// [`SendError::OutOfTurn`] while the reply to the last request has not been received.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, the request is not sent.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        if self.state != State::Idle {
            return Err(SendError::OutOfTurn(message));
        }
        let from = self.sender.send(message).await?;
        self.state = State::ExpectReply { from };
        Ok(())
    }

    /// Sends a request to the next peer with room.
    ///
    /// # Errors
    ///
    /// [`TrySendError::OutOfTurn`] while the reply to the last request has not been received,
    /// [`TrySendError::Full`] if there is no such peer now.
    pub fn try_send(&mut self, message: impl Into<Message>) -> Result<(), TrySendError> {
        let message = message.into();
        if self.state != State::Idle {
            return Err(TrySendError::OutOfTurn(message));
        }
        let from = self.sender.try_send(message)?;
        self.state = State::ExpectReply { from };
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
        let State::ExpectReply { from } = self.state else {
            return Err(RecvError::OutOfTurn);
        };
        loop {
            let received = self.receiver.recv().await?;
            if let Some(reply) = reply(received, from) {
                self.state = State::Idle;
                return Ok(reply);
            }
        }
    }

    /// Takes the reply to the last request, if it has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if it has not, [`TryRecvError::OutOfTurn`] if no request was sent.
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        let State::ExpectReply { from } = self.state else {
            return Err(TryRecvError::OutOfTurn);
        };
        loop {
            let received = self.receiver.try_recv()?;
            if let Some(reply) = reply(received, from) {
                self.state = State::Idle;
                return Ok(reply);
            }
        }
    }
}

/// The body of a reply from the peer that was asked; `None` for anything else.
fn reply(received: Received, from: PeerId) -> Option<Message> {
    let mut message = received.message;
    let delimiter = message.pop_front()?;
    if received.peer != from || !delimiter.is_empty() || message.is_empty() {
        tracing::debug!(peer = %received.peer, "dropped what is no reply to the last request");
        return None;
    }
    Some(message)
}

impl super::Socket for ReqSocket {
    fn handle(&self) -> &SocketHandle {
        self.sender.handle()
    }
}

impl sealed::Sealed for ReqSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let handle = SocketHandle::new(SocketType::Req, builder.options, Arc::new(NoPattern));
        Self {
            sender: BalancedSender::new(&handle, DELIMITER),
            receiver: FairReceiver::new(&handle, Envelope::Plain),
            state: State::Idle,
        }
    }
}
