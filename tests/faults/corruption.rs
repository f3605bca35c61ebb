//! Octets that change on their way, past the checksums of TCP.

use std::sync::{Arc, Mutex};

use tests::ledger::{self, Account};
use tests::network::plan::Fault;
use zmtp::session::Limits;
use zmtp::{Builder, DisconnectReason, Monitor, PullSocket, PushSocket, Socket, SocketEvent};

use crate::one_way::{Received, receive};
use crate::support::{Secured, Traffic, eventually, in_time, network, random, send};

/// Octets that are changed, each on a connection of its own.
const CHANGES: u64 = 12;

/// More than any frame of the test has, and so little that a length that has changed is soon filled.
const MAX_FRAME: u64 = 48 * 1024;

fn limited<S: Socket>(builder: Builder<S>) -> S {
    let mut limits = Limits::default();
    limits.max_frame_size = MAX_FRAME;
    builder.limits(limits).build()
}

/// Sends until enough octets were changed, and then until messages arrive again; returns what came,
/// and why connections ended.
async fn run(pattern: &'static str, secured: Secured) -> (Received, u64, Vec<DisconnectReason>) {
    let pull: PullSocket = limited(secured.bound());
    let mut push: PushSocket = limited(secured.connecting());
    let mut monitor = pull.monitor();
    let network = network(&pull, Traffic::Forwards, random(), &[Fault::Corrupt]).await;
    push.connect(network.endpoint()).await.unwrap();
    let received = Arc::<Mutex<Received>>::default();
    let receiving = tokio::spawn(receive(pull, Arc::clone(&received)));

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
        pattern,
        sent,
        in_flight: sent.saturating_sub(received.count()),
        cuts: network.corrupted_count(),
        ..received.account()
    };
    account.show();
    (
        received,
        network.unnoticed_count(),
        ends(&mut monitor).await,
    )
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
    let (received, unnoticed, ends) = run("CURVE, changed", Secured::WithCurve).await;
    assert_eq!(unnoticed, 0, "{ends:?}");
    let account = received.account();
    let faults = (account.wrong, account.doubled, account.overtaken);
    assert_eq!(faults, (0, 0, 0), "{account}");
    let is_fault = |reason: &&DisconnectReason| matches!(reason, DisconnectReason::Protocol(_));
    assert_ne!(ends.iter().filter(is_fault).count(), 0, "{ends:?}");
}

/// Without encryption a changed octet of a body is delivered as it came, and one of a frame's head
/// ends the connection, or makes other messages of it until something ends it. The socket goes on.
#[tokio::test]
async fn a_socket_survives_octets_that_changed() {
    let (received, _, ends) = run("NULL, changed", Secured::Not).await;
    assert_ne!(received.wrong, 0, "some are in bodies");
    let is_fault = |reason: &&DisconnectReason| matches!(reason, DisconnectReason::Protocol(_));
    assert_ne!(ends.iter().filter(is_fault).count(), 0, "{ends:?}");
}
