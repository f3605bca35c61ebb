//! What is measured.

use std::fmt;

use crate::cli::Side;
use crate::contender::Contender;

/// A pattern of traffic, with the sizes of its messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Workload {
    /// One PUSH sends to one PULL as fast as it can.
    PushPull { size: usize },
    /// One DEALER sends to one ROUTER as fast as it can.
    DealerRouter { size: usize },
    /// One DEALER keeps messages in flight that a ROUTER sends back.
    Echo { size: usize, in_flight: usize },
    /// A request, its reply, the next request.
    RoundTrip { size: usize },
    /// An RPC, its result, the next RPC.
    RpcSequential,
    /// So many RPCs under way at any moment, over one connection.
    RpcInFlight { calls: usize },
    /// The items of one streamed result.
    RpcStream,
}

impl Workload {
    /// All rows of the table.
    pub(crate) const ALL: [Self; 10] = [
        Self::PushPull { size: 16 },
        Self::PushPull { size: 256 },
        Self::PushPull { size: 1024 },
        Self::PushPull { size: 65536 },
        Self::DealerRouter { size: 16 },
        Self::Echo {
            size: 64,
            in_flight: 64,
        },
        Self::RoundTrip { size: 64 },
        Self::RpcSequential,
        Self::RpcInFlight { calls: 100 },
        Self::RpcStream,
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
            Self::DealerRouter { size } => format!("DEALER → ROUTER, {}", bytes(size)),
            Self::Echo { size, in_flight } => {
                format!(
                    "DEALER ↔ ROUTER echo, {}, {in_flight} in flight",
                    bytes(size)
                )
            }
            Self::RoundTrip { size } => format!("REQ/REP round trip, {}", bytes(size)),
            Self::RpcSequential => "RPC, one call after the other".to_owned(),
            Self::RpcInFlight { calls } => {
                format!("RPC, {calls} calls in flight on one connection")
            }
            Self::RpcStream => "RPC, items of one stream".to_owned(),
        }
    }

    /// What is counted.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::PushPull { .. } | Self::DealerRouter { .. } => "messages/s",
            Self::Echo { .. } | Self::RoundTrip { .. } => "round trips/s",
            Self::RpcSequential | Self::RpcInFlight { .. } => "calls/s",
            Self::RpcStream => "items/s",
        }
    }

    /// The process that counts: where messages arrive last.
    pub(crate) fn measured_by(self) -> Side {
        match self {
            Self::PushPull { .. } | Self::DealerRouter { .. } => Side::Server,
            Self::Echo { .. }
            | Self::RoundTrip { .. }
            | Self::RpcSequential
            | Self::RpcInFlight { .. }
            | Self::RpcStream => Side::Client,
        }
    }

    /// Whom the others are compared with.
    pub(crate) fn baseline(self) -> Contender {
        match self {
            Self::PushPull { .. }
            | Self::DealerRouter { .. }
            | Self::Echo { .. }
            | Self::RoundTrip { .. } => Contender::Libzmq,
            Self::RpcSequential | Self::RpcInFlight { .. } | Self::RpcStream => {
                Contender::PythonZerorpc
            }
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PushPull { size } => write!(f, "push-pull-{size}"),
            Self::DealerRouter { size } => write!(f, "dealer-router-{size}"),
            Self::Echo { size, in_flight } => write!(f, "echo-{size}x{in_flight}"),
            Self::RoundTrip { size } => write!(f, "round-trip-{size}"),
            Self::RpcSequential => f.write_str("rpc-sequential"),
            Self::RpcInFlight { calls } => write!(f, "rpc-in-flight-{calls}"),
            Self::RpcStream => f.write_str("rpc-stream"),
        }
    }
}

fn bytes(size: usize) -> String {
    if size >= 1024 && size.is_multiple_of(1024) {
        format!("{} KiB", size / 1024)
    } else {
        format!("{size} B")
    }
}
