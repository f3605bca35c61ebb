//! The socket types and the table of who may talk to whom.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A socket type as announced in the `Socket-Type` property of READY.
///
/// The first eleven belong to the stable protocol, the others to the draft one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SocketType {
    /// Sends a request, then receives its reply.
    Req,
    /// Receives a request, then sends its reply.
    Rep,
    /// Talks to several peers asynchronously, in turn.
    Dealer,
    /// Talks to several peers asynchronously, by routing id.
    Router,
    /// Publishes to subscribers.
    Pub,
    /// Publishes to subscribers and shows their subscriptions.
    XPub,
    /// Subscribes to publishers.
    Sub,
    /// Subscribes to publishers with messages instead of options.
    XSub,
    /// Sends along a pipeline.
    Push,
    /// Receives along a pipeline.
    Pull,
    /// Talks to exactly one peer.
    Pair,
    /// Talks to servers with single-part messages (draft).
    Client,
    /// Talks to clients by routing id with single-part messages (draft).
    Server,
    /// Publishes to groups (draft).
    Radio,
    /// Joins groups (draft).
    Dish,
    /// Sends single-part messages along a pipeline (draft).
    Scatter,
    /// Receives single-part messages along a pipeline (draft).
    Gather,
    /// Talks to other peers by routing id with single-part messages (draft).
    Peer,
    /// Talks to exactly one channel with single-part messages (draft).
    Channel,
}

impl SocketType {
    /// Every socket type, in the order of their introduction.
    pub const ALL: [Self; 19] = [
        Self::Req,
        Self::Rep,
        Self::Dealer,
        Self::Router,
        Self::Pub,
        Self::XPub,
        Self::Sub,
        Self::XSub,
        Self::Push,
        Self::Pull,
        Self::Pair,
        Self::Client,
        Self::Server,
        Self::Radio,
        Self::Dish,
        Self::Scatter,
        Self::Gather,
        Self::Peer,
        Self::Channel,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Req => "REQ",
            Self::Rep => "REP",
            Self::Dealer => "DEALER",
            Self::Router => "ROUTER",
            Self::Pub => "PUB",
            Self::XPub => "XPUB",
            Self::Sub => "SUB",
            Self::XSub => "XSUB",
            Self::Push => "PUSH",
            Self::Pull => "PULL",
            Self::Pair => "PAIR",
            Self::Client => "CLIENT",
            Self::Server => "SERVER",
            Self::Radio => "RADIO",
            Self::Dish => "DISH",
            Self::Scatter => "SCATTER",
            Self::Gather => "GATHER",
            Self::Peer => "PEER",
            Self::Channel => "CHANNEL",
        }
    }

    /// Reads a name from the wire; the spelling must be exact.
    ///
    /// # Errors
    /// [`UnknownSocketType`] for anything but one of the nineteen names.
    pub fn from_wire(name: &[u8]) -> Result<Self, UnknownSocketType> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str().as_bytes() == name)
            .ok_or(UnknownSocketType)
    }

    /// Whether a connection between `self` and `peer` is legal.
    #[must_use]
    pub const fn is_compatible(self, peer: Self) -> bool {
        match self {
            Self::Req => matches!(peer, Self::Rep | Self::Router),
            Self::Rep => matches!(peer, Self::Req | Self::Dealer),
            Self::Dealer => matches!(peer, Self::Rep | Self::Dealer | Self::Router),
            Self::Router => matches!(peer, Self::Req | Self::Dealer | Self::Router),
            Self::Pub | Self::XPub => matches!(peer, Self::Sub | Self::XSub),
            Self::Sub | Self::XSub => matches!(peer, Self::Pub | Self::XPub),
            Self::Push => matches!(peer, Self::Pull),
            Self::Pull => matches!(peer, Self::Push),
            Self::Pair => matches!(peer, Self::Pair),
            Self::Client => matches!(peer, Self::Server),
            Self::Server => matches!(peer, Self::Client),
            Self::Radio => matches!(peer, Self::Dish),
            Self::Dish => matches!(peer, Self::Radio),
            Self::Scatter => matches!(peer, Self::Gather),
            Self::Gather => matches!(peer, Self::Scatter),
            Self::Peer => matches!(peer, Self::Peer),
            Self::Channel => matches!(peer, Self::Channel),
        }
    }

    /// Whether sockets of this type may announce a routing id (`Identity`) to their peers.
    #[must_use]
    pub const fn announces_routing_id(self) -> bool {
        matches!(self, Self::Req | Self::Dealer | Self::Router)
    }

    /// Whether sockets of this type receive subscriptions and filter what they send by them.
    #[must_use]
    pub const fn is_publisher(self) -> bool {
        matches!(self, Self::Pub | Self::XPub)
    }

    /// Whether sockets of this type send subscriptions.
    #[must_use]
    pub const fn is_subscriber(self) -> bool {
        matches!(self, Self::Sub | Self::XSub)
    }

    /// Whether messages of this type have exactly one part (the thread-safe family).
    ///
    /// A RADIO message travels as two frames, of which the first is the group.
    #[must_use]
    pub const fn is_single_part(self) -> bool {
        matches!(
            self,
            Self::Client
                | Self::Server
                | Self::Radio
                | Self::Dish
                | Self::Scatter
                | Self::Gather
                | Self::Peer
                | Self::Channel
        )
    }
}

