//! The handle that callers share.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{oneshot, watch};

use super::builder::ClientBuilder;
use super::call::CommandSender;
use super::engine::Command;
use super::options::CallOptions;
use super::request::Request;
use super::stream::ReplyStream;
use crate::io::{Lifetime, Network};
use crate::middleware::Chain;
use crate::{CallError, Closed, ConnectError, ConnectionFailure, Stats};

/// A client of a remote service.
///
/// Cloning it is cheap, and clones share the connection: calls run concurrently on it, from any
/// number of tasks and threads. When the last clone, call and stream are dropped, the client closes.
///
/// The connection is kept up in the background. A call that is made while there is none waits for
/// it: as long as its timeout allows, but no longer than three heartbeat intervals, after which it
/// fails with [`CallError::LostRemote`] as if it had a silent server. With heartbeats off or passive
/// this second limit does not apply. Where there is nothing to wait for, because every server
/// refuses the client for good, it fails with [`CallError::Unreachable`] at once. A call stays with its connection: when that
/// ends, the call fails with [`CallError::Disconnected`], and is not sent again.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::Client;
///
/// let client = Client::connect("tcp://127.0.0.1:4242").await?;
/// let reply: String = client.call("hello", ("RPC",)).await?;
/// println!("{reply}");
///
/// let mut items = client.stream::<u64>("count", (1_000_000,)).await?;
/// while let Some(item) = items.next_item().await? {
///     println!("{item}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    commands: CommandSender,
    options: CallOptions,
    /// `None` if there is none.
    middleware: Option<Arc<Chain>>,
    connections: Connections,
    lifetime: Lifetime,
}

/// How a client reaches its servers.
pub(super) struct Connections {
    pub(super) endpoints: Vec<String>,
    pub(super) network: Network,
    pub(super) servers: watch::Receiver<Servers>,
}

/// What there is to be said of the servers of a client.
#[derive(Debug, Default)]
pub(super) struct Servers {
    /// How many are connected.
    pub(super) count: usize,
    /// Why none is expected any more, unless endpoints were added since.
    pub(super) unreachable: Option<Arc<ConnectionFailure>>,
}

impl Connections {
    /// Whether it is no use to wait any longer for a server, or that there is one.
    fn outlook(&self, servers: &mut watch::Receiver<Servers>) -> Option<Result<(), ConnectError>> {
        let servers = servers.borrow_and_update();
        if servers.count > 0 {
            return Some(Ok(()));
        }
        let failure = servers.unreachable.as_deref()?;
        let is_final = !self.network.has_endpoints();
        is_final.then(|| Err(ConnectError::Unreachable(Box::new(failure.clone()))))
    }
}

impl Client {
    /// Connects to a server, with the options of Python's client: a timeout of 30 seconds and a
    /// heartbeat every 5.
    ///
    /// Returns at once; the server may come later.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The client closes if the future is dropped.
    pub async fn connect(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        Self::builder().connect(endpoint).build().await
    }

