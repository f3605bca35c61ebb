//! The options of a server.

use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use proto::{Config, IdSource, Limits};
use serde::de::DeserializeOwned;
use zmtp::{RouterSocket, Socket};

use super::engine::{ServerEngine, Settings};
use super::handle::{Server, ServerHandle};
use super::options::THREADS;
use super::spawner::Spawner;
use super::{Authorize, Concurrency, Introspection, Tracebacks};
use crate::endpoints::Endpoints;
use crate::io::{self, Driver, IoRuntime, Life, Multiplexer, Network, queue};
use crate::limits::{LimitOptions, check_limits};
use crate::middleware::{Chain, Middleware};
use crate::security::Security;
use crate::service::{IntoReply, Method, Registry, Service};
use crate::socket_options::Messages;
use crate::sync::Handle;
use crate::{BuildError, Compat, ConnectError, Heartbeat, OptionError, ServeError, SocketOptions};

/// Makes a [`Server`].
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::{Argument, Fault, Method, Server};
///
/// let server = Server::builder()
///     .name("Calculator")
///     .method("negate", |(value,): (i64,)| async move { -value })
///     .blocking("factor", |(number,): (u64,)| {
///         (2..number).find(|divisor| number % divisor == 0)
///     })
///     .stream("count", |(to,): (u64,)| futures_util::stream::iter(0..to))
///     .register(
///         Method::new("divide", |(a, b): (i64, i64)| async move {
///             a.checked_div(b)
///                 .ok_or_else(|| Fault::new("ZeroDivisionError", "division by zero"))
///         })
///         .doc("Divides one number by another.")
///         .args([Argument::new("dividend"), Argument::new("divisor").default(2)]),
///     )
///     .bind("tcp://127.0.0.1:*")
///     .build()
///     .await?;
/// println!("listening on {}", server.endpoints()[0]);
/// server.run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ServerBuilder {
    name: Option<String>,
    /// The name of the first service, if there is one.
    service: Option<String>,
    methods: Vec<Method>,
    endpoints: Endpoints,
    heartbeat: Heartbeat,
    concurrency: Concurrency,
    threads: usize,
    tracebacks: Tracebacks,
    compat: Compat,
    limits: Limits,
    limit_options: LimitOptions,
    linger: Duration,
    io: IoRuntime,
    security: Security,
    socket: SocketOptions,
    authorizer: Option<Arc<dyn Authorize>>,
    introspection: Introspection,
    middleware: Chain,
}

