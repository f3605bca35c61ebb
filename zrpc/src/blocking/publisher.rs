//! Publishers whose calls block the thread.

use serde::Serialize;

use super::thread::Thread;
use super::wait;
use crate::io::{self, IoRuntime};
use crate::{ConnectError, EmitError, EmitterBuilder, OutgoingEvent};

/// Tells all its subscribers to run a method, and waits for none of them, see
/// [`zrpc::Publisher`](crate::Publisher).
///
/// Its connections have a thread of their own. Clones share them, and may be used from any number of
/// threads at once; what was accepted is still sent after the last of them was dropped, for no longer
/// than [`EmitterBuilder::linger`], unless the program ends: [`Self::close`] waits for it.
///
/// # Example
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::blocking::Publisher;
///
/// let publisher = Publisher::bind("tcp://0.0.0.0:4243")?;
/// publisher.publish("rain", ("London", 3.5))?;
/// publisher.close();
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Publisher {
    publisher: crate::Publisher,
    /// Ends the thread when it is dropped.
    _thread: Thread,
}

impl Publisher {
    /// As [`Publisher::bind`](crate::Publisher::bind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        crate::Publisher::builder().bind(endpoint).build_blocking()
    }

    /// As [`Publisher::connect`](crate::Publisher::connect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        crate::Publisher::builder()
            .connect(endpoint)
            .build_blocking()
    }

    /// As [`Publisher::publish`](crate::Publisher::publish).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn publish(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<(), EmitError> {
        self.event(method, args).blocking_send()
    }

    /// As [`Publisher::try_publish`](crate::Publisher::try_publish).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_publish(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<(), EmitError> {
        self.event(method, args).try_send()
    }

    /// Prepares an event, to send it with options of its own by [`OutgoingEvent::blocking_send`].
    pub fn event(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> OutgoingEvent<'_, crate::Publisher> {
        self.publisher.event(method, args)
    }

    /// As [`Publisher::dropped`](crate::Publisher::dropped).
    pub fn dropped(&self) -> u64 {
        self.publisher.dropped()
    }

    /// As [`Publisher::topic_count`](crate::Publisher::topic_count).
    pub fn topic_count(&self) -> usize {
        self.publisher.topic_count()
    }

    /// Returns the endpoints that it was built with, with wildcards resolved where it is bound.
    pub fn endpoints(&self) -> &[String] {
        self.publisher.endpoints()
    }

    /// As [`Publisher::connect_to`](crate::Publisher::connect_to).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect_to(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.publisher.connect_to(endpoint))
    }

    /// As [`Publisher::disconnect`](crate::Publisher::disconnect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.publisher.disconnect(endpoint)
    }

    /// As [`Publisher::bind_to`](crate::Publisher::bind_to).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind_to(&self, endpoint: impl Into<String>) -> Result<String, ConnectError> {
        wait(self.publisher.bind_to(endpoint))
    }

    /// As [`Publisher::unbind`](crate::Publisher::unbind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.publisher.unbind(endpoint))
    }

    /// As [`Publisher::close`](crate::Publisher::close).
    pub fn close(self) {
        wait(self.publisher.close());
    }
}

impl EmitterBuilder<crate::Publisher> {
    /// Makes a publisher whose calls block the thread, and a thread for its connections.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build); [`ConnectError::Thread`] if the thread cannot be started.
    pub fn build_blocking(self) -> Result<Publisher, ConnectError> {
        let setup = move || async move {
            let publisher = self.build().await?;
            let (thread, task) = Thread::keeping(publisher.network().clone());
            Ok(((publisher, thread), task))
        };
        let (publisher, thread) = wait(io::spawn(IoRuntime::Dedicated, "zrpc-publisher", setup))?;
        Ok(Publisher {
            publisher,
            _thread: thread,
        })
    }
}

impl OutgoingEvent<'_, crate::Publisher> {
    /// As [`send`](Self::send), and blocks the thread meanwhile.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn blocking_send(self) -> Result<(), EmitError> {
        wait(self.send())
    }
}
