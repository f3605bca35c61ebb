//! Pushers whose calls block the thread.

use serde::Serialize;

use super::thread::Thread;
use super::wait;
use crate::io::{self, IoRuntime};
use crate::{ConnectError, EmitError, EmitterBuilder, OutgoingEvent};

/// Tells one puller after the other to run a method, and waits for no result, see
/// [`zrpc::Pusher`](crate::Pusher).
///
/// Its connections have a thread of their own. Clones share them, and may be used from any number of
/// threads at once; what was accepted is still sent after the last of them was dropped, for no longer
/// than [`EmitterBuilder::linger`], unless the program ends: [`Self::close`] waits for it.
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
#[derive(Debug, Clone)]
pub struct Pusher {
    pusher: crate::Pusher,
    /// Ends the thread when it is dropped.
    _thread: Thread,
}

impl Pusher {
    /// As [`Pusher::bind`](crate::Pusher::bind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        crate::Pusher::builder().bind(endpoint).build_blocking()
    }

    /// As [`Pusher::connect`](crate::Pusher::connect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        crate::Pusher::builder().connect(endpoint).build_blocking()
    }

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

    /// Prepares an event, to send it with options of its own by [`OutgoingEvent::blocking_send`].
    pub fn event(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> OutgoingEvent<'_, crate::Pusher> {
        self.pusher.event(method, args)
    }

    /// Returns the endpoints that it was built with, with wildcards resolved where it is bound.
    pub fn endpoints(&self) -> &[String] {
        self.pusher.endpoints()
    }

    /// As [`Pusher::connect_to`](crate::Pusher::connect_to).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn connect_to(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.pusher.connect_to(endpoint))
    }

    /// As [`Pusher::disconnect`](crate::Pusher::disconnect).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.pusher.disconnect(endpoint)
    }

    /// As [`Pusher::bind_to`](crate::Pusher::bind_to).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind_to(&self, endpoint: impl Into<String>) -> Result<String, ConnectError> {
        wait(self.pusher.bind_to(endpoint))
    }

    /// As [`Pusher::unbind`](crate::Pusher::unbind).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        wait(self.pusher.unbind(endpoint))
    }

    /// As [`Pusher::close`](crate::Pusher::close).
    pub fn close(self) {
        wait(self.pusher.close());
    }
}

impl EmitterBuilder<crate::Pusher> {
    /// Makes a pusher whose calls block the thread, and a thread for its connections.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build); [`ConnectError::Thread`] if the thread cannot be started.
    pub fn build_blocking(self) -> Result<Pusher, ConnectError> {
        let setup = move || async move {
            let pusher = self.build().await?;
            let (thread, task) = Thread::keeping(pusher.network().clone());
            Ok(((pusher, thread), task))
        };
        let (pusher, thread) = wait(io::spawn(IoRuntime::Dedicated, "zrpc-pusher", setup))?;
        Ok(Pusher {
            pusher,
            _thread: thread,
        })
    }
}

impl OutgoingEvent<'_, crate::Pusher> {
    /// As [`send`](Self::send), and blocks the thread meanwhile.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn blocking_send(self) -> Result<(), EmitError> {
        wait(self.send())
    }
}
