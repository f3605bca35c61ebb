//! Runs the methods of a subscriber or puller, one event after the other or several at a time.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zmtp::{MessageReceiver, Socket};

use super::execute::execute;
use super::inbound::Inbound;
use super::reports::Reports;
use super::{Event, ReceiveError, ReceiverStats};
use crate::ConnectError;
use crate::io::{Life, Lifetime, Network};
use crate::middleware::Chain;
use crate::service::{Method, Registry};

/// Stops a [`Subscriber`](crate::Subscriber) or [`Puller`](crate::Puller) from elsewhere, changes where
/// it gets events from, and shows what it has done. It does not keep it alive.
#[derive(Debug, Clone)]
pub struct ReceiverHandle {
    stop: CancellationToken,
    lifetime: Lifetime,
    reports: Arc<Reports>,
    network: Network,
}

impl ReceiverHandle {
    /// Lets `run` take no more events, and waits until the methods that run have ended. `recv` gives
    /// no more events either; then it is waited until the subscriber or puller is dropped.
    ///
    /// A method of the same subscriber or puller must not wait for this, but may do it in a task.
    ///
    /// # Cancel safety
    ///
    /// It stops in the background if the future is dropped after it was polled.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        // However it ended, it has ended.
        let _ = self.lifetime.ended().await;
    }

    /// Connects to one more endpoint, where somebody may listen now or later. A subscriber that is
    /// connected to it already does nothing, and a puller connects twice. The endpoint is taken as it
    /// is: middleware resolves those that the receiver is built with.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// It may connect after the future was dropped.
    pub async fn connect(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.network.connect(endpoint.into()).await
    }

    /// Parts from whoever listens on an endpoint. Events that came from there are still handled.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if it is not connected to the endpoint.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.network.disconnect(endpoint)
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

    /// Listens on an endpoint no longer, and parts from those that came there. Their events that came
    /// already are still handled.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if it is not bound to the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The endpoint may be unbound after the future was dropped.
    pub async fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.network.unbind(endpoint.into()).await
    }

    /// The runtime that the receiver was made on.
    #[cfg(feature = "blocking")]
    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        self.network.runtime()
    }

    /// Returns what it has done so far.
    pub fn stats(&self) -> ReceiverStats {
        self.reports.stats()
    }
}

/// What runs methods.
#[derive(Debug)]
pub(super) struct Serving {
    registry: Registry,
    max_concurrency: usize,
    /// `None` without middleware.
    hooks: Option<Arc<Chain>>,
    life: Life,
    handle: ReceiverHandle,
}

impl Serving {
    pub(super) fn new(
        registry: Registry,
        max_concurrency: usize,
        hooks: Option<Arc<Chain>>,
        (reports, network): (&Arc<Reports>, Network),
    ) -> Self {
        let (life, lifetime) = Life::new();
        Self {
            registry,
            max_concurrency,
            hooks,
            life,
            handle: ReceiverHandle {
                stop: CancellationToken::new(),
                lifetime,
                reports: Arc::clone(reports),
                network,
            },
        }
    }

    pub(super) fn handle(&self) -> ReceiverHandle {
        self.handle.clone()
    }

    /// Returns the middleware, if there is any.
    pub(super) fn hooks(&self) -> Option<&Arc<Chain>> {
        self.hooks.as_ref()
    }

    /// Waits for an event, unless it is stopped.
    pub(super) async fn unless_stopped<F>(&self, event: F) -> Option<Event>
    where
        F: Future<Output = Option<Event>>,
    {
        tokio::select! {
            biased;
            () = self.handle.stop.cancelled() => None,
            event = event => event,
        }
    }

    /// Serves until it is stopped, or the socket is closed.
    pub(super) async fn run<S: MessageReceiver + Socket>(self, mut inbound: Inbound<S>) {
        let Self {
            registry,
            max_concurrency,
            hooks,
            life,
            handle,
        } = self;
        let mut running = JoinSet::new();
        loop {
            let event = tokio::select! {
                biased;
                () = handle.stop.cancelled() => break,
                event = inbound.recv() => event,
            };
            let Some(event) = event else { break };
            let Some(method) = find(&registry, &event) else {
                report_unknown(&handle.reports, event, hooks.clone()).await;
                continue;
            };
            let work = run_one(method, event, hooks.clone(), Arc::clone(&handle.reports));
            if max_concurrency == 1 {
                work.await;
                continue;
            }
            running.spawn(work);
            // Events wait in the socket, and from its mark on with their senders.
            if running.len() >= max_concurrency {
                running.join_next().await;
            }
            while running.try_join_next().is_some() {}
        }
        while running.join_next().await.is_some() {}
        drop(inbound);
        life.finish();
    }
}

/// Counts and reports an event for a method that there is not.
async fn report_unknown(reports: &Reports, event: Event, hooks: Option<Arc<Chain>>) {
    let method = event.method().into_owned();
    if hooks.is_some() {
        let missing = Arc::new(Method::missing(&method));
        // What is wrong is known, and hooks are told of it.
        let _ = execute(missing, event, hooks).await;
    }
    reports.error(&ReceiveError::UnknownMethod { method });
}

async fn run_one(
    method: Arc<Method>,
    event: Event,
    hooks: Option<Arc<Chain>>,
    reports: Arc<Reports>,
) {
    let name = Arc::clone(method.shared_name());
    match execute(method, event, hooks).await {
        Ok(()) => reports.handled(),
        Err(fault) => reports.error(&ReceiveError::Failed {
            method: (*name).to_owned(),
            fault,
        }),
    }
}

/// Finds the method of an event. There is no introspection, because nobody is answered.
fn find(registry: &Registry, event: &Event) -> Option<Arc<Method>> {
    let method = registry.get(event.name().as_str()?)?;
    (!method.is_introspection()).then(|| Arc::clone(method))
}
