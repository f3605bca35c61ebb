//! Keeps one endpoint connected (L3).
//!
//! ```text
//!         ┌────────────── failed, or lost: wait, longer each time ◄─────┐
//!         ▼                                                             │
//!   resolve ► connect ► handshake ► attached ───────────────────────────┤
//!                           │                                           │
//!                           └─ refused: the peer will never have us ► stop
//! ```

use std::io;
use std::sync::Arc;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::connection::{Progress, run_connection};
use super::hub::{Hub, Linger};
use super::listener::report_end;
use super::monitor::{DisconnectReason, SocketEvent};
use super::peer::Peer;
use super::randomness::randomness;
use crate::endpoint::{Endpoint, PeerAddress};
use crate::session::{Session, Side};
use crate::transport::{Stream, Target};

/// Keeps `peer` connected to `endpoint` until the socket closes or the peer refuses for good.
pub(crate) async fn keep_connected(
    hub: Arc<Hub>,
    peer: Arc<Peer>,
    endpoint: Endpoint,
    target: Target,
) {
    let connector = Connector {
        hub: Arc::clone(&hub),
        peer: Arc::clone(&peer),
        endpoint,
        target,
    };
    connector.run().await;
    hub.remove_peer(&peer);
    peer.outbox.close();
}

struct Connector {
    hub: Arc<Hub>,
    peer: Arc<Peer>,
    endpoint: Endpoint,
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
        loop {
            let connected = tokio::select! {
                () = self.given_up() => return,
                connected = self.connect() => connected,
            };
            match connected {
                Ok((stream, address)) => {
                    if let Next::Stop = self.drive(stream, address, &mut backoff).await {
                        return;
                    }
                }
                Err(error) => {
                    tracing::debug!(endpoint = %self.endpoint, %error, "connecting failed");
                    self.hub.monitor.send(SocketEvent::ConnectFailed {
                        endpoint: self.endpoint.clone(),
                        error: error.kind(),
                    });
                }
            }
            let Some(delay) = backoff.next_delay(&mut rand::rng()) else {
                return;
            };
            self.hub.monitor.send(SocketEvent::ConnectRetried {
                endpoint: self.endpoint.clone(),
                delay,
            });
            tokio::select! {
                () = self.given_up() => return,
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    async fn connect(&self) -> io::Result<(Stream, PeerAddress)> {
        let connect = self.target.connect();
        match self.hub.options.connect_timeout {
            None => connect.await,
            Some(timeout) => tokio::time::timeout(timeout, connect).await?,
        }
    }

    async fn drive(&self, stream: Stream, address: PeerAddress, backoff: &mut Backoff) -> Next {
        let (hub, peer) = (&self.hub, &self.peer);
        hub.monitor.send(SocketEvent::Connected {
            peer: peer.id,
            address: address.clone(),
        });
        let config = hub.options.session_config(hub.socket_type, Side::Connector);
        let session = Session::new(config, Instant::now().into_std(), randomness());
        let begun = Instant::now();
        let (reason, progress) =
            run_connection(stream, session, Arc::clone(peer), Arc::clone(hub)).await;
        report_end(hub, peer, &reason, progress, &address);
        if progress == Progress::Attached {
            backoff.lasted(begun.elapsed());
        }
        match (&reason, progress) {
            (DisconnectReason::SocketClosed | DisconnectReason::RoutingIdHandedOver, _) => {
                Next::Stop
            }
            // [ZMTP31-095] [ZMTP31-082]: the same handshake would end the same way.
            (DisconnectReason::Protocol(error), Progress::Handshake) if !error.is_retryable() => {
                hub.monitor.send(SocketEvent::ConnectGivenUp {
                    endpoint: self.endpoint.clone(),
                    reason,
                });
                Next::Stop
            }
            _ => Next::Retry,
        }
    }

    /// Resolves when the socket closes and this peer has nothing left to wait for.
    async fn given_up(&self) {
        self.hub.closing.cancelled().await;
        if self.peer.outbox.is_empty() {
            return;
        }
        match self.hub.linger() {
            Linger::Until(deadline) => tokio::time::sleep_until(deadline.into()).await,
            Linger::Open | Linger::Unlimited => std::future::pending().await,
        }
    }
}
