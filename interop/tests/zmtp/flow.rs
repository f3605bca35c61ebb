//! Order, and what happens when the other side does not read.

use std::time::Duration;

use interop::{During as _, TestResult};
use serde_json::json;
use tokio::time::timeout;
use zmtp::{DealerSocket, Message, PullSocket, PushSocket, Socket};

use crate::support::{Binder, Receives, Sends, handshake, join, libzmq, python};

const MANY: u64 = 20_000;

#[tokio::test]
async fn many_messages_reach_libzmq_in_order() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut push = PushSocket::new();
    let mut peer = libzmq(python, "PULL", json!({})).await?;
    join(&push, &mut peer, Binder::We).await?;
    peer.begin(json!({"op": "recv_numbered", "name": "z", "count": MANY, "size": 100}))
        .await?;

    for number in 0..MANY {
        push.give(numbered(number, 100)).await?;
    }

    peer.finish().await?;
    Ok(())
}

#[tokio::test]
async fn many_messages_of_libzmq_reach_us_in_order() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut pull = PullSocket::new();
    let mut peer = libzmq(python, "PUSH", json!({})).await?;
    join(&pull, &mut peer, Binder::Libzmq).await?;
    peer.begin(json!({"op": "send_numbered", "name": "z", "count": MANY, "size": 100}))
        .await?;

    for number in 0..MANY {
        assert_eq!(pull.take().await?, numbered(number, 100));
    }

    peer.finish().await?;
    Ok(())
}

#[tokio::test]
async fn requests_in_flight_come_back_in_order() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut dealer = DealerSocket::new();
    let mut peer = libzmq(python, "ROUTER", json!({})).await?;
    join(&dealer, &mut peer, Binder::Libzmq).await?;
    peer.begin(json!({"op": "echo", "name": "z", "count": 2000}))
        .await?;
    for number in 0..100 {
        dealer.give(numbered(number, 64)).await?;
    }
    for number in 0..2000 {
        assert_eq!(dealer.take().await?, numbered(number, 64));
        if number + 100 < 2000 {
            dealer.give(numbered(number + 100, 64)).await?;
        }
    }
    peer.finish().await?;
    Ok(())
}

#[tokio::test]
async fn send_waits_while_libzmq_does_not_read_and_nothing_is_lost() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let size = 65_536;
    let mut push = PushSocket::builder().send_high_water_mark(10).build();
    let mut peer = libzmq(python, "PULL", json!({"RCVHWM": 1, "RCVBUF": 65_536})).await?;
    join(&push, &mut peer, Binder::Libzmq).await?;

    let mut sent = 0;
    while sent < 2000 {
        let sending = timeout(Duration::from_millis(500), push.send(numbered(sent, size)));
        match sending.await {
            Ok(result) => {
                result?;
                sent += 1;
            }
            // As many fit into the socket itself, so this one waits for the connection.
            Err(_) if sent < 10 => {}
            Err(_) => break,
        }
    }

    assert!(sent < 2000, "nothing waited");
    peer.begin(json!({"op": "recv_numbered", "name": "z", "count": sent, "size": size}))
        .await?;
    peer.finish().await?;
    // The send that was given up left no message behind.
    push.give(numbered(sent, size)).await?;
    peer.request(
        json!({"op": "recv_numbered", "name": "z", "count": 1, "first": sent,
        "size": size}),
    )
    .await?;
    Ok(())
}

#[tokio::test]
async fn libzmq_is_held_back_while_we_do_not_read_and_nothing_is_lost() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut pull = PullSocket::builder().receive_high_water_mark(10).build();
    let mut peer = libzmq(python, "PUSH", json!({"SNDHWM": 10})).await?;
    join(&pull, &mut peer, Binder::We).await?;

    let filled = peer
        .request(json!({"op": "fill", "name": "z", "size": 65_536, "limit": 2000}))
        .await?;

    assert_eq!(filled["refused"], true, "{filled}");
    let sent = filled["sent"].as_u64().unwrap_or_default();
    for _ in 0..sent {
        assert_eq!(pull.take().await?, Message::from(vec![b'f'; 65_536]));
    }
    Ok(())
}

#[tokio::test]
async fn work_is_shared_between_two_libzmq_workers() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut push = PushSocket::new();
    let endpoint = push.bind("tcp://127.0.0.1:*").await?.to_string();
    let mut peer = libzmq(python, "PULL", json!({})).await?;
    peer.request(json!({"op": "socket", "name": "y", "type": "PULL"}))
        .await?;
    let mut monitor = push.monitor();
    for name in ["z", "y"] {
        peer.request(json!({"op": "connect", "name": name, "endpoint": endpoint}))
            .await?;
        handshake(&mut monitor).await?;
    }

    for number in 0..100 {
        push.give(numbered(number, 8)).await?;
    }

    // They fit into all queues, so that nobody is passed over.
    for name in ["z", "y"] {
        for round in 0..50 {
            let received = json!({"op": "recv", "name": name});
            peer.request(received)
                .await
                .during(format_args!("{name}, {round}"))?;
        }
    }
    Ok(())
}

/// The message that `send_numbered` of a peer sends.
fn numbered(number: u64, size: usize) -> Message {
    let mut body = vec![b'.'; size];
    body[..8].copy_from_slice(&number.to_be_bytes());
    Message::from(body)
}
