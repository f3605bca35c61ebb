//! What all sockets have in common.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{BindError, Builder, ConnectError, DisconnectError, UnbindError, endpoints};
use crate::driver::{
    Hub, Monitor, Pattern, Peer, PeerCounters, PeerId, SocketCounters, SocketOptions,
};
use crate::endpoint::{Endpoint, EndpointError, PeerAddress};
use crate::pattern::SocketType;
use crate::session::PeerInfo;
use crate::transport::ExistingListener;

/// What every socket can do, whatever its pattern.
///
/// A socket belongs to the tokio runtime on which it is bound and connected: its tasks run there. It
/// can bind and connect any number of times, in any order, before and after its peers exist. When
/// its last handle is dropped it closes: what is queued still goes out for the linger period.
///
/// Its methods have no timeouts of their own, as they are cancel safe: `tokio::time::timeout` around one
/// is what `SNDTIMEO` and `RCVTIMEO` are in libzmq. A future may give way to other tasks before it takes
/// a message that is there, so that a timeout of zero can miss it: `try_recv` does not.
pub trait Socket: sealed::Sealed + Send {
    /// Makes a socket with the default options.
    #[must_use]
    fn new() -> Self {
        Self::builder().build()
    }

    /// Makes a socket with other options.
    fn builder() -> Builder<Self> {
        Builder::new()
    }

    /// The handle of this socket.
    fn handle(&self) -> &SocketHandle;

    /// Accepts connections on `endpoint` and returns it with its wildcards resolved:
    /// `tcp://127.0.0.1:*` listens on a free port, `tcp://*:5555` on all interfaces, `ipc://*` on a
    /// file in a new directory that only the user of this process can look into.
    ///
    /// On Linux a Unix socket accepts whoever may write to its file and search the directories above
    /// it, and the umask of the process decides about the file. `ipc://@name`, on Linux alone, has
    /// no file and accepts everybody on the machine. A file that a program left behind is replaced;
    /// one behind which somebody listens, and one that is no socket, are not. The file is removed
    /// when the socket stops to listen.
    ///
    /// `inproc://name` is found by the sockets of this process alone, on any of its threads and
    /// runtimes. Messages are handed over there as they are, long bodies by reference, and there is
    /// neither a security mechanism nor a heartbeat. The queue in between has the high-water marks
    /// of both sides added up, and none if one of them has none.
    ///
    /// # Errors
    ///
    /// [`BindError`] says what is wrong with the endpoint, or why the operating system refused it.
    ///
    /// # Cancel safety
    ///
    /// Either the socket is bound or nothing happened.
    fn bind(
        &self,
        endpoint: impl IntoEndpoint,
    ) -> impl Future<Output = Result<Endpoint, BindError>> + Send {
        self.handle().bind(endpoint)
    }

    /// Connects to `endpoint` and stays connected: the peer may come later, go and come back.
    ///
    /// A DEALER, REQ, PUB or SUB socket that is connected to the endpoint already stays as it is, and
    /// the peer that is there is returned.
    ///
    /// Returns at once; [`Self::monitor`] tells what becomes of it. Where the pattern sends, the
    /// messages for the peer wait for it.
    ///
    /// What is sent over `inproc://` wakes a receiver that sleeps when this runtime next runs its
    /// tasks, or with several hundred messages. A program that sends and then blocks the thread of
    /// its runtime holds that up; [`blocking`](crate::blocking) sockets have a thread of their own.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// Does not wait.
    fn connect(
        &self,
        endpoint: impl IntoEndpoint,
    ) -> impl Future<Output = Result<PeerId, ConnectError>> + Send {
        self.handle().connect(endpoint)
    }

    /// Accepts connections on a socket of the operating system that listens already, and returns its
    /// endpoint. The program that started this one may have made it, or it needs options that this
    /// crate does not have.
    ///
    /// # Errors
    ///
    /// [`BindError`] if the operating system refuses to take it over, or if it has no address that
    /// an endpoint can name.
    ///
    /// # Cancel safety
    ///
    /// Does not wait.
    fn bind_listener(
        &self,
        listener: impl Into<ExistingListener>,
    ) -> impl Future<Output = Result<Endpoint, BindError>> + Send {
        self.handle().bind_listener(listener)
    }

