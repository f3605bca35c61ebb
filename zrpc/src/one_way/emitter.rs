//! Publishers and pushers: one tells everybody, the other one after the other.

use serde::Serialize;
use zmtp::TrySendError;

use super::encoder::{Emission, Encoder};
use super::pattern::Pattern;
use super::{EmitError, EmitterBuilder, OutgoingEvent, Publishing, Pushing};
use crate::ConnectError;
use crate::io::Network;

/// Tells others to run a method, and waits for no result: a [`Publisher`] tells everybody, a [`Pusher`]
/// one after the other.
///
/// Clones share the socket, which closes with the last of them. It belongs to the runtime that it
/// was made on.
#[derive(Debug, Clone)]
pub struct Emitter<P> {
    pattern: P,
    encoder: Encoder,
}

/// Tells all its subscribers to run a method, and waits for none of them.
///
/// Who is not there, or is too slow, misses what is published; [`Publisher::dropped`] counts what was
/// missed for the second reason. A subscriber that connects gets what is published from a moment
/// later on: [`Publisher::topic_count`] shows that somebody listens.
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
pub type Publisher = Emitter<Publishing>;

/// Tells one puller after the other to run a method, and waits for no result.
///
/// Each event goes to one of the pullers that have room for it, in turn. An event that was accepted
/// goes out when its puller is there; whether it ran is not told.
///
/// Clones share the socket, which closes with the last of them. It belongs to the runtime that it
/// was made on.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::Pusher;
///
/// let pusher = Pusher::connect("tcp://127.0.0.1:4244").await?;
/// pusher.push("resize", ("photo.jpg", 640, 480)).await?;
/// pusher.close().await;
/// # Ok(())
/// # }
/// ```
pub type Pusher = Emitter<Pushing>;

impl<P: Pattern> Emitter<P> {
    /// Listens for those who shall be told; `tcp://127.0.0.1:*` takes a free port.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left if the future is dropped.
    pub async fn bind(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        Self::builder().bind(endpoint).build().await
    }

    /// Connects to one who shall be told, or to a proxy. Returns at once; it may come later.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left if the future is dropped.
    pub async fn connect(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        Self::builder().connect(endpoint).build().await
    }

    /// Makes one with other options.
    pub fn builder() -> EmitterBuilder<Self> {
        EmitterBuilder::new()
    }

    /// Prepares an event, to send it with options of its own.
    pub fn event(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> OutgoingEvent<'_, Self> {
        OutgoingEvent::new(self, self.encoder.compat(), method.into(), &args)
    }

    /// Returns the endpoints that it was built with, with wildcards resolved where it is bound.
    pub fn endpoints(&self) -> &[String] {
        self.encoder.endpoints()
    }

    /// Connects to one more peer. To one that it is connected to already, nothing happens if it
    /// publishes; if it pushes, the peer gets two shares of the events. The endpoint is taken as it is:
    /// middleware resolves those that it is built with.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// It may connect after the future was dropped.
    pub async fn connect_to(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.network().connect(endpoint.into()).await
    }

    /// Parts from whoever listens on an endpoint, after what is queued for it was sent, for no longer
    /// than [`EmitterBuilder::linger`].
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if it is not connected to the endpoint.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.network().disconnect(endpoint)
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
        self.network().bind(endpoint.into()).await
    }

    /// Listens on an endpoint no longer, and parts from the peers that came there, after what is
    /// queued for them was sent.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if it is not bound to the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The endpoint may be unbound after the future was dropped.
    pub async fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.network().unbind(endpoint.into()).await
    }

    /// Closes it and all its clones, and waits until everything was sent, for no longer than
    /// [`EmitterBuilder::linger`].
    ///
    /// # Cancel safety
    ///
    /// It closes in the background if the future is dropped after it was polled.
    pub async fn close(self) {
        self.network().close().await;
    }

    pub(super) fn new(pattern: P, encoder: Encoder) -> Self {
        Self { pattern, encoder }
    }

    pub(super) async fn send(&self, emission: Emission) -> Result<(), EmitError> {
        let message = self.encoder.encode(emission).await?;
        self.pattern.send(message).await
    }

    pub(super) fn try_send(&self, emission: Emission) -> Result<(), EmitError> {
        let method = emission.method.clone();
        let message = self.encoder.try_encode(emission)?;
        self.pattern.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => EmitError::Full { method },
            _ => EmitError::Closed,
        })
    }

    /// Its socket, as far as it is shared.
    pub(crate) fn network(&self) -> &Network {
        self.encoder.network()
    }
}

impl Publisher {
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

    /// Returns how many events subscribers missed because they did not read fast enough, once for
    /// each subscriber.
    pub fn dropped(&self) -> u64 {
        self.pattern.dropped()
    }

    /// Returns how many distinct topics there are subscriptions for; everything is one of them.
    pub fn topic_count(&self) -> usize {
        self.pattern.topic_count()
    }
}

impl Pusher {
    /// Pushes an event: the next puller runs `method` with `args`, which are a tuple.
    ///
    /// Waits until there is room for it: for a puller that it is connected to, that is a queue of
    /// [`EmitterBuilder::send_high_water_mark`] events even before the puller is there.
    ///
    /// # Errors
    ///
    /// See [`EmitError`]; nothing was sent.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, nothing was pushed.
    pub async fn push(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<(), EmitError> {
        self.event(method, args).send().await
    }

    /// Pushes an event if there is room for it.
    ///
    /// # Errors
    ///
    /// See [`EmitError`]; nothing was sent.
    pub fn try_push(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<(), EmitError> {
        self.event(method, args).try_send()
    }
}
