//! Who is measured; one file each.

#[cfg(feature = "socket-rivals")]
mod celerity;
mod command;
mod crowd;
mod dealer_router;
#[cfg(feature = "rpc-rivals")]
mod jsonrpsee_peer;
mod keys;
mod libzmq;
#[cfg(feature = "socket-rivals")]
mod monocoque;
#[cfg(feature = "rpc-rivals")]
mod msgpack_rpc_peer;
mod omq;
mod publication;
mod raw;
#[cfg(feature = "socket-rivals")]
mod rzmq;
#[cfg(feature = "rpc-rivals")]
mod tarpc_peer;
#[cfg(feature = "rpc-rivals")]
mod tonic_peer;
mod traffic;
mod zeromq_crate;
mod zmtp_sockets;
mod zrpc_peer;

use std::fmt;
use std::future::Future;
use std::thread;
use std::time::Duration;

use clap::ValueEnum;

use crate::cli::{PeerOptions, Runtime, Side};
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

pub(crate) use command::PROGRAM;
use zrpc_peer::Io;

/// How long those look for messages that keep looking: a few round trips.
const PATIENCE: Duration = Duration::from_micros(200);

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
    /// A pure-Rust implementation that is made for throughput.
    Rzmq,
    /// Single connections in pure Rust, without queues.
    Monocoque,
    /// A small pure-Rust implementation of four sockets.
    Celerity,
    /// This project's sockets.
    Zmtp,
    /// The same, where a receiver looks for a while before it sleeps.
    ZmtpBusyWait,
    /// Python's client and server: the reference implementation of the RPC.
    PythonZerorpc,
    /// Node's client and server of the same protocol.
    NodeZerorpc,
    /// RPC between Rust programs.
    Tarpc,
    /// gRPC.
    Tonic,
    /// JSON-RPC over a WebSocket.
    Jsonrpsee,
    /// MessagePack-RPC.
    MsgpackRpc,
    /// Requests and replies by hand over this project's sockets: the limit for the RPC.
    DealerRouter,
    /// This project's client and server.
    Zrpc,
    /// The same, without the thread of their own for input and output.
    ZrpcSharedIo,
    /// The same, looking for a while before it sleeps.
    ZrpcBusyWait,
    /// Python's client calls this project's server.
    PythonToZrpc,
    /// This project's client calls Python's server.
    ZrpcToPython,
    /// Python's command.
    PythonCommand,
    /// This project's command.
    ZrpcCommand,
}

/// The two kinds of RPC rows.
fn is_call(workload: Workload) -> bool {
    matches!(
        workload,
        Workload::RpcSequential | Workload::RpcInFlight { .. }
    )
}

