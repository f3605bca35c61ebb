//! The options of subscribers and pullers.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use proto::DecodeLimits;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use zmtp::{Builder, MessageReceiver, PullSocket, Socket, SubSocket};

use super::inbound::Inbound;
use super::reports::{ErrorHook, Reports};
use super::serve::Serving;
use super::{Puller, ReceiveError, Subscriber};
use crate::endpoints::Endpoints;
use crate::io::Network;
use crate::middleware::{Chain, Middleware};
use crate::security::Security;
use crate::service::{IntoReply, Method, Registry, Service};
use crate::socket_options::Messages;
use crate::{BuildError, ConnectError, OptionError, SocketOptions};

/// Makes a [`Subscriber`] or a [`Puller`].
///
/// Methods are the same as those of a [`Server`](crate::Server). What they return is dropped, and a
/// failure is reported; streams are not iterated.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), zrpc::BuildError> {
/// use zrpc::Subscriber;
///
/// let subscriber = Subscriber::builder()
///     .method("rain", |(place, amount): (String, f64)| async move {
///         println!("{amount} mm in {place}");
///     })
///     .on_error(|error| eprintln!("{error}"))
///     .topic("weather.")
///     .connect("tcp://127.0.0.1:4243")
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct ReceiverBuilder<R> {
    methods: Vec<Method>,
    endpoints: Endpoints,
    topics: Vec<Vec<u8>>,
    max_concurrency: usize,
    max_event_len: Option<usize>,
    hook: Option<ErrorHook>,
    security: Security,
    socket: SocketOptions,
    high_water_mark: Option<usize>,
    middleware: Chain,
    receiver: PhantomData<fn() -> R>,
}

impl<R> ReceiverBuilder<R> {
    pub(super) fn new() -> Self {
        Self {
            methods: Vec::new(),
            endpoints: Endpoints::default(),
            topics: Vec::new(),
            max_concurrency: 1,
            max_event_len: None,
            hook: None,
            security: Security::default(),
            socket: SocketOptions::default(),
            high_water_mark: None,
            middleware: Chain::default(),
            receiver: PhantomData,
        }
    }

    /// Runs an asynchronous closure, see [`Method::new`].
    pub fn method<A, K, F, T>(self, name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned + 'static,
        K: 'static,
        F: Fn(A) -> T + Send + Sync + 'static,
        T: Future<Output: IntoReply<K>> + Send + 'static,
    {
        self.register(Method::new(name, handler))
    }

    /// Runs a closure that holds its thread, see [`Method::blocking`].
    pub fn blocking<A, K, F, T>(self, name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned + 'static,
        K: 'static,
        F: Fn(A) -> T + Send + Sync + 'static,
        T: IntoReply<K> + 'static,
    {
        self.register(Method::blocking(name, handler))
    }

    /// Runs a method.
    pub fn register(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// Runs all methods of a service.
    pub fn service(mut self, service: impl Service) -> Self {
        self.methods.extend(Arc::new(service).into_methods());
        self
    }

    /// Listens on an endpoint; `tcp://127.0.0.1:*` takes a free port.
    pub fn bind(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoints.bind(endpoint.into());
        self
    }

    /// Connects to an endpoint, where somebody may listen now or later.
    pub fn connect(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoints.connect(endpoint.into());
        self
    }

    /// Sets how many methods run at the same time. Default: one, so that events are handled in the
    /// order in which they come; further ones wait.
    pub fn max_concurrency(mut self, methods: usize) -> Self {
        self.max_concurrency = methods;
        self
    }

    /// Sets how many messages of one peer wait before no more are read from it; 0 is no mark beside
    /// that in bytes. Default: 1000.
    pub fn receive_high_water_mark(mut self, messages: usize) -> Self {
        self.high_water_mark = Some(messages);
        self
    }

    /// Sets how long an event may be, in bytes; a longer one is dropped and reported. Default:
    /// 128 MiB.
    pub fn max_event_len(mut self, len: usize) -> Self {
        self.max_event_len = Some(len);
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

    /// Adds [middleware](crate::middleware), behind that which was added before. Its hooks run around
    /// the methods that `run` calls, as around those of a server, without a reply. Those in front of a
    /// method and behind it also run for each event that `recv` gives.
    pub fn middleware(mut self, middleware: impl Middleware) -> Self {
        self.middleware.push(Arc::new(middleware));
        self
    }

    /// Calls `hook` with everything that goes wrong, after it was counted and logged. It runs
    /// between the events, so that it must not take long.
    pub fn on_error(mut self, hook: impl Fn(&ReceiveError) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Binds and connects a socket.
    async fn attach<S: Socket + MessageReceiver + Sync>(
        self,
        builder: Builder<S>,
    ) -> Result<(Inbound<S>, Serving), BuildError> {
        Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
        OptionError::check_count("max_concurrency", self.max_concurrency)?;
        let mut limits = DecodeLimits::default();
        limits.event_len = self.max_event_len.unwrap_or(limits.event_len);
        OptionError::check_count("max_event_len", limits.event_len)?;
        self.security.check()?;
        self.socket.check(Messages::Events, &self.security)?;
        if let Some(len) = self.max_event_len {
            self.socket.check_event_len("max_event_len", len)?;
        }
        let registry = Registry::new("", self.methods)?;
        let options = match self.high_water_mark {
            Some(messages) => self.socket.receive_high_water_mark(messages),
            None => self.socket,
        };
        let socket = self.security.apply(options.apply(builder))?.build();
        let endpoints = self.middleware.resolve_endpoints(self.endpoints).await?;
        let endpoints = endpoints.attach(&socket).await?;
        let network = Network::new(&socket);
        let inbound = Inbound::new(socket, endpoints, limits, Reports::new(self.hook));
        let serving = Serving::new(
            registry,
            self.max_concurrency,
            self.middleware.into_shared(),
            (inbound.reports(), network),
        );
        Ok((inbound, serving))
    }
}

impl ReceiverBuilder<Subscriber> {
    /// Subscribes to the events that are published with a topic that begins so, and to no others.
    /// May be called for several topics. Default: everything, with a topic or without.
    pub fn topic(mut self, topic: impl AsRef<[u8]>) -> Self {
        self.topics.push(topic.as_ref().to_vec());
        self
    }

    /// Makes the subscriber.
    ///
    /// # Errors
    ///
    /// [`BuildError`] says what is wrong with a method or an endpoint.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left if the future is dropped.
    pub async fn build(mut self) -> Result<Subscriber, BuildError> {
        let mut topics = std::mem::take(&mut self.topics);
        if topics.is_empty() {
            topics.push(Vec::new());
        }
        let (inbound, serving) = self.attach(SubSocket::builder()).await?;
        for topic in topics {
            inbound.socket.subscribe(topic);
        }
        Ok(Subscriber::new(inbound, serving))
    }
}

impl ReceiverBuilder<Puller> {
    /// Makes the puller.
    ///
    /// # Errors
    ///
    /// [`BuildError`] says what is wrong with a method or an endpoint.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left if the future is dropped.
    pub async fn build(self) -> Result<Puller, BuildError> {
        let (inbound, serving) = self.attach(PullSocket::builder()).await?;
        Ok(Puller::new(inbound, serving))
    }
}

impl<R> fmt::Debug for ReceiverBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBuilder")
            .field("methods", &self.methods)
            .field("endpoints", &self.endpoints)
            .field("topics", &self.topics.len())
            .field("max_concurrency", &self.max_concurrency)
            .finish_non_exhaustive()
    }
}
