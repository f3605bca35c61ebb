//! Who is measured; one file each.

mod libzmq;
mod raw;
mod zmtp_sockets;

use std::fmt;
use std::future::Future;

use clap::ValueEnum;

use crate::cli::{PeerOptions, Runtime, Side};
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

/// A line of the tables: a library, or two that talk with each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Contender {
    /// No sockets at all: frames over a bare tokio TCP stream. The limit.
    Raw,
    /// The reference implementation, through crate `zmq`.
    Libzmq,
    /// This project's sockets.
    Zmtp,
    /// Python's client and server: the reference implementation of the RPC.
    PythonZerorpc,
}

impl Contender {
    pub(crate) const ALL: [Self; 4] = [Self::Raw, Self::Libzmq, Self::Zmtp, Self::PythonZerorpc];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw-tokio-tcp",
            Self::Libzmq => "libzmq",
            Self::Zmtp => "zmtp",
            Self::PythonZerorpc => "python-zerorpc",
        }
    }

    /// Whether it has code for the workload.
    pub(crate) fn supports(self, workload: Workload) -> bool {
        match workload {
            Workload::PushPull { .. } | Workload::RoundTrip { .. } => {
                matches!(self, Self::Raw | Self::Libzmq | Self::Zmtp)
            }
            Workload::DealerRouter { .. } | Workload::Echo { .. } => {
                matches!(self, Self::Libzmq | Self::Zmtp)
            }
            Workload::RpcSequential | Workload::RpcInFlight { .. } | Workload::RpcStream => {
                matches!(self, Self::PythonZerorpc)
            }
        }
    }

    /// The runtimes that it is measured on; none if it brings its own threads.
    pub(crate) fn runtimes(self) -> &'static [Runtime] {
        match self {
            Self::Raw => &[Runtime::CurrentThread],
            Self::Zmtp => &[Runtime::CurrentThread, Runtime::MultiThread],
            Self::Libzmq | Self::PythonZerorpc => &[],
        }
    }

    /// What runs on one side of it.
    pub(crate) fn implementation(self, side: Side) -> Implementation {
        match (self, side) {
            (Self::Raw, _) => Implementation::Raw,
            (Self::Libzmq, _) => Implementation::Libzmq,
            (Self::Zmtp, _) => Implementation::Zmtp,
            (Self::PythonZerorpc, _) => Implementation::Python,
        }
    }
}

/// A contender on one of its runtimes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) contender: Contender,
    pub(crate) runtime: Option<Runtime>,
}

impl Entry {
    /// Every contender on each of its runtimes.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Contender::ALL.into_iter().flat_map(|contender| {
            let own_threads = contender.runtimes().is_empty().then_some(None);
            let runtimes = contender.runtimes().iter().copied().map(Some);
            own_threads
                .into_iter()
                .chain(runtimes)
                .map(move |runtime| Self { contender, runtime })
        })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.contender.name())?;
        match self.runtime {
            // Where there is only one, it need not be said.
            Some(runtime) if self.contender.runtimes().len() > 1 => {
                write!(f, ", {}", runtime.name())
            }
            _ => Ok(()),
        }
    }
}

/// The code of one process.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Implementation {
    Raw,
    Libzmq,
    Zmtp,
    /// Not in this program: `python/peer.py`.
    Python,
}

impl Implementation {
    /// The name in arguments.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Libzmq => "libzmq",
            Self::Zmtp => "zmtp",
            Self::Python => "python",
        }
    }
}

/// What a process does that [`crate::run`] started.
pub(crate) fn run_peer(options: &PeerOptions) -> Result<(), BenchError> {
    let link = Link::new(options);
    match options.implementation {
        Implementation::Raw => on(options.runtime, raw::run(&link)),
        Implementation::Libzmq => libzmq::run(&link),
        Implementation::Zmtp => on(options.runtime, zmtp_sockets::run(&link)),
        Implementation::Python => Err(unsupported(options.implementation, options.workload)),
    }
}

fn on(
    runtime: Runtime,
    work: impl Future<Output = Result<(), BenchError>>,
) -> Result<(), BenchError> {
    runtime.build()?.block_on(work)
}

fn unsupported(implementation: Implementation, workload: Workload) -> BenchError {
    BenchError::Unsupported {
        contender: implementation.name(),
        workload: workload.to_string(),
    }
}
