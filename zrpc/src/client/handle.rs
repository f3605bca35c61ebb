//! The handle that callers share.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::builder::ClientBuilder;
use super::call::CommandSender;
use super::engine::Command;
use super::options::CallOptions;
use super::request::Request;
use super::stream::ReplyStream;
use crate::io::Lifetime;
use crate::middleware::Chain;
use crate::{CallError, ConnectError};

/// A client of a remote service.
///
/// Cloning it is cheap, and clones share the connection: calls run concurrently on it, from any
/// number of tasks and threads. When the last clone, call and stream are dropped, the client closes.
///
/// The connection is kept up in the background. A call that is made while there is none waits for
/// it: as long as its timeout allows, but no longer than three heartbeat intervals, after which it
/// fails with [`CallError::LostRemote`] as if it had a silent server. With heartbeats off or passive
/// this second limit does not apply. A call stays with its connection: when that
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
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    commands: CommandSender,
    options: CallOptions,
    /// `None` if there is none.
    middleware: Option<Arc<Chain>>,
    endpoints: Vec<String>,
    lifetime: Lifetime,
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

    /// Returns the endpoints of the client, with wildcards resolved where it is bound.
    pub fn endpoints(&self) -> &[String] {
        &self.shared.endpoints
    }

    /// Closes this client and all its clones, and waits until what is on its way has been sent.
    /// Open calls end with [`CallError::Closed`].
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
        endpoints: Vec<String>,
        lifetime: Lifetime,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                commands,
                options,
                middleware,
                endpoints,
                lifetime,
            }),
        }
    }
}
