//! What is measured.

use std::fmt;

use crate::cli::Side;
use crate::contender::Contender;

/// A pattern of traffic, with the sizes of its messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Workload {
    /// One PUSH sends to one PULL as fast as it can.
    PushPull { size: usize },
    /// The same, encrypted.
    Curve { size: usize },
    /// The same inside of one process.
    Inproc { size: usize },
    /// One DEALER sends to one ROUTER as fast as it can.
    DealerRouter { size: usize },
    /// One DEALER keeps messages in flight that a ROUTER sends back.
    Echo { size: usize, in_flight: usize },
    /// A request, its reply, the next request.
    RoundTrip { size: usize },
    /// One PUB sends to subscribers of everything, and waits for them instead of dropping.
    PubSub { subscribers: usize, size: usize },
    /// One PUB sends to a subscriber that also wants topics that nobody publishes.
    Subscriptions { idle: usize },
    /// Connections that are made, left alone, used a little.
    Connections { count: usize },
    /// An RPC, its result, the next RPC.
    RpcSequential,
    /// So many RPCs under way at any moment, over one connection.
    RpcInFlight { calls: usize },
    /// The items of one streamed result.
    RpcStream,
    /// Starts of a command that prints its version.
    Start,
}

/// The processes of a measurement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Processes {
    /// One that binds, and one that connects.
    Two,
    /// One that does it all.
    One,
}

impl Workload {
    /// All rows of the table.
    pub(crate) const ALL: [Self; 22] = [
        Self::PushPull { size: 16 },
        Self::PushPull { size: 256 },
        Self::PushPull { size: 1024 },
        Self::PushPull { size: 65536 },
        Self::PushPull { size: 1 << 20 },
        Self::Curve { size: 1024 },
        Self::Curve { size: 65536 },
        Self::Inproc { size: 16 },
        Self::DealerRouter { size: 16 },
        Self::Echo {
            size: 64,
            in_flight: 64,
        },
        Self::RoundTrip { size: 64 },
        Self::PubSub {
            subscribers: 1,
            size: 64,
        },
        Self::PubSub {
            subscribers: 8,
            size: 64,
        },
        Self::Subscriptions { idle: 0 },
        Self::Subscriptions { idle: 1000 },
        Self::Subscriptions { idle: 100_000 },
        Self::Connections { count: 10_000 },
        Self::RpcSequential,
        Self::RpcInFlight { calls: 100 },
        Self::RpcInFlight { calls: 1000 },
        Self::RpcStream,
        Self::Start,
    ];

    /// Reads what `Display` prints.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|workload| workload.to_string() == name)
            .ok_or_else(|| format!("no workload is called {name:?}"))
    }

    /// The headline of its table.
    pub(crate) fn title(self) -> String {
        match self {
            Self::PushPull { size } => format!("PUSH → PULL, {}", bytes(size)),
            Self::Curve { size } => format!("PUSH → PULL with CURVE, {}", bytes(size)),
            Self::Inproc { size } => format!("PUSH → PULL in one process, {}", bytes(size)),
            Self::DealerRouter { size } => format!("DEALER → ROUTER, {}", bytes(size)),
            Self::Echo { size, in_flight } => {
                format!(
                    "DEALER ↔ ROUTER echo, {}, {in_flight} in flight",
                    bytes(size)
                )
            }
            Self::RoundTrip { size } => format!("REQ/REP round trip, {}", bytes(size)),
            Self::PubSub { subscribers, size } => {
                format!(
                    "PUB → {subscribers} SUB, {}, nothing dropped, in sum",
                    bytes(size)
                )
            }
            Self::Subscriptions { idle } => {
                format!("PUB → SUB, 64 B, with {idle} subscriptions that do not match")
            }
            Self::Connections { count } => format!("{count} connections to one PULL"),
            Self::RpcSequential => "RPC, one call after the other".to_owned(),
            Self::RpcInFlight { calls } => {
                format!("RPC, {calls} calls in flight on one connection")
            }
            Self::RpcStream => "RPC, items of one stream".to_owned(),
            Self::Start => "Start of the command".to_owned(),
        }
    }

    /// What is counted.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::PushPull { .. }
            | Self::Curve { .. }
            | Self::Inproc { .. }
            | Self::DealerRouter { .. }
            | Self::PubSub { .. }
            | Self::Subscriptions { .. } => "messages/s",
            Self::Echo { .. } | Self::RoundTrip { .. } => "round trips/s",
            Self::Connections { .. } => "handshakes/s",
            Self::RpcSequential | Self::RpcInFlight { .. } => "calls/s",
            Self::RpcStream => "items/s",
            Self::Start => "starts/s",
        }
    }

    /// How many processes it takes.
    pub(crate) fn processes(self) -> Processes {
        match self {
            Self::Inproc { .. } | Self::Start => Processes::One,
            _ => Processes::Two,
        }
    }

    /// The process that counts: where messages arrive last.
    pub(crate) fn measured_by(self) -> Side {
        match self {
            Self::PushPull { .. }
            | Self::Curve { .. }
            | Self::Inproc { .. }
            | Self::DealerRouter { .. }
            | Self::Start => Side::Server,
            Self::Echo { .. }
            | Self::RoundTrip { .. }
            | Self::PubSub { .. }
            | Self::Subscriptions { .. }
            | Self::Connections { .. }
            | Self::RpcSequential
            | Self::RpcInFlight { .. }
            | Self::RpcStream => Side::Client,
        }
    }

    /// Whom the others are compared with.
    pub(crate) fn baseline(self) -> Contender {
        match self {
            Self::RpcSequential | Self::RpcInFlight { .. } | Self::RpcStream => {
                Contender::PythonZerorpc
            }
            Self::Start => Contender::PythonCommand,
            _ => Contender::Libzmq,
        }
    }

    /// Whether the time of one operation tells more than their number.
    pub(crate) fn is_about_latency(self) -> bool {
        matches!(self, Self::RoundTrip { .. } | Self::Start)
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PushPull { size } => write!(f, "push-pull-{size}"),
            Self::Curve { size } => write!(f, "curve-{size}"),
            Self::Inproc { size } => write!(f, "inproc-{size}"),
            Self::DealerRouter { size } => write!(f, "dealer-router-{size}"),
            Self::Echo { size, in_flight } => write!(f, "echo-{size}x{in_flight}"),
            Self::RoundTrip { size } => write!(f, "round-trip-{size}"),
            Self::PubSub { subscribers, size } => write!(f, "pub-{subscribers}-sub-{size}"),
            Self::Subscriptions { idle } => write!(f, "subscriptions-{idle}"),
            Self::Connections { count } => write!(f, "connections-{count}"),
            Self::RpcSequential => f.write_str("rpc-sequential"),
            Self::RpcInFlight { calls } => write!(f, "rpc-in-flight-{calls}"),
            Self::RpcStream => f.write_str("rpc-stream"),
            Self::Start => f.write_str("start"),
        }
    }
}

fn bytes(size: usize) -> String {
    const KIB: usize = 1 << 10;
    const MIB: usize = 1 << 20;
    match size {
        mebibytes if mebibytes >= MIB && mebibytes.is_multiple_of(MIB) => {
            format!("{} MiB", mebibytes / MIB)
        }
        kibibytes if kibibytes >= KIB && kibibytes.is_multiple_of(KIB) => {
            format!("{} KiB", kibibytes / KIB)
        }
        bytes => format!("{bytes} B"),
    }
}
