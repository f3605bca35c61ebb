//! Our server stops while Python calls it.

use std::time::Duration;

use interop::TestResult;
use serde_json::json;

use crate::{
    our_service::serve,
    support::{elapsed, python, python_call, python_client, soon},
};

#[tokio::test]
async fn calls_that_run_are_answered_and_new_ones_are_refused() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({"timeout": 20})).await?;
    client
        .request(json!({"op": "start", "id": "x", "client": "c", "method": "wait", "args": [2]}))
        .await?;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let handle = server.handle.clone();
    let stopping = tokio::spawn(async move { handle.shutdown().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let refused = python_call(&mut client, "add", json!([1, 1])).await?;
    let answered = client.request(json!({"op": "join", "id": "x"})).await?;

    assert_eq!(refused["raised"]["name"], "ServerStopping", "{refused}");
    assert_eq!(answered["result"], 2.0, "{answered}");
    soon(stopping).await??;
    Ok(())
}

#[tokio::test]
async fn python_finds_the_next_server_on_the_same_port() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let first = serve().await?;
    let endpoint = first.endpoint.clone();
    let mut client = python_client(python, &endpoint, json!({})).await?;
    let sum = python_call(&mut client, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");

    soon(first.handle.close()).await?;
    let _second = crate::our_service::serve_with(|builder| builder.bind(endpoint)).await?;

    let sum = python_call(&mut client, "add", json!([2, 2])).await?;
    assert_eq!(sum["result"], 4, "{sum}");
    assert!(elapsed(&sum) < 10.0, "{sum}");
    Ok(())
}
