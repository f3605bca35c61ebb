//! Subscribers whose calls block the thread.

use super::receiver::{ReceiverHandle, Receiving};
use super::wait;
use crate::{BuildError, Event, ReceiverBuilder, ReceiverStats};

/// Runs the methods that publishers tell it to, see
/// [`zrpc::Subscriber`](crate::Subscriber).
///
/// Its connections and methods have a runtime of their own, with as many threads as the machine has
/// processors; methods that block have threads beside them.
///
/// # Example
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::Subscriber;
///
/// let subscriber = Subscriber::builder()
///     .blocking("rain", |(place, amount): (String, f64)| {
///         println!("{amount} mm in {place}");
///     })
///     .connect("tcp://127.0.0.1:4243")
///     .build_blocking()?;
/// subscriber.run();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a subscriber does nothing until `run` or `recv`"]
pub struct Subscriber {
    receiving: Receiving<crate::Subscriber>,
}

impl Subscriber {
    /// As [`Subscriber::run`](crate::Subscriber::run): blocks the thread until
    /// [`ReceiverHandle::shutdown`].
    pub fn run(self) {
        self.receiving.run(crate::Subscriber::run);
    }

    /// As [`Subscriber::recv`](crate::Subscriber::recv): blocks the thread until there is an event, or
    /// until [`ReceiverHandle::shutdown`].
    pub fn recv(&mut self) -> Option<Event> {
        let (receiver, _inside) = self.receiving.enter();
        wait(receiver.recv())
    }

    /// As [`Subscriber::subscribe`](crate::Subscriber::subscribe).
    pub fn subscribe(&self, topic: impl AsRef<[u8]>) {
        self.receiving.receiver().subscribe(topic);
    }

    /// As [`Subscriber::unsubscribe`](crate::Subscriber::unsubscribe).
    pub fn unsubscribe(&self, topic: impl AsRef<[u8]>) {
        self.receiving.receiver().unsubscribe(topic);
    }

    /// Returns what it has done so far.
    pub fn stats(&self) -> ReceiverStats {
        self.receiving.receiver().stats()
    }

    /// Returns the endpoints that it was built with, with wildcards resolved where it is bound.
    pub fn endpoints(&self) -> &[String] {
        self.receiving.receiver().endpoints()
    }

    /// Returns a handle that stops [`Self::run`] and [`Self::recv`], and binds and connects meanwhile.
    pub fn handle(&self) -> ReceiverHandle {
        ReceiverHandle::new(self.receiving.receiver().handle())
    }
}

impl ReceiverBuilder<crate::Subscriber> {
    /// Makes a subscriber whose calls block the thread, and a runtime for its connections and methods.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build); [`ConnectError::Thread`](crate::ConnectError::Thread) if the runtime
    /// cannot be started.
    pub fn build_blocking(self) -> Result<Subscriber, BuildError> {
        let receiving = Receiving::start(self.build())?;
        Ok(Subscriber { receiving })
    }
}
