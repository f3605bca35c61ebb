//! What callers or handlers ask of the I/O task.

use tokio::sync::mpsc::error::TryRecvError;

use super::QueueReceiver;

/// The receiving end of the commands, until the last sender is gone.
pub(super) enum Commands<C> {
    Open(QueueReceiver<C>),
    Closed,
}

/// What there is without waiting.
pub(super) enum Next<C> {
    Command(C),
    Hangup,
    Empty,
}

impl<C> Commands<C> {
    pub(super) fn try_next(&mut self) -> Next<C> {
        let Self::Open(receiver) = self else {
            return Next::Empty;
        };
        match receiver.try_recv() {
            Ok(command) => Next::Command(command),
            Err(TryRecvError::Empty) => Next::Empty,
            Err(TryRecvError::Disconnected) => {
                *self = Self::Closed;
                Next::Hangup
            }
        }
    }

    /// Waits for a command. Returns `None` once, when the last sender is gone.
    pub(super) async fn next(&mut self) -> Option<C> {
        let Self::Open(receiver) = self else {
            return std::future::pending().await;
        };
        let command = receiver.recv().await;
        if command.is_none() {
            *self = Self::Closed;
        }
        command
    }
}
