//! What happens on a socket, as typed events (L3).

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::peer::PeerId;
use super::tally::Occurrences;
use crate::endpoint::{Endpoint, PeerAddress};
use crate::mechanism::SealError;
use crate::pattern::SubscriptionError;
use crate::session::{PeerInfo, SessionError};

/// Events that a slow monitor may lag behind before it misses some.
const CAPACITY: usize = 1024;

/// Something that happened on a socket, after libzmq's monitor events.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SocketEvent {
    /// The socket accepts connections on `endpoint`.
    Listening {
        /// The endpoint as it was resolved.
        endpoint: Endpoint,
    },
    /// An endpoint could not be bound.
    BindFailed {
        /// What was to be bound.
        endpoint: Endpoint,
        /// What the operating system said; `Unsupported` and `InvalidInput` for endpoints that it
        /// was not asked about.
        error: io::ErrorKind,
    },
    /// The socket no longer accepts connections on `endpoint`: it was unbound, or the socket closed.
    Unbound {
        /// The endpoint as it was resolved.
        endpoint: Endpoint,
    },
    /// A connection was accepted; its handshake begins.
    Accepted {
        /// The peer.
        peer: PeerId,
        /// Where it comes from.
        address: PeerAddress,
    },
    /// A connection was closed as it came.
    Refused {
        /// Where it came from.
        address: PeerAddress,
        /// Why.
        reason: RefusalReason,
    },
    /// Accepting failed; the socket goes on after a pause.
    AcceptFailed {
        /// What the operating system said.
        error: io::ErrorKind,
    },
    /// An attempt to connect begins.
    Connecting {
        /// The peer.
        peer: PeerId,
        /// What is connected to.
        endpoint: Endpoint,
    },
    /// A connection was established; its handshake begins.
    Connected {
        /// The peer.
        peer: PeerId,
        /// Where it is.
        address: PeerAddress,
    },
    /// Connecting failed.
    ConnectFailed {
        /// What was to be connected to.
        endpoint: Endpoint,
        /// What the operating system said.
        error: io::ErrorKind,
    },
    /// The endpoint is not tried again: it would end the same way.
    ConnectGivenUp {
        /// What was connected to.
        endpoint: Endpoint,
        /// Why.
        reason: DisconnectReason,
    },
    /// The endpoint is tried again.
    ConnectRetried {
        /// What is connected to.
        endpoint: Endpoint,
        /// After this time.
        delay: Duration,
    },
    /// The peer is part of the socket from now on.
    HandshakeSucceeded {
        /// The peer.
        peer: PeerId,
        /// What it said of itself.
        info: Arc<PeerInfo>,
    },
    /// The connection ended before its handshake did.
    HandshakeFailed {
        /// The peer.
        peer: PeerId,
        /// Why.
        reason: DisconnectReason,
    },
    /// The connection of a peer ended.
    Disconnected {
        /// The peer.
        peer: PeerId,
        /// Why.
        reason: DisconnectReason,
    },
    /// This many events were missed, because the monitor was read too slowly.
    Lagged(u64),
}

/// Why a connection was closed as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// As many connections as are allowed are open.
    #[error("as many connections as are allowed are open")]
    TooManyConnections,
    /// The socket accepts connections from others only.
    #[error("connections from there are not accepted")]
    Filtered,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The peer closed it.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// This socket was closed.
    #[error("the socket was closed")]
    SocketClosed,
    /// This socket disconnected from the peer, or unbound the endpoint that accepted it.
    #[error("the socket disconnected")]
    Disconnected,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(io::ErrorKind),
    /// The peer broke the protocol, or cannot be talked to.
    #[error(transparent)]
    Protocol(#[from] SessionError),
    /// Nothing can be encrypted on it any more.
    #[error("the connection encrypts no more")]
    Seal(#[from] SealError),
    /// Another peer of the socket has the same routing id.
    #[error("another peer has the same routing id")]
    DuplicateRoutingId,
    /// Another peer came with the routing id of this one and took it over.
    #[error("another peer took the routing id over")]
    RoutingIdHandedOver,
    /// The socket talks to one peer only, and has one.
    #[error("the socket has its one peer already")]
    AlreadyPaired,
    /// The peer subscribed to more than is allowed.
    #[error(transparent)]
    TooManySubscriptions(#[from] SubscriptionError),
    /// More subscriptions and cancellations wait to be received from this XPUB than it may keep.
    #[error("the application does not receive the subscriptions of its peers")]
    UnreadSubscriptions,
    /// A newer connection needed the place of this one, which had not finished its handshake.
    #[error("too many handshakes are in progress")]
    Evicted,
}

/// The events of one socket, from the moment it was asked for.
#[derive(Debug)]
pub struct Monitor {
    receiver: broadcast::Receiver<SocketEvent>,
}

impl Monitor {
    /// Waits for the next event; `None` when the socket is gone.
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped.
    pub async fn recv(&mut self) -> Option<SocketEvent> {
        match self.receiver.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(missed)) => Some(SocketEvent::Lagged(missed)),
            Err(RecvError::Closed) => None,
        }
    }
}

/// The sending side of all monitors of a socket.
#[derive(Debug, Default)]
pub(crate) struct MonitorSender {
    /// Made for the first monitor: most sockets have none.
    sender: OnceLock<broadcast::Sender<SocketEvent>>,
    /// What happened, whether or not somebody listens.
    pub(crate) occurrences: Occurrences,
}

impl MonitorSender {
    pub(crate) fn subscribe(&self) -> Monitor {
        let sender = self.sender.get_or_init(|| broadcast::Sender::new(CAPACITY));
        Monitor {
            receiver: sender.subscribe(),
        }
    }

    /// Tells the monitors, if there are any.
    pub(crate) fn send(&self, event: SocketEvent) {
        self.occurrences.count(&event);
        if let Some(sender) = self.sender.get() {
            // An error only says that nobody listens any more.
            let _ = sender.send(event);
        }
    }
}