    /// Stops to accept connections on `endpoint`, and parts from the peers that were accepted there:
    /// what is queued for them still goes out for the linger period. What they had sent can still be
    /// received.
    ///
    /// The endpoint is named as [`Self::bind`] returned it, or as it was asked for if that was no
    /// wildcard. It can be bound again once this is done.
    ///
    /// # Errors
    ///
    /// [`UnbindError`] says that the socket does not listen there.
    ///
    /// # Cancel safety
    ///
    /// The endpoint is unbound in the background if the future is dropped after it was polled.
    fn unbind(
        &self,
        endpoint: impl IntoEndpoint,
    ) -> impl Future<Output = Result<(), UnbindError>> + Send {
        self.handle().unbind(endpoint)
    }

    /// Parts from the peers that `endpoint` was connected to: what is queued for them still goes out
    /// for the linger period, also if they have to be waited for. What they had sent can still be
    /// received.
    ///
    /// # Errors
    ///
    /// [`DisconnectError`] says that the socket is not connected to the endpoint.
    fn disconnect(&self, endpoint: impl IntoEndpoint) -> Result<(), DisconnectError> {
        self.handle().disconnect(endpoint)
    }

    /// As [`Self::disconnect`] from a single peer, be it connected to or accepted. One that was
    /// accepted may connect again.
    ///
    /// # Errors
    ///
    /// [`DisconnectError`] says that there is no such peer.
    fn disconnect_peer(&self, peer: PeerId) -> Result<(), DisconnectError> {
        self.handle().disconnect_peer(peer)
    }

    /// The endpoints that the socket listens on, with wildcards resolved, oldest first.
    #[must_use]
    fn bound_endpoints(&self) -> Vec<Endpoint> {
        self.handle().bound_endpoints()
    }

    /// The endpoints that the socket is, or wants to be, connected to, and the peers behind them,
    /// oldest first.
    #[must_use]
    fn connected_endpoints(&self) -> Vec<(PeerId, Endpoint)> {
        self.handle().connected_endpoints()
    }

    /// The endpoint that was bound last, with wildcards resolved, even if it is unbound by now.
    #[must_use]
    fn last_endpoint(&self) -> Option<Endpoint> {
        self.handle().last_endpoint()
    }

    /// Where `peer` is; `None` while there is no connection to it.
    #[must_use]
    fn peer_address(&self, peer: PeerId) -> Option<PeerAddress> {
        self.handle().peer_address(peer)
    }

    /// Tells what happens on the socket from now on.
    #[must_use]
    fn monitor(&self) -> Monitor {
        self.handle().monitor()
    }

    /// The peers there are, connected to or accepted.
    #[must_use]
    fn peers(&self) -> Vec<PeerId> {
        self.handle().peers()
    }

    /// What `peer` said of itself in its handshake; `None` while it is not connected. A message may be
    /// of an earlier connection:
    /// [`recv_with_peer`](crate::MessageReceiver::recv_with_peer) tells who sent it.
    #[must_use]
    fn peer_info(&self, peer: PeerId) -> Option<Arc<PeerInfo>> {
        self.handle().peer_info(peer)
    }

    /// What the socket has done so far, with all of its peers.
    #[must_use]
    fn counters(&self) -> SocketCounters {
        self.handle().counters()
    }

    /// What `peer` and this socket have done; `None` for a peer that is gone, or not yet there.
    #[must_use]
    fn peer_counters(&self, peer: PeerId) -> Option<PeerCounters> {
        self.handle().peer_counters(peer)
    }

    /// As [`Builder::send_high_water_mark`], for a socket that lives: it holds for all peers at once.
    ///
    /// What is queued stays queued, also where that is more than the new mark; sending waits until
    /// it is less. Who waits for room is woken if there is some now. For a socket that
    /// [conflates](Builder::conflate) a mark means nothing.
    ///
    /// ```
    /// use zmtp::{PushSocket, Socket};
    ///
    /// let socket = PushSocket::new();
    /// socket.set_send_high_water_mark(10);
    /// ```
    fn set_send_high_water_mark(&self, messages: usize) {
        self.handle().set_send_high_water_mark(messages);
    }

    /// As [`Builder::receive_high_water_mark`], for a socket that lives: it holds for all peers at
    /// once.
    ///
    /// What has come can be received, also where that is more than the new mark; no more is read from
    /// a peer until it is less. For a socket that [conflates](Builder::conflate) a mark means nothing.
    fn set_receive_high_water_mark(&self, messages: usize) {
        self.handle().set_receive_high_water_mark(messages);
    }

