//! Our client and more than one Python server.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use interop::{Failure, TestResult};
use serde_json::json;
use zrpc::Client;

use crate::support::{python, python_server, soon};

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
    let first = python_server(python, json!({"name": "first"})).await?;
    let second = python_server(python, json!({"name": "second"})).await?;
    let client = Client::builder()
        .connect(first.endpoint()?)
        .connect(second.endpoint()?)
        .build()
        .await?;
    let _: String = client.call("_zerorpc_name", ()).await?;

    first.kill().await?;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;

    for _ in 0..20 {
        let name: String = soon(client.call("_zerorpc_name", ())).await??;
        assert_eq!(name, "second");
    }
    Ok(())
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
