//! Defects of other implementations that are about what a server offers and what it survives.

use std::time::{Duration, Instant};

use interop::TestResult;
use rmpv::Value;
use serde_json::json;
use tests::rpc;
use zrpc::{Client, Heartbeat, Method, Server};

use crate::{
    our_service::{serve, serve_with},
    support::{
        Both, elapsed, our_client, python, python_call, python_client, python_server, raw_client,
        soon,
    },
};

/// How long nothing must come.
const SILENCE: Duration = Duration::from_millis(400);

// B4: one event whose channel is named by an array ends Python's server.
#[tokio::test]
async fn an_id_of_any_type_ends_a_python_server_and_none_of_ours() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, Duration::from_secs(5)).await?;
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        let channel = Value::Array(vec![Value::from(1)]);
        rpc::send(&mut peer, &rpc::on_channel(&channel, "x", Value::Nil)).await?;
        tokio::time::sleep(SILENCE).await;
        let args = vec![Value::from(2), Value::from(40)];
        rpc::send(&mut peer, &rpc::request(rpc::id(1), "add", args)).await?;
        if whose == "ours" {
            let answer = rpc::recv(&mut peer).await?;
            assert!(answer.is("OK"), "{answer:?}");
        } else {
            assert!(peer.recv_for(2 * SILENCE).await?.is_empty(), "{whose}");
        }
    }
    Ok(())
}

// B16: a method that leaves the program takes Python's server with it.
#[tokio::test]
async fn a_method_that_wants_out_ends_a_python_server_and_one_call_of_ours() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let theirs = python_server(python, json!({})).await?;
    let client = Client::builder()
        .timeout(Duration::from_secs(2))
        .connect(theirs.endpoint()?)
        .build()
        .await?;
    let left = client.call::<()>("leave", (3,)).await;
    assert!(left.is_err(), "{left:?}");
    let after = client.call::<i64>("add", (1, 1)).await;
    assert!(after.is_err(), "{after:?}");

    let ours = serve().await?;
    let mut client = python_client(python, &ours.endpoint, json!({})).await?;
    let raised = python_call(&mut client, "panics", json!([])).await?;
    assert_eq!(raised["raised"]["kind"], "RemoteError", "{raised}");
    let sum = python_call(&mut client, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");
    Ok(())
}

// B18: Python drops named arguments that it does not know; what arrives beside those of the method
// is an error of ours.
#[tokio::test]
async fn arguments_that_a_method_does_not_have_are_never_dropped_by_us() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let ours = serve().await?;
    let mut client = python_client(python, &ours.endpoint, json!({})).await?;
    let dropped = client
        .request(
            json!({"op": "call", "client": "c", "method": "add", "args": [1, 2],
            "nonsense": 3}),
        )
        .await?;
    assert_eq!(dropped["result"], 3, "{dropped}");

    let surplus = python_call(&mut client, "add", json!([1, 2, 3])).await?;
    assert_eq!(surplus["raised"]["name"], "TypeError", "{surplus}");
    let message = surplus["raised"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("add"), "{surplus}");
    Ok(())
}

// B22: Python's server keeps these names for itself, and writes into the program's dictionary.
#[tokio::test]
async fn our_server_offers_methods_of_any_name() -> TestResult {
    const NAMES: [&str; 7] = [
        "bind",
        "close",
        "connect",
        "debug",
        "disconnect",
        "run",
        "stop",
    ];
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut builder = Server::builder().bind("tcp://127.0.0.1:*");
    for name in NAMES {
        builder = builder.register(Method::new(name, move |(): ()| async move { name }));
    }
    let server = builder.build().await?;
    let endpoint = server.endpoints().first().cloned().unwrap_or_default();
    let mut client = python_client(python, &endpoint, json!({})).await?;

    for name in NAMES {
        let answer = python_call(&mut client, name, json!([])).await?;
        assert_eq!(answer["result"], name, "{answer}");
    }
    let listed = python_call(&mut client, "_zerorpc_list", json!([])).await?;
    assert_eq!(listed["result"], json!(NAMES), "{listed}");

    let mut theirs = python_server(python, json!({})).await?;
    let mut client = python_client(python, theirs.endpoint()?, json!({})).await?;
    let missing = python_call(&mut client, "stop", json!([])).await?;
    assert_eq!(missing["raised"]["name"], "NameError", "{missing}");
    let written = theirs.request(json!({"op": "dictionary"})).await?;
    assert_eq!(written.as_array().map(Vec::len), Some(7), "{written}");
    Ok(())
}

