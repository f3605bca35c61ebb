//! What all sockets that send, and all that receive, have in common.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::coop;

use super::base::SocketHandle;
use super::sending::{final_error, when_writable};
use super::{
    DealerReceiver, DealerSender, DealerSocket, PubSocket, PullSocket, PushSocket, RecvError,
    RepSocket, ReqSocket, RouterReceiver, RouterSender, RouterSocket, SendError, Socket, SubSocket,
    TryRecvError, TrySendError, XPubReceiver, XPubSender, XPubSocket,
};
use crate::driver::PeerId;
use crate::message::Message;
use crate::session::PeerInfo;

/// A socket, or the half of one, that sends messages: for code that works with any of them.
pub trait MessageSender: sealed::Handled + Send {
    /// Sends `message` without waiting, as the pattern of the socket has it.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] gives the message back.
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError>;

    /// Sends `message`, as the pattern of the socket has it, and waits while there is no room for it.
    ///
    /// ```
    /// use zmtp::{Message, MessageSender, SendError};
    ///
    /// async fn greet(socket: &mut impl MessageSender) -> Result<(), SendError> {
    ///     socket.send_message(Message::from("hello")).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the message back.
    ///
    /// # Cancel safety
    ///
    /// The message is sent, or it is not.
    fn send_message(
        &mut self,
        message: Message,
    ) -> impl Future<Output = Result<(), SendError>> + Send
    where
        Self: Sized,
    {
        async move {
            // A sender that always finds room still lets others have their turn.
            coop::consume_budget().await;
            let message = match self.try_send_message(message) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(message)) => message,
                Err(error) => return Err(final_error(error)),
            };
            let handle = self.socket_handle().clone();
            when_writable(handle.hub(), message, |it| self.try_send_message(it)).await
        }
    }

    /// Waits until a queue that was found full has room, or a peer comes or goes.
    ///
    /// What happens after this call counts, so call it before the attempt that may fail. It says that
    /// another attempt makes sense, not that it will succeed.
    ///
    /// ```no_run
    /// use zmtp::{MessageSender, PushSocket, Socket, TrySendError};
    ///
    /// # async fn example(mut push: PushSocket) {
    /// let writable = push.writable();
    /// if let Err(TrySendError::Full(message)) = push.try_send("hello") {
    ///     writable.await;
    ///     // Again, with `message`.
    /// }
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing happens if the future is dropped.
    fn writable(&self) -> impl Future<Output = ()> + Send + use<Self>
    where
        Self: Sized,
    {
        super::sending::writable(self.socket_handle().hub())
    }
}

/// A socket, or the half of one, that receives messages: for code that works with any of them.
pub trait MessageReceiver: sealed::Handled + Send {
    /// Takes the next message, or has the task woken when there is one.
    ///
    /// # Errors
    ///
    /// [`RecvError`] says why no message can be received.
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>>;

    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// [`RecvError`] says why no message can be received.
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    fn recv_message(&mut self) -> impl Future<Output = Result<Message, RecvError>> + Send
    where
        Self: Sized,
    {
        poll_fn(|context| self.poll_recv_message(context))
    }

    /// Takes the next message, if one has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`] says why there is none.
    fn try_recv_message(&mut self) -> Result<Message, TryRecvError>;

    /// Waits for the next message and tells who sent it.
    ///
    /// ```no_run
    /// use zmtp::{MessageReceiver, PullSocket, Socket};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut pull = PullSocket::new();
    /// pull.bind("tcp://127.0.0.1:5557").await?;
    /// let received = pull.recv_with_peer().await?;
    /// println!("{:?} says {}", received.info.user_id, received.message);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecvError`] says why no message can be received.
    ///
    /// # Cancel safety
    ///
    /// No message is lost if the future is dropped.
    fn recv_with_peer(&mut self) -> impl Future<Output = Result<PeerMessage, RecvError>> + Send
    where
        Self: Sized,
    {
        poll_fn(|context| self.poll_recv_with_peer(context))
    }

    /// Takes the next message and tells who sent it, or has the task woken when there is one.
    ///
    /// # Errors
    ///
    /// [`RecvError`] says why no message can be received.
    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>>;

    /// Takes the next message, if one has come, and tells who sent it.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`] says why there is none.
    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError>;
}

