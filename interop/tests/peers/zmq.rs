//! libzmq against libzmq.

use interop::{Interop, Peer, PeerError, Program, TestResult, environment};
use serde_json::json;

/// Each legal pair with a message that the first may send to the second.
const PAIRS: [(&str, &str); 10] = [
    ("DEALER", "ROUTER"),
    ("DEALER", "DEALER"),
    ("DEALER", "REP"),
    ("REQ", "ROUTER"),
    ("REQ", "REP"),
    ("PUSH", "PULL"),
    ("PUB", "SUB"),
    ("ROUTER", "DEALER"),
    ("PULL", "PUSH"),
    ("SUB", "PUB"),
];

#[tokio::test]
async fn every_pair_of_types_connects_in_both_directions() -> TestResult {
    let Interop::On(python) = environment()? else {
        return Ok(());
    };
    let mut peer = Peer::start(python, Program::Zmq, json!({})).await?;
    for (binder, connector) in PAIRS {
        peer.request(json!({"op": "socket", "name": "b", "type": binder}))
            .await?;
        peer.request(json!({"op": "socket", "name": "c", "type": connector}))
            .await?;
        let bound = peer
            .request(json!({"op": "bind", "name": "b", "endpoint": "tcp://127.0.0.1:*"}))
            .await?;
        peer.request(json!({"op": "monitor", "name": "c"})).await?;
        peer.request(json!({"op": "connect", "name": "c", "endpoint": bound["endpoint"]}))
            .await?;
        let mut seen = Vec::new();
        while !seen.iter().any(|event| event == "HANDSHAKE_SUCCEEDED") {
            let events = peer.request(json!({"op": "events", "name": "c"})).await?;
            seen.extend(events.as_array().cloned().unwrap_or_default());
            assert!(
                !seen
                    .iter()
                    .any(|event| event == "HANDSHAKE_FAILED_PROTOCOL")
            );
        }
        peer.request(json!({"op": "close", "name": "b"})).await?;
        peer.request(json!({"op": "close", "name": "c"})).await?;
    }
    Ok(())
}

#[tokio::test]
async fn messages_of_every_size_arrive_as_sent() -> TestResult {
    let Interop::On(python) = environment()? else {
        return Ok(());
    };
    let mut peer = pair(python, "PUSH", "PULL").await?;
    for size in [0, 1, 255, 256, 65_536, 10 << 20] {
        let parts = json!(["", {"$pattern": {"size": size, "seed": 3}}, {"$bytes": "00ff"}]);
        peer.request(json!({"op": "send", "name": "a", "parts": parts}))
            .await?;
        peer.request(json!({"op": "recv", "name": "b", "expect": parts}))
            .await?;
    }
    peer.request(json!({"op": "send_numbered", "name": "a", "count": 500, "size": 32}))
        .await?;
    peer.request(json!({"op": "recv_numbered", "name": "b", "count": 500, "size": 32}))
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_wrong_message_is_told_apart() -> TestResult {
    let Interop::On(python) = environment()? else {
        return Ok(());
    };
    let mut peer = pair(python, "PUSH", "PULL").await?;
    peer.request(json!({"op": "send", "name": "a", "parts": ["one", "two"]}))
        .await?;
    let refused = peer
        .request(json!({"op": "recv", "name": "b", "expect": ["one", "three"]}))
        .await;

    assert!(
        matches!(&refused, Err(PeerError::Refused { message, .. }) if message.contains("three"))
    );
    let silent = peer
        .request(json!({"op": "recv", "name": "b", "timeout": 0.1}))
        .await;
    assert!(
        matches!(&silent, Err(PeerError::Refused { message, .. }) if message.contains("nothing"))
    );
    Ok(())
}

#[tokio::test]
async fn a_full_peer_refuses_more() -> TestResult {
    let Interop::On(python) = environment()? else {
        return Ok(());
    };
    let mut peer = Peer::start(python, Program::Zmq, json!({})).await?;
    peer.request(json!({"op": "socket", "name": "a", "type": "PUSH", "options": {"SNDHWM": 5}}))
        .await?;
    peer.request(json!({"op": "connect", "name": "a", "endpoint": "tcp://127.0.0.1:9"}))
        .await?;
    let filled = peer
        .request(json!({"op": "fill", "name": "a", "size": 10, "limit": 100, "quiet": 0.1}))
        .await?;

    assert_eq!(filled, json!({"sent": 5, "refused": true}));
    Ok(())
}

/// One process with a bound socket `b` and a connected socket `a`.
async fn pair(python: &interop::Python, from: &str, to: &str) -> Result<Peer, PeerError> {
    let mut peer = Peer::start(python, Program::Zmq, json!({})).await?;
    peer.request(json!({"op": "socket", "name": "a", "type": from}))
        .await?;
    peer.request(json!({"op": "socket", "name": "b", "type": to}))
        .await?;
    let bound = peer
        .request(json!({"op": "bind", "name": "b", "endpoint": "tcp://127.0.0.1:*"}))
        .await?;
    peer.request(json!({"op": "connect", "name": "a", "endpoint": bound["endpoint"]}))
        .await?;
    Ok(peer)
}
