//! PULL: collects messages from its peers ([30/PIPELINE]).
//!
//! [30/PIPELINE]: https://rfc.zeromq.org/spec/30/

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::base::{SocketHandle, sealed};
use super::receiving::FairReceiver;
use super::{Builder, RecvError, TryRecvError};
use crate::driver::{Envelope, NoPattern, PeerId};
use crate::message::Message;
use crate::pattern::SocketType;

/// A PULL socket: receives the messages of its PUSH peers, one from each in turn.
///
/// It is a [`Stream`] of messages, which ends when the socket is closed.
///
/// ```no_run
/// use zmtp::{PullSocket, Socket};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut pull = PullSocket::new();
/// pull.bind("tcp://127.0.0.1:5557").await?;
/// let message = pull.recv().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PullSocket {
    pub(super) receiver: FairReceiver,
}

impl PullSocket {
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
        if let Some((_peer, body)) = self.receiver.pop_body() {
            return Ok(Message::from(body));
        }
        Ok(self.receiver.recv().await?.message)
    }

    /// Waits for the next message and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    pub async fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        let received = self.receiver.recv().await?;
        Ok((received.peer, received.message))
    }

    /// Takes the next message, if one has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none has.
    #[inline]
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        Ok(self.receiver.try_recv()?.message)
    }

    pub(crate) fn poll_recv(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Message, RecvError>> {
        let received = self.receiver.poll_recv(context);
        received.map_ok(|received| received.message)
    }
}

impl Stream for PullSocket {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_recv(context).map(Result::ok)
    }
}

impl super::Conflating for PullSocket {}

impl super::Socket for PullSocket {
    fn handle(&self) -> &SocketHandle {
        self.receiver.handle()
    }
}

impl sealed::Sealed for PullSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let handle = SocketHandle::new(SocketType::Pull, builder.options, Arc::new(NoPattern));
        Self {
            receiver: FairReceiver::new(&handle, Envelope::Plain),
        }
    }
}