/// A message and who sent it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PeerMessage {
    /// The peer, which may be gone by now; what was connected to comes back under the same id.
    pub peer: PeerId,
    /// What is known of the connection that the message came on, such as the
    /// [user id](PeerInfo::user_id): one value for all messages of a connection, which stays as it is
    /// when the peer goes, and when another one comes in its place `[ZAP-029]`.
    pub info: Arc<PeerInfo>,
    /// The message as the peer sent it: a ROUTER puts no routing id in front of it.
    pub message: Message,
}

pub(crate) mod sealed {
    use super::SocketHandle;

    /// Keeps the traits to the types of this crate.
    #[expect(unnameable_types, reason = "nobody else shall implement it")]
    pub trait Handled {
        #[doc(hidden)]
        fn socket_handle(&self) -> &SocketHandle;
    }
}

impl From<SendError> for TrySendError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Closed(message) => Self::Closed(message),
            SendError::NoParts(message) => Self::NoParts(message),
            SendError::Unroutable(message) => Self::Unroutable(message),
            SendError::OutOfTurn(message) => Self::OutOfTurn(message),
            SendError::Multipart(message) => Self::Multipart(message),
        }
    }
}

impl<S: Socket> sealed::Handled for S {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl sealed::Handled for DealerSender {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl sealed::Handled for DealerReceiver {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl sealed::Handled for RouterSender {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl sealed::Handled for RouterReceiver {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl sealed::Handled for XPubSender {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl sealed::Handled for XPubReceiver {
    fn socket_handle(&self) -> &SocketHandle {
        self.handle()
    }
}

impl MessageSender for ReqSocket {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }
}

impl MessageSender for DealerSocket {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message).map(drop)
    }
}

impl MessageSender for DealerSender {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message).map(drop)
    }
}

impl MessageSender for RouterSocket {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }

    async fn send_message(&mut self, message: Message) -> Result<(), SendError> {
        coop::consume_budget().await;
        // Which lets the connections have their turn, rather than drop what is sent in one go.
        self.send(message).await
    }
}

impl MessageSender for RouterSender {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }

    async fn send_message(&mut self, message: Message) -> Result<(), SendError> {
        coop::consume_budget().await;
        // Which lets the connections have their turn, rather than drop what is sent in one go.
        self.send(message).await
    }
}

impl MessageSender for PushSocket {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }
}

impl MessageSender for RepSocket {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        Ok(self.send(message)?)
    }
}

impl MessageSender for PubSocket {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }

    async fn send_message(&mut self, message: Message) -> Result<(), SendError> {
        coop::consume_budget().await;
        // Which lets the connections have their turn, rather than drop what is sent in one go.
        self.send(message).await
    }
}

impl MessageReceiver for ReqSocket {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.poll_recv_attributed(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.try_recv_attributed()
    }
}

impl MessageReceiver for RepSocket {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.poll_recv_attributed(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.try_recv_attributed()
    }
}

impl MessageReceiver for DealerSocket {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.receiver.poll_recv_with_peer(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.receiver.try_recv_with_peer()
    }
}

impl MessageReceiver for DealerReceiver {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.receiver.poll_recv_with_peer(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.receiver.try_recv_with_peer()
    }
}

impl MessageReceiver for RouterSocket {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.receiver.poll_recv_with_peer(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.receiver.try_recv_with_peer()
    }
}

impl MessageReceiver for RouterReceiver {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.receiver.poll_recv_with_peer(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.receiver.try_recv_with_peer()
    }
}

impl MessageReceiver for PullSocket {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.receiver.poll_recv_with_peer(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.receiver.try_recv_with_peer()
    }
}

impl MessageReceiver for SubSocket {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.poll_recv_attributed(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.try_recv_attributed()
    }
}

impl MessageSender for XPubSocket {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }

    async fn send_message(&mut self, message: Message) -> Result<(), SendError> {
        coop::consume_budget().await;
        // Which lets the connections have their turn, rather than drop what is sent in one go.
        self.send(message).await
    }
}

impl MessageSender for XPubSender {
    fn try_send_message(&mut self, message: Message) -> Result<(), TrySendError> {
        self.try_send(message)
    }

    async fn send_message(&mut self, message: Message) -> Result<(), SendError> {
        coop::consume_budget().await;
        // Which lets the connections have their turn, rather than drop what is sent in one go.
        self.send(message).await
    }
}

impl MessageReceiver for XPubSocket {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.receiver.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.receiver.poll_recv_with_peer(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.receiver.try_recv_with_peer()
    }
}

impl MessageReceiver for XPubReceiver {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.poll_recv(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.try_recv()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.poll_recv_attributed(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.try_recv_attributed()
    }
}