impl Contender {
    pub(crate) const ALL: [Self; 24] = [
        Self::Raw,
        Self::RawFramed,
        Self::Libzmq,
        Self::Zeromq,
        Self::Omq,
        Self::Rzmq,
        Self::Monocoque,
        Self::Celerity,
        Self::Zmtp,
        Self::ZmtpBusyWait,
        Self::PythonZerorpc,
        Self::NodeZerorpc,
        Self::Tarpc,
        Self::Tonic,
        Self::Jsonrpsee,
        Self::MsgpackRpc,
        Self::DealerRouter,
        Self::Zrpc,
        Self::ZrpcSharedIo,
        Self::ZrpcBusyWait,
        Self::PythonToZrpc,
        Self::ZrpcToPython,
        Self::PythonCommand,
        Self::ZrpcCommand,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw-tokio-tcp",
            Self::RawFramed => "raw-framed",
            Self::Libzmq => "libzmq",
            Self::Zeromq => "zeromq",
            Self::Omq => "omq",
            Self::Rzmq => "rzmq",
            Self::Monocoque => "monocoque",
            Self::Celerity => "celerity",
            Self::Zmtp => "zmtp",
            Self::ZmtpBusyWait => "zmtp-busy-wait",
            Self::PythonZerorpc => "python-zerorpc",
            Self::NodeZerorpc => "node-zerorpc",
            Self::Tarpc => "tarpc",
            Self::Tonic => "tonic",
            Self::Jsonrpsee => "jsonrpsee",
            Self::MsgpackRpc => "msgpack-rpc",
            Self::DealerRouter => "zmtp-by-hand",
            Self::Zrpc => "zrpc",
            Self::ZrpcSharedIo => "zrpc-shared-io",
            Self::ZrpcBusyWait => "zrpc-busy-wait",
            Self::PythonToZrpc => "python → zrpc",
            Self::ZrpcToPython => "zrpc → python",
            Self::PythonCommand => "zerorpc --help",
            Self::ZrpcCommand => "zrpc --version",
        }
    }

    /// Whether it has code for the workload.
    pub(crate) fn supports(self, workload: Workload) -> bool {
        use Workload::{
            Connections, Curve, DealerRouter, Echo, Inproc, PubSub, PushPull, RoundTrip, RpcStream,
            Start, Subscriptions,
        };
        let basic = matches!(
            workload,
            PushPull { .. } | DealerRouter { .. } | Echo { .. } | RoundTrip { .. }
        );
        match self {
            Self::Raw => matches!(workload, PushPull { .. } | RoundTrip { .. }),
            Self::RawFramed => matches!(workload, PushPull { .. }),
            Self::Libzmq | Self::Omq | Self::Zmtp => {
                let more = matches!(
                    workload,
                    Curve { .. }
                        | Inproc { .. }
                        | PubSub { .. }
                        | Subscriptions { .. }
                        | Connections { .. }
                );
                basic || more
            }
            Self::Zeromq => basic || matches!(workload, Connections { .. }),
            Self::Rzmq => {
                let more = matches!(workload, Curve { .. } | PubSub { .. });
                SOCKET_RIVALS && (basic || more)
            }
            Self::Monocoque => SOCKET_RIVALS && basic,
            Self::Celerity => SOCKET_RIVALS && matches!(workload, RoundTrip { .. }),
            Self::ZmtpBusyWait => matches!(workload, RoundTrip { .. }),
            Self::ZrpcBusyWait => workload == Workload::RpcSequential,
            Self::Tarpc | Self::Jsonrpsee | Self::MsgpackRpc => RPC_RIVALS && is_call(workload),
            Self::Tonic => RPC_RIVALS && (is_call(workload) || workload == RpcStream),
            Self::NodeZerorpc | Self::DealerRouter => is_call(workload),
            Self::PythonZerorpc
            | Self::Zrpc
            | Self::ZrpcSharedIo
            | Self::PythonToZrpc
            | Self::ZrpcToPython => is_call(workload) || workload == RpcStream,
            Self::PythonCommand | Self::ZrpcCommand => workload == Start,
        }
    }

    /// The runtimes that it is measured on; none if it brings its own threads.
    pub(crate) fn runtimes(self) -> &'static [Runtime] {
        match self {
            Self::Raw
            | Self::RawFramed
            | Self::Monocoque
            | Self::ZmtpBusyWait
            | Self::ZrpcBusyWait
            | Self::PythonToZrpc
            | Self::ZrpcToPython => &[Runtime::CurrentThread],
            Self::Zeromq
            | Self::Omq
            | Self::Rzmq
            | Self::Celerity
            | Self::Zmtp
            | Self::Tarpc
            | Self::Tonic
            | Self::Jsonrpsee
            | Self::MsgpackRpc
            | Self::DealerRouter
            | Self::Zrpc
            | Self::ZrpcSharedIo => &[Runtime::CurrentThread, Runtime::MultiThread],
            Self::Libzmq
            | Self::PythonZerorpc
            | Self::NodeZerorpc
            | Self::PythonCommand
            | Self::ZrpcCommand => &[],
        }
    }

    /// Whether it is this project's own.
    pub(crate) fn is_ours(self) -> bool {
        matches!(
            self,
            Self::Zmtp
                | Self::ZmtpBusyWait
                | Self::DealerRouter
                | Self::Zrpc
                | Self::ZrpcSharedIo
                | Self::ZrpcBusyWait
                | Self::PythonToZrpc
                | Self::ZrpcToPython
                | Self::ZrpcCommand
        )
    }

    /// Whether it only shows what the machine gives.
    pub(crate) fn is_limit(self) -> bool {
        matches!(self, Self::Raw | Self::RawFramed)
    }

    /// What runs on one side of it.
    pub(crate) fn implementation(self, workload: Workload, side: Side) -> Implementation {
        if matches!(
            (workload, side),
            (Workload::Connections { .. }, Side::Client)
        ) {
            return Implementation::Crowd;
        }
        match (self, side) {
            (Self::Raw, _) => Implementation::Raw,
            (Self::RawFramed, _) => Implementation::RawFramed,
            (Self::Libzmq, _) => Implementation::Libzmq,
            (Self::Zeromq, _) => Implementation::Zeromq,
            (Self::Omq, _) => Implementation::Omq,
            (Self::Rzmq, _) => Implementation::Rzmq,
            (Self::Monocoque, _) => Implementation::Monocoque,
            (Self::Celerity, _) => Implementation::Celerity,
            (Self::Zmtp, _) => Implementation::Zmtp,
            (Self::ZmtpBusyWait, _) => Implementation::ZmtpBusyWait,
            (Self::Tarpc, _) => Implementation::Tarpc,
            (Self::Tonic, _) => Implementation::Tonic,
            (Self::Jsonrpsee, _) => Implementation::Jsonrpsee,
            (Self::MsgpackRpc, _) => Implementation::MsgpackRpc,
            (Self::DealerRouter, _) => Implementation::DealerRouter,
            (Self::NodeZerorpc, _) => Implementation::Node,
            (Self::Zrpc, _)
            | (Self::PythonToZrpc, Side::Server)
            | (Self::ZrpcToPython, Side::Client) => Implementation::Zrpc,
            (Self::ZrpcSharedIo, _) => Implementation::ZrpcSharedIo,
            (Self::ZrpcBusyWait, _) => Implementation::ZrpcBusyWait,
            (Self::PythonZerorpc, _)
            | (Self::PythonToZrpc, Side::Client)
            | (Self::ZrpcToPython, Side::Server) => Implementation::Python,
            (Self::PythonCommand, _) => Implementation::PythonCommand,
            (Self::ZrpcCommand, _) => Implementation::ZrpcCommand,
        }
    }
}

