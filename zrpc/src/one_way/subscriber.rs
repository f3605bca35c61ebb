//! Subscribers: run what is published.

use zmtp::SubSocket;

use super::inbound::Inbound;
use super::serve::Serving;
use super::{Event, ReceiverBuilder, ReceiverHandle, ReceiverStats};

/// Runs the methods that publishers tell it to.
///
/// What cannot be handled is counted ([`Self::stats`]), logged and reported
/// ([`ReceiverBuilder::on_error`]), and ends nothing: a message that is no event, an event for a
/// method that there is not, and a method that fails.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::Subscriber;
///
/// Subscriber::builder()
///     .method("rain", |(place, amount): (String, f64)| async move {
///         println!("{amount} mm in {place}");
///     })
///     .connect("tcp://127.0.0.1:4243")
///     .build()
///     .await?
///     .run()
///     .await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a subscriber does nothing until `run` or `recv`"]
pub struct Subscriber {
    inbound: Inbound<SubSocket>,
    serving: Serving,
}

impl Subscriber {
    /// Makes a subscriber.
    pub fn builder() -> ReceiverBuilder<Self> {
        ReceiverBuilder::new()
    }

    /// Runs the methods of events, one after the other unless
    /// [`ReceiverBuilder::max_concurrency`] says otherwise, until [`ReceiverHandle::shutdown`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, where there is nothing that methods could run on.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the subscriber and drops the handlers that run.
    pub async fn run(self) {
        self.serving.run(self.inbound).await;
    }

    /// Waits for the next event, to handle it without a method; `None` after
    /// [`ReceiverHandle::shutdown`]. What is no event is reported and skipped, and so is what
    /// [middleware](ReceiverBuilder::middleware) does not let in.
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped: the next call of this method waits on.
    pub async fn recv(&mut self) -> Option<Event> {
        let Self { inbound, serving } = self;
        let event = inbound.take(serving.hooks());
        serving.unless_stopped(event).await
    }

    /// Subscribes to one more topic: to the events that are published with a topic that begins so.
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) {
        self.inbound.socket.subscribe(topic);
    }

    /// Takes one subscription to a topic back.
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) {
        self.inbound.socket.unsubscribe(topic);
    }

    /// Returns what it has done so far.
    pub fn stats(&self) -> ReceiverStats {
        self.inbound.stats()
    }

    /// Returns the endpoints that it was built with, with wildcards resolved where it is bound.
    pub fn endpoints(&self) -> &[String] {
        &self.inbound.endpoints
    }

    /// Returns a handle that stops [`Self::run`] and [`Self::recv`], and binds and connects meanwhile.
    pub fn handle(&self) -> ReceiverHandle {
        self.serving.handle()
    }

    pub(super) fn new(inbound: Inbound<SubSocket>, serving: Serving) -> Self {
        Self { inbound, serving }
    }
}
