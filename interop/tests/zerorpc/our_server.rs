//! An unmodified `zerorpc.Client` and our server.

use std::time::Duration;

use interop::{Failure, Peer, Program, TestResult};
use serde_json::{Value, json};

use crate::{
    our_service::{serve, serve_with},
    support::{LARGE, crc32, elapsed, pattern, python, python_call, python_client, soon},
};

#[tokio::test]
async fn a_method_is_called() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let sum = python_call(&mut client, "add", json!([2, 40])).await?;
    let defaulted = python_call(&mut client, "add", json!([2])).await?;
    let hello = python_call(&mut client, "hello", json!(["déjà vu"])).await?;
    let nothing = python_call(&mut client, "nothing", json!([])).await?;

    assert_eq!(sum["result"], 42, "{sum}");
    assert_eq!(defaulted["result"], 3, "{defaulted}");
    assert_eq!(hello["result"], "Hello, déjà vu", "{hello}");
    assert_eq!(nothing.get("result"), Some(&Value::Null), "{nothing}");
    Ok(())
}

#[tokio::test]
async fn strings_arrive_as_strings_and_binary_as_binary() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;
    let values = json!(["text", {"$bytes": "ff"}, 1, 1.5, true, null, [1], {"k": 1},
        {"$ext": [5, "00"]}]);

    let kinds = python_call(&mut client, "kinds", values).await?;

    let expected = json!([
        "str", "bin", "int", "float", "bool", "nil", "array", "map", "ext"
    ]);
    assert_eq!(kinds["result"], expected, "{kinds}");
    Ok(())
}

#[tokio::test]
async fn an_error_has_its_name_message_and_traceback() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve_with(|builder| {
        builder
            .tracebacks(zrpc::Tracebacks::Sent)
            .bind("tcp://127.0.0.1:*")
    })
    .await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let raised = python_call(&mut client, "fail", json!(["why"])).await?;
    let raised = &raised["raised"];
    assert_eq!(raised["kind"], "RemoteError", "{raised}");
    assert_eq!(raised["name"], "ValueError", "{raised}");
    assert_eq!(raised["message"], "why", "{raised}");
    assert_eq!(raised["traceback"], "line one\n  line two", "{raised}");

    let raised = python_call(&mut client, "fail_custom", json!([])).await?;
    let raised = &raised["raised"];
    assert_eq!(raised["name"], "CustomError", "{raised}");
    assert_eq!(raised["message"], "déjà vu", "{raised}");
    Ok(())
}

// B23.
#[tokio::test]
async fn tracebacks_stay_at_home_unless_asked_for() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let raised = python_call(&mut client, "fail", json!(["why"])).await?;

    assert_eq!(raised["raised"]["message"], "why", "{raised}");
    let traceback = raised["raised"]["traceback"].as_str().unwrap_or_default();
    assert!(!traceback.contains("line two"), "{raised}");
    Ok(())
}

#[tokio::test]
async fn a_panic_is_an_error_of_that_call_and_of_no_other() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let raised = python_call(&mut client, "panics", json!([])).await?;

    assert_eq!(raised["raised"]["kind"], "RemoteError", "{raised}");
    let sum = python_call(&mut client, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");
    Ok(())
}

// Q25.
#[tokio::test]
async fn an_unknown_method_is_a_name_error() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let raised = python_call(&mut client, "no_such_method", json!([])).await?;

    assert_eq!(raised["raised"]["name"], "NameError", "{raised}");
    let message = raised["raised"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("no_such_method"), "{raised}");
    Ok(())
}

#[tokio::test]
async fn wrong_arguments_are_an_error_that_names_method_argument_and_expectation() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let missing = python_call(&mut client, "hello", json!([])).await?;
    let surplus = python_call(&mut client, "hello", json!(["a", "b"])).await?;
    let mistyped = python_call(&mut client, "add", json!([1, "two"])).await?;

    for (raised, named) in [
        (&missing, ["hello", "name"]),
        (&surplus, ["hello", "1"]),
        (&mistyped, ["add", "b"]),
    ] {
        assert_eq!(raised["raised"]["name"], "TypeError", "{raised}");
        let message = raised["raised"]["message"].as_str().unwrap_or_default();
        assert!(named.iter().all(|name| message.contains(name)), "{raised}");
    }
    Ok(())
}

#[tokio::test]
async fn ten_mebibytes_go_and_come() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;
    let large = json!({"$pattern": {"size": LARGE, "seed": 7}});

    let measured = python_call(&mut client, "measure", json!([large])).await?;
    assert_eq!(
        measured["result"],
        json!([LARGE, crc32(&pattern(LARGE, 7))])
    );
    let received = client
        .request(
            json!({"op": "call", "client": "c", "method": "binary", "args": [LARGE],
            "expect": large}),
        )
        .await?;
    assert_eq!(received["result"], "as expected", "{received}");
    Ok(())
}

#[tokio::test]
async fn a_hundred_calls_are_in_flight_on_one_connection() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let storm = client
        .request(
            json!({"op": "storm", "client": "c", "count": 100, "method": "wait",
            "args": [1.0]}),
        )
        .await?;

    assert_eq!(storm["answered"], 100, "{storm}");
    assert!(elapsed(&storm) < 15.0, "{storm}");
    Ok(())
}

