//! What all sockets have in common.

use std::future::Future;
use std::sync::Arc;

use super::{BindError, Builder, ConnectError};
use crate::driver::{
    Binding, Hub, Linger, Monitor, Pattern, Peer, PeerId, Queueing, Retention, SocketEvent,
    SocketOptions, hold, keep_connected, keep_linked, listen,
};
use crate::endpoint::{Endpoint, EndpointError};
use crate::pattern::SocketType;
use crate::session::PeerInfo;
use crate::transport::{self, Target};

/// What every socket can do, whatever its pattern.
///
/// A socket belongs to the tokio runtime on which it is bound and connected: its tasks run there. It
/// can bind and connect any number of times, in any order, before and after its peers exist. When
/// its last handle is dropped it closes: what is queued still goes out for the linger period.
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
    /// Returns at once; [`Self::monitor`] tells what becomes of it. Where the pattern sends, the
    /// messages for the peer wait for it.
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

    /// What `peer` said of itself in its handshake; `None` while it is not connected.
    #[must_use]
    fn peer_info(&self, peer: PeerId) -> Option<Arc<PeerInfo>> {
        self.handle().peer_info(peer)
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
        async move { bind(hub, endpoint?).await }
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
        async move { connect(&hub, endpoint?, name) }
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

async fn bind(hub: Arc<Hub>, endpoint: Endpoint) -> Result<Endpoint, BindError> {
    if hub.linger() != Linger::Open {
        return Err(BindError::Closed);
    }
    if let Endpoint::Inproc(name) = &endpoint {
        return match Binding::new(name, &hub) {
            Ok(binding) => {
                listening(&hub, &endpoint);
                hub.tasks.spawn(hold(Arc::clone(&hub), binding));
                Ok(endpoint)
            }
            Err(source) => Err(BindError::Io { endpoint, source }),
        };
    }
    match transport::bind(&endpoint, hub.options.backlog).await {
        Ok((listener, bound)) => {
            listening(&hub, &bound);
            hub.tasks.spawn(listen(Arc::clone(&hub), listener));
            Ok(bound)
        }
        Err(error) => Err(BindError::new(endpoint, error)),
    }
}

fn listening(hub: &Hub, endpoint: &Endpoint) {
    tracing::debug!(%endpoint, "listening");
    hub.monitor.send(SocketEvent::Listening {
        endpoint: endpoint.clone(),
    });
}

fn connect(
    hub: &Arc<Hub>,
    endpoint: Endpoint,
    name: impl FnOnce(&Arc<Peer>) -> Result<(), ConnectError>,
) -> Result<PeerId, ConnectError> {
    if hub.linger() != Linger::Open {
        return Err(ConnectError::Closed);
    }
    if let Endpoint::Inproc(path) = &endpoint {
        let peer = hub.new_peer_in_process(retention(hub));
        begin_queue(hub, &peer, name)?;
        let id = peer.id;
        hub.tasks
            .spawn(keep_linked(Arc::clone(hub), peer, path.clone()));
        return Ok(id);
    }
    let target = match Target::new(&endpoint) {
        Ok(target) => target,
        Err(error) => return Err(ConnectError::new(endpoint, error)),
    };
    let peer = hub.new_peer(retention(hub));
    begin_queue(hub, &peer, name)?;
    let id = peer.id;
    hub.tasks
        .spawn(keep_connected(Arc::clone(hub), peer, endpoint, target));
    Ok(id)
}

/// For how long messages are queued for a peer to connect to.
fn retention(hub: &Hub) -> Retention {
    match hub.options.queueing {
        Queueing::Always => Retention::Queue,
        Queueing::WhileConnected => Retention::Endpoint,
    }
}

/// Lets messages be queued for `peer` from now on, or from when it is there.
fn begin_queue(
    hub: &Hub,
    peer: &Arc<Peer>,
    name: impl FnOnce(&Arc<Peer>) -> Result<(), ConnectError>,
) -> Result<(), ConnectError> {
    match peer.retention {
        Retention::Queue | Retention::Connection => {
            name(peer)?;
            hub.insert_peer(peer);
        }
        Retention::Endpoint => {
            peer.outbox.suspend();
            name(peer)?;
        }
    }
    Ok(())
}
