//! The options of publishers and pushers.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::encoder::Encoder;
use super::pattern::sealed::WhenSlow;
use super::{Emitter, Pattern, Publisher};
use crate::endpoints::Endpoints;
use crate::io::Network;
use crate::middleware::{Chain, Middleware};
use crate::security::Security;
use crate::socket_options::Messages;
use crate::{Compat, ConnectError, SocketOptions};

/// Makes a [`Publisher`] or a [`Pusher`](super::Pusher).
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), zrpc::ConnectError> {
/// use std::time::Duration;
/// use zrpc::{Compat, Publisher};
///
/// let publisher = Publisher::builder()
///     .bind("tcp://0.0.0.0:4243")
///     .send_high_water_mark(10_000)
///     .linger(Duration::from_secs(1))
///     .compat(Compat::ANY)
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct EmitterBuilder<E> {
    endpoints: Endpoints,
    compat: Compat,
    linger: Duration,
    security: Security,
    socket: SocketOptions,
    high_water_mark: Option<usize>,
    middleware: Chain,
    when_slow: WhenSlow,
    queueing: Queueing,
    emitter: PhantomData<fn() -> E>,
}

/// For whom events wait.
#[derive(Debug, Clone, Copy)]
enum Queueing {
    ForEndpoints,
    WhileConnected,
}

/// How long a closed publisher or pusher still sends.
const LINGER: Duration = Duration::from_secs(5);

impl<E> EmitterBuilder<E> {
    pub(super) fn new() -> Self {
        Self {
            endpoints: Endpoints::default(),
            compat: Compat::default(),
            linger: LINGER,
            security: Security::default(),
            socket: SocketOptions::default(),
            high_water_mark: None,
            middleware: Chain::default(),
            when_slow: WhenSlow::Usual,
            queueing: Queueing::ForEndpoints,
            emitter: PhantomData,
        }
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

    /// Sets for whom the arguments of events are; one that would be dropped or changed on the way is
    /// an error. Default: [`Compat::PYTHON`].
    pub fn compat(mut self, compat: Compat) -> Self {
        self.compat = compat;
        self
    }

    /// Sets how long it still sends after it was closed or dropped; zero drops what is left.
    /// Default: 5 seconds.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Sets how many events wait for one peer. Beyond that a pusher waits, and a publisher drops
    /// what is for that peer; 0 is no mark. Default: 1000.
    pub fn send_high_water_mark(mut self, events: usize) -> Self {
        self.high_water_mark = Some(events);
        self
    }

    /// Queues events only for peers that are connected, so that pushing waits until there is one; what
    /// is still queued for a peer when its connection ends is dropped. Default: what is pushed to an
    /// endpoint waits until somebody listens there, or does so again.
    pub fn immediate(mut self) -> Self {
        self.queueing = Queueing::WhileConnected;
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

    /// Adds [middleware](crate::middleware), behind that which was added before. Of its hooks,
    /// [`resolve_endpoint`](Middleware::resolve_endpoint),
    /// [`get_task_context`](Middleware::get_task_context) and
    /// [`before_publish`](Middleware::before_publish) are called.
    pub fn middleware(mut self, middleware: impl Middleware) -> Self {
        self.middleware.push(Arc::new(middleware));
        self
    }
}

impl<P: Pattern> EmitterBuilder<Emitter<P>> {
    /// Makes the publisher or pusher.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with an endpoint.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left if the future is dropped.
    pub async fn build(self) -> Result<Emitter<P>, ConnectError> {
        Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
        self.security.check()?;
        self.socket.check(Messages::Events, &self.security)?;
        let options = match self.high_water_mark {
            Some(events) => self.socket.send_high_water_mark(events),
            None => self.socket,
        };
        let builder = match self.queueing {
            Queueing::ForEndpoints => P::builder(self.when_slow),
            Queueing::WhileConnected => P::builder(self.when_slow).immediate(),
        };
        let builder = options.apply(builder);
        let builder = self.security.apply(builder)?;
        let socket = builder.linger(self.linger).build();
        let endpoints = self.middleware.resolve_endpoints(self.endpoints).await?;
        let endpoints = endpoints.attach(&socket).await?;
        let hooks = self.middleware.into_shared();
        let encoder = Encoder::new(Network::new(&socket), self.compat, endpoints, hooks);
        Ok(Emitter::new(P::new(socket), encoder))
    }
}

impl EmitterBuilder<Publisher> {
    /// Waits for the slowest subscriber instead of dropping what is for it.
    pub fn wait_for_slow_subscribers(mut self) -> Self {
        self.when_slow = WhenSlow::Wait;
        self
    }
}