/// How long a server that has ended still sends.
const LINGER: Duration = Duration::from_secs(5);

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            name: None,
            service: None,
            methods: Vec::new(),
            endpoints: Endpoints::default(),
            heartbeat: Heartbeat::default(),
            concurrency: Concurrency::Unlimited,
            threads: THREADS,
            tracebacks: Tracebacks::default(),
            compat: Compat::default(),
            limits: Limits::default(),
            limit_options: LimitOptions::default(),
            linger: LINGER,
            io: IoRuntime::default(),
            security: Security::default(),
            socket: SocketOptions::default(),
            authorizer: None,
            introspection: Introspection::default(),
            middleware: Chain::default(),
        }
    }

    /// Sets the name that introspection shows. Default: that of the first [`Self::service`], or
    /// `zrpc`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Offers an asynchronous closure, see [`Method::new`].
    pub fn method<A, K, F, R>(self, name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned + 'static,
        K: 'static,
        F: Fn(A) -> R + Send + Sync + 'static,
        R: Future<Output: IntoReply<K>> + Send + 'static,
    {
        self.register(Method::new(name, handler))
    }

    /// Offers a closure that holds its thread, see [`Method::blocking`].
    pub fn blocking<A, K, F, R>(self, name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned + 'static,
        K: 'static,
        F: Fn(A) -> R + Send + Sync + 'static,
        R: IntoReply<K> + 'static,
    {
        self.register(Method::blocking(name, handler))
    }

    /// Offers a closure that gives a stream, see [`Method::stream`].
    pub fn stream<A, K, F, S>(self, name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned + 'static,
        K: 'static,
        F: Fn(A) -> S + Send + Sync + 'static,
        S: Stream<Item: IntoReply<K>> + Send + 'static,
    {
        self.register(Method::stream(name, handler))
    }

    /// Offers a closure that gives an iterator that holds its thread, see
    /// [`Method::blocking_stream`].
    pub fn blocking_stream<A, K, F, I>(self, name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned + 'static,
        K: 'static,
        F: Fn(A) -> I + Send + Sync + 'static,
        I: IntoIterator<Item: IntoReply<K>> + 'static,
    {
        self.register(Method::blocking_stream(name, handler))
    }

    /// Offers a method with a description of its own.
    pub fn register(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// Offers all methods of a service. Introspection shows its name, unless [`Self::name`] set
    /// one or it is not the first.
    pub fn service(mut self, service: impl Service) -> Self {
        self.service.get_or_insert_with(|| service.name());
        self.methods.extend(Arc::new(service).into_methods());
        self
    }

    /// Offers all methods of a service under names that begin with `prefix`, see
    /// [`Service::prefixed`]. Two methods of one name are [`BuildError::DuplicateMethod`].
    pub fn service_with_prefix(self, prefix: &str, service: impl Service) -> Self {
        self.service(service.prefixed(prefix))
    }

    /// Listens on an endpoint; `tcp://127.0.0.1:*` takes a free port.
    pub fn bind(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoints.bind(endpoint.into());
        self
    }

    /// Connects to an endpoint and serves whoever listens there, such as a broker. Given twice, there
    /// are two connections, and whoever shares its calls among its workers gives this one two shares.
    pub fn connect(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoints.connect(endpoint.into());
        self
    }

    /// Sets the heartbeat. Default: every 5 seconds.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Sets how many handlers run at the same time. Further calls wait for their turn while their
    /// heartbeats go on. Introspection is not counted, with whatever middleware is around it.
    /// Default: no limit beyond that of the channels of each peer.
    ///
    /// Waiting calls are taken from the connections in turn, and in order from each. Nothing keeps
    /// one peer from occupying all places with calls that take long; what it cannot do is to have
    /// more than one start before the next one of another peer that waits.
    pub fn max_concurrency(mut self, handlers: usize) -> Self {
        self.concurrency = Concurrency::Limited(handlers);
        self
    }

    /// Sets how many handlers hold a thread at the same time, see [`Method::blocking`]. Further
    /// ones wait for their turn as with [`Self::max_concurrency`]. Default: 256.
    ///
    /// A handler counts until it returns, even if its caller is gone. The pool of the runtime should
    /// have more threads than this; tokio's has 512 unless told otherwise.
    pub fn max_blocking(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets what a peer, and all peers together, may use: the events that are accepted, open calls,
    /// and bytes that wait to be handled or sent. Replaces what the three `max_…_per_peer` and
    /// [`Self::max_request_len`] have set before. The defaults:
    ///
    /// | limit | default | beyond it |
    /// |---|---|---|
    /// | [`decode.event_len`](crate::DecodeLimits::event_len) | 128 MiB | the call fails, `ProtocolError` |
    /// | [`decode.header_len`](crate::DecodeLimits::header_len) | 64 KiB | the same |
    /// | [`decode.header_entries`](crate::DecodeLimits::header_entries) | 128 | the same |
    /// | [`decode.depth`](crate::DecodeLimits::depth), [`decode.values`](crate::DecodeLimits::values) | 512, 16 Mi | the same |
    /// | [`channels_per_peer`](Limits::channels_per_peer) | 16 384 | the call fails, `LimitExceeded` |
    /// | [`channels_total`](Limits::channels_total) | 262 144 | the same |
    /// | [`received_bytes_per_peer`](Limits::received_bytes_per_peer) | 512 MiB | the same |
    /// | [`received_bytes_total`](Limits::received_bytes_total) | 2 GiB | the same |
    /// | [`queued_bytes_per_peer`](Limits::queued_bytes_per_peer) | 1 MiB | streams and new calls wait until the peer has read |
    /// | [`unread_bytes_per_peer`](Limits::unread_bytes_per_peer) | 256 MiB | the call fails, `LimitExceeded` |
    /// | [`queued_bytes_total`](Limits::queued_bytes_total) | 1 GiB | streams stop, calls fail |
    ///
    /// A handler of a stream is ahead of the connection by at most 256 items, and, but for a single one
    /// that is larger, by 256 KiB. How many connections there may be is among the [options of the socket](Self::socket).
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.limit_options = LimitOptions::default();
        self
    }

    /// Sets how long a request may be in bytes, as it is encoded. Longer ones fail without being
    /// decoded. Default: 128 MiB.
    pub fn max_request_len(mut self, bytes: usize) -> Self {
        self.limits.decode.event_len = bytes;
        self.limit_options.event_len = Some("max_request_len");
        self
    }

    /// Sets how many calls one peer may have open. Default: 16 384.
    pub fn max_calls_per_peer(mut self, calls: usize) -> Self {
        self.limits.channels_per_peer = calls;
        self.limit_options.channels_per_peer = Some("max_calls_per_peer");
        self
    }

    /// Sets how many bytes of arguments one peer's open calls may hold. Default: 512 MiB.
    pub fn max_received_bytes_per_peer(mut self, bytes: usize) -> Self {
        self.limits.received_bytes_per_peer = bytes;
        self.limit_options.received_bytes_per_peer = Some("max_received_bytes_per_peer");
        self
    }

    /// Sets who decides which calls are served. Default: nobody, and all are.
    pub fn authorize(mut self, authorizer: impl Authorize) -> Self {
        self.authorizer = Some(Arc::new(authorizer));
        self
    }

    /// Sets whether callers may ask what the server offers. Default: [`Introspection::Offered`].
    pub fn introspection(mut self, introspection: Introspection) -> Self {
        self.introspection = introspection;
        self
    }

    /// Sets whether callers see tracebacks. Default: [`Tracebacks::Withheld`].
    pub fn tracebacks(mut self, tracebacks: Tracebacks) -> Self {
        self.tracebacks = tracebacks;
        self
    }

    /// Sets for whom the values are that handlers give; one that would be dropped or changed on the
    /// way is an error, which its caller gets instead. Default: [`Compat::PYTHON`].
    pub fn compat(mut self, compat: Compat) -> Self {
        self.compat = compat;
        self
    }

    /// Sets how long a server that has nothing else to do still sends what was answered, when it
    /// is shut down or closed. Default: 5 seconds.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Sets on which runtime the connections run. Default: [`IoRuntime::Dedicated`]. Handlers
    /// always run on the runtime that builds the server.
    pub fn io_runtime(mut self, io: IoRuntime) -> Self {
        self.io = io;
        self
    }

    /// Sets how the connections are secured. Default: not at all.
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

    /// Makes the server, which answers calls from now on.
    ///
    /// # Errors
    ///
    /// [`BuildError`] says what is wrong with a method or an endpoint.
    ///
    /// # Cancel safety
    ///
    /// The server closes if the future is dropped.
    pub async fn build(self) -> Result<Server, BuildError> {
        self.check()?;
        let runtime = Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
        let (sender, commands) = queue();
        let name = self.name.or(self.service);
        let mut registry = Registry::new(name.as_deref().unwrap_or("zrpc"), self.methods)?;
        if self.introspection == Introspection::Hidden {
            registry.hide_introspection();
        }
        let settings = Settings {
            registry,
            spawner: match self.io {
                IoRuntime::Current => Spawner::Local(runtime),
                IoRuntime::Dedicated => Spawner::remote(&runtime),
            },
            concurrency: self.concurrency,
            threads: self.threads,
            tracebacks: self.tracebacks,
            compat: self.compat,
            commands: sender.clone(),
            authorizer: self.authorizer,
            middleware: self.middleware.clone().into_shared(),
        };
        let config = Config::server()
            .with_heartbeat(self.heartbeat.to_proto())
            .with_limits(self.limits);
        let endpoints = self.middleware.resolve_endpoints(self.endpoints).await?;
        endpoints.check()?;
        let (io_runtime, linger) = (self.io, self.linger);
        let (security, socket_options) = (self.security, self.socket);
        let (life, lifetime) = Life::new();
        let setup = move || async move {
            // What a peer is sent goes to the connection that asked for it, or to nobody.
            let socket = RouterSocket::builder()
                .router_mandatory()
                .immediate()
                .linger(linger);
            let socket = security.apply(socket_options.apply(socket))?.build();
            let monitor = socket.monitor();
            let endpoints = endpoints.attach(&socket).await?;
            let mux = Multiplexer::new(config, IdSource::new(rand::random()));
            let network = Network::new(&socket);
            let engine = ServerEngine::new(settings);
            let (link, run) = ((socket, monitor), (io_runtime, linger));
            let driver = Driver::new(link, mux, engine, commands, run);
            let task = async move {
                driver.run().await;
                life.finish();
            };
            // Whoever does not wait for the server any more drops it, which closes it.
            let handle = ServerHandle {
                commands: sender,
                lifetime,
                network,
            };
            Ok((Server::new(handle, endpoints), task))
        };
        Ok(io::spawn(io_runtime, "zrpc-server", setup).await?)
    }

    /// Makes the server and serves until it is shut down.
    ///
    /// # Errors
    ///
    /// [`ServeError`]: it could not be made, or was interrupted.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the server.
    pub async fn serve(self) -> Result<(), ServeError> {
        Ok(self.build().await?.run().await?)
    }

    /// Says what is wrong, before anything is begun.
    fn check(&self) -> Result<(), BuildError> {
        self.heartbeat.check()?;
        if let Concurrency::Limited(handlers) = self.concurrency {
            OptionError::check_count("max_concurrency", handlers)?;
        }
        OptionError::check_count("max_blocking", self.threads)?;
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
