//! What to do when the user, or the system, wants the command to end.

use std::future::pending;

use crate::error::CliError;

/// Notices signals from the moment it is made.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

/// Why the command should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The user pressed Ctrl-C.
    Interrupted,
    /// The system, or whoever supervises the command, asked for it.
    Terminated,
}

/// Which signals are of interest. The others do what they do by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Ctrl-C alone.
    Interrupt,
    /// Also the request to terminate, which programs get that run until they are stopped.
    Both,
}

impl Signals {
    /// Begins to notice signals. Where that cannot be, they end the process by themselves.
    #[cfg(unix)]
    pub(crate) fn new(interest: Interest) -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        let terminate = match interest {
            Interest::Interrupt => None,
            Interest::Both => signal(SignalKind::terminate()).ok(),
        };
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate,
        }
    }

    /// Begins to notice signals. Where that cannot be, they end the process by themselves.
    #[cfg(not(unix))]
    pub(crate) fn new(_interest: Interest) -> Self {
        Self {}
    }

    /// Waits for the next signal.
    #[cfg(unix)]
    pub(crate) async fn stop(&mut self) -> Stop {
        tokio::select! {
            () = next(self.interrupt.as_mut()) => Stop::Interrupted,
            () = next(self.terminate.as_mut()) => Stop::Terminated,
        }
    }

    /// Waits for the next signal.
    #[cfg(not(unix))]
    pub(crate) async fn stop(&mut self) -> Stop {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Stop::Interrupted,
            Err(_) => pending().await,
        }
    }

    /// Does some work until it is done, or until there is a signal. The work is dropped then.
    ///
    /// # Errors
    ///
    /// What the work reports, or [`CliError::Interrupted`] after Ctrl-C.
    pub(crate) async fn end(
        &mut self,
        work: impl Future<Output = Result<(), CliError>>,
    ) -> Result<(), CliError> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            stop = self.stop() => match stop {
                Stop::Interrupted => Err(CliError::Interrupted),
                Stop::Terminated => Ok(()),
            },
        }
    }
}

#[cfg(unix)]
async fn next(signal: Option<&mut tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => pending().await,
    }
}
