//! Pullers whose calls block the thread.

use super::receiver::{ReceiverHandle, Receiving};
use super::wait;
use crate::{BuildError, Event, ReceiverBuilder, ReceiverStats};

/// Runs the methods that pushers tell it to, see
/// [`zrpc::Puller`](crate::Puller).
///
/// Its connections and methods have a runtime of their own, with as many threads as the machine has
/// processors; methods that block have threads beside them.
///
/// # Example
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::Puller;
///
/// let puller = Puller::builder()
///     .blocking("resize", |(path, width): (String, u32)| {
///         println!("{path} shall be {width} wide");
///     })
///     .bind("tcp://0.0.0.0:4244")
///     .build_blocking()?;
/// puller.run();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a puller does nothing until `run` or `recv`"]
pub struct Puller {
    receiving: Receiving<crate::Puller>,
}

impl Puller {
    /// As [`Puller::run`](crate::Puller::run): blocks the thread until
    /// [`ReceiverHandle::shutdown`].
    pub fn run(self) {
        self.receiving.run(crate::Puller::run);
    }

    /// As [`Puller::recv`](crate::Puller::recv): blocks the thread until there is an event, or
    /// until [`ReceiverHandle::shutdown`].
    pub fn recv(&mut self) -> Option<Event> {
        let (receiver, _inside) = self.receiving.enter();
        wait(receiver.recv())
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

impl ReceiverBuilder<crate::Puller> {
    /// Makes a puller whose calls block the thread, and a runtime for its connections and methods.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build); [`ConnectError::Thread`](crate::ConnectError::Thread) if the runtime
    /// cannot be started.
    pub fn build_blocking(self) -> Result<Puller, BuildError> {
        let receiving = Receiving::start(self.build())?;
        Ok(Puller { receiving })
    }
}
