//! Why a benchmark run, or one of its processes, ends early.

use std::io;
use std::time::Duration;

/// The reason.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// A filter word that is part of no name.
    #[error("nothing is called {0:?}; `--list` prints the names")]
    UnknownFilter(String),
    /// Filters that exclude each other.
    #[error("the filters leave nothing to measure")]
    NothingSelected,
    /// A contender was asked for a workload that it has no code for.
    #[error("{contender} has no {workload}")]
    Unsupported {
        contender: &'static str,
        workload: String,
    },
    /// A process did not finish its measurement in time.
    #[error("no result after {0:?}")]
    TimedOut(Duration),
    /// A process wrote something else than what the protocol between the processes wants.
    #[error("unexpected output of a process: {0:?}")]
    UnexpectedOutput(String),
    /// A report before the window was over.
    #[error("the measurement has not ended")]
    Unfinished,
    /// Messages did not arrive in a workload where none may be lost.
    #[error("{count} messages were lost")]
    Lost { count: u64 },
    /// A process that measures cannot be understood, or its results cannot be written.
    #[error("json: {0}")]
    Json(#[from] serde_json::Error),
    /// A system call failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A helper program failed.
    #[error("{program} failed: {output}")]
    Program { program: String, output: String },
    /// libzmq refused an operation.
    #[error("libzmq: {0}")]
    Libzmq(#[from] zmq::Error),
    /// A socket of a contender refused an operation.
    #[error("{0}")]
    Contender(Box<dyn std::error::Error + Send + Sync>),
}

impl BenchError {
    /// Wraps the error of a contender's own library.
    pub(crate) fn contender(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Contender(Box::new(error))
    }
}
