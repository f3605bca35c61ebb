//! Our server stops while Python calls it.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::poll;
use interop::TestResult;
use serde_json::json;
use tests::reserved_port::ReservedPort;
use tokio::sync::Semaphore;

use crate::{
    our_service::serve_with,
    support::{elapsed, python, python_call, python_client, soon},
};

#[tokio::test]
async fn calls_that_run_are_answered_and_new_ones_are_refused() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let server = serve_with(|builder| {
        let builder = builder.method("pass", move |(): ()| {
            let opened = Arc::clone(&opened);
            async move { opened.acquire().await.is_ok() }
        });
        builder.bind("tcp://127.0.0.1:*")
    })
    .await?;
    let mut client = python_client(python, &server.endpoint, json!({"timeout": null})).await?;
    client
        .request(json!({"op": "start", "id": "x", "client": "c", "method": "pass", "args": []}))
        .await?;
    soon(async {
        while server.handle.stats().await?.open_channels == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok::<_, zrpc::Closed>(())
    })
    .await??;

    // What the first poll asks for comes before any call that is made later.
    let mut stopping = pin!(server.handle.shutdown());
    assert!(poll!(&mut stopping).is_pending());
    let refused = python_call(&mut client, "add", json!([1, 1])).await?;
    gate.add_permits(1);
    let answered = client.request(json!({"op": "join", "id": "x"})).await?;

    assert_eq!(refused["raised"]["name"], "ServerStopping", "{refused}");
    assert_eq!(answered["result"], true, "{answered}");
    soon(stopping).await?;
    Ok(())
}

#[tokio::test]
async fn python_finds_the_next_server_on_the_same_port() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let port = ReservedPort::new()?;
    let first = serve_with(|builder| builder.bind(port.endpoint())).await?;
    let mut client = python_client(python, &first.endpoint, json!({})).await?;
    let sum = python_call(&mut client, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");

    soon(first.handle.close()).await?;
    let _second = serve_with(|builder| builder.bind(port.endpoint())).await?;

    let sum = python_call(&mut client, "add", json!([2, 2])).await?;
    assert_eq!(sum["result"], 4, "{sum}");
    assert!(elapsed(&sum) < 10.0, "{sum}");
    Ok(())
}
