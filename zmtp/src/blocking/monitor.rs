//! What happens on a socket, for a thread that waits for it.

use std::time::Duration;

use super::TimedOut;
use super::wait::{Deadline, wait, wait_until};
use crate::driver::{self, SocketEvent};

/// The events of one socket, from the moment it was asked for.
#[derive(Debug)]
pub struct Monitor {
    monitor: driver::Monitor,
}

impl Monitor {
    pub(super) const fn new(monitor: driver::Monitor) -> Self {
        Self { monitor }
    }

    /// Waits for the next event; `None` when the socket is gone.
    pub fn recv(&mut self) -> Option<SocketEvent> {
        wait(self.monitor.recv())
    }

    /// Waits for the next event; `None` when the socket is gone.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if nothing happens in time.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Option<SocketEvent>, TimedOut> {
        let event = wait_until(Deadline::after(timeout), self.monitor.recv());
        event.map_err(|_elapsed| TimedOut)
    }
}

impl Iterator for Monitor {
    type Item = SocketEvent;

    fn next(&mut self) -> Option<SocketEvent> {
        self.recv()
    }
}
