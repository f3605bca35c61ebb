//! Methods that hold their thread for longer than two heartbeats: what their
//! callers could not do with other servers.
//!
//! Python's client has its default heartbeat of 5 s and gives a call up when
//! it hears nothing for 10 to 15 s. A Python server that blocks for that long
//! loses all its callers.

use std::time::Duration;

use interop::TestResult;
use serde_json::json;

use crate::{
    our_service::{serve, serve_with},
    support::{elapsed, python, python_client},
};

/// Longer than two default heartbeats.
const LONG: f64 = 12.0;

/// How long a hundred calls may take beside a method that blocks. Most of it
/// is Python's own time on a busy machine.
const AT_ONCE: f64 = 5.0;

// B6.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_blocking_and_a_burning_method_answer_after_twelve_seconds_and_others_at_once()
-> TestResult {
    long_calls_answer_and_others_at_once(["block", "burn"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn async_methods_that_block_or_burn_their_worker_do_no_harm_either() -> TestResult {
    long_calls_answer_and_others_at_once(["block_in_async", "burn_in_async"]).await
}

/// Both methods run at once, for one client on one connection.
async fn long_calls_answer_and_others_at_once(methods: [&str; 2]) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;
    for method in methods {
        client
            .request(
                json!({"op": "start", "id": method, "client": "c", "method": method,
                "args": [LONG]}),
            )
            .await?;
    }

    // At the start, and after a heartbeat was due.
    for pause in [1, 6] {
        tokio::time::sleep(Duration::from_secs(pause)).await;
        let storm = client
            .request(
                json!({"op": "storm", "client": "c", "count": 100, "method": "add",
                "args": [20, 22]}),
            )
            .await?;
        assert_eq!(storm["answered"], 100, "{storm}");
        assert!(elapsed(&storm) < AT_ONCE, "{storm}");
    }

    for method in methods {
        let outcome = client.request(json!({"op": "join", "id": method})).await?;
        assert_eq!(outcome["result"], LONG, "{method}: {outcome}");
        assert!(elapsed(&outcome) >= LONG, "{method}: {outcome}");
    }
    Ok(())
}

// B6.
#[tokio::test]
async fn heartbeats_go_on_when_a_method_blocks_the_only_thread_of_the_runtime() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let every_second = zrpc::Heartbeat::every(Duration::from_secs(1));
    let server =
        serve_with(|builder| builder.heartbeat(every_second).bind("tcp://127.0.0.1:*")).await?;
    let mut client = python_client(python, &server.endpoint, json!({"heartbeat": 1})).await?;

    let outcome = client
        .request(json!({"op": "call", "client": "c", "method": "block_in_async", "args": [4.5]}))
        .await?;

    assert_eq!(outcome["result"], 4.5, "{outcome}");
    Ok(())
}
