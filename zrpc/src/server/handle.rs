//! A server that can be called, and the handle that stops it.

use std::fmt;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::builder::ServerBuilder;
use super::drain::{Drain, Drained};
use super::engine::Command;
use super::responder::CommandSender;
use crate::io::{Lifetime, Network};
use crate::{Closed, ConnectError, Interrupted, Stats};

/// A service that can be called.
///
/// It answers calls from the moment it is built until [`Self::run`] returns or it is dropped.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::Server;
///
/// Server::builder()
///     .name("Hello")
///     .method("hello", |(name,): (String,)| async move {
///         format!("Hello, {name}")
///     })
///     .bind("tcp://0.0.0.0:4242")
///     .build()
///     .await?
///     .run()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a server stops when it is dropped"]
pub struct Server {
    handle: ServerHandle,
    endpoints: Vec<String>,
}

/// Stops a [`Server`], or changes where it serves, from elsewhere, such as a handler or a task that
/// waits for a signal.
#[derive(Clone)]
pub struct ServerHandle {
    pub(super) commands: CommandSender,
    pub(super) lifetime: Lifetime,
    pub(super) network: Network,
}

impl Server {
    /// Makes a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// Serves until the server is shut down or closed through a [`ServerHandle`].
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if the server ended for any other reason.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the server.
    pub async fn run(self) -> Result<(), Interrupted> {
        self.handle.lifetime.ended().await
    }

    /// Returns the endpoints of the server, with wildcards resolved.
    pub fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// Returns a handle that stops this server. It does not keep it alive.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    pub(super) fn new(handle: ServerHandle, endpoints: Vec<String>) -> Self {
        Self { handle, endpoints }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle").finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.tell(Command::Close);
    }
}

impl ServerHandle {
    /// Shuts the server down: it takes no more calls, answers those that it has, and ends when the
    /// answers are sent, or could not be within [`ServerBuilder::linger`] after the last. Callers
    /// that come too late get an error with the name `ServerStopping`.
    ///
    /// However long handlers take, and callers to take the items of streams, it is waited for them;
    /// [`Self::close`] cuts that short. A handler is one of those calls: it must not wait for this,
    /// but may do it in a task.
    ///
    /// # Cancel safety
    ///
    /// The server shuts down in the background if the future is dropped.
    pub async fn shutdown(&self) {
        self.tell(Command::Shutdown);
        // However it ended, it has ended.
        let _ = self.lifetime.ended().await;
    }

    /// As [`Self::shutdown`], and as [`Self::close`] once `timeout` is over. Returns which calls were
    /// cut off by that.
    ///
    /// From the beginning on, new calls are answered with an error of the name `ServerStopping`: they
    /// did not run, and may be made elsewhere. Calls that wait for their turn still get it.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(handle: zrpc::ServerHandle) -> Result<(), zrpc::Interrupted> {
    /// let drained = handle.drain(std::time::Duration::from_secs(30)).await?;
    /// for (method, calls) in &drained.cut {
    ///     eprintln!("{calls} calls of {method} were not answered");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if the I/O task ended before its work was done: nobody knows what was cut off.
    ///
    /// # Cancel safety
    ///
    /// The server ends in the background, at the same time, if the future is dropped.
    pub async fn drain(&self, timeout: Duration) -> Result<Drained, Interrupted> {
        let (report, drained) = oneshot::channel();
        self.tell(Command::Drain(Drain {
            // A time that no clock reaches does not come.
            until: Instant::now().checked_add(timeout),
            report,
        }));
        self.lifetime.ended().await?;
        // A server that had ended before cuts nothing off.
        Ok(drained.await.unwrap_or_default())
    }

    /// Listens on one more endpoint, which is returned with wildcards resolved.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The endpoint may be bound after the future was dropped.
    pub async fn bind(&self, endpoint: impl Into<String>) -> Result<String, ConnectError> {
        self.network.bind(endpoint.into()).await
    }

    /// Listens on an endpoint no longer, and parts from the clients that came there, whose calls are
    /// cancelled.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if the server is not bound to the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The endpoint may be unbound after the future was dropped.
    pub async fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.network.unbind(endpoint.into()).await
    }

    /// Connects to one more endpoint, and serves whoever listens there; once more, if it is connected
    /// to it already. The endpoint is taken as it is: middleware resolves those that the server is
    /// built with.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The server may connect after the future was dropped.
    pub async fn connect(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.network.connect(endpoint.into()).await
    }

    /// Parts from whoever listens on an endpoint, however often it was connected to. The calls that
    /// came from there are cancelled.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if the server is not connected to the endpoint.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.network.disconnect(endpoint)
    }

    /// Closes the server: all handlers are cancelled, and their callers are not answered. What was
    /// answered before is still sent, for no longer than [`ServerBuilder::linger`].
    ///
    /// # Cancel safety
    ///
    /// The server closes in the background if the future is dropped.
    pub async fn close(&self) {
        self.tell(Command::Close);
        // However it ended, it has ended.
        let _ = self.lifetime.ended().await;
    }

    /// Returns what the server is doing, and what it has counted.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the server has ended.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn stats(&self) -> Result<Stats, Closed> {
        let (answer, stats) = oneshot::channel();
        self.tell(Command::Stats(answer));
        stats.await.map_err(|_| Closed)
    }

    fn tell(&self, command: Command) {
        // Without an I/O task the server has ended.
        let _ = self.commands.send(command);
    }
}
