//! The options of a client.

use std::sync::Arc;
use std::time::Duration;

use proto::{Config, IdSource, Limits};
use zmtp::{DealerSocket, Socket};

use super::call::CommandSender;
use super::engine::ClientEngine;
use super::handle::{Client, Connections};
use super::options::CallOptions;
use super::waking::Relays;
use crate::endpoints::Endpoints;
use crate::io::{self, Driver, IoRuntime, Life, Multiplexer, Network, queue};
use crate::limits::{LimitOptions, check_limits};
use crate::middleware::{Chain, Middleware};
use crate::security::Security;
use crate::socket_options::Messages;
use crate::{Compat, ConnectError, Heartbeat, SocketOptions};

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
    limits: Limits,
    limit_options: LimitOptions,
    linger: Duration,
    io: IoRuntime,
    security: Security,
    socket: SocketOptions,
    middleware: Chain,
}

/// How long a closed client still sends unless told otherwise. All that matters is who gave up on which call.
const LINGER: Duration = Duration::from_secs(1);

impl ClientBuilder {
    pub(super) fn new() -> Self {
        Self {
            endpoints: Endpoints::default(),
            options: CallOptions::default(),
            limits: Limits::default(),
            limit_options: LimitOptions::default(),
            linger: LINGER,
            io: IoRuntime::default(),
            security: Security::default(),
            socket: SocketOptions::default(),
            middleware: Chain::default(),
        }
    }

    /// Connects to a server. Given several, calls go to them in turn, and only to those that are
    /// connected; a call stays with its server. A server that is given twice is connected to once.
    pub fn connect(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoints.connect(endpoint.into());
        self
    }

    /// Lets servers connect to this client.
    pub fn bind(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoints.bind(endpoint.into());
        self
    }

    /// Sets how long the first reply to a call may take, and the time until there is a server with
    /// it; `None` waits for as long as the server lives. Default: 30 seconds.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.timeout = timeout.into();
        self
    }

    /// Sets how long each item of a stream may take behind the first, see
    /// [`Request::item_timeout`](crate::Request::item_timeout). Default: as long as the server lives.
    pub fn item_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options.item_timeout = timeout.into();
        self
    }

    /// Sets the heartbeat of calls. Default: every 5 seconds.
    ///
    /// A call with an active heartbeat waits for a server no longer than a silent one is
    /// believed to live: for three intervals.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.options.set_heartbeat(heartbeat);
        self
    }

    /// Keeps the interval of the heartbeat, but is silent on each call until the server's first.
    pub fn passive_heartbeat(mut self) -> Self {
        self.options.set_passive();
        self
    }

    /// Sets how many items of a stream a server may send ahead of their consumption, at least one.
    /// Default: 1024. Beyond 100, only as far as the items in them stay below 4 MiB, and only for
    /// servers of this crate: the sockets of others drop what they send too far ahead, and all
    /// streams of one share 400.
    pub fn slots(mut self, slots: u32) -> Self {
        self.options.slots = slots;
        self
    }

    /// Sets how many bytes of items that were not yet taken one server's streams may hold. Where
    /// items are large, servers are allowed fewer of them than there are slots. Default: 512 MiB.
    pub fn max_received_bytes_per_server(mut self, bytes: usize) -> Self {
        self.limits.received_bytes_per_peer = bytes;
        self.limit_options.received_bytes_per_peer = Some("max_received_bytes_per_server");
        self
    }

    /// Sets what a server, and all servers together, may use: the events that are accepted, open
    /// calls, and bytes that wait to be taken or sent. [`Limits`] has the defaults. Replaces what
    /// [`Self::max_received_bytes_per_server`] has set before.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.limit_options = LimitOptions::default();
        self
    }

    /// Sets for whom the arguments of calls are; one that would be dropped or changed on the way is
    /// an error. Default: [`Compat::PYTHON`].
    pub fn compat(mut self, compat: Compat) -> Self {
        self.options.compat = compat;
        self
    }

    /// Sets how long a client that is closed still sends what is queued, such as who gave up on which
    /// call. Default: 1 second.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Sets on which runtime the connection runs. Default: [`IoRuntime::Dedicated`].
    pub fn io_runtime(mut self, io: IoRuntime) -> Self {
        self.io = io;
        self
    }

    /// Sets how the connections are secured. Default: not at all.
    ///
    /// A client that binds may be the server of a mechanism, which decides what workers come in.
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Sets how connections are made, accepted and checked.
    pub fn socket(mut self, options: SocketOptions) -> Self {
        self.socket = options;
        self
    }

    /// Adds [middleware](crate::middleware), behind that which was added before.
    pub fn middleware(mut self, middleware: impl Middleware) -> Self {
        self.middleware.push(Arc::new(middleware));
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
        self.check()?;
        let (sender, commands) = queue();
        let (life, lifetime) = Life::new();
        let Self {
            endpoints,
            options,
            limits,
            limit_options: _,
            linger,
            io,
            security,
            socket: options_of_socket,
            middleware,
        } = self;
        let endpoints = middleware.resolve_endpoints(endpoints).await?;
        endpoints.check()?;
        let config = Config::client().with_limits(limits);
        let setup = move || async move {
            // A call ends with its connection: what is queued for a server must not outlive it.
            let socket = DealerSocket::builder().immediate().linger(linger);
            let socket = security.apply(options_of_socket.apply(socket))?.build();
            // Before anything can fail.
            let monitor = socket.monitor();
            let endpoints = endpoints.attach(&socket).await?;
            let mux = Multiplexer::new(config, IdSource::new(rand::random()));
            let network = Network::new(&socket);
            let (engine, servers) = ClientEngine::new(network.clone());
            let driver = Driver::new((socket, monitor), mux, engine, commands, (io, linger));
            let task = async move {
                driver.run().await;
                life.finish();
            };
            let connections = Connections {
                endpoints,
                network,
                servers,
            };
            Ok((connections, task))
        };
        let connections = io::spawn(io, "zrpc-client", setup).await?;
        let relays = match io {
            IoRuntime::Current => Relays::None,
            IoRuntime::Dedicated => Relays::by_runtime(),
        };
        let commands = CommandSender::new(sender, relays);
        let options = (options, middleware.into_shared());
        Ok(Client::new(commands, options, connections, lifetime))
    }

    /// On which runtime the connection will run.
    #[cfg(feature = "blocking")]
    pub(crate) fn chosen_runtime(&self) -> IoRuntime {
        self.io
    }

    /// Says what is wrong, before anything is begun.
    fn check(&self) -> Result<(), ConnectError> {
        self.options.check()?;
        check_limits(&self.limits, &self.limit_options)?;
        self.security.check()?;
        self.socket.check(Messages::Calls, &self.security)?;
        if let Some(option) = self.limit_options.asked_event_len(&self.limits) {
            let event_len = self.limits.decode.event_len;
            self.socket.check_event_len(option, event_len)?;
        }
        Ok(())
    }
}
