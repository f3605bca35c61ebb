//! What a driver chooses for a whole multiplexer.

use crate::channel::Heartbeat;
use crate::msgpack::DecodeLimits;

/// Whether peers may open channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Opens channels; events that would open one are dropped and counted.
    Client,
    /// Accepts requests.
    Server,
}

/// The settings of a [`Multiplexer`](crate::Multiplexer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) role: Role,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) limits: Limits,
}

impl Config {
    /// Returns the settings of a client.
    #[must_use]
    pub fn client() -> Self {
        Self {
            role: Role::Client,
            heartbeat: Heartbeat::default(),
            limits: Limits::default(),
        }
    }

    /// Returns the settings of a server.
    #[must_use]
    pub fn server() -> Self {
        Self {
            role: Role::Server,
            ..Self::client()
        }
    }

    /// Sets the heartbeat of the channels that peers open; a client sets it for each call.
    #[must_use]
    pub fn with_heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// Sets what a peer may use.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Returns whether peers may open channels.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns what a peer may use.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// What one peer may use, and what all peers together may use.
///
/// Exceeding a limit of a peer is an error of the channel concerned, never of others, and no other
/// peer notices. A peer is whatever the driver names as one. Where a connection can pose as many
/// peers, as behind a broker, the totals bound what it uses; whoever comes when a total is reached
/// is refused.
///
/// # Example
///
/// ```
/// # use zrpc_proto as proto;
/// let mut limits = proto::Limits::default();
/// limits.channels_per_peer = 64;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// What is accepted when an event is decoded.
    pub decode: DecodeLimits,
    /// Open channels of one peer, including those whose last frame still waits for the socket.
    ///
    /// Default 16 384: far more than a peer has calls in flight, and a few MiB of memory.
    pub channels_per_peer: usize,
    /// Received bytes that one peer's channels hold: requests of open calls, stream items not yet
    /// consumed.
    ///
    /// A server refuses requests beyond it, and counts 32 bytes for each value of a request beyond
    /// the first thousand, which is what it may take when it is decoded. A client grants no more
    /// credit than there is room for, judged by the largest item of each stream, but always one
    /// item, and closes a channel only if its server sends beyond the credit.
    ///
    /// Default 512 MiB: five times the largest event that Python accepts.
    pub received_bytes_per_peer: usize,
    /// Bytes that wait for the socket of one peer, from which on its streams stop
    /// ([`SendError::Full`](crate::SendError::Full)) and its new requests are held back: accepted,
    /// and counted as open calls, but not handed out until the peer has read what waits for it.
    ///
    /// Default 1 MiB, the size of a healthy socket queue. One larger event always passes.
    pub queued_bytes_per_peer: usize,
    /// Bytes that wait for the socket of one peer, beyond which its new requests are refused. Only
    /// replies to requests that were handed out already get so far: each of them may add one.
    ///
    /// Default 256 MiB: twice the largest event.
    pub unread_bytes_per_peer: usize,
    /// Open channels of all peers, counted as those of one peer.
    ///
    /// Default 262 144: sixteen peers at their limit.
    pub channels_total: usize,
    /// Received bytes that the channels of all peers hold. Beyond it, requests are refused, and
    /// streams are closed whose next item comes, with credit or without.
    ///
    /// Default 2 GiB: four peers at their limit.
    pub received_bytes_total: usize,
    /// Bytes that wait for the sockets of all peers. Beyond it, requests are refused, and a stream
    /// stops if anything waits for its peer.
    ///
    /// Default 1 GiB: a thousand peers whose streams have stopped.
    pub queued_bytes_total: usize,
    /// Idle peers that are remembered, so that sequential calls do not build a peer up and down.
    ///
    /// Default 1024. A peer with a channel, or with an answer that waits, is never forgotten. When these
    /// and three times as many as [`channels_total`](Self::channels_total) are known, nobody else can
    /// open a channel.
    pub idle_peers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            decode: DecodeLimits::default(),
            channels_per_peer: 16_384,
            received_bytes_per_peer: 512 * 1024 * 1024,
            queued_bytes_per_peer: 1024 * 1024,
            unread_bytes_per_peer: 256 * 1024 * 1024,
            channels_total: 262_144,
            received_bytes_total: 2 * 1024 * 1024 * 1024,
            queued_bytes_total: 1024 * 1024 * 1024,
            idle_peers: 1024,
        }
    }
}

/// What a multiplexer counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Events received, of any kind.
    pub events_received: u64,
    /// Payloads handed to the driver.
    pub payloads_sent: u64,
    /// Channels opened by this side.
    pub channels_opened: u64,
    /// Channels opened by peers.
    pub channels_accepted: u64,
    /// Payloads that are not events.
    pub malformed: u64,
    /// Events for channels that do not exist (any more): routine at the end of a call.
    pub unroutable: u64,
    /// Requests refused because a limit is exceeded.
    pub refused: u64,
    /// Requests that were not handed out at once because the peer does not read its replies.
    pub held_back: u64,
    /// Events on a channel that make no sense in its state and are ignored.
    pub ignored: u64,
    /// Channels closed because nothing was heard from the peer.
    pub lost: u64,
    /// Channels closed because the first reply took too long.
    pub timed_out: u64,
    /// Channels closed because the peer ignored credit or a byte limit.
    pub overrun: u64,
    /// Heartbeats handed to the driver.
    pub heartbeats_sent: u64,
    /// Times that a stream had to wait for credit or for the socket.
    pub send_stalls: u64,
    /// Those of them that were for credit: the peer took its items slowly.
    pub credit_stalls: u64,
}
