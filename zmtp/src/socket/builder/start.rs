//! Where a builder begins and ends.

use std::fmt;
use std::marker::PhantomData;

use crate::driver::SocketOptions;
use crate::socket::Socket;

/// Makes a socket with options other than the defaults.
///
/// The options have the names and defaults of libzmq, except where a default of "no limit" would
/// let a peer exhaust the memory.
///
/// ```
/// use std::time::Duration;
/// use zmtp::{PushSocket, Socket};
///
/// let socket = PushSocket::builder()
///     .send_high_water_mark(10_000)
///     .linger(Duration::from_secs(1))
///     .build();
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<S> {
    pub(crate) options: SocketOptions,
    socket: PhantomData<fn() -> S>,
}

impl<S: Socket> Builder<S> {
    pub(crate) fn new() -> Self {
        Self {
            options: SocketOptions::default(),
            socket: PhantomData,
        }
    }

    /// Makes the socket.
    pub fn build(self) -> S {
        S::from_builder(self)
    }
}

impl<S> Clone for Builder<S> {
    fn clone(&self) -> Self {
        Self {
            options: self.options.clone(),
            socket: PhantomData,
        }
    }
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("options", &self.options)
            .finish()
    }
}