    /// As [`Builder::linger`], for a socket that lives: it holds for what ends from now on, be it the
    /// whole socket, one endpoint or one peer. [`Duration::MAX`] stands for until all is sent.
    fn set_linger(&self, linger: Duration) {
        self.handle().set_linger(linger);
    }

    /// Closes the socket and waits until everything queued is sent, or the linger period is over.
    ///
    /// # Cancel safety
    ///
    /// The socket closes in the background if the future is dropped.
    fn close(self) -> impl Future<Output = ()> + Send {
        let closing = self.handle().close();
        drop(self);
        closing
    }
}

/// A socket that sends to and receives from its peers without taking turns.
pub trait TwoWay: Socket {}

/// A socket that may keep the last message alone.
pub trait Conflating: Socket {}

/// Something that names an endpoint.
pub trait IntoEndpoint {
    /// Converts into the endpoint.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] says what is wrong with the text.
    fn into_endpoint(self) -> Result<Endpoint, EndpointError>;
}

impl IntoEndpoint for Endpoint {
    fn into_endpoint(self) -> Result<Endpoint, EndpointError> {
        Ok(self)
    }
}

impl IntoEndpoint for &Endpoint {
    fn into_endpoint(self) -> Result<Endpoint, EndpointError> {
        Ok(self.clone())
    }
}

impl IntoEndpoint for &str {
    fn into_endpoint(self) -> Result<Endpoint, EndpointError> {
        self.parse()
    }
}

impl IntoEndpoint for &String {
    fn into_endpoint(self) -> Result<Endpoint, EndpointError> {
        self.parse()
    }
}

impl IntoEndpoint for String {
    fn into_endpoint(self) -> Result<Endpoint, EndpointError> {
        self.parse()
    }
}

/// A handle to a socket, for what needs no turn: binding, connecting, looking.
///
/// Clones belong to the same socket, and may be used from any task, also after the socket itself was
/// split. The socket closes when it, its halves and all its handles are dropped.
#[derive(Clone, Debug)]
pub struct SocketHandle {
    guard: Arc<CloseOnDrop>,
}

#[derive(Debug)]
struct CloseOnDrop {
    hub: Arc<Hub>,
}

impl SocketHandle {
    pub(crate) fn new(
        socket_type: SocketType,
        options: SocketOptions,
        pattern: Arc<dyn Pattern>,
    ) -> Self {
        let hub = Arc::new(Hub::new(socket_type, options, pattern));
        Self {
            guard: Arc::new(CloseOnDrop { hub }),
        }
    }

