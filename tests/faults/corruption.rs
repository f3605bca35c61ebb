//! Octets that change on their way, past the checksums of TCP.

use std::sync::{Arc, Mutex};

use tests::ledger::{self, Account};
use tests::network::plan::Fault;
use tests::network::proxy::Proxy;
use zmtp::session::SessionError;
use zmtp::{DisconnectReason, Monitor, PullSocket, PushSocket, Socket, SocketEvent};

use crate::accounts::{Received, receive};
use crate::support::{Secured, Traffic, eventually, in_time, network, random, send};

/// Octets that are changed, each on a connection of its own.
const CHANGES: u64 = 16;

/// Half of them are where a frame begins.
const FAULTS: [Fault; 2] = [Fault::Corrupt, Fault::CorruptFlags];

/// What became of connections whose octets changed.
struct Outcome {
    received: Received,
    network: Proxy,
    ends: Vec<DisconnectReason>,
}

impl Outcome {
    /// Returns how often the receiver found that its peer does not keep to the protocol: more than
    /// that a connection ended.
    fn found_count(&self) -> u64 {
        let is_found = |reason: &&DisconnectReason| match reason {
            DisconnectReason::Protocol(error) => {
                !matches!(error, SessionError::Disconnected { .. })
            }
            _ => false,
        };
        u64::try_from(self.ends.iter().filter(is_found).count()).unwrap()
    }
}

/// Sends until enough octets were changed, and then until messages arrive again.
async fn run(pattern: &'static str, secured: Secured) -> Outcome {
    let pull: PullSocket = secured.bound().build();
    let mut push: PushSocket = secured.connecting().build();
    let mut monitor = pull.monitor();
    let network = network(&pull, Traffic::Forwards, random(), &FAULTS).await;
    push.connect(network.endpoint()).await.unwrap();
    let received = Arc::<Mutex<Received>>::default();
    let receiving = tokio::spawn(receive(pull, vec![Arc::clone(&received)]));

    let mut number = 0;
    let mut next = async || {
        if send(&mut push, ledger::message(0, number)).await.is_ok() {
            number += 1;
        }
        tokio::task::yield_now().await;
        number
    };
    in_time("octets change", async {
        while network.corrupted_count() < CHANGES {
            next().await;
        }
    })
    .await;
    in_time("the network calms down", network.calm_down()).await;
    let before = received.lock().unwrap().count();
    in_time("messages arrive again", async {
        while received.lock().unwrap().count() < before + 50 {
            next().await;
        }
    })
    .await;
    let sent = next().await;
    receiving.abort();
    eventually("the receiver has gone", || {
        Arc::strong_count(&received) == 1
    })
    .await;
    let received = std::mem::take(&mut *received.lock().unwrap());
    let account = Account {
        pattern: pattern.to_owned(),
        sent,
        in_flight: sent.saturating_sub(received.count()),
        cuts: network.corrupted_count(),
        ..received.account()
    };
    account.show();
    Outcome {
        received,
        network,
        ends: ends(&mut monitor).await,
    }
}

/// Returns why the connections ended, but for those of the network.
async fn ends(monitor: &mut Monitor) -> Vec<DisconnectReason> {
    let mut reasons = Vec::new();
    while let Some(event) = monitor.recv().await {
        match event {
            SocketEvent::Disconnected { reason, .. }
            | SocketEvent::HandshakeFailed { reason, .. } => reasons.push(reason),
            _ => {}
        }
    }
    reasons
}

/// ZCURVE-007: no octet of a message changes without the connection ending, and nothing of it is
/// delivered.
#[tokio::test]
async fn encryption_notices_every_octet_that_changed() {
    let outcome = run("CURVE, changed", Secured::WithCurve).await;
    let ends = &outcome.ends;
    assert_eq!(outcome.network.unnoticed_count(), 0, "{ends:?}");
    let account = outcome.received.account();
    let faults = (account.wrong, account.doubled, account.overtaken);
    assert_eq!(faults, (0, 0, 0), "{account}");
    let changed = outcome.network.corrupted_count();
    assert_eq!(outcome.found_count(), changed, "{ends:?}");
}

/// Without encryption a changed octet of a body is delivered as it came, and one of a frame's head
/// ends the connection, or makes other messages of it until something ends it. The socket goes on.
#[tokio::test]
async fn a_socket_survives_octets_that_changed() {
    let outcome = run("NULL, changed", Secured::Not).await;
    let ends = &outcome.ends;
    assert_ne!(outcome.received.wrong, 0, "some are in bodies");
    let flags = outcome.network.corrupted_flags_count();
    assert!(outcome.found_count() >= flags, "{flags}: {ends:?}");
}
