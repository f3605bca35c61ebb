//! Who is measured; one file each.

mod libzmq;
mod omq;
mod raw;
mod zeromq_crate;
mod zmtp_sockets;
mod zrpc_peer;

use std::fmt;
use std::future::Future;

use clap::ValueEnum;
use zrpc::IoRuntime;

use crate::cli::{PeerOptions, Runtime, Side};
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

/// A line of the tables: a library, or two that talk with each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Contender {
    /// Frames over a bare tokio TCP stream, looked at where they were read.
    Raw,
    /// The same, but each body is handed over as a value: the limit for sockets.
    RawFramed,
    /// The reference implementation, through crate `zmq`.
    Libzmq,
    /// The official pure-Rust implementation.
    Zeromq,
    /// The most complete pure-Rust implementation beside this one.
    Omq,
    /// This project's sockets.
    Zmtp,
    /// Python's client and server: the reference implementation of the RPC.
    PythonZerorpc,
    /// This project's client and server.
    Zrpc,
    /// The same, without the thread of their own for input and output.
    ZrpcSharedIo,
    /// Python's client calls this project's server.
    PythonToZrpc,
    /// This project's client calls Python's server.
    ZrpcToPython,
}

impl Contender {
    pub(crate) const ALL: [Self; 11] = [
        Self::Raw,
        Self::RawFramed,
        Self::Libzmq,
        Self::Zeromq,
        Self::Omq,
        Self::Zmtp,
        Self::PythonZerorpc,
        Self::Zrpc,
        Self::ZrpcSharedIo,
        Self::PythonToZrpc,
        Self::ZrpcToPython,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw-tokio-tcp",
            Self::RawFramed => "raw-framed",
            Self::Libzmq => "libzmq",
            Self::Zeromq => "zeromq",
            Self::Omq => "omq",
            Self::Zmtp => "zmtp",
            Self::PythonZerorpc => "python-zerorpc",
            Self::Zrpc => "zrpc",
            Self::ZrpcSharedIo => "zrpc-shared-io",
            Self::PythonToZrpc => "python → zrpc",
            Self::ZrpcToPython => "zrpc → python",
        }
    }

    /// Whether it has code for the workload.
    pub(crate) fn supports(self, workload: Workload) -> bool {
        let is_rpc = matches!(
            workload,
            Workload::RpcSequential | Workload::RpcInFlight { .. } | Workload::RpcStream
        );
        match self {
            Self::Raw => matches!(
                workload,
                Workload::PushPull { .. } | Workload::RoundTrip { .. }
            ),
            Self::RawFramed => matches!(workload, Workload::PushPull { .. }),
            Self::Libzmq | Self::Zeromq | Self::Omq | Self::Zmtp => !is_rpc,
            Self::PythonZerorpc
            | Self::Zrpc
            | Self::ZrpcSharedIo
            | Self::PythonToZrpc
            | Self::ZrpcToPython => is_rpc,
        }
    }

    /// The runtimes that it is measured on; none if it brings its own threads.
    pub(crate) fn runtimes(self) -> &'static [Runtime] {
        match self {
            Self::Raw | Self::RawFramed | Self::PythonToZrpc | Self::ZrpcToPython => {
                &[Runtime::CurrentThread]
            }
            Self::Zeromq | Self::Omq | Self::Zmtp | Self::Zrpc | Self::ZrpcSharedIo => {
                &[Runtime::CurrentThread, Runtime::MultiThread]
            }
            Self::Libzmq | Self::PythonZerorpc => &[],
        }
    }

    /// Whether it is this project's own.
    pub(crate) fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Zmtp | Self::Zrpc | Self::ZrpcSharedIo | Self::PythonToZrpc | Self::ZrpcToPython
        )
    }

    /// What runs on one side of it.
    pub(crate) fn implementation(self, side: Side) -> Implementation {
        match (self, side) {
            (Self::Raw, _) => Implementation::Raw,
            (Self::RawFramed, _) => Implementation::RawFramed,
            (Self::Libzmq, _) => Implementation::Libzmq,
            (Self::Zeromq, _) => Implementation::Zeromq,
            (Self::Omq, _) => Implementation::Omq,
            (Self::Zmtp, _) => Implementation::Zmtp,
            (Self::Zrpc, _)
            | (Self::PythonToZrpc, Side::Server)
            | (Self::ZrpcToPython, Side::Client) => Implementation::Zrpc,
            (Self::ZrpcSharedIo, _) => Implementation::ZrpcSharedIo,
            (Self::PythonZerorpc, _)
            | (Self::PythonToZrpc, Side::Client)
            | (Self::ZrpcToPython, Side::Server) => Implementation::Python,
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
    RawFramed,
    Libzmq,
    Zeromq,
    Omq,
    Zmtp,
    Zrpc,
    ZrpcSharedIo,
    /// Not in this program: `python/peer.py`.
    Python,
}

impl Implementation {
    /// The name in arguments.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::RawFramed => "raw-framed",
            Self::Libzmq => "libzmq",
            Self::Zeromq => "zeromq",
            Self::Omq => "omq",
            Self::Zmtp => "zmtp",
            Self::Zrpc => "zrpc",
            Self::ZrpcSharedIo => "zrpc-shared-io",
            Self::Python => "python",
        }
    }
}

/// What a process does that [`crate::run`] started.
pub(crate) fn run_peer(options: PeerOptions) -> Result<(), BenchError> {
    let (runtime, implementation) = (options.runtime, options.implementation);
    let link = Link::new(options);
    match implementation {
        Implementation::Raw => on(runtime, raw::run(link, raw::Bodies::InPlace)),
        Implementation::RawFramed => on(runtime, raw::run(link, raw::Bodies::AsValues)),
        Implementation::Libzmq => libzmq::run(&link),
        Implementation::Zeromq => on(runtime, zeromq_crate::run(link)),
        Implementation::Omq => on(runtime, omq::run(link)),
        Implementation::Zmtp => on(runtime, zmtp_sockets::run(link)),
        Implementation::Zrpc => on(runtime, zrpc_peer::run(link, IoRuntime::Dedicated)),
        Implementation::ZrpcSharedIo => on(runtime, zrpc_peer::run(link, IoRuntime::Current)),
        Implementation::Python => Err(unsupported(implementation, link.workload())),
    }
}

/// Runs `work` as most programs would: on a multi-thread runtime as one of its tasks, not on the
/// thread that waits for the end, from where every wake-up of a task goes to another thread.
fn on(
    runtime: Runtime,
    work: impl Future<Output = Result<(), BenchError>> + Send + 'static,
) -> Result<(), BenchError> {
    let running = runtime.build()?;
    match runtime {
        Runtime::CurrentThread => running.block_on(work),
        Runtime::MultiThread => running
            .block_on(running.spawn(work))
            .map_err(BenchError::contender)?,
    }
}

fn unsupported(implementation: Implementation, workload: Workload) -> BenchError {
    BenchError::Unsupported {
        contender: implementation.name(),
        workload: workload.to_string(),
    }
}
