//! What the suites of zerorpc's own implementations go through, with one side replaced by ours.
//!
//! Publishing is in `one_way.rs`, Node in `node.rs`, and errors and heartbeats are in the files of
//! either role.

use std::time::Duration;

use futures_util::future::try_join_all;
use interop::{Failure, Peer, TestResult};
use rmpv::Value;
use serde_json::{Value as Json, json};
use tests::rpc;
use zrpc::{CallError, Client, Heartbeat, Method, Server};

use crate::{
    our_service::{serve, serve_with},
    support::{
        Both, elapsed, our_client, python, python_call, python_client, python_server, raw_client,
        soon,
    },
};

#[tokio::test]
async fn numbers_text_and_binary_are_echoed_both_ways() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, Duration::from_secs(5)).await?;
    let client = our_client(&both.python).await?;
    for value in [
        Value::from(42),
        Value::from(42.42),
        Value::from(&b"\0binary\xff"[..]),
        Value::from("déjà vu"),
        Value::from("\u{10ffff}"),
    ] {
        let echoed: Value = client.call("echo", (value.clone(),)).await?;
        assert_eq!(echoed, value);
    }
    let mut theirs = python_client(python, &both.ours.endpoint, json!({})).await?;
    let values = json!([42, 42.42, {"$bytes": "0062696e617279ff"}, "déjà vu", "\u{10ffff}"]);
    theirs
        .request(json!({"op": "echoes", "client": "c", "values": values}))
        .await?;
    Ok(())
}

#[tokio::test]
async fn either_half_of_a_channel_notices_that_the_other_has_closed() -> TestResult {
    const INTERVAL: Duration = Duration::from_secs(2);
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    // Ours goes, and Python's half ends.
    let beats = Heartbeat::every(INTERVAL);
    let builder = Client::builder().heartbeat(beats);
    let ours = builder.connect(both.python.endpoint()?).build().await?;
    let mut items = ours.stream::<u64>("endless", ()).await?;
    assert_eq!(items.next_item().await?, Some(0));
    drop((items, ours));
    // Python's goes, and our half ends.
    let heartbeat = json!({"heartbeat": 2, "timeout": null});
    let mut theirs = python_client(python, &both.ours.endpoint, heartbeat).await?;
    theirs
        .request(json!({"op": "start", "id": "x", "client": "c", "method": "never", "args": []}))
        .await?;
    both.ours.until_begun(1).await?;
    theirs.request(json!({"op": "close", "name": "c"})).await?;

    let mut server = both.python;
    soon(async {
        while server.request(json!({"op": "channels"})).await? != 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        while both.ours.seen.cancelled() == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok::<_, Failure>(())
    })
    .await?
}

#[tokio::test]
async fn twenty_requests_and_replies_follow_each_other_on_one_connection() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, Duration::from_secs(5)).await?;
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        for number in 0..20_u32 {
            let args = vec![Value::from(number), Value::from(1)];
            rpc::send(&mut peer, &rpc::request(rpc::id(number), "add", args)).await?;
            let reply = rpc::recv(&mut peer).await?;
            assert_eq!(reply.args[0], Value::from(number + 1), "{whose}");
            assert_eq!(
                reply.entry("response_to"),
                Some(&rpc::id(number)),
                "{whose}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_producer_stops_after_one_item_and_again_when_the_slots_are_full() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;
    let counting = client.request("produced", (1000,)).slots(100);
    let mut items = counting.stream::<u64>().await?;
    // Nothing was taken: one item is free.
    assert_eq!(settled(&mut server, 2).await?, 2);
    assert_eq!(items.next_item().await?, Some(0));
    // The first item that was taken opens the slots.
    assert_eq!(settled(&mut server, 102).await?, 102);
    for expected in 1..1000 {
        assert_eq!(items.next_item().await?, Some(expected));
    }
    assert_eq!(items.next_item().await?, None);
    Ok(())
}

/// How many items a Python server made when it makes no more, and there are as many as were expected
/// at least; the last one waits for credit.
async fn settled(server: &mut Peer, expected: usize) -> Result<usize, Failure> {
    let settling = async {
        let mut last = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(400)).await;
            let journal = server.request(json!({"op": "journal"})).await?;
            let made = journal.as_array().map_or(0, Vec::len);
            if made == last && made >= expected {
                return Ok(made);
            }
            last = made;
        }
    };
    soon(settling).await?
}

