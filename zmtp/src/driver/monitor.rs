//! What happens on a socket, as typed events (L3).

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::ReusableBoxFuture;

use super::peer::PeerId;
use super::tally::Occurrences;
use crate::endpoint::{Endpoint, PeerAddress};
use crate::mechanism::SealError;
use crate::pattern::SubscriptionError;
use crate::session::{PeerInfo, SessionError};

/// Events that a slow monitor may lag behind before it misses some.
const CAPACITY: usize = 1024;

/// Something that happened on a socket.
///
/// Each event of libzmq's socket monitor has its counterpart, under its name or under one of these:
/// `CONNECT_DELAYED` is [`Self::Connecting`], `CLOSED` is [`Self::Unbound`] of a listener, and
/// [`Self::HandshakeFailed`] or [`Self::Disconnected`] of a connection. The three kinds of
/// `HANDSHAKE_FAILED` are those of [`DisconnectReason::handshake_failure`]. `MONITOR_STOPPED` is the
/// end of [`Monitor`]. `CLOSE_FAILED` has none: whether or not closing a descriptor fails, it is
/// closed.
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
        /// The peer.
        peer: PeerId,
        /// What was to be connected to.
        endpoint: Endpoint,
        /// What the operating system said.
        error: io::ErrorKind,
    },
    /// The endpoint is not tried again: it would end the same way, or somebody else has taken the
    /// place of its peer by now.
    ConnectGivenUp {
        /// The peer.
        peer: PeerId,
        /// What was connected to.
        endpoint: Endpoint,
        /// Why.
        reason: DisconnectReason,
    },
    /// The endpoint is tried again.
    ConnectRetried {
        /// The peer.
        peer: PeerId,
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
    /// As many connections as that have ended, and nobody has received what came on them, be it
    /// messages or what an XPUB tells of subscriptions.
    #[error("too many connections have ended with messages that nobody has received")]
    UnreceivedMessages,
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
    /// More subscriptions and cancellations wait to be sent than may: the peer does not read them. The
    /// next connection to it begins with those that are left.
    #[error("the peer does not read what is subscribed to")]
    UnsentSubscriptions,
    /// A newer connection needed the place of this one, which had not finished its handshake.
    #[error("too many handshakes are in progress")]
    Evicted,
}

/// What libzmq would call a handshake that ended for some reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeFailure {
    /// `HANDSHAKE_FAILED_NO_DETAIL`: nobody broke a rule. The connection was lost or too slow, or
    /// one side did not want it.
    NoDetail,
    /// `HANDSHAKE_FAILED_PROTOCOL`: the peer broke the protocol, or does not fit.
    Protocol,
    /// `HANDSHAKE_FAILED_AUTH`: the peer was denied, or denied us.
    Authentication,
}

impl DisconnectReason {
    /// Which of libzmq's kinds a handshake that ended for this reason is of.
    #[must_use]
    pub fn handshake_failure(&self) -> HandshakeFailure {
        match self {
            Self::Protocol(SessionError::Denied { .. } | SessionError::Refused { .. }) => {
                HandshakeFailure::Authentication
            }
            Self::Protocol(SessionError::TimedOut(_) | SessionError::Disconnected { .. }) => {
                HandshakeFailure::NoDetail
            }
            Self::Protocol(_) => HandshakeFailure::Protocol,
            _ => HandshakeFailure::NoDetail,
        }
    }
}

/// The events of one socket, from the moment it was asked for.
///
/// It is a [`Stream`] that ends when the socket is gone. A monitor that is read too slowly misses
/// events and is told how many; it never slows the socket down.
#[derive(Debug)]
pub struct Monitor {
    next: ReusableBoxFuture<'static, (Result<SocketEvent, RecvError>, Receiver)>,
}

type Receiver = broadcast::Receiver<SocketEvent>;

impl Monitor {
    fn new(receiver: Receiver) -> Self {
        Self {
            next: ReusableBoxFuture::new(receive(receiver)),
        }
    }

    /// Waits for the next event; `None` when the socket is gone.
    ///
    /// # Cancel safety
    ///
    /// No event is lost if the future is dropped.
    pub async fn recv(&mut self) -> Option<SocketEvent> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<SocketEvent>> {
        let (received, receiver) = ready!(self.next.poll(context));
        self.next.set(receive(receiver));
        Poll::Ready(match received {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(missed)) => Some(SocketEvent::Lagged(missed)),
            Err(RecvError::Closed) => None,
        })
    }
}

impl Stream for Monitor {
    type Item = SocketEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SocketEvent>> {
        self.poll_recv(context)
    }
}

/// Waits for an event, and gives the receiver back: it lives in the future that is kept.
async fn receive(mut receiver: Receiver) -> (Result<SocketEvent, RecvError>, Receiver) {
    let received = receiver.recv().await;
    (received, receiver)
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
        Monitor::new(sender.subscribe())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Timeout;

    #[test]
    fn failures_of_handshakes_are_of_the_kinds_that_libzmq_tells_apart() {
        for (reason, kind) in [
            (DisconnectReason::PeerClosed, HandshakeFailure::NoDetail),
            (
                DisconnectReason::Protocol(SessionError::TimedOut(Timeout::Handshake)),
                HandshakeFailure::NoDetail,
            ),
            (
                DisconnectReason::Protocol(SessionError::Closed),
                HandshakeFailure::Protocol,
            ),
        ] {
            assert_eq!(reason.handshake_failure(), kind, "{reason}");
        }
    }

    #[tokio::test]
    async fn a_monitor_that_stopped_waiting_misses_nothing_and_a_slow_one_is_told() {
        let sender = MonitorSender::default();
        let mut monitor = sender.subscribe();
        let waiting = tokio::time::timeout(Duration::ZERO, monitor.recv()).await;
        assert!(waiting.is_err(), "nothing has happened yet");
        let lagged = SocketEvent::Lagged(7);
        sender.send(lagged.clone());
        assert!(matches!(monitor.recv().await, Some(SocketEvent::Lagged(7))));
        for _ in 0..CAPACITY + 3 {
            sender.send(lagged.clone());
        }
        assert!(matches!(monitor.recv().await, Some(SocketEvent::Lagged(3))));
        drop(sender);
        for _ in 0..CAPACITY {
            assert!(monitor.recv().await.is_some());
        }
        assert!(monitor.recv().await.is_none());
        assert!(monitor.recv().await.is_none());
    }
}
