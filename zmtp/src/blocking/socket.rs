//! A socket whose calls block.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::wait::{Deadline, Elapsed, wait, wait_until};
use super::{Monitor, RecvTimeoutError, SendTimeoutError, runtime};
use crate::driver::PeerId;
use crate::endpoint::Endpoint;
use crate::message::Message;
use crate::session::PeerInfo;
use crate::socket::{
    self, BindError, Builder, ConnectError, DisconnectError, Handled, IntoEndpoint,
    MessageReceiver, MessageSender, PeerMessage, RecvError, SendError, SocketHandle, TryRecvError,
    TrySendError, UnbindError,
};
use crate::transport::ExistingListener;

/// A socket of type `S`, or a half of one, whose calls block the thread.
///
/// Use it by the name that it has in [`blocking`](crate::blocking). It may be called from a thread
/// that runs futures, and then blocks that thread, too.
#[derive(Clone, Debug)]
pub struct Socket<S> {
    socket: S,
}

impl<S: socket::Socket> Builder<S> {
    /// Makes the socket for a program without a runtime.
    pub fn build_blocking(self) -> Socket<S> {
        Socket {
            socket: self.build(),
        }
    }
}

impl<S: socket::Socket> Socket<S> {
    /// Makes a socket with the default options.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build_blocking()
    }

    /// Makes a socket with other options, by [`Builder::build_blocking`].
    pub fn builder() -> Builder<S> {
        S::builder()
    }

    /// As [`bind`](socket::Socket::bind) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there, and [`BindError::Runtime`] if the thread in the background cannot be started.
    pub fn bind(&self, endpoint: impl IntoEndpoint) -> Result<Endpoint, BindError> {
        let runtime = runtime::handle().map_err(BindError::Runtime)?;
        let _entered = runtime.enter();
        wait(self.socket.bind(endpoint))
    }

    /// As [`bind_listener`](socket::Socket::bind_listener) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there, and [`BindError::Runtime`] if the thread in the background cannot be started.
    pub fn bind_listener(
        &self,
        listener: impl Into<ExistingListener>,
    ) -> Result<Endpoint, BindError> {
        let runtime = runtime::handle().map_err(BindError::Runtime)?;
        let _entered = runtime.enter();
        wait(self.socket.bind_listener(listener))
    }

    /// As [`connect`](socket::Socket::connect) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there, and [`ConnectError::Runtime`] if the thread in the background cannot be started.
    pub fn connect(&self, endpoint: impl IntoEndpoint) -> Result<PeerId, ConnectError> {
        let runtime = runtime::handle().map_err(|error| ConnectError::Runtime(error.kind()))?;
        let _entered = runtime.enter();
        wait(self.socket.connect(endpoint))
    }

    /// As [`unbind`](socket::Socket::unbind) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unbind(&self, endpoint: impl IntoEndpoint) -> Result<(), UnbindError> {
        wait(self.socket.unbind(endpoint))
    }

    /// As [`disconnect`](socket::Socket::disconnect) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn disconnect(&self, endpoint: impl IntoEndpoint) -> Result<(), DisconnectError> {
        self.socket.disconnect(endpoint)
    }

    /// As [`disconnect_peer`](socket::Socket::disconnect_peer) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn disconnect_peer(&self, peer: PeerId) -> Result<(), DisconnectError> {
        self.socket.disconnect_peer(peer)
    }

    /// Tells what happens on the socket from now on.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor::new(self.socket.monitor())
    }

    /// The peers there are, connected to or accepted.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerId> {
        self.socket.peers()
    }

    /// What `peer` said of itself in its handshake; `None` while it is not connected.
    #[must_use]
    pub fn peer_info(&self, peer: PeerId) -> Option<Arc<PeerInfo>> {
        self.socket.peer_info(peer)
    }

    /// The handle of the socket, for what does not block: looking at endpoints, peers and counters,
    /// and changing marks. It can be used from any thread, also when the socket was split.
    #[must_use]
    pub fn handle(&self) -> &SocketHandle {
        self.socket.handle()
    }

    /// Closes the socket and waits until everything queued is sent, or the linger period is over.
    pub fn close(self) {
        wait(self.socket.close());
    }
}

impl<S: socket::Socket> Default for Socket<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Socket<S> {
    /// Wraps a half of a socket, or one that belongs to a runtime and stays there.
    pub const fn from_async(socket: S) -> Self {
        Self { socket }
    }

    /// The socket inside.
    pub const fn get_ref(&self) -> &S {
        &self.socket
    }

    /// The socket inside.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// The socket inside.
    pub fn into_inner(self) -> S {
        self.socket
    }
}

