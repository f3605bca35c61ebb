//! Silence and loss between Python and us: heartbeats, calls that are given up, and what stays
//! behind.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use interop::{Peer, TestResult};
use rmpv::Value;
use serde_json::json;
use tests::{raw_peer::RawPeer, rpc};
use zrpc::{CallError, Client, Heartbeat};

use crate::{
    our_service::{Served, serve_with},
    support::{
        Both, DEADLINE, python, python_call, python_client, python_server, raw_client, soon,
    },
};

/// For those who must not be lost: a busy machine is late by less than a loss takes.
const INTERVAL: Duration = Duration::from_secs(2);

/// For those who are lost in any case.
const BRISK: Duration = Duration::from_millis(500);

fn array(value: impl Into<Value>) -> Value {
    Value::Array(vec![value.into()])
}

fn map(entries: &[(&str, Value)]) -> Value {
    let entries = entries.iter();
    Value::Map(
        entries
            .map(|(key, value)| (Value::from(*key), value.clone()))
            .collect(),
    )
}

async fn our_server() -> Result<Served, interop::Failure> {
    let beats = Heartbeat::every(INTERVAL);
    serve_with(|builder| builder.heartbeat(beats).bind("tcp://127.0.0.1:*")).await
}

async fn our_client(server: &Peer, interval: Duration) -> Result<Client, interop::Failure> {
    Ok(Client::builder()
        .heartbeat(Heartbeat::every(interval))
        .connect(server.endpoint()?)
        .build()
        .await?)
}

/// Waits until so many handlers were cancelled.
async fn cancelled(server: &Served, count: u64) -> TestResult {
    soon(async {
        while server.seen.cancelled() < count {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

async fn wait(peer: &mut RawPeer, id: u32, seconds: f64) -> TestResult {
    let request = rpc::request(rpc::id(id), "wait", vec![Value::from(seconds)]);
    Ok(rpc::send(peer, &request).await?)
}

// Q10, Q11, B30: a client that never sends a heartbeat gets two, and is lost at the third.
// Q4: they have one argument.
#[tokio::test]
async fn every_server_waits_three_intervals_for_the_first_heartbeat() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, BRISK).await?;
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        wait(&mut peer, 1, 60.0).await?;
        let began = Instant::now();
        for _ in 0..2 {
            let beat = rpc::recv(&mut peer).await?;
            assert!(beat.is("_zpc_hb"), "{whose}: {beat:?}");
            assert_eq!(beat.args, array(0), "{whose}");
        }
        assert!(began.elapsed() >= BRISK, "{whose}");
        // On a busy machine our server gives its client the benefit of the doubt.
        soon(async {
            while !peer.recv_for(3 * BRISK).await?.is_empty() {}
            Ok::<_, interop::Failure>(())
        })
        .await??;
    }
    Ok(())
}

// Q11: two and a half intervals of silence are what a passive client needs. Q4: it may say
// whatever it likes.
#[tokio::test]
async fn every_server_takes_a_late_first_heartbeat_of_any_form() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    let endpoints = both.endpoints()?;
    let forms = [Value::Nil, Value::Array(vec![]), Value::from(0), array(7)];
    let cases = endpoints.iter().flat_map(|(whose, endpoint)| {
        // Python tells the channels of different clients apart by their ids alone.
        let forms = (0..).zip(&forms);
        forms.map(move |(id, form)| takes_a_late_heartbeat(whose, endpoint, id, form))
    });
    try_join_all(cases).await?;
    Ok(())
}

/// Answers the second heartbeat of a server and all that follow, and none before.
async fn takes_a_late_heartbeat(whose: &str, endpoint: &str, id: u32, form: &Value) -> TestResult {
    let mut peer = raw_client(endpoint).await?;
    // Longer than a client is waited for that says nothing.
    wait(&mut peer, id, 3.5 * INTERVAL.as_secs_f64()).await?;
    let mut heard = 0;
    let reply = loop {
        let event = rpc::recv(&mut peer).await?;
        if !event.is("_zpc_hb") {
            break event;
        }
        heard += 1;
        if heard >= 2 {
            let beat = rpc::on_channel(&rpc::id(id), "_zpc_hb", form.clone());
            rpc::send(&mut peer, &beat).await?;
        }
    };
    assert!(reply.is("OK"), "{whose}, {form}: {reply:?}");
    Ok(())
}

