//! What a multiplexer hands out: events, payloads, and the errors of its commands.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::event::{Extra, Header, IdSource, MessageId, Name, Notice, Outgoing, RemoteError};
use crate::msgpack::DecodeError;
use crate::value::{Args, Body};

/// Names one channel of a multiplexer, and no other that it ever has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId {
    pub(super) index: u32,
    pub(super) generation: u64,
}

impl ChannelId {
    /// Returns a number that no other open channel of the multiplexer has, and that is smaller than
    /// the most channels that it ever had. A later channel may get it.
    #[must_use]
    pub fn number(self) -> usize {
        usize::try_from(self.index).unwrap_or(usize::MAX)
    }
}

/// What a client asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub name: Name,
    /// Its arguments, see [`Body::args`].
    pub args: Body,
    /// Its id, if it was chosen already.
    pub(crate) message_id: Option<Box<MessageId>>,
}

impl Request {
    /// Returns a request for `name`.
    pub fn new(name: impl Into<Name>, args: Body) -> Self {
        Self {
            name: name.into(),
            args,
            message_id: None,
        }
    }

    /// Chooses the id of the request, of which nothing else may have the same. For those who must
    /// know it before it is sent, to sign it; see [`IdSource`] for how to make one.
    #[must_use]
    pub fn with_message_id(mut self, id: MessageId) -> Self {
        self.message_id = Some(Box::new(id));
        self
    }

    /// Encodes the request as an event without a channel, as PUSH and PUB sockets carry it.
    #[must_use]
    pub fn into_payload(self, ids: &mut IdSource) -> Bytes {
        /// Room for a head without entries of the program, so that it does not grow step by step.
        const HEAD_LEN: usize = 128;
        let message_id = match &self.message_id {
            Some(chosen) => chosen.as_encoded(),
            None => ids.next_encoded(),
        };
        let head = Outgoing {
            message_id,
            response_to: None,
            name: self.name.as_bytes(),
            notice: Notice::Nothing,
        };
        head.encode(self.args, &mut Vec::with_capacity(HEAD_LEN))
    }
}

/// What happened on a channel.
///
/// Every channel that a client opened ends with exactly one of [`Reply`](Self::Reply),
/// [`StreamDone`](Self::StreamDone), [`Error`](Self::Error) and [`Closed`](Self::Closed), unless
/// the client itself closed it. Every [`Request`](Self::Request) ends with the command that the
/// server gives, or with [`Closed`](Self::Closed).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ChannelEvent<P> {
    /// Server: a peer calls a method.
    Request {
        /// The new channel.
        channel: ChannelId,
        /// Who calls.
        peer: P,
        /// The method.
        name: Name,
        /// Its arguments, still encoded.
        args: Args,
        /// The header, with the caller's task context in [`Header::extra`].
        header: Header,
    },
    /// Server: a stream that met [`SendError::NoCredit`] or [`SendError::Full`] may go on.
    Writable {
        /// The channel.
        channel: ChannelId,
    },
    /// Client: the call returned. The channel is closed.
    Reply {
        /// The channel.
        channel: ChannelId,
        /// The encoded result; nil if the server sent none.
        value: Bytes,
        /// The header entries beyond the protocol's own.
        extra: Extra,
    },
    /// Client: one item of a stream. Call [`Multiplexer::consume`](crate::Multiplexer::consume)
    /// when the application took it.
    StreamItem {
        /// The channel.
        channel: ChannelId,
        /// The encoded item.
        item: Bytes,
    },
    /// Client: the stream ended. The channel is closed.
    StreamDone {
        /// The channel.
        channel: ChannelId,
        /// The header entries beyond the protocol's own.
        extra: Extra,
    },
    /// Client: the call failed in the server. The channel is closed.
    Error {
        /// The channel.
        channel: ChannelId,
        /// What the server says.
        error: RemoteError,
        /// The header entries beyond the protocol's own.
        extra: Extra,
    },
    /// The channel ended without a reply. Nothing can be sent on it any more.
    Closed {
        /// The channel.
        channel: ChannelId,
        /// Why.
        reason: CloseReason,
    },
}

impl<P> ChannelEvent<P> {
    /// Returns the channel that the event is about.
    #[must_use]
    pub fn channel(&self) -> ChannelId {
        match self {
            Self::Request { channel, .. }
            | Self::Writable { channel }
            | Self::Reply { channel, .. }
            | Self::StreamItem { channel, .. }
            | Self::StreamDone { channel, .. }
            | Self::Error { channel, .. }
            | Self::Closed { channel, .. } => *channel,
        }
    }

