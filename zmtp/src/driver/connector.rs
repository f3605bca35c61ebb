//! Keeps one endpoint connected (L3).
//!
//! ```text
//!         ┌────────────── failed, or lost: wait, longer each time ◄─────┐
//!         ▼                                                             │
//!   resolve ► connect ► handshake ► attached ───────────────────────────┤
//!                           │                                           │
//!                           └─ refused: the peer will never have us, or we it ► stop
//! ```

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::connection::{Progress, RunningConnection};
use super::endpoints::Link;
use super::hub::{Hub, Linger};
use super::monitor::{DisconnectReason, SocketEvent};
use super::options::ReconnectStop;
use super::randomness::randomness;
use super::report::report_end;
use crate::endpoint::PeerAddress;
use crate::session::{Session, Side};
use crate::transport::{Stream, Target};

/// Keeps the peer of `link` connected until the socket closes or disconnects, or the peer refuses
/// for good.
pub(crate) fn keep_connected(
    hub: Arc<Hub>,
    link: Arc<Link>,
    target: Target,
) -> impl Future<Output = ()> + Send {
    Connector { hub, link, target }.run()
}

struct Connector {
    hub: Arc<Hub>,
    link: Arc<Link>,
    target: Target,
}

/// What a connector does after a connection.
enum Next {
    Retry,
    Stop,
}

impl Connector {
    async fn run(self) {
        let mut backoff = Backoff::new(self.hub.options.reconnect);
        for attempt in 0.. {
            if let Some(reason) = self.link.peer.dismissal() {
                self.report_given_up(reason.clone());
                return;
            }
            self.hub.monitor.send(SocketEvent::Connecting {
                peer: self.link.peer.id,
                endpoint: self.link.endpoint.clone(),
            });
            let connected = tokio::select! {
                () = self.given_up() => return,
                connected = self.connect(attempt) => connected,
            };
            match connected {
                Ok((stream, address)) => {
                    if let Next::Stop = self.drive(stream, address, &mut backoff).await {
                        return;
                    }
                }
                Err(error) => {
                    tracing::debug!(endpoint = %self.link.endpoint, %error, "connecting failed");
                    self.hub.monitor.send(SocketEvent::ConnectFailed {
                        peer: self.link.peer.id,
                        endpoint: self.link.endpoint.clone(),
                        error: error.kind(),
                    });
                    let is_refused = error.kind() == io::ErrorKind::ConnectionRefused;
                    if is_refused && self.stops(ReconnectStop::ConnectionRefused) {
                        self.report_given_up(DisconnectReason::Io(error.kind()));
                        return;
                    }
                }
            }
            let Some(delay) = backoff.next_delay(&mut rand::rng()) else {
                return;
            };
            self.hub.monitor.send(SocketEvent::ConnectRetried {
                peer: self.link.peer.id,
                endpoint: self.link.endpoint.clone(),
                delay,
            });
            tokio::select! {
                () = self.given_up() => return,
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    async fn connect(&self, attempt: usize) -> io::Result<(Stream, PeerAddress)> {
        let connect = self.target.connect(&self.hub.options.transport, attempt);
        match self.hub.options.connect_timeout {
            None => connect.await,
            Some(timeout) => tokio::time::timeout(timeout, connect).await?,
        }
    }

    async fn drive(&self, stream: Stream, address: PeerAddress, backoff: &mut Backoff) -> Next {
        let (hub, peer) = (&self.hub, &self.link.peer);
        peer.set_address(Some(address.clone()));
        hub.monitor.send(SocketEvent::Connected {
            peer: peer.id,
            address,
        });
        let config = hub.options.session_config(hub.socket_type, Side::Connector);
        let session = Session::new(config, Instant::now().into_std(), randomness());
        let begun = Instant::now();
        let (reason, progress) =
            RunningConnection::new(stream, session, Arc::clone(peer), Arc::clone(hub)).await;
        report_end(hub, peer, &reason, progress);
        if progress == Progress::Attached {
            backoff.lasted(begun.elapsed());
        }
        match (&reason, progress) {
            (DisconnectReason::SocketClosed | DisconnectReason::Disconnected, _) => Next::Stop,
            (DisconnectReason::RoutingIdHandedOver, _) => {
                self.report_given_up(reason);
                Next::Stop
            }
            // [ZMTP31-095] [ZMTP31-082]: the same handshake would end the same way.
            (DisconnectReason::Protocol(error), Progress::Handshake) if !error.is_retryable() => {
                self.report_given_up(reason);
                Next::Stop
            }
            (_, Progress::Handshake) if self.stops(ReconnectStop::HandshakeFailed) => {
                self.report_given_up(reason);
                Next::Stop
            }
            _ => Next::Retry,
        }
    }

    fn stops(&self, event: ReconnectStop) -> bool {
        self.hub.options.reconnect_stop.contains(&event)
    }

    fn report_given_up(&self, reason: DisconnectReason) {
        // Whoever hears of it can connect to the endpoint again.
        give_up(&self.hub, &self.link);
        self.hub.monitor.send(SocketEvent::ConnectGivenUp {
            peer: self.link.peer.id,
            endpoint: self.link.endpoint.clone(),
            reason,
        });
    }

    async fn given_up(&self) {
        given_up(&self.hub, &self.link).await;
    }
}

impl Drop for Connector {
    /// Also when the runtime goes away.
    fn drop(&mut self) {
        give_up(&self.hub, &self.link);
    }
}

/// Takes from the socket what nobody tries to reach any more.
pub(super) fn give_up(hub: &Hub, link: &Link) {
    hub.endpoints.take_link(link.peer.id);
    hub.forget_peer(&link.peer);
    hub.pattern.forget(&link.peer);
    link.peer.outbox.close();
}

/// Resolves when the socket closes or disconnects, and the peer of `link` has nothing left to wait
/// for.
pub(super) async fn given_up(hub: &Hub, link: &Link) {
    link.disconnecting.cancelled().await;
    if link.peer.outbox.is_empty() {
        return;
    }
    let stop = &hub.options.reconnect_stop;
    let is_disconnected = link.peer.linger() != Linger::Open;
    if is_disconnected && stop.contains(&ReconnectStop::AfterDisconnect) {
        return;
    }
    tokio::select! {
        () = linger_over(link.peer.linger()) => return,
        // Which may end sooner.
        () = hub.closing.cancelled() => {}
    }
    linger_over(hub.linger().or_sooner(link.peer.linger())).await;
}

/// Resolves when nothing more is sent, if ever.
async fn linger_over(linger: Linger) {
    match linger {
        Linger::Until(deadline) => tokio::time::sleep_until(deadline.into()).await,
        Linger::Open | Linger::Unlimited => std::future::pending().await,
    }
}