    /// Makes a client with other options, or for several servers.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Calls a method and waits for its result.
    ///
    /// The arguments are a tuple; `()` stands for none.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the call. The server is told if it understands that, which is known
    /// from its first reply to this client; until then, and if it does not, it notices that the
    /// heartbeats of the call stop.
    pub async fn call<R>(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<R, CallError>
    where
        R: DeserializeOwned,
    {
        self.request(method, args).call().await
    }

    /// Calls a method that gives a stream, and returns the stream without waiting for anything.
    ///
    /// A method that gives a single result is a stream of one item.
    ///
    /// # Errors
    ///
    /// [`CallError::Encode`] and [`CallError::NotPortable`]: nothing was sent. Everything else, such
    /// as that there is no server, is an error of the stream.
    ///
    /// # Cancel safety
    ///
    /// The future is ready at once. Dropping the stream ends the call.
    pub async fn stream<T>(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<ReplyStream<T>, CallError>
    where
        T: DeserializeOwned,
    {
        self.request(method, args).stream().await
    }

    /// Prepares a call, to make it with options of its own.
    pub fn request(&self, method: impl Into<String>, args: impl Serialize) -> Request {
        Request::new(
            self.shared.commands.clone(),
            method.into(),
            proto::Body::args(&args),
            self.shared.options.clone(),
        )
        .with_middleware(self.shared.middleware.clone())
    }

    /// Prepares a call whose arguments are encoded already.
    #[cfg(feature = "tower")]
    pub(crate) fn request_encoded(
        &self,
        method: String,
        args: Result<proto::Body, proto::EncodeError>,
    ) -> Request {
        let shared = &self.shared;
        let (commands, options) = (shared.commands.clone(), shared.options.clone());
        Request::new(commands, method, args, options).with_middleware(shared.middleware.clone())
    }

    /// Returns the endpoints that the client was built with, with wildcards resolved where it is
    /// bound.
    pub fn endpoints(&self) -> &[String] {
        &self.shared.connections.endpoints
    }

    /// Waits until a server is connected.
    ///
    /// Calls do not need this: they wait by themselves.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Closed`] if the client is closed before, [`ConnectError::Unreachable`] if every
    /// server refuses it for good.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn connected(&self) -> Result<(), ConnectError> {
        let connections = &self.shared.connections;
        let mut servers = connections.servers.clone();
        loop {
            if let Some(outlook) = connections.outlook(&mut servers) {
                return outlook;
            }
            let changed = servers.changed().await;
            changed.map_err(|_| ConnectError::Closed)?;
        }
    }

    /// Returns how many servers are connected now.
    pub fn connection_count(&self) -> usize {
        self.shared.connections.servers.borrow().count
    }

    /// Connects to one more server, which gets calls like the others once it is there; to one that the
    /// client is connected to already, nothing happens. The endpoint is taken as it is: middleware
    /// resolves those that the client is built with.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The client may connect after the future was dropped.
    pub async fn connect_to(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.shared
            .connections
            .network
            .connect(endpoint.into())
            .await
    }

    /// Parts from a server. Calls that it has end with [`CallError::Disconnected`].
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if the client is not connected to the endpoint.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.shared.connections.network.disconnect(endpoint)
    }

    /// Lets servers connect on one more endpoint, which is returned with wildcards resolved.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The endpoint may be bound after the future was dropped.
    pub async fn bind(&self, endpoint: impl Into<String>) -> Result<String, ConnectError> {
        self.shared.connections.network.bind(endpoint.into()).await
    }

    /// Lets no more servers connect on an endpoint, and parts from those that did. Calls that they
    /// have end with [`CallError::Disconnected`].
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if the client is not bound to the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The endpoint may be unbound after the future was dropped.
    pub async fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.shared
            .connections
            .network
            .unbind(endpoint.into())
            .await
    }

    /// Returns what the client is doing, and what it has counted.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the client was closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn stats(&self) -> Result<Stats, Closed> {
        let (answer, stats) = oneshot::channel();
        self.shared.commands.send(Command::Stats(answer));
        stats.await.map_err(|_| Closed)
    }

    /// Closes this client and all its clones, and waits until what is on its way has been sent, for
    /// no longer than [`ClientBuilder::linger`]. Open calls end with [`CallError::Closed`].
    ///
    /// # Cancel safety
    ///
    /// The client closes in the background if the future is dropped.
    pub async fn close(self) {
        self.shared.commands.send(Command::Shutdown);
        // However it ended, it is closed.
        let _ = self.shared.lifetime.ended().await;
    }

    pub(super) fn new(
        commands: CommandSender,
        (options, middleware): (CallOptions, Option<Arc<Chain>>),
        connections: Connections,
        lifetime: Lifetime,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                commands,
                options,
                middleware,
                connections,
                lifetime,
            }),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoints", &self.endpoints())
            .field("connection_count", &self.connection_count())
            .finish_non_exhaustive()
    }
}
