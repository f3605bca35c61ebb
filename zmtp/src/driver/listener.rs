//! Accepts connections on one endpoint (L3).

use std::sync::Arc;
use std::time::Duration;

use super::connection::{Progress, run_connection};
use super::half_open::Share;
use super::hub::{AcceptedSlot, Hub};
use super::monitor::{DisconnectReason, SocketEvent};
use super::peer::{Peer, Retention};
use super::randomness::randomness;
use crate::endpoint::PeerAddress;
use crate::session::{Session, Side};
use crate::transport::{Listener, Stream};

/// How long accepting pauses after it failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until the socket closes.
pub(crate) async fn listen(hub: Arc<Hub>, listener: Listener) {
    loop {
        let accepted = tokio::select! {
            () = hub.closing.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => accept(&hub, stream, address),
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed");
                hub.monitor.send(SocketEvent::AcceptFailed {
                    error: error.kind(),
                });
                tokio::select! {
                    () = hub.closing.cancelled() => return,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
}

fn accept(hub: &Arc<Hub>, stream: Stream, address: PeerAddress) {
    let Some(slot) = hub.try_accept() else {
        tracing::warn!(%address, "connection refused: as many as are allowed are open");
        hub.monitor.send(SocketEvent::Refused { address });
        return;
    };
    hub.tasks
        .spawn(serve(Arc::clone(hub), stream, address, slot));
}

async fn serve(hub: Arc<Hub>, stream: Stream, address: PeerAddress, slot: AcceptedSlot) {
    let peer = hub.new_peer(Retention::Connection);
    hub.half_open.insert(Share::of(&address), Arc::clone(&peer));
    hub.monitor.send(SocketEvent::Accepted {
        peer: peer.id,
        address: address.clone(),
    });
    let config = hub.options.session_config(hub.socket_type, Side::Listener);
    let session = Session::new(config, tokio::time::Instant::now().into_std(), randomness());
    let (reason, progress) =
        run_connection(stream, session, Arc::clone(&peer), Arc::clone(&hub)).await;
    drop(slot);
    report_end(&hub, &peer, &reason, progress, &address);
}

/// Tells monitors, and whoever reads the log, that a connection has ended: once for each.
pub(crate) fn report_end(
    hub: &Hub,
    peer: &Peer,
    reason: &DisconnectReason,
    progress: Progress,
    address: &PeerAddress,
) {
    let is_fault = matches!(
        reason,
        DisconnectReason::Protocol(_)
            | DisconnectReason::DuplicateRoutingId
            | DisconnectReason::TooManySubscriptions
            | DisconnectReason::Evicted
    );
    if is_fault {
        tracing::warn!(peer = %peer.id, %address, %reason, "connection closed");
    } else {
        tracing::debug!(peer = %peer.id, %address, %reason, "connection ended");
    }
    let (peer, reason) = (peer.id, reason.clone());
    hub.monitor.send(match progress {
        Progress::Handshake => SocketEvent::HandshakeFailed { peer, reason },
        Progress::Attached => SocketEvent::Disconnected { peer, reason },
    });
}