// Q12: a REQ socket takes the first thing that comes for the reply.
#[tokio::test]
async fn every_server_is_silent_towards_a_client_of_version_1() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, BRISK).await?;
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = RawPeer::connect(endpoint.trim_start_matches("tcp://").parse()?).await?;
        peer.handshake("REQ").await?;
        let old = |id| map(&[("message_id", rpc::id(id))]);
        let request = rpc::event(old(1), "wait", array(2.5));
        rpc::send(&mut peer, &request).await?;
        let reply = rpc::recv(&mut peer).await?;
        assert!(reply.is("OK"), "{whose}: {reply:?}");
        assert_eq!(reply.args, array(2.5), "{whose}");
        let request = rpc::event(old(2), "fail", array("why"));
        rpc::send(&mut peer, &request).await?;
        let reply = rpc::recv(&mut peer).await?;
        assert!(reply.is("ERR"), "{whose}: {reply:?}");
        assert_eq!(reply.args.as_array().map(Vec::len), Some(1), "{whose}");
        let text = reply.args[0].as_str().unwrap_or_default();
        assert!(text.contains("why"), "{whose}: {text}");
    }
    Ok(())
}

// Q12: heartbeats of version 2 carry credit.
#[tokio::test]
async fn every_server_takes_credit_from_the_heartbeats_of_version_2() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, Duration::from_secs(5)).await?;
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        let header = map(&[("message_id", rpc::id(1)), ("v", Value::from(2))]);
        rpc::send(&mut peer, &rpc::event(header, "count", array(3))).await?;
        let first = rpc::recv(&mut peer).await?;
        assert!(first.is("STREAM"), "{whose}: {first:?}");
        let header = map(&[
            ("message_id", rpc::id(2)),
            ("v", Value::from(2)),
            ("response_to", rpc::id(1)),
        ]);
        rpc::send(&mut peer, &rpc::event(header, "_zpc_hb", array(10))).await?;
        for expected in ["STREAM", "STREAM", "STREAM_DONE"] {
            let event = rpc::recv(&mut peer).await?;
            assert!(event.is(expected), "{whose}: {event:?}");
        }
    }
    Ok(())
}

// B5: Python's server reads no heartbeats while its pool is full, and loses every caller.
#[tokio::test]
async fn calls_that_wait_for_their_turn_keep_their_heartbeats() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let theirs = python_server(python, json!({"pool_size": 1, "heartbeat": 2})).await?;
    let beats = Heartbeat::every(INTERVAL);
    let ours = serve_with(|builder| {
        let builder = builder.heartbeat(beats).max_concurrency(1);
        builder.bind("tcp://127.0.0.1:*")
    })
    .await?;
    // Each takes longer than a server is waited for that says nothing.
    let storm = json!({"op": "storm", "client": "c", "count": 2, "method": "wait", "args": [7.0]});
    let heartbeat = json!({"heartbeat": 2});
    let mut to_theirs = python_client(python, theirs.endpoint()?, heartbeat.clone()).await?;
    let mut to_ours = python_client(python, &ours.endpoint, heartbeat).await?;

    let (theirs, ours) = tokio::join!(to_theirs.request(storm.clone()), to_ours.request(storm));

    let (theirs, ours) = (theirs?, ours?);
    assert!(
        theirs["answered"].as_u64().is_some_and(|count| count < 2),
        "{theirs}"
    );
    assert_eq!(theirs["raised"][0]["kind"], "LostRemote", "{theirs}");
    assert_eq!(ours["answered"], 2, "{ours}");
    Ok(())
}

// B7: whoever waits for a result is told that its server is lost, and nobody else is.
// Q26: in Python's words.
#[tokio::test]
async fn each_call_to_a_frozen_python_server_is_lost_for_itself() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"heartbeat": 0.5})).await?;
    let client = our_client(&server, BRISK).await?;
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call::<f64>("wait", (60.0,)).await })
        })
        .collect();
    tokio::time::sleep(BRISK).await;
    server.freeze()?;

    for call in calls {
        let lost = soon(call).await??;
        let Err(error @ CallError::LostRemote { .. }) = lost else {
            panic!("{lost:?}");
        };
        assert_eq!(error.to_string(), "Lost remote after 1s heartbeat");
    }
    Ok(())
}