#[tokio::test]
async fn a_stream_of_a_hundred_thousand_items_arrives_in_order() -> TestResult {
    hundred_thousand("count").await
}

#[tokio::test]
async fn a_blocking_iterator_streams_a_hundred_thousand_items_too() -> TestResult {
    hundred_thousand("count_blocking").await
}

async fn hundred_thousand(method: &str) -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let received = client
        .request(json!({"op": "stream", "client": "c", "method": method, "args": [100_000]}))
        .await?;

    assert_eq!(received["count"], 100_000, "{received}");
    assert_eq!(received["in_order"], true, "{received}");
    assert_eq!(received.get("raised"), None, "{received}");
    Ok(())
}

// Q9.
#[tokio::test]
async fn our_producer_waits_for_a_python_consumer_that_is_slow() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let received = client
        .request(
            json!({"op": "stream", "client": "c", "method": "endless", "args": [],
            "slots": 10, "take": 100, "pause": 0.005}),
        )
        .await?;

    assert_eq!(received["count"], 100, "{received}");
    // Taken, plus a window of 10, plus the 256 that lie ready to be sent.
    let produced = server.seen.produced();
    assert!((100..=370).contains(&produced), "{produced}");
    Ok(())
}

#[tokio::test]
async fn a_stream_that_is_left_early_ends_on_our_server() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let every_second = zrpc::Heartbeat::every(Duration::from_secs(1));
    let server =
        serve_with(|builder| builder.heartbeat(every_second).bind("tcp://127.0.0.1:*")).await?;
    let mut client = python_client(python, &server.endpoint, json!({"heartbeat": 1})).await?;

    let received = client
        .request(
            json!({"op": "stream", "client": "c", "method": "endless", "args": [],
            "take": 5}),
        )
        .await?;
    assert_eq!(received["count"], 5, "{received}");

    // Python says nothing when it leaves; the silence of its heartbeats does.
    soon(async {
        while server.seen.cancelled() == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await?;
    // Another client: one that leaves while items arrive freezes, whoever serves it.
    let mut client = python_client(python, &server.endpoint, json!({"heartbeat": 1})).await?;
    let sum = python_call(&mut client, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");
    Ok(())
}

#[tokio::test]
async fn streams_give_any_value_or_none_at_all() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let empty = client
        .request(json!({"op": "stream", "client": "c", "method": "no_items", "args": []}))
        .await?;
    assert_eq!(empty["count"], 0, "{empty}");
    assert_eq!(empty.get("raised"), None, "{empty}");
    let words = client
        .request(json!({"op": "stream", "client": "c", "method": "words", "args": []}))
        .await?;
    assert_eq!(
        words["first_items"],
        json!(["a", null, [], {"k": 1}, {"$bytes": "00"}, 0, false])
    );
    Ok(())
}

#[tokio::test]
async fn a_stream_that_breaks_gives_its_items_first() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let received = client
        .request(json!({"op": "stream", "client": "c", "method": "fail_after", "args": [250]}))
        .await?;

    assert_eq!(received["count"], 250, "{received}");
    assert_eq!(received["raised"]["name"], "CustomError", "{received}");
    assert_eq!(received["raised"]["message"], "after 250", "{received}");
    Ok(())
}

#[tokio::test]
async fn a_lost_python_client_cancels_its_calls() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let every_second = zrpc::Heartbeat::every(Duration::from_secs(1));
    let server =
        serve_with(|builder| builder.heartbeat(every_second).bind("tcp://127.0.0.1:*")).await?;
    let mut client = python_client(python, &server.endpoint, json!({"heartbeat": 1})).await?;
    client
        .request(json!({"op": "start", "id": "x", "client": "c", "method": "never", "args": []}))
        .await?;
    server.until_begun(1).await?;
    assert_eq!(server.seen.cancelled(), 0);

    client.kill().await?;

    soon(async {
        while server.seen.cancelled() == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

#[tokio::test]
async fn our_server_works_for_a_python_client_that_binds() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut client = Peer::start(python, Program::ZerorpcClient, json!({})).await?;
    let bound = client
        .request(json!({"op": "client", "name": "c", "bind": "tcp://127.0.0.1:*"}))
        .await?;
    let endpoint = bound["endpoint"].as_str().unwrap_or_default().to_owned();
    let _server = serve_with(|builder| builder.connect(endpoint)).await?;

    let sum = python_call(&mut client, "add", json!([2, 40])).await?;

    assert_eq!(sum["result"], 42, "{sum}");
    Ok(())
}

#[tokio::test]
async fn several_python_clients_share_our_server() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut first = python_client(python, &server.endpoint, json!({})).await?;
    let mut second = python_client(python, &server.endpoint, json!({})).await?;
    for client in [&mut first, &mut second] {
        client
            .begin(
                json!({"op": "storm", "client": "c", "count": 200, "method": "add",
                "args": [1, 1]}),
            )
            .await?;
    }

    for client in [&mut first, &mut second] {
        let storm = client.finish().await?;
        assert_eq!(storm["answered"], 200, "{storm}");
    }
    Ok::<_, Failure>(())
}
