//! What a socket and its peers have done so far, as numbers (L3).

use std::fmt;

/// Messages and octets in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Traffic {
    /// Whole messages. Sent is a message whose last octet the operating system has taken, received
    /// one that was put into the queue of the receiver.
    pub messages: u64,
    /// Octets that the operating system has taken or given, with everything that is no message:
    /// frame headers, commands, handshakes, heartbeats and what encryption adds. Between the sockets
    /// of one process, where nothing of that is, the octets of the messages.
    pub octets: u64,
}

/// Messages that wait in one direction now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Queued {
    /// Messages to be sent, with those that the connection is sending.
    pub outgoing: usize,
    /// Messages to be received, with those that the receiver works through.
    pub incoming: usize,
}

/// Why a message came to nothing, without anybody being told by an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum DropReason {
    /// The queue of the peer was at its high-water mark, and the pattern does not wait: PUB, XPUB,
    /// XSUB, REP, and ROUTER unless it is mandatory. Once for each peer.
    HighWaterMark,
    /// A ROUTER knew no peer by the routing id, or that peer had no connection.
    Unroutable,
    /// The peer to whom a REP owed the reply was gone.
    PeerGone,
    /// The connection ended before the whole message was written, or with messages queued for a peer
    /// that does not come back.
    ConnectionLost,
    /// The connection ended when some frames of the message had come, and others had not. It was a
    /// message of the peer; whether that sends it again, nobody knows here.
    Incomplete,
    /// It was still queued when the linger period was over, or when the endpoint was given up.
    LingerExpired,
    /// It came after the socket had begun to close.
    SocketClosed,
    /// It was not what the pattern wants: a message for a socket that only sends, a request without
    /// delimiter or body, a reply that answers no request.
    Unexpected,
    /// It begins with no topic that the SUB is subscribed to: it was on its way when the subscription
    /// was taken back, or its publisher does not filter.
    Unsubscribed,
    /// A later message took its place in a queue that keeps one
    /// ([`Builder::conflate`](crate::Builder::conflate)).
    Conflated,
}

impl DropReason {
    /// Every reason, in the order of the variants.
    pub const ALL: &'static [Self] = &[
        Self::HighWaterMark,
        Self::Unroutable,
        Self::PeerGone,
        Self::ConnectionLost,
        Self::Incomplete,
        Self::LingerExpired,
        Self::SocketClosed,
        Self::Unexpected,
        Self::Unsubscribed,
        Self::Conflated,
    ];

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HighWaterMark => "high-water mark",
            Self::Unroutable => "unroutable",
            Self::PeerGone => "peer gone",
            Self::ConnectionLost => "connection lost",
            Self::Incomplete => "incomplete",
            Self::LingerExpired => "linger expired",
            Self::SocketClosed => "socket closed",
            Self::Unexpected => "unexpected",
            Self::Unsubscribed => "unsubscribed",
            Self::Conflated => "conflated",
        })
    }
}

/// Messages that were dropped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    pub(super) counts: [u64; DropReason::ALL.len()],
}

impl Drops {
    /// How many messages were dropped for `reason`.
    #[must_use]
    pub fn count(&self, reason: DropReason) -> u64 {
        self.counts.get(reason.index()).copied().unwrap_or(0)
    }

    /// How many messages were dropped in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The reasons for which messages were dropped, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL
            .iter()
            .copied()
            .zip(self.counts)
            .filter(|(_reason, count)| *count > 0)
    }
}

impl fmt::Display for Drops {
    /// Writes the total and what it is made of: `3 (1 unroutable, 2 connection lost)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.total())?;
        for (number, (reason, count)) in self.iter().enumerate() {
            f.write_str(if number == 0 { " (" } else { ", " })?;
            write!(f, "{count} {reason}")?;
        }
        f.write_str(if self.total() == 0 { "" } else { ")" })
    }
}

/// What a socket has done since it was made, with all of its peers, those that are gone too.
///
/// The numbers are taken one after the other while the socket works on, so that they may not fit
/// together exactly. What never was a message of a peer, like one that a ROUTER could not route, is
/// counted here alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SocketCounters {
    /// What went out.
    pub sent: Traffic,
    /// What came in.
    pub received: Traffic,
    /// What waits now.
    pub queued: Queued,
    /// What came to nothing.
    pub dropped: Drops,
    /// Topics. Of a publisher, those of all its peers, where one that several peers have counts for
    /// each of them; of a subscriber, the different ones that it asks for; of others none.
    pub subscriptions: usize,
    /// Peers that there are now, whether or not they are connected.
    pub peers: usize,
    /// Connections that were accepted.
    pub accepted: u64,
    /// Connections that were closed as they came.
    pub refused: u64,
    /// Connections that this socket has made.
    pub connected: u64,
    /// Attempts to connect that failed.
    pub connects_failed: u64,
    /// Connections that ended before their handshake did.
    pub handshakes_failed: u64,
    /// Handshakes with peers that had been connected before.
    pub reconnects: u64,
}

/// What one peer and this socket have done, over all connections that the peer had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PeerCounters {
    /// What went to the peer.
    pub sent: Traffic,
    /// What came from it.
    pub received: Traffic,
    /// What waits now.
    pub queued: Queued,
    /// What came to nothing.
    pub dropped: Drops,
    /// The different topics that the peer has at this publisher. A subscriber asks all its publishers
    /// for the same ones, which it counts as a socket and for no peer.
    pub subscriptions: usize,
    /// Handshakes after the first one.
    pub reconnects: u64,
}

/// A map of the reasons for which messages were dropped.
#[cfg(feature = "serde")]
impl serde::Serialize for Drops {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "serde")]
    #[test]
    fn serde_tells_drops_by_reason() {
        let mut drops = Drops::default();
        drops.counts[DropReason::Unroutable.index()] = 2;
        let counters = SocketCounters {
            dropped: drops,
            ..SocketCounters::default()
        };
        let document = serde_json::to_value(&counters).unwrap();
        assert_eq!(document["dropped"], serde_json::json!({"unroutable": 2}));
        assert_eq!(document["sent"]["messages"], 0);
    }

    #[test]
    fn each_reason_has_a_count_of_its_own() {
        for (index, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), index);
        }
    }

    #[test]
    fn drops_print_with_their_reasons() {
        let mut drops = Drops::default();
        assert_eq!(drops.to_string(), "0");
        drops.counts[DropReason::Unroutable.index()] = 1;
        drops.counts[DropReason::ConnectionLost.index()] = 2;
        assert_eq!(drops.to_string(), "3 (1 unroutable, 2 connection lost)");
    }
}