#[tokio::test]
async fn a_stream_is_dropped_before_and_after_it_was_read_from() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"heartbeat": 2})).await?;
    let client = Client::builder()
        .heartbeat(Heartbeat::every(Duration::from_secs(2)))
        .connect(server.endpoint()?)
        .build()
        .await?;
    for taken in [0, 1, 150] {
        let mut items = client.stream::<u64>("endless", ()).await?;
        // What is dropped before it was sent is never sent.
        let sum: i64 = client.call("add", (1, 1)).await?;
        assert_eq!(sum, 2);
        for expected in 0..taken {
            assert_eq!(items.next_item().await?, Some(expected));
        }
        drop(items);
    }
    let mut server = server;
    soon(async {
        loop {
            let journal = server.request(json!({"op": "journal"})).await?;
            if journal.as_array().is_some_and(|ended| ended.len() == 3) {
                return Ok::<_, Failure>(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await??;
    Ok(())
}

#[tokio::test]
async fn a_timeout_of_one_call_overrides_that_of_the_client() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, Duration::from_secs(5)).await?;
    let client = our_client(&both.python).await?;
    let late = client
        .request("wait", (20.0,))
        .timeout(Duration::from_millis(30))
        .call::<f64>()
        .await;
    let Err(error @ CallError::Timeout { .. }) = late else {
        panic!("{late:?}");
    };
    assert_eq!(
        error.to_string(),
        "timeout after 0.03s, when calling remote method wait"
    );
    let mut theirs = python_client(python, &both.ours.endpoint, json!({})).await?;
    let late = theirs
        .request(
            json!({"op": "call", "client": "c", "method": "wait", "args": [20.0],
            "timeout": 0.03}),
        )
        .await?;
    assert_eq!(late["raised"]["kind"], "TimeoutExpired", "{late}");
    assert!(elapsed(&late) < 10.0, "{late}");
    Ok(())
}

#[tokio::test]
async fn an_asynchronous_call_is_answered_and_times_out_both_ways() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, Duration::from_secs(5)).await?;
    let client = our_client(&both.python).await?;
    let sum = client.request("add", (5, 1));
    let sum = tokio::spawn(sum.call::<i64>());
    let late = client
        .request("wait", (20.0,))
        .timeout(Duration::from_secs(1));
    let late = tokio::spawn(late.call::<f64>());
    assert_eq!(sum.await??, 6);
    let late = late.await?;
    assert!(matches!(late, Err(CallError::Timeout { .. })), "{late:?}");

    let mut theirs = python_client(python, &both.ours.endpoint, json!({})).await?;
    let call = |method: &str, args: Json| {
        json!({"op": "call", "client": "c", "method": method, "args": args, "async": true,
            "timeout": 1})
    };
    let sum = theirs.request(call("add", json!([5, 1]))).await?;
    assert_eq!(sum["result"], 6, "{sum}");
    let late = theirs.request(call("wait", json!([20.0]))).await?;
    assert_eq!(late["raised"]["kind"], "TimeoutExpired", "{late}");
    let failed = theirs.request(call("fail", json!(["why"]))).await?;
    assert_eq!(failed["raised"]["name"], "ValueError", "{failed}");
    Ok(())
}

// Python → ours → Python: what the first adds to the header is passed on by the second.
#[tokio::test]
async fn a_call_passes_through_two_hops_with_its_context_and_without() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let last = serve().await?;
    let onward = Client::connect(&last.endpoint).await?;
    let relay = |traced: Traced| {
        let onward = onward.clone();
        Method::new(traced.method(), move |(): ()| {
            let onward = onward.clone();
            async move {
                let request = onward.request("header", ("trace_id",));
                let context = zrpc::CallContext::current();
                let trace = context.and_then(|call| call.header::<Value>("trace_id").ok()?);
                let request = match (traced, trace) {
                    (Traced::Passed, Some(trace)) => request.header("trace_id", &trace),
                    _ => request,
                };
                request.call::<Value>().await
            }
        })
    };
    let server = Server::builder()
        .register(relay(Traced::Passed))
        .register(relay(Traced::Forgotten))
        .bind("tcp://127.0.0.1:*")
        .build()
        .await?;
    let endpoint = server.endpoints().first().cloned().unwrap_or_default();
    let options = json!({"header": {"trace_id": "42"}});
    let mut client = python_client(python, &endpoint, options).await?;

    let passed = python_call(&mut client, Traced::Passed.method(), json!([])).await?;
    let forgotten = python_call(&mut client, Traced::Forgotten.method(), json!([])).await?;

    assert_eq!(passed["result"], "42", "{passed}");
    assert_eq!(forgotten["result"], json!(null), "{forgotten}");
    Ok(())
}

/// What a relay does with the context of its caller.
#[derive(Clone, Copy)]
enum Traced {
    Passed,
    Forgotten,
}

impl Traced {
    fn method(self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Forgotten => "forget",
        }
    }
}

#[tokio::test]
async fn streams_run_beside_each_other_and_beside_calls_both_ways() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, Duration::from_secs(5)).await?;
    let client = our_client(&both.python).await?;
    let streams = (0..5_u64).map(|_| async {
        let mut items = client.stream::<u64>("count", (1000,)).await?;
        let mut count = 0;
        while soon(items.next_item()).await??.is_some() {
            count += 1;
            if count % 100 == 0 {
                let sum: u64 = client.call("add", (count, 1)).await?;
                assert_eq!(sum, count + 1);
            }
        }
        Ok::<_, Failure>(count)
    });
    assert_eq!(try_join_all(streams).await?, [1000; 5]);

    let mut theirs = python_client(python, &both.ours.endpoint, json!({})).await?;
    for id in 0..5 {
        theirs
            .request(
                json!({"op": "start_stream", "id": id, "client": "c", "method": "count",
                "args": [1000]}),
            )
            .await?;
    }
    let sum = python_call(&mut theirs, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");
    for id in 0..5 {
        let counted = theirs.request(json!({"op": "join", "id": id})).await?;
        assert_eq!(counted["count"], 1000, "{counted}");
        assert_eq!(counted["in_order"], true, "{counted}");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_was_idle_for_many_heartbeats_serves_its_first_client() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let beats = Heartbeat::every(Duration::from_millis(200));
    let ours = serve_with(|builder| builder.heartbeat(beats).bind("tcp://127.0.0.1:*")).await?;
    let theirs = python_server(python, json!({"heartbeat": 0.2})).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    // The clients are in no hurry: what comes late is not lost.
    let mut their_client = python_client(python, &ours.endpoint, json!({})).await?;
    let sum = python_call(&mut their_client, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");
    let our_client = our_client(&theirs).await?;
    let sum: i64 = our_client.call("add", (1, 1)).await?;
    assert_eq!(sum, 2);
    Ok(())
}
