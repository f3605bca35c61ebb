//! The sockets by name, and what only some of them can do.

use super::Socket;
use super::runtime;
use super::wait::wait;
use crate::driver::PeerId;
use crate::message::Message;
use crate::pattern::RoutingId;
use crate::socket::{
    self, ConnectError, IntoEndpoint, ManualSubscriptionError, RecvError, TrySendError, XPubEvent,
};

/// [`ReqSocket`](socket::ReqSocket), blocking.
pub type ReqSocket = Socket<socket::ReqSocket>;
/// [`RepSocket`](socket::RepSocket), blocking.
pub type RepSocket = Socket<socket::RepSocket>;
/// [`DealerSocket`](socket::DealerSocket), blocking.
pub type DealerSocket = Socket<socket::DealerSocket>;
/// [`DealerSender`](socket::DealerSender), blocking.
pub type DealerSender = Socket<socket::DealerSender>;
/// [`DealerReceiver`](socket::DealerReceiver), blocking.
pub type DealerReceiver = Socket<socket::DealerReceiver>;
/// [`RouterSocket`](socket::RouterSocket), blocking.
pub type RouterSocket = Socket<socket::RouterSocket>;
/// [`RouterSender`](socket::RouterSender), blocking.
pub type RouterSender = Socket<socket::RouterSender>;
/// [`RouterReceiver`](socket::RouterReceiver), blocking.
pub type RouterReceiver = Socket<socket::RouterReceiver>;
/// [`PushSocket`](socket::PushSocket), blocking.
pub type PushSocket = Socket<socket::PushSocket>;
/// [`PullSocket`](socket::PullSocket), blocking.
pub type PullSocket = Socket<socket::PullSocket>;
/// [`PubSocket`](socket::PubSocket), blocking.
pub type PubSocket = Socket<socket::PubSocket>;
/// [`SubSocket`](socket::SubSocket), blocking.
pub type SubSocket = Socket<socket::SubSocket>;
/// [`XPubSocket`](socket::XPubSocket), blocking.
pub type XPubSocket = Socket<socket::XPubSocket>;
/// [`XPubSender`](socket::XPubSender), blocking.
pub type XPubSender = Socket<socket::XPubSender>;
/// [`XPubReceiver`](socket::XPubReceiver), blocking.
pub type XPubReceiver = Socket<socket::XPubReceiver>;
/// [`XSubSocket`](socket::XSubSocket), blocking.
pub type XSubSocket = Socket<socket::XSubSocket>;
/// [`XSubSender`](socket::XSubSender), blocking.
pub type XSubSender = Socket<socket::XSubSender>;
/// [`XSubReceiver`](socket::XSubReceiver), blocking.
pub type XSubReceiver = Socket<socket::XSubReceiver>;
/// [`PairSocket`](socket::PairSocket), blocking.
pub type PairSocket = Socket<socket::PairSocket>;
/// [`PairSender`](socket::PairSender), blocking.
pub type PairSender = Socket<socket::PairSender>;
/// [`PairReceiver`](socket::PairReceiver), blocking.
pub type PairReceiver = Socket<socket::PairReceiver>;

impl DealerSocket {
    /// Gives the two directions to different threads. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (DealerSender, DealerReceiver) {
        let (sender, receiver) = self.into_inner().split();
        (Socket::from_async(sender), Socket::from_async(receiver))
    }

    /// Queues `message` for `peer` and no other.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] if its queue is full, [`TrySendError::Unroutable`] if it is gone.
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        self.get_ref().try_send_to(peer, message)
    }

    /// Waits for the next message and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    pub fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        wait(self.get_mut().recv_from())
    }
}

impl DealerSender {
    /// Queues `message` for `peer` and no other.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] if its queue is full, [`TrySendError::Unroutable`] if it is gone.
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        self.get_ref().try_send_to(peer, message)
    }
}

impl DealerReceiver {
    /// Waits for the next message and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    pub fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        wait(self.get_mut().recv_from())
    }
}

impl RouterSocket {
    /// Gives the two directions to different threads. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (RouterSender, RouterReceiver) {
        let (sender, receiver) = self.into_inner().split();
        (Socket::from_async(sender), Socket::from_async(receiver))
    }

    /// As [`connect_as`](socket::RouterSocket::connect_as) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there, and [`ConnectError::Runtime`] if the thread in the background cannot be started.
    pub fn connect_as(
        &self,
        endpoint: impl IntoEndpoint,
        routing_id: RoutingId,
    ) -> Result<PeerId, ConnectError> {
        let runtime = runtime::handle().map_err(|error| ConnectError::Runtime(error.kind()))?;
        let _entered = runtime.enter();
        wait(self.get_ref().connect_as(endpoint, routing_id))
    }

    /// Queues `message`, which does not begin with a routing id, for `peer`.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] if its queue is full, [`TrySendError::Unroutable`] if it is gone.
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        self.get_ref().try_send_to(peer, message)
    }

    /// Waits for the next message, as its peer sent it, and tells which peer that is.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    pub fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        wait(self.get_mut().recv_from())
    }
}

impl RouterSender {
    /// Queues `message`, which does not begin with a routing id, for `peer`.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] if its queue is full, [`TrySendError::Unroutable`] if it is gone.
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        self.get_ref().try_send_to(peer, message)
    }
}