// B7: Python tells who began the call, whatever that does now, and not who waits for the result.
// B9: its client keeps the channels of calls that were lost, and ours does not.
#[tokio::test]
async fn a_lost_call_interrupts_whoever_began_it_in_python_and_leaves_a_channel_there() -> TestResult
{
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"heartbeat": 2})).await?;
    let options = json!({"heartbeat": 2, "timeout": null});
    let mut theirs = python_client(python, server.endpoint()?, options).await?;
    let ours = our_client(&server, INTERVAL).await?;
    let sum = python_call(&mut theirs, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");
    let sum: i64 = ours.call("add", (1, 1)).await?;
    assert_eq!(sum, 2);
    server.freeze()?;

    let began = json!({"op": "aftermath", "client": "c", "method": "wait", "args": [60],
        "async": true, "wait": 20});
    let (aftermath, lost) = tokio::join!(theirs.request(began), ours.call::<f64>("wait", (60.0,)));

    let aftermath = aftermath?;
    assert_eq!(aftermath["called"], json!(null), "{aftermath}");
    assert_eq!(aftermath["after"]["kind"], "LostRemote", "{aftermath}");
    // Q26.
    let said = aftermath["after"]["message"].as_str();
    assert_eq!(said, Some("Lost remote after 4s heartbeat"));
    assert_eq!(aftermath["pending"], true, "{aftermath}");
    assert_eq!(aftermath["channels"], 1, "{aftermath}");
    for held in [2, 3] {
        let lost = python_call(&mut theirs, "wait", json!([60])).await?;
        assert_eq!(lost["raised"]["kind"], "LostRemote", "{lost}");
        let channels = theirs
            .request(json!({"op": "channels", "client": "c"}))
            .await?;
        assert_eq!(channels, held);
    }
    assert!(
        matches!(lost, Err(CallError::LostRemote { .. })),
        "{lost:?}"
    );
    assert_eq!(ours.stats().await?.open_channels, 0);
    Ok(())
}

// B8: what cannot be sent opens nothing that could be lost later.
#[tokio::test]
async fn arguments_that_cannot_be_sent_leave_nothing_behind() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut server = python_server(python, json!({"heartbeat": 2})).await?;
    let client = our_client(&server, INTERVAL).await?;
    for _ in 0..5 {
        let numbered = Value::Map(vec![(Value::from(1), Value::from(2))]);
        let refused = client.call::<()>("echo", (numbered,)).await;
        assert!(refused.is_err(), "{refused:?}");
    }

    // For longer than it takes to lose a server.
    let waited: f64 = client.call("wait", (7.0,)).await?;

    assert_eq!(waited, 7.0);
    let channels = server.request(json!({"op": "channels"})).await?;
    assert_eq!(channels, 0, "{channels}");
    assert_eq!(client.stats().await?.open_channels, 0);

    // Python raises the loss of the call that was never made, long after it has failed.
    let heartbeat = json!({"heartbeat": 0.5});
    let mut theirs = python_client(python, server.endpoint()?, heartbeat).await?;
    let too_large = json!({"op": "aftermath", "client": "c", "method": "echo",
        "args": [{"$power": [2, 70]}], "wait": 20});
    let aftermath = theirs.request(too_large).await?;
    assert_eq!(aftermath["called"]["kind"], "OverflowError", "{aftermath}");
    assert_eq!(aftermath["after"]["kind"], "LostRemote", "{aftermath}");
    assert_eq!(aftermath["channels"], 1, "{aftermath}");
    Ok(())
}