impl fmt::Display for SocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SocketType {
    type Err = UnknownSocketType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::from_wire(name.as_bytes())
    }
}

/// The name is not one of the socket types that ZMTP defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[error("unknown socket type")]
pub struct UnknownSocketType;

#[cfg(test)]
mod tests {
    use super::*;

    // ZMTP31-078
    #[test]
    fn names_round_trip_and_nothing_else_parses() {
        for socket_type in SocketType::ALL {
            assert_eq!(socket_type.to_string().parse(), Ok(socket_type));
            assert_eq!(
                SocketType::from_wire(socket_type.as_str().to_lowercase().as_bytes()),
                Err(UnknownSocketType)
            );
        }
        for name in ["", "FOO", "push", "XREQ", "PULL ", "PULL\0", "PUS", "PUSHX"] {
            assert_eq!(name.parse::<SocketType>(), Err(UnknownSocketType), "{name}");
        }
    }

    // ZMTP31-079
    #[test]
    fn legal_pairs_are_exactly_the_twenty_nine_of_the_table() {
        const LEGAL: [(&str, &[&str]); 19] = [
            ("REQ", &["REP", "ROUTER"]),
            ("REP", &["REQ", "DEALER"]),
            ("DEALER", &["REP", "DEALER", "ROUTER"]),
            ("ROUTER", &["REQ", "DEALER", "ROUTER"]),
            ("PUB", &["SUB", "XSUB"]),
            ("XPUB", &["SUB", "XSUB"]),
            ("SUB", &["PUB", "XPUB"]),
            ("XSUB", &["PUB", "XPUB"]),
            ("PUSH", &["PULL"]),
            ("PULL", &["PUSH"]),
            ("PAIR", &["PAIR"]),
            ("CLIENT", &["SERVER"]),
            ("SERVER", &["CLIENT"]),
            ("RADIO", &["DISH"]),
            ("DISH", &["RADIO"]),
            ("SCATTER", &["GATHER"]),
            ("GATHER", &["SCATTER"]),
            ("PEER", &["PEER"]),
            ("CHANNEL", &["CHANNEL"]),
        ];
        let mut legal_count = 0;
        for (name, peers) in LEGAL {
            let ours: SocketType = name.parse().unwrap();
            for theirs in SocketType::ALL {
                let expected = peers.contains(&theirs.as_str());
                assert_eq!(ours.is_compatible(theirs), expected, "{ours} {theirs}");
                assert_eq!(theirs.is_compatible(ours), expected, "{theirs} {ours}");
                legal_count += usize::from(expected);
            }
        }
        assert_eq!(legal_count, 29);
    }
}
