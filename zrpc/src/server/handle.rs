//! A server that can be called, and the handle that stops it.

use tokio_util::sync::CancellationToken;

use super::builder::ServerBuilder;
use super::engine::Command;
use super::responder::CommandSender;

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
///     .await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a server stops when it is dropped"]
pub struct Server {
    handle: ServerHandle,
    endpoints: Vec<String>,
}

/// Stops a [`Server`] from elsewhere, such as a handler or a task that waits for a signal.
#[derive(Debug, Clone)]
pub struct ServerHandle {
    commands: CommandSender,
    finished: CancellationToken,
}

impl Server {
    /// Makes a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// Serves until the server is shut down or closed through a [`ServerHandle`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the server.
    pub async fn run(self) {
        self.handle.finished.cancelled().await;
    }

    /// Returns the endpoints of the server, with wildcards resolved.
    pub fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// Returns a handle that stops this server. It does not keep it alive.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    pub(super) fn new(
        commands: CommandSender,
        finished: CancellationToken,
        endpoints: Vec<String>,
    ) -> Self {
        Self {
            handle: ServerHandle { commands, finished },
            endpoints,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.tell(Command::Close);
    }
}

impl ServerHandle {
    /// Shuts the server down: it takes no more calls, answers those that it has, and ends.
    /// Callers that come too late get an error with the name `ServerStopping`.
    ///
    /// A handler is one of those calls: it must not wait for this, but may do it in a task.
    ///
    /// # Cancel safety
    ///
    /// The server shuts down in the background if the future is dropped.
    pub async fn shutdown(&self) {
        self.tell(Command::Shutdown);
        self.finished.cancelled().await;
    }

    /// Closes the server: all handlers are cancelled, and their callers are not answered. What was
    /// answered before is still sent, see [`ServerBuilder::linger`].
    ///
    /// # Cancel safety
    ///
    /// The server closes in the background if the future is dropped.
    pub async fn close(&self) {
        self.tell(Command::Close);
        self.finished.cancelled().await;
    }

    fn tell(&self, command: Command) {
        // Without an I/O task the server has ended.
        let _ = self.commands.send(command);
    }
}