    #[inline]
    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.guard.hub
    }

    /// As [`Socket::bind`].
    ///
    /// # Errors
    ///
    /// As [`Socket::bind`].
    ///
    /// # Cancel safety
    ///
    /// Either the socket is bound or nothing happened.
    pub fn bind(
        &self,
        endpoint: impl IntoEndpoint,
    ) -> impl Future<Output = Result<Endpoint, BindError>> + Send {
        let endpoint = endpoint.into_endpoint();
        let hub = Arc::clone(self.hub());
        async move { endpoints::bind(hub, endpoint?).await }
    }

    /// As [`Socket::connect`].
    ///
    /// # Errors
    ///
    /// As [`Socket::connect`].
    ///
    /// # Cancel safety
    ///
    /// Does not wait.
    pub fn connect(
        &self,
        endpoint: impl IntoEndpoint,
    ) -> impl Future<Output = Result<PeerId, ConnectError>> + Send {
        self.connect_named(endpoint, |_peer| Ok(()))
    }

    /// Connects to a peer that the pattern knows by name before it is there.
    pub(crate) fn connect_named(
        &self,
        endpoint: impl IntoEndpoint,
        name: impl FnOnce(&Arc<Peer>) -> Result<(), ConnectError> + Send,
    ) -> impl Future<Output = Result<PeerId, ConnectError>> + Send {
        let endpoint = endpoint.into_endpoint();
        let hub = Arc::clone(self.hub());
        async move { endpoints::connect(&hub, endpoint?, name) }
    }

    /// As [`Socket::bind_listener`].
    ///
    /// # Errors
    ///
    /// As [`Socket::bind_listener`].
    ///
    /// # Cancel safety
    ///
    /// Does not wait.
    pub fn bind_listener(
        &self,
        listener: impl Into<ExistingListener>,
    ) -> impl Future<Output = Result<Endpoint, BindError>> + Send {
        let (hub, listener) = (Arc::clone(self.hub()), listener.into());
        async move { endpoints::bind_existing(&hub, listener) }
    }

    /// As [`Socket::unbind`].
    ///
    /// # Errors
    ///
    /// As [`Socket::unbind`].
    ///
    /// # Cancel safety
    ///
    /// As [`Socket::unbind`].
    pub fn unbind(
        &self,
        endpoint: impl IntoEndpoint,
    ) -> impl Future<Output = Result<(), UnbindError>> + Send {
        let endpoint = endpoint.into_endpoint();
        let hub = Arc::clone(self.hub());
        async move { endpoints::unbind(&hub, endpoint?).await }
    }

    /// As [`Socket::disconnect`].
    ///
    /// # Errors
    ///
    /// As [`Socket::disconnect`].
    pub fn disconnect(&self, endpoint: impl IntoEndpoint) -> Result<(), DisconnectError> {
        endpoints::disconnect(self.hub(), endpoint.into_endpoint()?)
    }

    /// As [`Socket::disconnect_peer`].
    ///
    /// # Errors
    ///
    /// As [`Socket::disconnect_peer`].
    pub fn disconnect_peer(&self, peer: PeerId) -> Result<(), DisconnectError> {
        endpoints::disconnect_peer(self.hub(), peer)
    }

    /// As [`Socket::bound_endpoints`].
    #[must_use]
    pub fn bound_endpoints(&self) -> Vec<Endpoint> {
        self.hub().endpoints.bound()
    }

    /// As [`Socket::connected_endpoints`].
    #[must_use]
    pub fn connected_endpoints(&self) -> Vec<(PeerId, Endpoint)> {
        self.hub().endpoints.connected()
    }

    /// As [`Socket::last_endpoint`].
    #[must_use]
    pub fn last_endpoint(&self) -> Option<Endpoint> {
        self.hub().endpoints.last()
    }

    /// As [`Socket::peer_address`].
    #[must_use]
    pub fn peer_address(&self, peer: PeerId) -> Option<PeerAddress> {
        self.hub().peer(peer)?.address()
    }

    /// As [`Socket::close`], for a socket whose halves or clones are elsewhere.
    ///
    /// # Cancel safety
    ///
    /// The socket closes in the background if the future is dropped.
    pub fn close(&self) -> impl Future<Output = ()> + Send + use<> {
        let hub = Arc::clone(self.hub());
        hub.close();
        async move { hub.tasks.wait().await }
    }

    /// As [`Socket::monitor`].
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        self.hub().monitor.subscribe()
    }

    /// As [`Socket::peers`].
    #[must_use]
    pub fn peers(&self) -> Vec<PeerId> {
        self.hub().peers().iter().map(|peer| peer.id).collect()
    }

    /// As [`Socket::peer_info`].
    #[must_use]
    pub fn peer_info(&self, peer: PeerId) -> Option<Arc<PeerInfo>> {
        self.hub().peer(peer)?.info()
    }

    /// As [`Socket::counters`].
    #[must_use]
    pub fn counters(&self) -> SocketCounters {
        self.hub().counters()
    }

    /// As [`Socket::peer_counters`].
    #[must_use]
    pub fn peer_counters(&self, peer: PeerId) -> Option<PeerCounters> {
        self.hub().peer_counters(peer)
    }

    /// As [`Socket::set_send_high_water_mark`].
    pub fn set_send_high_water_mark(&self, messages: usize) {
        self.hub().set_send_high_water_mark(messages);
    }

    /// As [`Socket::set_receive_high_water_mark`].
    pub fn set_receive_high_water_mark(&self, messages: usize) {
        self.hub().set_receive_high_water_mark(messages);
    }

    /// As [`Socket::set_linger`].
    pub fn set_linger(&self, linger: Duration) {
        self.hub().set_linger(linger);
    }
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.hub.close();
    }
}

pub(crate) mod sealed {
    use super::super::Builder;

    /// Keeps [`Socket`](super::Socket) to the types of this crate.
    #[expect(unnameable_types, reason = "nobody else shall implement it")]
    pub trait Sealed: Sized {
        #[doc(hidden)]
        fn from_builder(builder: Builder<Self>) -> Self;
    }
}
