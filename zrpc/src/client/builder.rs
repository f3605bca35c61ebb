//! The options of a client.

use std::time::Duration;

use proto::{Config, IdSource};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use zmtp::{DealerSocket, Socket};

use super::engine::ClientEngine;
use super::handle::Client;
use super::options::CallOptions;
use crate::endpoints::Endpoints;
use crate::io::{self, Driver, IoRuntime, Multiplexer};
use crate::{ConnectError, Heartbeat, Values};

/// Makes a [`Client`].
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), zrpc::ConnectError> {
/// use std::time::Duration;
/// use zrpc::{Client, Heartbeat};
///
/// // Calls go to the two servers in turn, and only to those that live.
/// let client = Client::builder()
///     .connect("tcp://10.0.0.1:4242")
///     .connect("tcp://10.0.0.2:4242")
///     .timeout(Duration::from_secs(3))
///     .heartbeat(Heartbeat::every(Duration::from_secs(1)))
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    endpoints: Endpoints,
    options: CallOptions,
    linger: Duration,
    io: IoRuntime,
}

/// How long a closed client still sends. All that matters is who gave up on which call.
const LINGER: Duration = Duration::from_secs(1);

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            endpoints: Endpoints::default(),
            options: CallOptions::default(),
            linger: LINGER,
            io: IoRuntime::default(),
        }
    }

    /// Connects to a server. Given several, calls go to them in turn, and only to those that are
    /// connected; a call stays with its server.
    pub fn connect(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoints.connect(endpoint.into());
        self
    }

    /// Lets servers connect to this client.
    pub fn bind(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoints.bind(endpoint.into());
        self
    }

    /// Sets how long the first reply to a call may take; `None` waits for as long as the server
    /// lives. Default: 30 seconds.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.timeout = timeout.into();
        self
    }

    /// Sets the heartbeat of calls. Default: every 5 seconds.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.options.heartbeat = heartbeat;
        self
    }

    /// Keeps the interval of the heartbeat, but is silent on each call until the server's first.
    pub fn passive_heartbeat(mut self) -> Self {
        self.options.heartbeat = self.options.heartbeat.into_passive();
        self
    }

    /// Sets how many items of a stream a server may send ahead of their consumption, at least one.
    /// Default: 100.
    pub fn slots(mut self, slots: u32) -> Self {
        self.options.slots = slots.max(1);
        self
    }

    /// Sets which values may be arguments. Default: [`Values::Portable`].
    pub fn values(mut self, values: Values) -> Self {
        self.options.values = values;
        self
    }

    /// Sets on which runtime the connection runs. Default: [`IoRuntime::Dedicated`].
    pub fn io_runtime(mut self, io: IoRuntime) -> Self {
        self.io = io;
        self
    }

    /// Makes the client. Returns at once; the servers may come later.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with an endpoint.
    ///
    /// # Cancel safety
    ///
    /// The client closes if the future is dropped.
    pub async fn build(self) -> Result<Client, ConnectError> {
        let (sender, commands) = mpsc::unbounded_channel();
        let finished = CancellationToken::new();
        let guard = finished.clone().drop_guard();
        let Self {
            endpoints,
            options,
            linger,
            io,
        } = self;
        let setup = move || async move {
            let socket = DealerSocket::builder().linger(linger).build();
            let endpoints = endpoints.attach(&socket).await?;
            let mux = Multiplexer::new(Config::client(), IdSource::new(rand::random()));
            let driver = Driver::new(socket, mux, ClientEngine::new(), commands);
            let task = async move {
                driver.run().await;
                drop(guard);
            };
            Ok((endpoints, task))
        };
        let endpoints = io::spawn(io, "zrpc-client", setup).await?;
        Ok(Client::new(sender, options, endpoints, finished))
    }
}
