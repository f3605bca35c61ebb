//! A server for programs without a runtime.

use std::time::Duration;

use super::runtime::OwnRuntime;
use super::wait;
use crate::{BuildError, Closed, ConnectError, Drained, Interrupted, ServerBuilder, Stats};

/// A service that can be called, see [`zrpc::Server`](crate::Server).
///
/// Its handlers run on a runtime of its own, with as many threads as the machine has processors;
/// blocking ones have threads beside them. It serves from when it is built until it is shut down,
/// closed, or dropped.
#[derive(Debug)]
#[must_use = "a server stops when it is dropped"]
pub struct Server {
    /// Dropped first, which closes it.
    server: Option<crate::Server>,
    /// Runs the handlers for as long as there is a server.
    _runtime: OwnRuntime,
    endpoints: Vec<String>,
    handle: ServerHandle,
}

/// Stops a [`Server`], or changes where it serves, from another thread.
///
/// A handler may use it too, if it is one that blocks; it must not wait for the end of its own server.
#[derive(Debug, Clone)]
pub struct ServerHandle {
    handle: crate::ServerHandle,
}

impl Server {
    /// Serves until the server is shut down or closed through a [`ServerHandle`].
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if the server ended for any other reason.
    pub fn run(mut self) -> Result<(), Interrupted> {
        match self.server.take() {
            Some(server) => wait(server.run()),
            None => Ok(()),
        }
    }

    /// Returns the endpoints of the server, with wildcards resolved.
    pub fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// Returns a handle that stops this server. It does not keep it alive.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }
}

impl ServerHandle {
    /// As [`ServerHandle::shutdown`](crate::ServerHandle::shutdown).
    pub fn shutdown(&self) {
        wait(self.handle.shutdown());
    }

    /// As [`ServerHandle::drain`](crate::ServerHandle::drain).
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if the server ended before its work was done.
    pub fn drain(&self, timeout: Duration) -> Result<Drained, Interrupted> {
        wait(self.handle.drain(timeout))
    }

    /// As [`ServerHandle::close`](crate::ServerHandle::close).
    pub fn close(&self) {
        wait(self.handle.close());
    }

    /// As [`ServerHandle::stats`](crate::ServerHandle::stats).
    ///
    /// # Errors
    ///
    /// [`Closed`] if the server has ended.
    pub fn stats(&self) -> Result<Stats, Closed> {
        wait(self.handle.stats())
    }

    /// As [`ServerHandle::bind`](crate::ServerHandle::bind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind(&self, endpoint: impl Into<String>) -> Result<String, ConnectError> {
        wait(self.handle.bind(endpoint))
    }

    /// As [`ServerHandle::unbind`](crate::ServerHandle::unbind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.handle.unbind(endpoint))
    }

    /// As [`ServerHandle::connect`](crate::ServerHandle::connect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.handle.connect(endpoint))
    }

    /// As [`ServerHandle::disconnect`](crate::ServerHandle::disconnect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.handle.disconnect(endpoint)
    }
}

impl ServerBuilder {
    /// Makes the server, for a program without a runtime: its handlers get one of their own. It
    /// answers calls from now on.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build); [`ConnectError::Thread`] if the runtime cannot be started.
    pub fn build_blocking(self) -> Result<Server, BuildError> {
        let runtime = OwnRuntime::start()?;
        let server = {
            let _inside = runtime.enter();
            wait(self.build())?
        };
        Ok(Server {
            endpoints: server.endpoints().to_vec(),
            handle: ServerHandle {
                handle: server.handle(),
            },
            server: Some(server),
            _runtime: runtime,
        })
    }
}