// B23, B24: nothing bounds what a client may ask of Python's server.
#[tokio::test]
async fn a_python_client_gets_no_more_calls_than_its_share_and_others_notice_nothing() -> TestResult
{
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve_with(|builder| {
        let builder = builder.max_calls_per_peer(10);
        builder.bind("tcp://127.0.0.1:*")
    })
    .await?;
    let mut greedy = python_client(python, &server.endpoint, json!({"timeout": 3})).await?;
    let mut other = python_client(python, &server.endpoint, json!({})).await?;
    greedy
        .begin(json!({"op": "storm", "client": "c", "count": 30, "method": "wait", "args": [1.0]}))
        .await?;

    let sum = python_call(&mut other, "add", json!([1, 1])).await?;

    assert_eq!(sum["result"], 2, "{sum}");
    let storm = greedy.finish().await?;
    assert_eq!(storm["answered"], 10, "{storm}");
    assert_eq!(storm["raised"][0]["name"], "LimitExceeded", "{storm}");

    let theirs = python_server(python, json!({})).await?;
    let mut greedy = python_client(python, theirs.endpoint()?, json!({})).await?;
    let storm = greedy
        .request(
            json!({"op": "storm", "client": "c", "count": 300, "method": "wait",
            "args": [1.0]}),
        )
        .await?;
    assert_eq!(storm["answered"], 300, "{storm}");
    let failed = python_call(&mut greedy, "fail", json!(["why"])).await?;
    let traceback = failed["raised"]["traceback"].as_str().unwrap_or_default();
    assert!(traceback.contains("zerorpc_server.py"), "{failed}");
    Ok(())
}

// B15: whoever else looks at Python's socket takes away the edge that its reader waits for. By
// chance the reader does that to itself.
#[tokio::test]
async fn a_python_client_whose_socket_was_polled_gets_its_reply_a_second_late() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let mut theirs = python_client(python, server.endpoint()?, json!({})).await?;
    let sum = python_call(&mut theirs, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");

    let late = theirs
        .request(json!({"op": "poll_late", "client": "c", "method": "wait", "args": [0.2]}))
        .await?;

    assert_eq!(late["result"], 0.2, "{late}");
    assert!(elapsed(&late) > 0.9, "{late}");
    let said = "catching up after missing event (RECV)";
    soon(async {
        while !theirs.stderr().contains(said) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

// B15: there is no descriptor that must be asked at the right moment.
#[tokio::test]
async fn no_call_between_us_waits_for_a_second_chance() -> TestResult {
    const CALLS: usize = 2000;
    // Without heartbeats and timeouts nothing happens that could wake whoever has missed something.
    let quiet = Heartbeat::off();
    let server = serve_with(|builder| builder.heartbeat(quiet).bind("tcp://127.0.0.1:*")).await?;
    let client = Client::builder()
        .heartbeat(quiet)
        .timeout(None)
        .connect(&server.endpoint)
        .build()
        .await?;
    for number in 0..CALLS {
        let sum: i64 = soon(client.call("add", (number, 1))).await??;
        assert_eq!(sum, i64::try_from(number)? + 1);
    }
    Ok(())
}

// B6: a generator that never rests starves the timers of Python's server.
#[tokio::test]
async fn a_stream_that_never_rests_keeps_the_heartbeats_of_other_calls() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let beats = Heartbeat::every(Duration::from_secs(2));
    let server = serve_with(|builder| builder.heartbeat(beats).bind("tcp://127.0.0.1:*")).await?;
    let client = Client::builder()
        .heartbeat(beats)
        .connect(&server.endpoint)
        .build()
        .await?;
    let mut patient = python_client(python, &server.endpoint, json!({"heartbeat": 2})).await?;
    patient
        .begin(json!({"op": "call", "client": "c", "method": "wait", "args": [7.0]}))
        .await?;

    let mut items = client.stream::<u64>("endless", ()).await?;
    let began = Instant::now();
    let mut expected = 0;
    while began.elapsed() < Duration::from_secs(8) {
        assert_eq!(items.next_item().await?, Some(expected));
        expected += 1;
    }

    let answer = patient.finish().await?;
    assert_eq!(answer["result"], 7.0, "{answer}");
    Ok(())
}

// B28: a call that our client gives up is over on our server at once.
#[tokio::test]
async fn a_call_that_is_given_up_ends_at_once_between_us() -> TestResult {
    let server = serve().await?;
    let client = Client::connect(&server.endpoint).await?;
    // From the first reply on, the client knows what its server understands.
    let sum: i64 = client.call("add", (1, 1)).await?;
    assert_eq!(sum, 2);

    let late = client
        .request("never", ())
        .timeout(Duration::from_secs(1))
        .call::<()>()
        .await;

    assert!(late.is_err(), "{late:?}");
    // The heartbeat of five seconds would take fifteen.
    let noticed = tokio::time::timeout(Duration::from_secs(10), async {
        while server.seen.cancelled() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    Ok(noticed.await?)
}

// B26, Q20: an integer that arrives as a float is the integer that it was.
#[tokio::test]
async fn a_float_without_a_fraction_is_an_integer_where_one_is_wanted() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let ours = serve().await?;
    let mut client = python_client(python, &ours.endpoint, json!({})).await?;
    let sum = python_call(&mut client, "add", json!([2.0, 40.0])).await?;
    assert_eq!(sum["result"], 42, "{sum}");
    let half = python_call(&mut client, "add", json!([2.5, 40.0])).await?;
    assert_eq!(half["raised"]["name"], "TypeError", "{half}");

    let theirs = python_server(python, json!({})).await?;
    let client = our_client(&theirs).await?;
    let sum: i64 = client.call("add", (2.0, 40.0)).await?;
    assert_eq!(sum, 42);
    Ok(())
}
