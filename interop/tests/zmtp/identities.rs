//! Routing ids, given and generated.

use std::time::Duration;

use interop::TestResult;
use serde_json::json;
use tokio::time::timeout;
use zmtp::{DealerSocket, Message, RouterSocket, Socket};

use crate::support::{Binder, Receives, Sends, bind_libzmq, join, libzmq, python, soon};

#[tokio::test]
async fn our_router_numbers_peers_without_an_id_and_answers_the_right_one() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut router = RouterSocket::new();
    let endpoint = router.bind("tcp://127.0.0.1:*").await?.to_string();
    let mut peer = libzmq(python, "DEALER", json!({})).await?;
    peer.request(json!({"op": "socket", "name": "y", "type": "DEALER"}))
        .await?;
    for name in ["z", "y"] {
        peer.request(json!({"op": "connect", "name": name, "endpoint": endpoint}))
            .await?;
        peer.request(json!({"op": "send", "name": name, "parts": [name]}))
            .await?;
    }

    let mut ids = Vec::new();
    for _ in 0..2 {
        let request = router.take().await?;
        let id = request[0].to_vec();
        assert_eq!(id.len(), 5, "{id:?}");
        assert_eq!(id[0], 0, "generated ids begin with a zero");
        ids.push(id);
        router.give(request).await?;
    }

    assert_ne!(ids[0], ids[1]);
    for name in ["z", "y"] {
        peer.request(json!({"op": "recv", "name": name, "expect": [name]}))
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_longest_id_reaches_our_router() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let id = "i".repeat(255);
    let mut router = RouterSocket::new();
    let mut peer = libzmq(python, "DEALER", json!({"ROUTING_ID": id})).await?;
    join(&router, &mut peer, Binder::Libzmq).await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["hello"]}))
        .await?;

    let received = router.take().await?;

    assert_eq!(received, Message::from([id.as_str(), "hello"]));
    Ok(())
}

#[tokio::test]
async fn libzmq_numbers_our_dealer_without_an_id() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut dealer = DealerSocket::new();
    let mut peer = libzmq(python, "ROUTER", json!({})).await?;
    join(&dealer, &mut peer, Binder::Libzmq).await?;
    dealer.give(Message::from("hello")).await?;

    let received = peer.request(json!({"op": "recv", "name": "z"})).await?;

    let id = received[0]["$bytes"].as_str().unwrap_or_default();
    assert_eq!(id.len(), 10, "{received}");
    assert!(id.starts_with("00"), "{received}");
    Ok(())
}

#[tokio::test]
async fn our_dealer_with_an_id_keeps_it_at_two_routers() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut dealer = DealerSocket::builder().routing_id("us")?.build();
    let mut first = libzmq(python, "ROUTER", json!({})).await?;
    let mut second = libzmq(python, "ROUTER", json!({})).await?;
    for peer in [&mut first, &mut second] {
        let endpoint = bind_libzmq(peer, "tcp://127.0.0.1:*").await?;
        dealer.connect(endpoint.as_str()).await?;
    }

    // Both are reached in turn once both are connected.
    for peer in [&mut first, &mut second] {
        peer.begin(json!({"op": "recv", "name": "z", "expect": ["us", "hello"]}))
            .await?;
    }
    let received = async { tokio::join!(first.finish(), second.finish()) };
    tokio::pin!(received);
    let (one, other) = soon(async {
        loop {
            dealer.give(Message::from("hello")).await?;
            tokio::select! {
                both = &mut received => return Ok::<_, interop::Failure>(both),
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    })
    .await??;
    one?;
    other?;
    Ok(())
}

#[tokio::test]
async fn an_id_that_is_taken_stays_with_its_first_owner_until_that_leaves() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut router = RouterSocket::new();
    let mut peer = libzmq(python, "DEALER", json!({"ROUTING_ID": "them"})).await?;
    let endpoint = router.bind("tcp://127.0.0.1:*").await?.to_string();
    peer.request(json!({"op": "connect", "name": "z", "endpoint": endpoint}))
        .await?;
    peer.request(json!({"op": "send", "name": "z", "parts": ["first"]}))
        .await?;
    assert_eq!(router.take().await?, Message::from(["them", "first"]));

    peer.request(json!({"op": "socket", "name": "y", "type": "DEALER",
        "options": {"ROUTING_ID": "them", "RECONNECT_IVL": 50}}))
        .await?;
    peer.request(json!({"op": "connect", "name": "y", "endpoint": endpoint}))
        .await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    router.give(Message::from(["them", "yours"])).await?;
    peer.request(json!({"op": "recv", "name": "z", "expect": ["yours"]}))
        .await?;

    peer.request(json!({"op": "close", "name": "z"})).await?;
    soon(async {
        loop {
            // What it sent into a connection that was refused is lost, as with libzmq.
            peer.request(json!({"op": "send", "name": "y", "parts": ["second"]}))
                .await?;
            if let Ok(received) = timeout(Duration::from_millis(100), router.recv()).await {
                assert_eq!(received?, Message::from(["them", "second"]));
                return Ok::<_, interop::Failure>(());
            }
        }
    })
    .await?
}