impl RouterReceiver {
    /// Waits for the next message, as its peer sent it, and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    pub fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        wait(self.get_mut().recv_from())
    }
}

impl ReqSocket {
    /// Waits for the reply to the last request and tells which peer replied.
    ///
    /// # Errors
    ///
    /// [`RecvError::OutOfTurn`] if no request was sent.
    pub fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        wait(self.get_mut().recv_from())
    }
}

impl RepSocket {
    /// Waits for the next request and tells which peer asks.
    ///
    /// # Errors
    ///
    /// [`RecvError::OutOfTurn`] while the last request has not been answered.
    pub fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        wait(self.get_mut().recv_from())
    }
}

impl PullSocket {
    /// Waits for the next message and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    pub fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        wait(self.get_mut().recv_from())
    }
}

impl SubSocket {
    /// As [`subscribe`](socket::SubSocket::subscribe) of the socket inside.
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) {
        self.get_ref().subscribe(topic);
    }

    /// As [`unsubscribe`](socket::SubSocket::unsubscribe) of the socket inside.
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) {
        self.get_ref().unsubscribe(topic);
    }

    /// Waits for the next message and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    pub fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        wait(self.get_mut().recv_from())
    }
}

impl XPubSocket {
    /// Gives the two directions to different threads. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (XPubSender, XPubReceiver) {
        let (sender, receiver) = self.into_inner().split();
        (Socket::from_async(sender), Socket::from_async(receiver))
    }

    /// Queues `message` for `peer` and no other.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] if its queue is full, [`TrySendError::Unroutable`] if it is gone.
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        self.get_ref().try_send_to(peer, message)
    }

    /// As [`subscribe`](socket::XPubSocket::subscribe) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn subscribe(
        &self,
        peer: PeerId,
        topic: impl AsRef<[u8]>,
    ) -> Result<(), ManualSubscriptionError> {
        self.get_ref().subscribe(peer, topic)
    }

    /// As [`cancel`](socket::XPubSocket::cancel) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn cancel(
        &self,
        peer: PeerId,
        topic: impl AsRef<[u8]>,
    ) -> Result<(), ManualSubscriptionError> {
        self.get_ref().cancel(peer, topic)
    }

    /// As [`recv_event`](socket::XPubSocket::recv_event) of the socket inside.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    pub fn recv_event(&mut self) -> Result<(PeerId, XPubEvent), RecvError> {
        wait(self.get_mut().recv_event())
    }
}

impl XPubSender {
    /// Queues `message` for `peer` and no other.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] if its queue is full, [`TrySendError::Unroutable`] if it is gone.
    pub fn try_send_to(
        &self,
        peer: PeerId,
        message: impl Into<Message>,
    ) -> Result<(), TrySendError> {
        self.get_ref().try_send_to(peer, message)
    }

    /// As [`subscribe`](socket::XPubSender::subscribe) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn subscribe(
        &self,
        peer: PeerId,
        topic: impl AsRef<[u8]>,
    ) -> Result<(), ManualSubscriptionError> {
        self.get_ref().subscribe(peer, topic)
    }

    /// As [`cancel`](socket::XPubSender::cancel) of the socket inside.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn cancel(
        &self,
        peer: PeerId,
        topic: impl AsRef<[u8]>,
    ) -> Result<(), ManualSubscriptionError> {
        self.get_ref().cancel(peer, topic)
    }
}

impl XPubReceiver {
    /// As [`recv_event`](socket::XPubReceiver::recv_event) of the half inside.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    pub fn recv_event(&mut self) -> Result<(PeerId, XPubEvent), RecvError> {
        wait(self.get_mut().recv_event())
    }
}

impl XSubSocket {
    /// Gives the two directions to different threads. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (XSubSender, XSubReceiver) {
        let (sender, receiver) = self.into_inner().split();
        (Socket::from_async(sender), Socket::from_async(receiver))
    }

    /// As [`subscribe`](socket::XSubSocket::subscribe) of the socket inside.
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) {
        self.get_ref().subscribe(topic);
    }

    /// As [`unsubscribe`](socket::XSubSocket::unsubscribe) of the socket inside.
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) {
        self.get_ref().unsubscribe(topic);
    }

    /// Waits for the next message and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    pub fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        wait(self.get_mut().recv_from())
    }
}

impl XSubSender {
    /// As [`subscribe`](socket::XSubSender::subscribe) of the half inside.
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) {
        self.get_ref().subscribe(topic);
    }

    /// As [`unsubscribe`](socket::XSubSender::unsubscribe) of the half inside.
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) {
        self.get_ref().unsubscribe(topic);
    }
}

impl XSubReceiver {
    /// Waits for the next message and tells which peer it came from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the socket is closed.
    pub fn recv_from(&mut self) -> Result<(PeerId, Message), RecvError> {
        wait(self.get_mut().recv_from())
    }
}

impl PairSocket {
    /// Gives the two directions to different threads. The socket closes when both are dropped.
    #[must_use]
    pub fn split(self) -> (PairSender, PairReceiver) {
        let (sender, receiver) = self.into_inner().split();
        (Socket::from_async(sender), Socket::from_async(receiver))
    }
}