    /// Returns whether the channel ended with this event.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Request { .. } | Self::Writable { .. } | Self::StreamItem { .. } => false,
            Self::Reply { .. }
            | Self::StreamDone { .. }
            | Self::Error { .. }
            | Self::Closed { .. } => true,
        }
    }
}

/// Why a channel ended without a reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// Nothing was heard from the peer for as long as two heartbeats (three at the start).
    #[error("lost remote after {}s heartbeat", .after.as_secs_f64())]
    LostRemote {
        /// Two intervals, which is what Python names in its message whenever it notices.
        after: Duration,
    },
    /// The first reply did not come in time.
    #[error("no reply within {}s", .after.as_secs_f64())]
    TimedOut {
        /// The timeout of the call.
        after: Duration,
    },
    /// The driver said that the peer is gone.
    #[error("connection to the peer is lost")]
    PeerLost,
    /// The peer sent more than it was allowed to.
    #[error("peer overran the limit of {limit} stream {unit}")]
    Overrun {
        /// What was allowed.
        limit: usize,
        /// Of what.
        unit: OverrunUnit,
    },
    /// The server answered with an event that is no reply.
    #[error("unexpected event {name} in place of a reply")]
    UnexpectedEvent {
        /// Its name.
        name: Name,
    },
    /// An event on the channel cannot be decoded, or exceeds what is accepted.
    #[error("malformed event: {error}")]
    Malformed {
        /// What is wrong with it.
        error: DecodeError,
    },
    /// Server: the client gave up and said so.
    #[error("call was cancelled by the client")]
    Cancelled,
    /// Server: the client reused the id of this call for another one.
    #[error("call was replaced by another with the same id")]
    Superseded,
}

/// What a peer sent too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OverrunUnit {
    /// Items beyond the granted slots.
    Items,
    /// Bytes beyond [`Limits::received_bytes_per_peer`](crate::Limits::received_bytes_per_peer), sent
    /// without credit, or beyond
    /// [`Limits::received_bytes_total`](crate::Limits::received_bytes_total).
    Bytes,
}

impl std::fmt::Display for OverrunUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Items => "items",
            Self::Bytes => "bytes",
        })
    }
}

/// A payload for the socket.
///
/// If the socket cannot take it now, give it back with
/// [`Multiplexer::handle_blocked`](crate::Multiplexer::handle_blocked): it must not be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a payload that is not sent is lost"]
#[non_exhaustive]
pub struct Transmit<P> {
    /// Who it is for.
    pub peer: P,
    /// The encoded event, to be wrapped in the peer's [`Envelope`](crate::Envelope).
    pub payload: Bytes,
    pub(super) origin: Origin,
}

/// Where a payload goes if it comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Control,
    Data,
    Last,
    Request {
        channel: ChannelId,
        /// Since when it has waited.
        since: Instant,
    },
}

/// Why no channel was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The peer has as many open channels as allowed. Wait for one to end.
    #[error("peer has {limit} open channels already")]
    TooManyChannels {
        /// [`Limits::channels_per_peer`](crate::Limits::channels_per_peer).
        limit: usize,
    },
    /// All peers together have as many open channels as allowed. Wait for one to end.
    #[error("all peers together have {limit} open channels already")]
    TooManyChannelsInTotal {
        /// [`Limits::channels_total`](crate::Limits::channels_total).
        limit: usize,
    },
    /// The id that was chosen for the request is that of an open channel.
    #[error("message id {id} is in use")]
    IdInUse {
        /// The id, see [`Request::with_message_id`].
        id: MessageId,
    },
}

/// Why a command was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The channel has ended. Routine when the end was not yet seen.
    #[error("channel is closed")]
    Closed,
    /// The command does not fit: a reply on a client's channel, or after a reply.
    #[error("command does not fit the state of the channel")]
    Misuse,
}

/// Why a stream item was not sent. What was not sent comes back.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The client granted no credit; [`ChannelEvent::Writable`] tells when to try again.
    #[error("no credit left")]
    NoCredit(Body),
    /// The peer's socket is behind; [`ChannelEvent::Writable`] tells when to try again.
    #[error("too many bytes wait for the socket of the peer")]
    Full(Body),
    /// The channel has ended, or is about to after its last event.
    #[error("channel is closed")]
    Closed(Body),
    /// The channel is the client's side, which sends no items.
    #[error("command does not fit the state of the channel")]
    Misuse(Body),
}