/// Whether the socket libraries that take long to build are here.
const SOCKET_RIVALS: bool = cfg!(feature = "socket-rivals");

/// Whether the RPC libraries are here.
const RPC_RIVALS: bool = cfg!(feature = "rpc-rivals");

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
    Rzmq,
    Monocoque,
    Celerity,
    Zmtp,
    ZmtpBusyWait,
    Tarpc,
    Tonic,
    Jsonrpsee,
    MsgpackRpc,
    DealerRouter,
    Zrpc,
    ZrpcSharedIo,
    ZrpcBusyWait,
    /// Many bare connections to somebody else's socket.
    Crowd,
    /// Not in this program: `python/peer.py`.
    Python,
    /// Not in this program: `node/peer.js`.
    Node,
    /// Starts the command of the Python environment again and again.
    PythonCommand,
    /// Starts this project's command again and again.
    ZrpcCommand,
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
            Self::Rzmq => "rzmq",
            Self::Monocoque => "monocoque",
            Self::Celerity => "celerity",
            Self::Zmtp => "zmtp",
            Self::ZmtpBusyWait => "zmtp-busy-wait",
            Self::Tarpc => "tarpc",
            Self::Tonic => "tonic",
            Self::Jsonrpsee => "jsonrpsee",
            Self::MsgpackRpc => "msgpack-rpc",
            Self::DealerRouter => "dealer-router",
            Self::Zrpc => "zrpc",
            Self::ZrpcSharedIo => "zrpc-shared-io",
            Self::ZrpcBusyWait => "zrpc-busy-wait",
            Self::Crowd => "crowd",
            Self::Python => "python",
            Self::Node => "node",
            Self::PythonCommand => "python-command",
            Self::ZrpcCommand => "zrpc-command",
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
        Implementation::Zmtp => on(runtime, zmtp_sockets::run(link, Duration::ZERO)),
        Implementation::ZmtpBusyWait => on(runtime, zmtp_sockets::run(link, PATIENCE)),
        Implementation::DealerRouter => on(runtime, dealer_router::run(link)),
        Implementation::Zrpc => on(runtime, zrpc_peer::run(link, Io::default())),
        Implementation::ZrpcSharedIo => on(runtime, zrpc_peer::run(link, Io::shared())),
        Implementation::ZrpcBusyWait => {
            on(runtime, zrpc_peer::run(link, Io::shared().busy(PATIENCE)))
        }
        Implementation::Crowd => on(runtime, crowd::run(link)),
        Implementation::PythonCommand | Implementation::ZrpcCommand => command::run(&link),
        #[cfg(feature = "socket-rivals")]
        Implementation::Rzmq => on(runtime, rzmq::run(link)),
        #[cfg(feature = "socket-rivals")]
        Implementation::Monocoque => monocoque::run(&link),
        #[cfg(feature = "socket-rivals")]
        Implementation::Celerity => on(runtime, celerity::run(link)),
        #[cfg(feature = "rpc-rivals")]
        Implementation::Tarpc => on(runtime, tarpc_peer::run(link)),
        #[cfg(feature = "rpc-rivals")]
        Implementation::Tonic => on(runtime, tonic_peer::run(link)),
        #[cfg(feature = "rpc-rivals")]
        Implementation::Jsonrpsee => on(runtime, jsonrpsee_peer::run(link)),
        #[cfg(feature = "rpc-rivals")]
        Implementation::MsgpackRpc => on(runtime, msgpack_rpc_peer::run(link)),
        _ => Err(unsupported(implementation, link.workload())),
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

/// Runs the other half of a measurement in the same process: beside a current-thread runtime on a
/// thread and a runtime of its own, on a multi-thread runtime as a task.
fn beside<Work>(link: &Link, work: impl FnOnce() -> Work + Send + 'static)
where
    Work: Future<Output = Result<(), BenchError>> + Send + 'static,
{
    let runtime = link.runtime();
    match runtime {
        Runtime::CurrentThread => {
            thread::spawn(move || end(on(runtime, work())));
        }
        Runtime::MultiThread => {
            tokio::spawn(async move { end(work().await) });
        }
    }
}

/// Ends the process if half of its work fails: the other half would wait for ever.
fn end(outcome: Result<(), BenchError>) {
    if let Err(error) = outcome {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

/// The argument of the RPCs, and their result.
fn rpc_text() -> String {
    "x".repeat(64)
}

fn unsupported(implementation: Implementation, workload: Workload) -> BenchError {
    BenchError::Unsupported {
        contender: implementation.name(),
        workload: workload.to_string(),
    }
}