// B9: a client that vanishes leaves nothing, with as many calls as it may have.
#[tokio::test]
async fn all_calls_of_a_lost_python_client_are_cancelled_and_their_places_free() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let beats = Heartbeat::every(BRISK);
    let server = serve_with(|builder| {
        let builder = builder.heartbeat(beats).max_concurrency(20);
        builder.bind("tcp://127.0.0.1:*")
    })
    .await?;
    for round in 1..=2 {
        let options = json!({"heartbeat": 0.5, "timeout": null});
        let mut client = python_client(python, &server.endpoint, options).await?;
        for id in 0..20 {
            client
                .request(
                    json!({"op": "start", "id": id, "client": "c", "method": "never",
                    "args": []}),
                )
                .await?;
        }
        server.until_begun(20 * round).await?;
        client.freeze()?;
        cancelled(&server, 20 * round).await?;
    }
    Ok(())
}

// B19: Python's server keeps a channel for ever that a heartbeat opened.
#[tokio::test]
async fn channels_that_get_no_request_stay_on_a_python_server_and_do_not_use_up_ours() -> TestResult
{
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut theirs = python_server(python, json!({"heartbeat": 0.1})).await?;
    let mut peer = raw_client(theirs.endpoint()?).await?;
    for number in 0..10 {
        let header = rpc::header(rpc::id(number), None);
        rpc::send(&mut peer, &rpc::event(header, "_zpc_hb", array(0))).await?;
    }
    // The heartbeats of the server cease when its client is lost, and the channels are still there.
    soon(async {
        while !peer.recv_for(BRISK).await?.is_empty() {}
        Ok::<_, interop::Failure>(())
    })
    .await??;
    drop(peer);
    let held = theirs.request(json!({"op": "channels"})).await?;
    assert_eq!(held, 10);

    let beats = Heartbeat::every(Duration::from_millis(100));
    let server = serve_with(|builder| {
        let builder = builder.heartbeat(beats).max_calls_per_peer(10);
        builder.bind("tcp://127.0.0.1:*")
    })
    .await?;
    let mut peer = raw_client(&server.endpoint).await?;
    for number in 0..10 {
        let header = rpc::header(rpc::id(number), None);
        rpc::send(&mut peer, &rpc::event(header, "_zpc_hb", array(0))).await?;
    }
    let began = Instant::now();
    let mut attempts = 100..;
    loop {
        assert!(began.elapsed() < DEADLINE, "the channels stay open");
        let id = rpc::id(attempts.next().unwrap_or_default());
        let args = vec![Value::from(2), Value::from(40)];
        rpc::send(&mut peer, &rpc::request(id.clone(), "add", args)).await?;
        let mut reply = rpc::recv(&mut peer).await?;
        while reply.entry("response_to") != Some(&id) {
            reply = rpc::recv(&mut peer).await?;
        }
        if reply.is("OK") {
            return Ok(());
        }
        assert_eq!(reply.args[0], Value::from("LimitExceeded"), "{reply:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

// B28: a call that timed out goes on for up to three intervals, because Python says nothing.
#[tokio::test]
async fn a_call_that_python_gave_up_is_cancelled_on_our_server() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = our_server().await?;
    let options = json!({"heartbeat": 2, "timeout": 1});
    let mut client = python_client(python, &server.endpoint, options).await?;

    let late = python_call(&mut client, "never", json!([])).await?;

    assert_eq!(late["raised"]["kind"], "TimeoutExpired", "{late}");
    // Q26.
    let said = late["raised"]["message"].as_str();
    assert_eq!(
        said,
        Some("timeout after 1s, when calling remote method never")
    );
    cancelled(&server, 1).await?;
    let sum = python_call(&mut client, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");
    Ok(())
}

// B29: Python's client waits for ever for a server that does not read.
#[tokio::test]
async fn our_client_ends_though_its_server_reads_nothing() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let mut theirs = python_client(python, server.endpoint()?, json!({})).await?;
    let for_ever = theirs
        .request(json!({"op": "lingers", "client": "c"}))
        .await?;
    assert_eq!(for_ever, -1);

    let client = our_client(&server, INTERVAL).await?;
    let sum: i64 = client.call("add", (1, 1)).await?;
    assert_eq!(sum, 2);
    server.freeze()?;
    let large = serde_bytes::ByteBuf::from(vec![0; 64 << 20]);
    let unread = tokio::time::timeout(BRISK, client.call::<()>("measure", (large,))).await;
    assert!(unread.is_err(), "{unread:?}");

    soon(client.close()).await
}
