//! PING and PONG.

use std::{process::Command, time::Duration};

use interop::TestResult;
use serde_json::json;
use tokio::time::sleep;
use zmtp::{DealerSocket, Message, Socket, SocketEvent, session::Heartbeat};

use crate::support::{Binder, Receives, Sends, join, libzmq, python, soon};

/// How long each side waits for an answer. A busy machine may take its time for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a connection would not last without answers.
const LONG: Duration = Duration::from_secs(5);

#[tokio::test]
async fn libzmq_heartbeats_are_answered() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut dealer = DealerSocket::new();
    let options = json!({
        "HEARTBEAT_IVL": 100,
        "HEARTBEAT_TIMEOUT": PATIENCE.as_millis(),
        "HEARTBEAT_TTL": PATIENCE.as_millis(),
    });
    let mut peer = libzmq(python, "DEALER", options).await?;
    peer.request(json!({"op": "monitor", "name": "z"})).await?;
    join(&dealer, &mut peer, Binder::We).await?;

    sleep(LONG).await;

    let events = peer.request(json!({"op": "events", "name": "z"})).await?;
    let events = events.as_array().cloned().unwrap_or_default();
    assert!(
        events.iter().any(|event| event == "HANDSHAKE_SUCCEEDED"),
        "{events:?}"
    );
    assert!(
        !events.iter().any(|event| event == "DISCONNECTED"),
        "{events:?}"
    );
    peer.request(json!({"op": "send", "name": "z", "parts": ["still here"]}))
        .await?;
    assert_eq!(dealer.take().await?, Message::from("still here"));
    Ok(())
}

#[tokio::test]
async fn our_heartbeats_are_answered_by_libzmq() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut dealer = DealerSocket::builder().heartbeat(often()).build();
    let mut peer = libzmq(python, "DEALER", json!({})).await?;
    peer.request(json!({"op": "monitor", "name": "z"})).await?;
    join(&dealer, &mut peer, Binder::Libzmq).await?;

    sleep(LONG).await;

    dealer.give(Message::from("still here")).await?;
    peer.request(json!({"op": "recv", "name": "z", "expect": ["still here"]}))
        .await?;
    let events = peer.request(json!({"op": "events", "name": "z"})).await?;
    let events = events.as_array().cloned().unwrap_or_default();
    assert!(
        !events.iter().any(|event| event == "DISCONNECTED"),
        "{events:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_frozen_libzmq_peer_is_noticed() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut dealer = DealerSocket::builder().heartbeat(often()).build();
    let mut monitor = dealer.monitor();
    let mut peer = libzmq(python, "DEALER", json!({})).await?;
    join(&dealer, &mut peer, Binder::Libzmq).await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["connected"]}))
        .await?;
    dealer.take().await?;

    let id = peer.process_id().unwrap_or_default().to_string();
    Command::new("kill").args(["-STOP", &id]).status()?;

    soon(async {
        loop {
            if let Some(SocketEvent::Disconnected { .. }) = monitor.recv().await {
                break;
            }
        }
    })
    .await
}

/// Heartbeats that notice silence after [`PATIENCE`].
fn often() -> Heartbeat {
    Heartbeat::new(Duration::from_millis(100)).with_timeout(PATIENCE)
}
