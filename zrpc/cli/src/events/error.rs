//! Why events do not go out or come in.

use std::io;
use std::time::Duration;

use thiserror::Error;
use zrpc::security::Security;
use zrpc::{BuildError, ConnectError, EmitError};

use crate::args::Link;
use crate::diagnosis::{EventSide, diagnose_events};
use crate::error::CliError;
use crate::signals::Signals;

/// What can go wrong with events.
#[derive(Debug, Error)]
pub(crate) enum EventError {
    /// The socket of a publisher or pusher cannot be made.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The socket of a subscriber or puller cannot be made.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// An event cannot be sent.
    #[error("{}", with_source(.0))]
    Emit(#[from] EmitError),
    /// Nobody is there for it.
    #[error(
        "nobody took the event within {} s; is there {who} at the address? --timeout waits longer",
        after.as_secs_f64()
    )]
    Nobody {
        /// Who is missing.
        who: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// Nothing came.
    #[error("no event within {} s", after.as_secs_f64())]
    Nothing {
        /// How long it was waited for.
        after: Duration,
    },
    /// The lines of events cannot be read.
    #[error("cannot read stdin: {0}")]
    Stdin(#[source] io::Error),
}

impl EventError {
    /// Why a link could not be made, if it was that.
    pub(crate) fn connect_error(&self) -> Option<&ConnectError> {
        match self {
            Self::Connect(error) | Self::Build(BuildError::Connect(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether something did not come in time.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, Self::Nobody { .. } | Self::Nothing { .. })
    }
}

/// Finds out why nothing happened in time, if that is how it ended.
pub(super) async fn explain(
    outcome: Result<(), CliError>,
    side: EventSide,
    links: &[Link],
    security: &Security,
    signals: &mut Signals,
) -> Result<(), CliError> {
    match outcome {
        Err(CliError::Event(error)) if error.is_timeout() => {
            // Whoever is impatient does without, and still learns what the error was.
            let advice = tokio::select! {
                biased;
                advice = diagnose_events(side, links, security) => advice,
                _ = signals.stop() => None,
            };
            Err(CliError::Event(error).advised(advice))
        }
        outcome => outcome,
    }
}

fn with_source(error: &EmitError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
