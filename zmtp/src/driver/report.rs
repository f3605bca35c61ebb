//! What is told of a socket: that a connection has ended, and events as text (L3).

use std::fmt;

use super::connection::Progress;
use super::hub::Hub;
use super::monitor::{DisconnectReason, SocketEvent};
use super::peer::Peer;
use super::warnings::{Chain, warn_or_debug};

/// Tells monitors, and whoever reads the log, that a connection has ended: once for each. Of many
/// at a time the log gets few as warnings.
pub(crate) fn report_end(hub: &Hub, peer: &Peer, reason: &DisconnectReason, progress: Progress) {
    let is_fault = matches!(
        reason,
        DisconnectReason::Protocol(_)
            | DisconnectReason::DuplicateRoutingId
            | DisconnectReason::AlreadyPaired
            | DisconnectReason::TooManySubscriptions(_)
            | DisconnectReason::UnreadSubscriptions
            | DisconnectReason::UnsentSubscriptions
            | DisconnectReason::Evicted
    );
    let address = peer.address().map(tracing::field::display);
    let cause = Chain(reason);
    if is_fault {
        warn_or_debug!(
            hub.warnings, "connection closed", peer = %peer.id, address, reason = %cause
        );
    } else {
        tracing::debug!(peer = %peer.id, address, reason = %cause, "connection ended");
    }
    peer.set_address(None);
    let (peer, reason) = (peer.id, reason.clone());
    hub.monitor.send(match progress {
        Progress::Handshake => SocketEvent::HandshakeFailed { peer, reason },
        Progress::Attached => SocketEvent::Disconnected { peer, reason },
    });
}

impl fmt::Display for SocketEvent {
    /// Writes what happened on one line, with the whole reason if there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { endpoint } => write!(f, "listening on {endpoint}"),
            Self::BindFailed { endpoint, error } => {
                write!(f, "{endpoint} cannot be bound: {error}")
            }
            Self::Unbound { endpoint } => write!(f, "no longer listening on {endpoint}"),
            Self::Accepted { peer, address } => {
                write!(f, "accepted peer {peer} from {address}")
            }
            Self::Refused { address, reason } => {
                write!(f, "refused a connection from {address}: {reason}")
            }
            Self::AcceptFailed { error } => write!(f, "accepting a connection failed: {error}"),
            Self::Connecting { peer, endpoint } => {
                write!(f, "connecting peer {peer} to {endpoint}")
            }
            Self::Connected { peer, address } => write!(f, "connected peer {peer} to {address}"),
            Self::ConnectFailed {
                endpoint, error, ..
            } => {
                write!(f, "connecting to {endpoint} failed: {error}")
            }
            Self::ConnectGivenUp {
                endpoint, reason, ..
            } => {
                write!(f, "gave up connecting to {endpoint}: {}", Chain(reason))
            }
            Self::ConnectRetried {
                endpoint, delay, ..
            } => {
                write!(f, "connecting to {endpoint} again after {delay:?}")
            }
            Self::HandshakeSucceeded { peer, .. } => write!(f, "peer {peer} is ready"),
            Self::HandshakeFailed { peer, reason } => {
                write!(f, "the handshake of peer {peer} failed: {}", Chain(reason))
            }
            Self::Disconnected { peer, reason } => {
                write!(f, "peer {peer} disconnected: {}", Chain(reason))
            }
            Self::Lagged(missed) => write!(f, "{missed} events were missed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::PeerId;
    use crate::session::{SessionError, Timeout};

    #[test]
    fn events_are_told_with_the_whole_reason() {
        let event = SocketEvent::ConnectGivenUp {
            peer: PeerId::new(3),
            endpoint: "tcp://127.0.0.1:1".parse().unwrap(),
            reason: DisconnectReason::Protocol(SessionError::TimedOut(Timeout::Handshake)),
        };
        assert_eq!(
            event.to_string(),
            "gave up connecting to tcp://127.0.0.1:1: peer is silent: handshake not done in time"
        );
        assert_eq!(SocketEvent::Lagged(7).to_string(), "7 events were missed");
    }
}
