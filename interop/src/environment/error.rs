//! What can keep the environment from being made.

use std::{io, path::PathBuf, process::ExitStatus, sync::Arc};

use thiserror::Error;

/// The Python environment could not be made.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// No interpreter was found, or it is not a usable Python 3.
    #[error(
        "the interop tests need Python 3.8 or later, and {interpreter:?} is none: install it \
         (Debian, Ubuntu: apt install python3 python3-venv), or set ZRPC_INTEROP=off to skip them"
    )]
    PythonMissing {
        /// The command that was tried.
        interpreter: String,
    },

    /// The interpreter cannot make virtual environments.
    #[error(
        "the interop tests need Python's venv module, and {interpreter:?} has none: install it \
         (Debian, Ubuntu: apt install python3-venv), or set ZRPC_INTEROP=off to skip them"
    )]
    VenvMissing {
        /// The command that was tried.
        interpreter: String,
    },

    /// A step of the installation ran and failed.
    #[error("{step} failed with {status}: {output}")]
    Step {
        /// What was being done.
        step: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote, its last lines.
        output: String,
    },

    /// A program of the environment could not be run.
    #[error("cannot run {program:?}")]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },

    /// A file or directory could not be used.
    #[error("cannot use {path:?}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },

    /// The value of `ZRPC_INTEROP` has no meaning.
    #[error("ZRPC_INTEROP is {value:?}: set it to \"off\" to skip the interop tests, or unset it")]
    UnknownSwitch {
        /// The value.
        value: String,
    },
}

impl EnvironmentError {
    pub(super) fn file(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File {
            path: path.into(),
            source: Arc::new(source),
        }
    }
}
