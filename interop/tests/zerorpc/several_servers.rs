//! Our client and more than one Python server.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::try_join_all;
use interop::{Failure, Peer, Program, Python, TestResult};
use serde_json::json;
use tests::reserved_port::ReservedPort;
use zrpc::Client;

use crate::support::{python, python_call, python_server, soon};

// B21.
#[tokio::test]
async fn calls_are_shared_and_each_stream_stays_with_its_server() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let first = python_server(python, json!({"name": "first"})).await?;
    let second = python_server(python, json!({"name": "second"})).await?;
    let client = Client::builder()
        .connect(first.endpoint()?)
        .connect(second.endpoint()?)
        .build()
        .await?;

    // Until both are connected; then as many for one as for the other.
    let mut answers = BTreeMap::<String, u32>::new();
    soon(async {
        while answers.len() < 2 {
            let name = client.call("_zerorpc_name", ()).await?;
            *answers.entry(name).or_default() += 1;
        }
        Ok::<_, Failure>(())
    })
    .await??;
    answers.clear();
    for _ in 0..20 {
        let name = client.call("_zerorpc_name", ()).await?;
        *answers.entry(name).or_default() += 1;
    }
    assert_eq!(answers.get("first"), Some(&10), "{answers:?}");
    assert_eq!(answers.get("second"), Some(&10), "{answers:?}");

    // Credit that went to the other server would leave a stream waiting.
    let counts = try_join_all((0..4).map(|_| count(&client))).await?;
    assert_eq!(counts, [2000; 4]);
    Ok(())
}

// B21.
#[tokio::test]
async fn a_server_that_is_killed_is_left_out() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    // Nobody else may listen there once the first is gone: the client would find it.
    let port = ReservedPort::new()?;
    let first = python_server(python, json!({"name": "first", "bind": port.endpoint()})).await?;
    let second = python_server(python, json!({"name": "second"})).await?;
    let client = Client::builder()
        .connect(first.endpoint()?)
        .connect(second.endpoint()?)
        .build()
        .await?;
    connected_to(&client, 2).await?;

    first.kill().await?;
    connected_to(&client, 1).await?;

    for _ in 0..20 {
        let name: String = soon(client.call("_zerorpc_name", ())).await??;
        assert_eq!(name, "second");
    }
    Ok(())
}

// B21: Python's client sends each event to the next server, whichever knows the channel, and gives
// servers that are not there their share of the calls.
#[tokio::test]
async fn a_python_client_scatters_credit_over_its_servers_and_calls_over_the_dead() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let first = python_server(python, json!({"name": "first"})).await?;
    let second = python_server(python, json!({"name": "second"})).await?;
    let endpoints = [first.endpoint()?, second.endpoint()?];
    let mut scattered = python_client_of(python, &endpoints).await?;
    let stream = json!({"op": "start_stream", "id": "s", "client": "c", "method": "count",
        "args": [2000]});
    scattered.request(stream).await?;
    let seen = json!({"op": "peek", "id": "s"});
    soon(async {
        while scattered.request(seen.clone()).await?["count"] == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok::<_, Failure>(())
    })
    .await??;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let seen = scattered.request(seen).await?;
    assert_eq!(seen["count"], 1, "{seen}");

    let port = ReservedPort::new()?;
    let nowhere = port.endpoint();
    let mut calls_nobody = python_client_of(python, &[first.endpoint()?, &nowhere]).await?;
    let mut answered = 0;
    for _ in 0..8 {
        let answer = python_call(&mut calls_nobody, "add", json!([1, 1])).await?;
        match answer["raised"]["kind"].as_str() {
            None => answered += 1,
            Some(kind) => assert!(matches!(kind, "LostRemote" | "TimeoutExpired"), "{answer}"),
        }
    }
    // Heartbeats take turns, too, so that it may be a few more or less than a half.
    assert!((1..8).contains(&answered), "{answered}");
    // Ours goes where there is somebody.
    let ours = Client::builder()
        .connect(first.endpoint()?)
        .connect(&nowhere)
        .build()
        .await?;
    for _ in 0..6 {
        let sum: i64 = soon(ours.call("add", (1, 1))).await??;
        assert_eq!(sum, 2);
    }
    Ok(())
}

/// A Python client named `c` of several servers, for which it has had the time to connect.
async fn python_client_of(python: &Python, endpoints: &[&str]) -> Result<Peer, Failure> {
    let mut client = Peer::start(python, Program::ZerorpcClient, json!({})).await?;
    client
        .request(
            json!({"op": "client", "name": "c", "endpoints": endpoints, "heartbeat": 1,
            "timeout": 2}),
        )
        .await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(client)
}

/// Waits until a client is connected to so many servers.
async fn connected_to(client: &Client, count: usize) -> TestResult {
    soon(async {
        while client.connection_count() != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

/// Streams 2000 numbers and counts them.
async fn count(client: &Client) -> Result<u64, Failure> {
    let mut items = client.stream::<u64>("count", (2000,)).await?;
    let mut expected = 0;
    while let Some(item) = soon(items.next_item()).await?? {
        assert_eq!(item, expected);
        expected += 1;
    }
    Ok(expected)
}
