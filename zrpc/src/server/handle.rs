//! A server that can be called, and the handle that stops it.

use super::builder::ServerBuilder;
use super::engine::Command;
use super::responder::CommandSender;
use crate::Interrupted;
use crate::io::Lifetime;

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
    lifetime: Lifetime,
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

    pub(super) fn new(commands: CommandSender, lifetime: Lifetime, endpoints: Vec<String>) -> Self {
        Self {
            handle: ServerHandle { commands, lifetime },
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

    fn tell(&self, command: Command) {
        // Without an I/O task the server has ended.
        let _ = self.commands.send(command);
    }
}
