//! Receiving from several sockets.

use std::task::{Context, Poll};
use std::time::Duration;

use super::RecvTimeoutError;
use super::wait::{Deadline, Elapsed, wait, wait_until};
use crate::message::Message;
use crate::socket::{MessageReceiver, RecvError};

/// Receives from whichever of several sockets has a message, from each in turn.
///
/// ```
/// use zmtp::blocking::{Poller, PullSocket, PushSocket};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut tasks, mut control) = (PullSocket::new(), PullSocket::new());
/// let endpoint = control.bind("inproc://control")?;
/// let mut push = PushSocket::new();
/// push.connect(&endpoint)?;
/// push.send("stop")?;
///
/// let mut poller = Poller::new();
/// let (index, message) = poller.recv(&mut [&mut tasks, &mut control])?;
/// assert_eq!((index, message), (1, "stop".into()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Poller {
    /// The socket that is looked at first.
    next: usize,
}

impl Poller {
    /// Makes a poller.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: 0 }
    }

    /// Waits for a message; tells the index of its socket.
    ///
    /// Sockets that are closed, and those whose turn to receive it is not, are passed over.
    ///
    /// # Errors
    ///
    /// [`RecvError`] if no socket is left that could receive.
    pub fn recv(
        &mut self,
        sockets: &mut [&mut dyn MessageReceiver],
    ) -> Result<(usize, Message), RecvError> {
        wait(std::future::poll_fn(|context| self.poll(sockets, context)))
    }

    /// Waits for a message, no longer than `timeout`; tells the index of its socket.
    ///
    /// # Errors
    ///
    /// As [`Self::recv`], and [`RecvTimeoutError::TimedOut`].
    pub fn recv_timeout(
        &mut self,
        timeout: Duration,
        sockets: &mut [&mut dyn MessageReceiver],
    ) -> Result<(usize, Message), RecvTimeoutError> {
        let next = std::future::poll_fn(|context| self.poll(sockets, context));
        match wait_until(Deadline::after(timeout), next) {
            Ok(received) => Ok(received?),
            Err(Elapsed) => Err(RecvTimeoutError::TimedOut),
        }
    }

    fn poll(
        &mut self,
        sockets: &mut [&mut dyn MessageReceiver],
        context: &mut Context<'_>,
    ) -> Poll<Result<(usize, Message), RecvError>> {
        let count = sockets.len();
        let mut refusal = Some(RecvError::Closed);
        for offset in 0..count {
            let index = self.next.wrapping_add(offset) % count;
            let Some(socket) = sockets.get_mut(index) else {
                continue;
            };
            match socket.poll_recv_message(context) {
                Poll::Ready(Ok(message)) => {
                    self.next = index + 1;
                    return Poll::Ready(Ok((index, message)));
                }
                Poll::Ready(Err(error)) => refusal = refusal.and(Some(error)),
                Poll::Pending => refusal = None,
            }
        }
        match refusal {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Pending,
        }
    }
}
