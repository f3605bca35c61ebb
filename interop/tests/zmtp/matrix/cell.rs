//! What a cell of the matrix is.

use std::fmt;
use std::sync::LazyLock;

use zmtp::curve::KeyPair;

use crate::support::Binder;

/// A pair of types, and who begins to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) ours: &'static str,
    pub(super) theirs: &'static str,
    pub(super) exchange: Exchange,
}

/// Who sends, and what stands before the parts of a message on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exchange {
    /// We send, libzmq sends it back.
    Ask {
        our_head: &'static [&'static str],
        their_head: &'static [&'static str],
    },
    /// libzmq sends, we send it back.
    Answer {
        our_head: &'static [&'static str],
        their_head: &'static [&'static str],
    },
    /// We send.
    Give,
    /// libzmq sends.
    Take,
}

/// The routing ids that the two sides announce, where they do.
pub(super) const OUR_ID: &str = "us";
pub(super) const THEIR_ID: &str = "them";

const fn ask(
    ours: &'static str,
    theirs: &'static str,
    our_head: &'static [&'static str],
    their_head: &'static [&'static str],
) -> Pair {
    let exchange = Exchange::Ask {
        our_head,
        their_head,
    };
    Pair {
        ours,
        theirs,
        exchange,
    }
}

const fn answer(
    ours: &'static str,
    theirs: &'static str,
    our_head: &'static [&'static str],
    their_head: &'static [&'static str],
) -> Pair {
    let exchange = Exchange::Answer {
        our_head,
        their_head,
    };
    Pair {
        ours,
        theirs,
        exchange,
    }
}

const fn one_way(ours: &'static str, theirs: &'static str, exchange: Exchange) -> Pair {
    Pair {
        ours,
        theirs,
        exchange,
    }
}

/// The legal pairs.
pub(super) const PAIRS: &[Pair] = &[
    ask("REQ", "REP", &[], &[]),
    ask("REQ", "ROUTER", &[], &[OUR_ID, ""]),
    answer("REP", "REQ", &[], &[]),
    // Everything before the empty delimiter comes back with the reply.
    answer("REP", "DEALER", &[], &["hop", ""]),
    ask("DEALER", "REP", &[""], &[]),
    ask("DEALER", "DEALER", &[], &[]),
    ask("DEALER", "ROUTER", &[], &[OUR_ID]),
    answer("ROUTER", "REQ", &[THEIR_ID, ""], &[]),
    answer("ROUTER", "DEALER", &[THEIR_ID], &[]),
    answer("ROUTER", "ROUTER", &[THEIR_ID], &[OUR_ID]),
    one_way("PUSH", "PULL", Exchange::Give),
    one_way("PULL", "PUSH", Exchange::Take),
    one_way("PUB", "SUB", Exchange::Give),
    one_way("PUB", "XSUB", Exchange::Give),
    one_way("SUB", "PUB", Exchange::Take),
    one_way("SUB", "XPUB", Exchange::Take),
    one_way("XPUB", "SUB", Exchange::Give),
    one_way("XPUB", "XSUB", Exchange::Give),
    one_way("XSUB", "PUB", Exchange::Take),
    one_way("XSUB", "XPUB", Exchange::Take),
    ask("PAIR", "PAIR", &[], &[]),
];

/// How the connection is secured, and who is the server of the mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    Null,
    PlainServer,
    PlainClient,
    CurveServer,
    CurveClient,
}

/// The keys of the two sides, new in each run.
pub(super) static OUR_KEYS: LazyLock<KeyPair> = LazyLock::new(KeyPair::generate);
pub(super) static THEIR_KEYS: LazyLock<KeyPair> = LazyLock::new(KeyPair::generate);

/// What PLAIN clients show, and servers ask for.
pub(super) const USERNAME: &str = "admin";
pub(super) const PASSWORD: &str = "secret";

impl Security {
    /// Named after our part.
    pub(super) const ALL: &[Self] = &[
        Self::Null,
        Self::PlainServer,
        Self::PlainClient,
        Self::CurveServer,
        Self::CurveClient,
    ];

    /// The name of the mechanism, a column of the report.
    pub(super) fn mechanism(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::PlainServer | Self::PlainClient => "PLAIN",
            Self::CurveServer | Self::CurveClient => "CURVE",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Tcp,
    Ipc,
}

impl Transport {
    pub(super) const ALL: &[Self] = &[Self::Tcp, Self::Ipc];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Ipc => "ipc",
        }
    }
}

/// One cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) pair: Pair,
    pub(super) binder: Binder,
    pub(super) security: Security,
    pub(super) transport: Transport,
}

impl Cell {
    pub(super) fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for transport in Transport::ALL {
            for security in Security::ALL {
                for binder in [Binder::We, Binder::Libzmq] {
                    for pair in PAIRS {
                        cells.push(Self {
                            pair: *pair,
                            binder,
                            security: *security,
                            transport: *transport,
                        });
                    }
                }
            }
        }
        cells.retain(Self::works_in_libzmq);
        cells
    }

    /// A REQ of libzmq that is the server of a mechanism gets no reply, from libzmq's REP neither.
    fn works_in_libzmq(&self) -> bool {
        let is_server = matches!(self.security, Security::PlainClient | Security::CurveClient);
        self.pair.theirs != "REQ" || !is_server
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pair,
            binder,
            security,
            transport,
        } = self;
        let (ours, theirs) = (pair.ours, pair.theirs);
        let transport = transport.name();
        write!(
            f,
            "our {ours}, their {theirs}, {transport}, {security:?}, {binder:?} bind"
        )
    }
}
