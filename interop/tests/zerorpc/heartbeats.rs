//! Heartbeats of every setting on either side, and peers that fall silent.

use std::time::{Duration, Instant};

use interop::TestResult;
use serde_json::{Value, json};
use zrpc::{CallError, Client, Heartbeat};

use crate::{
    our_service::serve_with,
    support::{elapsed, python, python_client, python_server, soon},
};

const INTERVAL: Duration = Duration::from_secs(1);

/// Longer than a peer with [`INTERVAL`] waits for a heartbeat.
const LONG: f64 = 4.5;

// Q4, Q10, Q11.
#[tokio::test]
async fn our_client_and_a_python_server_with_every_setting() -> TestResult {
    let every = Heartbeat::every(INTERVAL);
    tokio::try_join!(
        long_call_to_python("both", every, json!(1)),
        long_call_to_python("passive client", Heartbeat::passive(INTERVAL), json!(1)),
        long_call_to_python("none", Heartbeat::off(), json!(null)),
        // Ours are off, but those of the server are answered.
        long_call_to_python("server only", Heartbeat::off(), json!(1)),
    )?;
    Ok(())
}

// Q4, Q10, Q11.
#[tokio::test]
async fn a_python_client_and_our_server_with_every_setting() -> TestResult {
    let every = Heartbeat::every(INTERVAL);
    let passive = json!({"heartbeat": 1, "passive_heartbeat": true});
    let patient = json!({"heartbeat": 1, "timeout": null});
    tokio::try_join!(
        long_call_from_python("both", every, json!({"heartbeat": 1})),
        long_call_from_python("passive client", every, passive),
        long_call_from_python("none", Heartbeat::off(), json!({"heartbeat": null})),
        long_call_from_python("client only", Heartbeat::off(), json!({"heartbeat": 1})),
        long_call_from_python("no timeout", every, patient),
    )?;
    Ok(())
}

// Q10: heartbeats go on while data flows.
#[tokio::test]
async fn a_stream_that_pauses_for_longer_than_two_heartbeats_goes_on() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"heartbeat": 1})).await?;
    let client = Client::builder()
        .heartbeat(Heartbeat::every(INTERVAL))
        .connect(server.endpoint()?)
        .build()
        .await?;

    let mut items = client.stream::<u64>("slow_stream", (2, 3.5)).await?;

    assert_eq!(items.next_item().await?, Some(0));
    assert_eq!(items.next_item().await?, Some(1));
    assert_eq!(items.next_item().await?, None);
    Ok(())
}

#[tokio::test]
async fn our_iterator_that_holds_its_thread_for_longer_than_two_heartbeats_goes_on() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let every_second = Heartbeat::every(INTERVAL);
    let server =
        serve_with(|builder| builder.heartbeat(every_second).bind("tcp://127.0.0.1:*")).await?;
    let mut client = python_client(python, &server.endpoint, json!({"heartbeat": 1})).await?;

    let received = client
        .request(
            json!({"op": "stream", "client": "c", "method": "slow_stream",
            "args": [2, 3.5]}),
        )
        .await?;

    assert_eq!(received["count"], 2, "{received}");
    assert_eq!(received.get("raised"), None, "{received}");
    Ok(())
}

#[tokio::test]
async fn a_python_server_that_is_killed_is_a_lost_remote() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"heartbeat": 1})).await?;
    let client = Client::builder()
        .heartbeat(Heartbeat::every(INTERVAL))
        .connect(server.endpoint()?)
        .build()
        .await?;
    let (call, killed) = tokio::join!(client.call::<f64>("wait", (30.0,)), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.kill().await
    });
    killed?;

    assert!(
        matches!(
            call,
            Err(CallError::LostRemote { .. } | CallError::Disconnected)
        ),
        "{call:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_python_server_that_is_frozen_is_a_lost_remote() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"heartbeat": 1})).await?;
    let client = Client::builder()
        .heartbeat(Heartbeat::every(INTERVAL))
        .connect(server.endpoint()?)
        .build()
        .await?;
    let began = Instant::now();
    let (call, frozen) = tokio::join!(client.call::<f64>("wait", (30.0,)), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.freeze()
    });
    frozen?;

    assert!(
        matches!(call, Err(CallError::LostRemote { .. })),
        "{call:?}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    Ok(())
}

#[tokio::test]
async fn our_server_that_is_gone_is_a_lost_remote_for_python() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let every_second = Heartbeat::every(INTERVAL);
    let server =
        serve_with(|builder| builder.heartbeat(every_second).bind("tcp://127.0.0.1:*")).await?;
    let mut client = python_client(python, &server.endpoint, json!({"heartbeat": 1})).await?;
    client
        .request(json!({"op": "start", "id": "x", "client": "c", "method": "never", "args": []}))
        .await?;
    server.until_begun(1).await?;

    drop(server);

    let outcome = client.request(json!({"op": "join", "id": "x"})).await?;
    assert_eq!(outcome["raised"]["kind"], "LostRemote", "{outcome}");
    assert!(elapsed(&outcome) < 10.0, "{outcome}");
    Ok(())
}

#[tokio::test]
async fn a_python_client_that_is_frozen_loses_its_calls() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let every_second = Heartbeat::every(INTERVAL);
    let server =
        serve_with(|builder| builder.heartbeat(every_second).bind("tcp://127.0.0.1:*")).await?;
    let mut client = python_client(python, &server.endpoint, json!({"heartbeat": 1})).await?;
    client
        .request(json!({"op": "start", "id": "x", "client": "c", "method": "never", "args": []}))
        .await?;
    server.until_begun(1).await?;
    assert_eq!(server.seen.cancelled(), 0);

    client.freeze()?;

    soon(async {
        while server.seen.cancelled() == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

/// Our client's heartbeat and the Python server's.
async fn long_call_to_python(name: &str, ours: Heartbeat, theirs: Value) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"heartbeat": theirs})).await?;
    let client = Client::builder()
        .heartbeat(ours)
        .connect(server.endpoint()?)
        .build()
        .await?;

    let answer = client.call::<f64>("wait", (LONG,)).await;

    assert_eq!(answer, Ok(LONG), "{name}");
    Ok(())
}

/// Our server's heartbeat and the Python client's options.
async fn long_call_from_python(name: &str, ours: Heartbeat, theirs: Value) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve_with(|builder| builder.heartbeat(ours).bind("tcp://127.0.0.1:*")).await?;
    let mut client = python_client(python, &server.endpoint, theirs).await?;

    let outcome = client
        .request(json!({"op": "call", "client": "c", "method": "wait", "args": [LONG]}))
        .await?;

    assert_eq!(outcome["result"], LONG, "{name}: {outcome}");
    Ok(())
}
