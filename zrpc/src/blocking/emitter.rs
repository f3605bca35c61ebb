//! Publishers and pushers whose calls block the thread.

use serde::Serialize;

use super::thread::Thread;
use super::wait;
use crate::io::{self, IoRuntime};
use crate::{ConnectError, EmitError, EmitterBuilder, OutgoingEvent, Pattern, Publishing, Pushing};

/// Tells others to run a method, and waits for no result, see [`zrpc::Emitter`](crate::Emitter).
///
/// Its connections have a thread of their own. Clones share them, and may be used from any number of
/// threads at once; what was accepted is still sent after the last of them was dropped, for no longer
/// than [`EmitterBuilder::linger`], unless the program ends: [`Self::close`] waits for it.
#[derive(Debug, Clone)]
pub struct Emitter<P> {
    emitter: crate::Emitter<P>,
    /// Ends the thread when it is dropped.
    _thread: Thread,
}

/// Tells all its subscribers to run a method, and waits for none of them, see
/// [`zrpc::Publisher`](crate::Publisher) and [`Emitter`].
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
pub type Publisher = Emitter<Publishing>;

/// Tells one puller after the other to run a method, and waits for no result, see
/// [`zrpc::Pusher`](crate::Pusher) and [`Emitter`].
///
/// # Example
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::blocking::Pusher;
///
/// let pusher = Pusher::connect("tcp://127.0.0.1:4244")?;
/// pusher.push("resize", ("photo.jpg", 640, 480))?;
/// pusher.close();
/// # Ok(())
/// # }
/// ```
pub type Pusher = Emitter<Pushing>;

impl<P: Pattern> Emitter<P> {
    /// As [`Emitter::bind`](crate::Emitter::bind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        crate::Emitter::builder().bind(endpoint).build_blocking()
    }

    /// As [`Emitter::connect`](crate::Emitter::connect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        crate::Emitter::builder().connect(endpoint).build_blocking()
    }

    /// Prepares an event, to send it with options of its own by [`OutgoingEvent::blocking_send`].
    pub fn event(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> OutgoingEvent<'_, crate::Emitter<P>> {
        self.emitter.event(method, args)
    }

    /// Returns the endpoints that it was built with, with wildcards resolved where it is bound.
    pub fn endpoints(&self) -> &[String] {
        self.emitter.endpoints()
    }

    /// As [`Emitter::connect_to`](crate::Emitter::connect_to).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect_to(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.emitter.connect_to(endpoint))
    }

    /// As [`Emitter::disconnect`](crate::Emitter::disconnect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.emitter.disconnect(endpoint)
    }

    /// As [`Emitter::bind_to`](crate::Emitter::bind_to).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind_to(&self, endpoint: impl Into<String>) -> Result<String, ConnectError> {
        wait(self.emitter.bind_to(endpoint))
    }

    /// As [`Emitter::unbind`](crate::Emitter::unbind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.emitter.unbind(endpoint))
    }

    /// As [`Emitter::close`](crate::Emitter::close).
    pub fn close(self) {
        wait(self.emitter.close());
    }
}

impl Publisher {
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

    /// As [`Publisher::dropped`](crate::Publisher::dropped).
    pub fn dropped(&self) -> u64 {
        self.emitter.dropped()
    }

    /// As [`Publisher::topic_count`](crate::Publisher::topic_count).
    pub fn topic_count(&self) -> usize {
        self.emitter.topic_count()
    }
}

impl Pusher {
    /// As [`Pusher::push`](crate::Pusher::push).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn push(&self, method: impl Into<String>, args: impl Serialize) -> Result<(), EmitError> {
        self.event(method, args).blocking_send()
    }

    /// As [`Pusher::try_push`](crate::Pusher::try_push).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_push(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<(), EmitError> {
        self.event(method, args).try_send()
    }
}

impl<P: Pattern> EmitterBuilder<crate::Emitter<P>> {
    /// Makes a publisher or pusher whose calls block the thread, and a thread for its connections.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build); [`ConnectError::Thread`] if the thread cannot be started.
    pub fn build_blocking(self) -> Result<Emitter<P>, ConnectError> {
        let setup = move || async move {
            let emitter = self.build().await?;
            let (thread, task) = Thread::keeping(emitter.network().clone());
            Ok(((emitter, thread), task))
        };
        let (emitter, thread) = wait(io::spawn(IoRuntime::Dedicated, P::THREAD, setup))?;
        Ok(Emitter {
            emitter,
            _thread: thread,
        })
    }
}

impl<P: Pattern> OutgoingEvent<'_, crate::Emitter<P>> {
    /// As [`send`](Self::send), and blocks the thread meanwhile.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn blocking_send(self) -> Result<(), EmitError> {
        wait(self.send())
    }
}
