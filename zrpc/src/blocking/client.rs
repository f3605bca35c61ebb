//! A client whose calls block the thread.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Items, wait};
use crate::{
    CallError, ClientBuilder, Closed, ConnectError, IoRuntime, OptionError, Request, Stats, Stub,
};

/// A client of a remote service, see [`zrpc::Client`](crate::Client).
///
/// Clones share the connection, and calls may be made from any number of threads at once.
#[derive(Debug, Clone)]
pub struct Client {
    client: crate::Client,
}

impl Client {
    /// Connects to a server, with the options of Python's client. Returns at once; the server may
    /// come later.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    pub fn connect(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        crate::Client::builder().connect(endpoint).build_blocking()
    }

    /// Calls a method and waits for its result. The arguments are a tuple.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    pub fn call<R: DeserializeOwned>(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<R, CallError> {
        self.request(method, args).blocking_call()
    }

    /// Calls a method that gives a stream, and returns its items without waiting for the first.
    ///
    /// # Errors
    ///
    /// As [`Client::stream`](crate::Client::stream).
    pub fn stream<T: DeserializeOwned>(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<Items<T>, CallError> {
        self.request(method, args).blocking_stream()
    }

    /// Prepares a call, to make it with options of its own by
    /// [`Request::blocking_call`] and its like.
    pub fn request(&self, method: impl Into<String>, args: impl Serialize) -> Request {
        self.client.request(method, args)
    }

    /// Waits until a server is connected. Calls do not need this.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Closed`] if the client is closed before, [`ConnectError::Unreachable`] if every
    /// server refuses it for good.
    pub fn connected(&self) -> Result<(), ConnectError> {
        wait(self.client.connected())
    }

    /// Returns how many servers are connected now.
    pub fn connection_count(&self) -> usize {
        self.client.connection_count()
    }

    /// Returns the endpoints that the client was built with, with wildcards resolved where it is
    /// bound.
    pub fn endpoints(&self) -> &[String] {
        self.client.endpoints()
    }

    /// As [`Client::connect_to`](crate::Client::connect_to).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect_to(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.client.connect_to(endpoint))
    }

    /// As [`Client::disconnect`](crate::Client::disconnect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.client.disconnect(endpoint)
    }

    /// As [`Client::bind`](crate::Client::bind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind(&self, endpoint: impl Into<String>) -> Result<String, ConnectError> {
        wait(self.client.bind(endpoint))
    }

    /// As [`Client::unbind`](crate::Client::unbind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.client.unbind(endpoint))
    }

    /// As [`Client::stats`](crate::Client::stats).
    ///
    /// # Errors
    ///
    /// [`Closed`] if the client was closed.
    pub fn stats(&self) -> Result<Stats, Closed> {
        wait(self.client.stats())
    }

    /// Closes this client and all its clones, and waits until what is on its way has been sent, for
    /// no longer than [`ClientBuilder::linger`]. Open calls, on whatever threads, end with
    /// [`CallError::Closed`].
    pub fn close(self) {
        wait(self.client.close());
    }

    /// Returns the client for tasks, which shares its connection.
    pub fn as_async(&self) -> &crate::Client {
        &self.client
    }
}

impl From<crate::Client> for Client {
    /// A client that was made on [`IoRuntime::Current`] must not be waited for on the thread of that
    /// runtime, if it is the only one.
    fn from(client: crate::Client) -> Self {
        Self { client }
    }
}

impl From<Client> for Stub {
    /// The stub of its connection: [`Stub::request`], and [`Request::blocking_call`] and its like.
    fn from(client: Client) -> Self {
        Self::new(client.client)
    }
}

impl Stub {
    /// Returns the client, with calls that block the thread, to wait for servers and to close it.
    ///
    /// If it was made on [`IoRuntime::Current`], it must not be waited for on the thread of that
    /// runtime, if it is the only one.
    ///
    /// # Example
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use zrpc::{Server, Stub, blocking::Client};
    ///
    /// # let server = Server::builder()
    /// #     .method("hello", |(name,): (String,)| async move { format!("Hello, {name}") })
    /// #     .bind("tcp://127.0.0.1:*")
    /// #     .build_blocking()?;
    /// # let endpoint = &server.endpoints()[0];
    /// let stub = Stub::from(Client::connect(endpoint)?).with_timeout(Duration::from_secs(10));
    /// stub.blocking_client().connected()?;
    /// let reply: String = stub.request("hello", ("RPC",)).blocking_call()?;
    /// assert_eq!(reply, "Hello, RPC");
    /// stub.blocking_client().close();
    /// # Ok(())
    /// # }
    /// ```
    pub fn blocking_client(&self) -> Client {
        self.client().clone().into()
    }
}

impl ClientBuilder {
    /// Makes a client whose calls block the thread. Returns at once; the servers may come later.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build); and [`OptionError::NoOwnThread`] with [`IoRuntime::Current`], whose
    /// runtime could be the one that is blocked.
    pub fn build_blocking(self) -> Result<Client, ConnectError> {
        if self.chosen_runtime() == IoRuntime::Current {
            return Err(OptionError::NoOwnThread.into());
        }
        wait(self.build()).map(Client::from)
    }
}
