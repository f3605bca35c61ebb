//! What can go wrong with an operation on a socket.

use std::io;

use crate::driver::{PeerId, SecurityError};
use crate::endpoint::{Endpoint, EndpointError};
use crate::message::Message;
use crate::pattern::RoutingId;
use crate::transport::{BindFailure, UnusableEndpoint};

/// Why a socket could not be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The endpoint makes no sense.
    #[error("invalid endpoint")]
    Endpoint(#[from] EndpointError),
    /// The transport is not offered, or not on this operating system.
    #[error("{endpoint}: the transport is not supported")]
    UnsupportedTransport {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
    },
    /// The path or the abstract name does not fit into the address of a Unix socket.
    #[error("{endpoint}: the name has {len} octets, more than the {max} of a Unix socket")]
    NameTooLong {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
        /// How long its name is.
        len: usize,
        /// How long it may be.
        max: usize,
    },
    /// The endpoint says where to connect from, which makes no sense for listening.
    #[error("{endpoint} has a source, which is only for connecting")]
    Source {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
    },
    /// A listener that exists already cannot be taken over, or has no address.
    #[error("the listener cannot be taken over")]
    Listener(#[source] io::Error),
    /// The operating system refused; most often another program has the port or the file.
    #[error("{endpoint} cannot be bound")]
    Io {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
        /// What the operating system said.
        source: io::Error,
    },
    /// The security options of the socket contradict each other.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The runtime of the blocking sockets could not be started.
    #[error("the thread in the background cannot be started")]
    Runtime(#[source] io::Error),
    /// The socket is closing.
    #[error("the socket is closed")]
    Closed,
}

/// Why a socket could not be connected.
///
/// That nobody answers is no error: the socket tries again until somebody does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The endpoint makes no sense.
    #[error("invalid endpoint")]
    Endpoint(#[from] EndpointError),
    /// The transport is not offered, or not on this operating system.
    #[error("{endpoint}: the transport is not supported")]
    UnsupportedTransport {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
    },
    /// The path or the abstract name does not fit into the address of a Unix socket.
    #[error("{endpoint}: the name has {len} octets, more than the {max} of a Unix socket")]
    NameTooLong {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
        /// How long its name is.
        len: usize,
        /// How long it may be.
        max: usize,
    },
    /// The socket talks to one peer only, and has one.
    #[error("{endpoint}: the socket has its one peer already")]
    AlreadyPaired {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
    },
    /// One cannot connect to a wildcard.
    #[error("{endpoint} names no single peer to connect to")]
    Wildcard {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
    },
    /// A SOCKS proxy cannot be told the host: an IPv6 address with a zone.
    #[error("{endpoint}: the host cannot be named to a proxy")]
    NotForProxy {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
    },
    /// What [`TcpKeepAlive`](crate::TcpKeepAlive) asks for is beyond what Linux takes, however often it
    /// is tried: a time that is not of 1 to 32 767 seconds, or a count that is not 1 to 127. It is an
    /// error on every operating system.
    #[error("{endpoint}: the keep-alive is out of range")]
    KeepAlive {
        /// The endpoint that was asked for.
        endpoint: Endpoint,
    },
    /// Another peer of the ROUTER has the routing id.
    #[error("a peer has the routing id {routing_id} already")]
    DuplicateRoutingId {
        /// The routing id that was asked for.
        routing_id: RoutingId,
    },
    /// The security options of the socket contradict each other.
    #[error(transparent)]
    Security(#[from] SecurityError),
    /// The runtime of the blocking sockets could not be started.
    #[error("the thread in the background cannot be started: {0}")]
    Runtime(io::ErrorKind),
    /// The socket is closing.
    #[error("the socket is closed")]
    Closed,
}

/// Why an endpoint could not be unbound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnbindError {
    /// The endpoint makes no sense.
    #[error("invalid endpoint")]
    Endpoint(#[from] EndpointError),
    /// The socket does not listen there, or not any more.
    #[error("the socket is not bound to {endpoint}")]
    NotBound {
        /// The endpoint that was named.
        endpoint: Endpoint,
    },
}

/// Why a socket could not be disconnected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectError {
    /// The endpoint makes no sense.
    #[error("invalid endpoint")]
    Endpoint(#[from] EndpointError),
    /// The socket was not connected to the endpoint, or has given it up.
    #[error("the socket is not connected to {endpoint}")]
    NotConnected {
        /// The endpoint that was named.
        endpoint: Endpoint,
    },
    /// The socket has no such peer, or not any more.
    #[error("the socket has no peer {peer}")]
    UnknownPeer {
        /// The peer that was named.
        peer: PeerId,
    },
}

/// Why a message was not accepted for sending. Each variant gives the message back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The socket is closing.
    #[error("the socket is closed")]
    Closed(Message),
    /// The message has no parts, or only the routing id that a ROUTER takes off.
    #[error("the message has no part to send")]
    NoParts(Message),
    /// No peer has the routing id, or it has just gone.
    #[error("no peer has the routing id")]
    Unroutable(Message),
    /// The pattern wants something else first: a reply to be received, or a request.
    #[error("it is not the turn of this socket to send")]
    OutOfTurn(Message),
    /// The socket keeps the last message alone ([`Builder::conflate`](crate::Builder::conflate)),
    /// which has one part.
    #[error("a socket that conflates sends messages of one part")]
    Multipart(Message),
}

/// Why a message was not accepted for sending at once. Each variant gives the message back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrySendError {
    /// There is no peer, or every queue is at its high-water mark.
    #[error("no peer can take a message now")]
    Full(Message),
    /// The socket is closing.
    #[error("the socket is closed")]
    Closed(Message),
    /// The message has no parts, or only the routing id that a ROUTER takes off.
    #[error("the message has no part to send")]
    NoParts(Message),
    /// No peer has the routing id, or it has just gone.
    #[error("no peer has the routing id")]
    Unroutable(Message),
    /// The pattern wants something else first: a reply to be received, or a request.
    #[error("it is not the turn of this socket to send")]
    OutOfTurn(Message),
    /// The socket keeps the last message alone ([`Builder::conflate`](crate::Builder::conflate)),
    /// which has one part.
    #[error("a socket that conflates sends messages of one part")]
    Multipart(Message),
}

/// Why no message can be received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
// As wide as a word: a result with a narrower error in it is moved in uneven pieces, and each such
// move of a message waits for the one before.
#[repr(usize)]
pub enum RecvError {
    /// The socket is closed and everything it had received was taken.
    #[error("the socket is closed")]
    Closed,
    /// The pattern wants something else first: a request to be sent, or a reply.
    #[error("it is not the turn of this socket to receive")]
    OutOfTurn,
}

/// Why no message can be received at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
// As wide as a word: a result with a narrower error in it is moved in uneven pieces, and each such
// move of a message waits for the one before.
#[repr(usize)]
pub enum TryRecvError {
    /// Nothing has come yet.
    #[error("no message is there")]
    Empty,
    /// The socket is closed and everything it had received was taken.
    #[error("the socket is closed")]
    Closed,
    /// The pattern wants something else first: a request to be sent, or a reply.
    #[error("it is not the turn of this socket to receive")]
    OutOfTurn,
}

impl BindError {
    pub(crate) fn new(endpoint: Endpoint, failure: BindFailure) -> Self {
        match failure {
            BindFailure::Unusable(UnusableEndpoint::NameTooLong { len, max }) => {
                Self::NameTooLong { endpoint, len, max }
            }
            BindFailure::Unusable(UnusableEndpoint::Source) => Self::Source { endpoint },
            // Binding resolves wildcards, needs no proxy and asks the system, so nothing reports those.
            BindFailure::Unusable(
                UnusableEndpoint::Unsupported
                | UnusableEndpoint::Wildcard
                | UnusableEndpoint::NotForProxy
                | UnusableEndpoint::KeepAlive,
            ) => Self::UnsupportedTransport { endpoint },
            BindFailure::Io(source) => Self::Io { endpoint, source },
        }
    }
}

impl ConnectError {
    pub(crate) fn new(endpoint: Endpoint, unusable: UnusableEndpoint) -> Self {
        match unusable {
            // Connecting has a source, so nothing reports one.
            UnusableEndpoint::Unsupported | UnusableEndpoint::Source => {
                Self::UnsupportedTransport { endpoint }
            }
            UnusableEndpoint::Wildcard => Self::Wildcard { endpoint },
            UnusableEndpoint::NotForProxy => Self::NotForProxy { endpoint },
            UnusableEndpoint::KeepAlive => Self::KeepAlive { endpoint },
            UnusableEndpoint::NameTooLong { len, max } => Self::NameTooLong { endpoint, len, max },
        }
    }
}

impl SendError {
    /// Gives the message back.
    #[must_use]
    pub fn into_message(self) -> Message {
        match self {
            Self::Closed(message)
            | Self::NoParts(message)
            | Self::Unroutable(message)
            | Self::OutOfTurn(message)
            | Self::Multipart(message) => message,
        }
    }
}

impl TrySendError {
    /// Gives the message back.
    #[must_use]
    pub fn into_message(self) -> Message {
        match self {
            Self::Full(message)
            | Self::Closed(message)
            | Self::NoParts(message)
            | Self::Unroutable(message)
            | Self::OutOfTurn(message)
            | Self::Multipart(message) => message,
        }
    }
}