impl<S: MessageSender> Socket<S> {
    /// Sends a message as the pattern of the socket has it; where that waits, so does this.
    ///
    /// # Errors
    ///
    /// [`SendError`] gives the message back.
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        match self.send_until(Deadline::Never, message.into()) {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Send(error)) => Err(error),
            // The last message of all time.
            Err(SendTimeoutError::TimedOut(message)) => Err(SendError::Closed(message)),
        }
    }

    /// Sends a message as the pattern of the socket has it; waits no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError`] gives the message back.
    pub fn send_timeout(
        &mut self,
        timeout: Duration,
        message: impl Into<Message>,
    ) -> Result<(), SendTimeoutError> {
        self.send_until(Deadline::after(timeout), message.into())
    }

    /// Sends a message as the pattern of the socket has it, without waiting.
    ///
    /// # Errors
    ///
    /// [`TrySendError`] gives the message back.
    pub fn try_send(&mut self, message: impl Into<Message>) -> Result<(), TrySendError> {
        self.socket.try_send_message(message.into())
    }

    fn send_until(&mut self, deadline: Deadline, message: Message) -> Result<(), SendTimeoutError> {
        let mut refused = match self.socket.try_send_message(message) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        loop {
            let TrySendError::Full(message) = refused else {
                return Err(socket::final_error(refused).into());
            };
            let hub = Arc::clone(self.socket.socket_handle().hub());
            // What happens from here on wakes, so the next attempt misses nothing.
            let writable = hub.writable.notified();
            refused = match self.socket.try_send_message(message) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(message)) => match wait_until(deadline, writable) {
                    Ok(()) => TrySendError::Full(message),
                    Err(Elapsed) => return Err(SendTimeoutError::TimedOut(message)),
                },
                Err(error) => error,
            };
        }
    }
}

impl<S: MessageReceiver> Socket<S> {
    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// [`RecvError`] says why none can be received.
    pub fn recv(&mut self) -> Result<Message, RecvError> {
        wait(std::future::poll_fn(|context| {
            self.socket.poll_recv_message(context)
        }))
    }

    /// Waits for the next message, no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError`] says that none came in time, or why none can be received.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Message, RecvTimeoutError> {
        let next = std::future::poll_fn(|context| self.socket.poll_recv_message(context));
        match wait_until(Deadline::after(timeout), next) {
            Ok(received) => Ok(received?),
            Err(Elapsed) => Err(RecvTimeoutError::TimedOut),
        }
    }

    /// Takes the next message, if one has come.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`] says why there is none.
    pub fn try_recv(&mut self) -> Result<Message, TryRecvError> {
        self.socket.try_recv_message()
    }

    /// Waits for the next message and tells who sent it, as
    /// [`recv_with_peer`](MessageReceiver::recv_with_peer) of the socket inside.
    ///
    /// # Errors
    ///
    /// [`RecvError`] says why none can be received.
    pub fn recv_with_peer(&mut self) -> Result<PeerMessage, RecvError> {
        wait(self.socket.recv_with_peer())
    }

    /// As [`Self::recv_with_peer`], no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError`] says that none came in time, or why none can be received.
    pub fn recv_with_peer_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<PeerMessage, RecvTimeoutError> {
        match wait_until(Deadline::after(timeout), self.socket.recv_with_peer()) {
            Ok(received) => Ok(received?),
            Err(Elapsed) => Err(RecvTimeoutError::TimedOut),
        }
    }

    /// Takes the next message, if one has come, and tells who sent it.
    ///
    /// # Errors
    ///
    /// [`TryRecvError`] says why there is none.
    pub fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.socket.try_recv_with_peer()
    }

    /// The messages that come until the socket is closed, or it is not its turn to receive.
    pub fn iter(&mut self) -> impl Iterator<Item = Message> {
        std::iter::from_fn(|| self.recv().ok())
    }
}

impl<S: Handled> Handled for Socket<S> {
    fn socket_handle(&self) -> &SocketHandle {
        self.socket.socket_handle()
    }
}

impl<S: MessageReceiver> MessageReceiver for Socket<S> {
    fn poll_recv_message(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, RecvError>> {
        self.socket.poll_recv_message(context)
    }

    fn try_recv_message(&mut self) -> Result<Message, TryRecvError> {
        self.socket.try_recv_message()
    }

    fn poll_recv_with_peer(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<PeerMessage, RecvError>> {
        self.socket.poll_recv_with_peer(context)
    }

    fn try_recv_with_peer(&mut self) -> Result<PeerMessage, TryRecvError> {
        self.socket.try_recv_with_peer()
    }
}
