//! Peers that come late, go away and come back.

use std::time::Duration;

use interop::TestResult;
use serde_json::json;
use tokio::time::sleep;
use zmtp::{DealerSocket, Message, PullSocket, PushSocket, Socket, SubSocket};

use crate::support::{Receives, Sends, bind_libzmq, free_endpoint, libzmq, python};

#[tokio::test]
async fn we_connect_before_libzmq_binds() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let endpoint = free_endpoint()?;
    let mut dealer = DealerSocket::new();
    dealer.connect(endpoint.as_str()).await?;
    dealer.give(Message::from("early")).await?;
    sleep(Duration::from_millis(300)).await;

    let mut peer = libzmq(python, "DEALER", json!({})).await?;
    bind_libzmq(&mut peer, &endpoint).await?;

    peer.request(json!({"op": "recv", "name": "z", "expect": ["early"]}))
        .await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["welcome"]}))
        .await?;
    assert_eq!(dealer.take().await?, Message::from("welcome"));
    Ok(())
}

#[tokio::test]
async fn libzmq_connects_before_we_bind() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let endpoint = free_endpoint()?;
    let mut peer = libzmq(python, "PUSH", json!({})).await?;
    peer.request(json!({"op": "connect", "name": "z", "endpoint": endpoint}))
        .await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["early"]}))
        .await?;

    let mut pull = PullSocket::new();
    pull.bind(endpoint.as_str()).await?;

    assert_eq!(pull.take().await?, Message::from("early"));
    Ok(())
}

#[tokio::test]
async fn a_libzmq_server_that_was_killed_is_found_again() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut push = PushSocket::new();
    let mut peer = libzmq(python, "PULL", json!({})).await?;
    let endpoint = bind_libzmq(&mut peer, "tcp://127.0.0.1:*").await?;
    push.connect(endpoint.as_str()).await?;
    push.give(Message::from("before")).await?;
    peer.request(json!({"op": "recv", "name": "z", "expect": ["before"]}))
        .await?;

    peer.kill().await?;
    // Lets the loss be noticed: what is written into a dying connection is lost, as with libzmq.
    sleep(Duration::from_millis(200)).await;
    push.give(Message::from("meanwhile")).await?;
    let mut peer = libzmq(python, "PULL", json!({})).await?;
    bind_libzmq(&mut peer, &endpoint).await?;

    peer.request(json!({"op": "recv", "name": "z", "expect": ["meanwhile"]}))
        .await?;
    push.give(Message::from("after")).await?;
    peer.request(json!({"op": "recv", "name": "z", "expect": ["after"]}))
        .await?;
    Ok(())
}

#[tokio::test]
async fn subscriptions_are_repeated_to_a_publisher_that_came_back() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut subscriber = SubSocket::new();
    subscriber.subscribe("news");
    let mut peer = libzmq(python, "XPUB", json!({})).await?;
    let endpoint = bind_libzmq(&mut peer, "tcp://127.0.0.1:*").await?;
    subscriber.connect(endpoint.as_str()).await?;
    let subscription = json!([{"$bytes": "016e657773"}]);
    peer.request(json!({"op": "recv", "name": "z", "expect": subscription}))
        .await?;

    peer.kill().await?;
    let mut peer = libzmq(python, "XPUB", json!({})).await?;
    bind_libzmq(&mut peer, &endpoint).await?;

    peer.request(json!({"op": "recv", "name": "z", "expect": subscription}))
        .await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["news", "item"]}))
        .await?;
    assert_eq!(subscriber.take().await?, Message::from(["news", "item"]));
    Ok(())
}

#[tokio::test]
async fn libzmq_finds_us_again_after_we_closed_and_bound_the_same_port() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut pull = PullSocket::new();
    let endpoint = pull.bind("tcp://127.0.0.1:*").await?.to_string();
    let mut peer = libzmq(python, "PUSH", json!({"RECONNECT_IVL": 50})).await?;
    peer.request(json!({"op": "monitor", "name": "z"})).await?;
    peer.request(json!({"op": "connect", "name": "z", "endpoint": endpoint}))
        .await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["before"]}))
        .await?;
    assert_eq!(pull.take().await?, Message::from("before"));

    pull.close().await;
    let mut events = Vec::new();
    while !events.iter().any(|event| event == "DISCONNECTED") {
        let more = peer.request(json!({"op": "events", "name": "z"})).await?;
        events.extend(more.as_array().cloned().unwrap_or_default());
        sleep(Duration::from_millis(10)).await;
    }
    peer.request(json!({"op": "send", "name": "z", "parts": ["after"]}))
        .await?;
    let mut pull = PullSocket::new();
    pull.bind(endpoint.as_str()).await?;

    assert_eq!(pull.take().await?, Message::from("after"));
    Ok(())
}
