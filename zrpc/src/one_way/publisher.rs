//! Publishers: every subscriber gets what is published.

use serde::Serialize;
use zmtp::{PubSocket, TrySendError};

use super::emitter::{Emission, Emitter};
use super::{EmitError, EmitterBuilder, OutgoingEvent};
use crate::ConnectError;

/// Tells all its subscribers to run a method, and waits for none of them.
///
/// Who is not there, or is too slow, misses what is published; [`Self::dropped`] counts what was
/// missed for the second reason. A subscriber that connects gets what is published from a moment
/// later on: [`Self::topic_count`] shows that somebody listens.
///
/// Clones share the socket, which closes with the last of them. It belongs to the runtime that it
/// was made on.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::Publisher;
///
/// let publisher = Publisher::bind("tcp://0.0.0.0:4243").await?;
/// publisher.publish("rain", ("London", 3.5)).await?;
/// publisher.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Publisher {
    socket: PubSocket,
    emitter: Emitter,
}

impl Publisher {
    /// Listens for subscribers; `tcp://127.0.0.1:*` takes a free port.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The publisher closes if the future is dropped.
    pub async fn bind(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        Self::builder().bind(endpoint).build().await
    }

    /// Connects to a subscriber, or to a proxy. Returns at once; it may come later.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The publisher closes if the future is dropped.
    pub async fn connect(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        Self::builder().connect(endpoint).build().await
    }

    /// Makes a publisher with other options.
    pub fn builder() -> EmitterBuilder<Self> {
        EmitterBuilder::new()
    }

    /// Publishes an event: subscribers run `method` with `args`, which are a tuple.
    ///
    /// It does not wait for subscribers, but lets connections that are behind have their turn; only
    /// with [`EmitterBuilder::wait_for_slow_subscribers`] it waits for the slowest.
    ///
    /// # Errors
    ///
    /// See [`EmitError`]; nothing was sent.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, nothing was published.
    pub async fn publish(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<(), EmitError> {
        self.event(method, args).send().await
    }

    /// As [`Self::publish`], without letting anybody have a turn: for a few events at a time.
    ///
    /// # Errors
    ///
    /// See [`EmitError`]; nothing was sent.
    pub fn try_publish(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<(), EmitError> {
        self.event(method, args).try_send()
    }

    /// Prepares an event, to publish it with a topic or with options of its own.
    pub fn event(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> OutgoingEvent<'_, Self> {
        OutgoingEvent::new(self, self.emitter.compat(), method.into(), &args)
    }

    /// Returns how many events subscribers missed because they did not read fast enough, once for
    /// each subscriber.
    pub fn dropped(&self) -> u64 {
        self.socket.dropped()
    }

    /// Returns how many distinct topics there are subscriptions for; everything is one of them.
    pub fn topic_count(&self) -> usize {
        self.socket.topic_count()
    }

    /// Returns the endpoints that it was built with, with wildcards resolved where it is bound.
    pub fn endpoints(&self) -> &[String] {
        self.emitter.endpoints()
    }

    /// Connects to one more subscriber, or to a proxy; to one that it is connected to already,
    /// nothing happens. The endpoint is taken as it is: middleware resolves
    /// those that the publisher is built with.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The publisher may connect after the future was dropped.
    pub async fn connect_to(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.emitter.network().connect(endpoint.into()).await
    }

    /// Parts from whoever listens on an endpoint, after what is queued for it was sent, for no longer
    /// than [`EmitterBuilder::linger`].
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if the publisher is not connected to the endpoint.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.emitter.network().disconnect(endpoint)
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
    pub async fn bind_to(&self, endpoint: impl Into<String>) -> Result<String, ConnectError> {
        self.emitter.network().bind(endpoint.into()).await
    }

    /// Listens on an endpoint no longer, and parts from the subscribers that came there, after what is
    /// queued for them was sent.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if the publisher is not bound to the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The endpoint may be unbound after the future was dropped.
    pub async fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.emitter.network().unbind(endpoint.into()).await
    }

    /// Closes the publisher and all its clones, and waits until everything was sent, for no longer
    /// than [`EmitterBuilder::linger`].
    ///
    /// # Cancel safety
    ///
    /// It closes in the background if the future is dropped after it was polled.
    pub async fn close(self) {
        self.emitter.network().close().await;
    }

    /// Its socket, as far as it is shared.
    #[cfg(feature = "blocking")]
    pub(crate) fn network(&self) -> &crate::io::Network {
        self.emitter.network()
    }

    pub(super) fn new(socket: PubSocket, emitter: Emitter) -> Self {
        Self { socket, emitter }
    }

    pub(super) async fn send(&self, emission: Emission) -> Result<(), EmitError> {
        let message = self.emitter.encode(emission).await?;
        let sent = self.socket.send(message).await;
        sent.map_err(|_| EmitError::Closed)
    }

    pub(super) fn try_send(&self, emission: Emission) -> Result<(), EmitError> {
        let method = emission.method.clone();
        let message = self.emitter.try_encode(emission)?;
        self.socket.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => EmitError::Full { method },
            _ => EmitError::Closed,
        })
    }
}
