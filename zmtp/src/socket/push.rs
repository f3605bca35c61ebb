//! PUSH: hands each message to one of its peers ([30/PIPELINE]).
//!
//! [30/PIPELINE]: https://rfc.zeromq.org/spec/30/

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_sink::Sink;

use super::base::{SocketHandle, sealed};
use super::sending::BalancedSender;
use super::{Builder, SendError, TrySendError};
use crate::driver::NoPattern;
use crate::message::Message;
use crate::pattern::SocketType;

/// A PUSH socket: distributes messages among its PULL peers in turn.
///
/// Clones send to the same peers and may be used from different tasks. It is a [`Sink`] of messages.
///
/// ```no_run
/// use zmtp::{PushSocket, Socket};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut push = PushSocket::new();
/// push.connect("tcp://127.0.0.1:5557").await?;
/// push.send("work").await?;
/// push.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PushSocket {
    sender: BalancedSender,
}

impl PushSocket {
    /// Queues `message` for the next peer with room; waits until there is one.
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
        let message = message.into();
        if self.sender.offer(&message).is_some() {
            return Ok(());
        }
        self.sender.send_declined(message).await.map(drop)
    }

    /// Queues `message` for the next peer with room.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] gives the message back if there is no such peer now.
    #[inline]
    pub fn try_send(&mut self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.sender.try_send(message.into()).map(drop)
    }
}

/// A message that was accepted counts as sent when the sink is flushed. Closing flushes; the socket
/// itself closes with its last handle.
impl Sink<Message> for PushSocket {
    type Error = SendError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        self.sender.poll_ready(context)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        self.sender.start_send(message)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        self.sender.poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_flush(context)
    }
}

impl super::Conflating for PushSocket {}

impl super::Socket for PushSocket {
    fn handle(&self) -> &SocketHandle {
        self.sender.handle()
    }
}

impl sealed::Sealed for PushSocket {
    fn from_builder(builder: Builder<Self>) -> Self {
        let handle = SocketHandle::new(SocketType::Push, builder.options, Arc::new(NoPattern));
        Self {
            sender: BalancedSender::new(&handle, Vec::new()),
        }
    }
}
