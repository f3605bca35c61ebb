//! Credit and streams between Python and us: what must be kept to, and what Python gets wrong.

use std::time::Duration;

use futures_util::future::try_join_all;
use interop::{During as _, Failure, TestResult};
use rmpv::Value;
use serde_json::json;
use tests::{bytes::message, raw_peer::RawPeer, rpc, rpc::RawEvent};
use tokio::time::timeout;
use zrpc::{CallError, Client, Heartbeat};

use crate::{
    our_service::{serve, serve_with},
    support::{
        Both, RawServer, elapsed, our_client, python, python_call, python_client, python_server,
        raw_client, soon,
    },
};

const INTERVAL: Duration = Duration::from_secs(5);

/// How long nothing must come.
const SILENCE: Duration = Duration::from_millis(400);

fn array(value: impl Into<Value>) -> Value {
    Value::Array(vec![value.into()])
}

async fn request(peer: &mut RawPeer, id: u32, method: &str, arg: u64) -> TestResult {
    let payload = rpc::request(rpc::id(id), method, vec![Value::from(arg)]);
    Ok(rpc::send(peer, &payload).await?)
}

async fn grant(peer: &mut RawPeer, id: u32, count: u64) -> TestResult {
    let payload = rpc::on_channel(&rpc::id(id), "_zpc_more", array(count));
    Ok(rpc::send(peer, &payload).await?)
}

async fn expect(peer: &mut RawPeer, name: &str) -> Result<RawEvent, Failure> {
    let event = rpc::recv(peer).await?;
    assert!(event.is(name), "{name}: {event:?}");
    Ok(event)
}

// Q3: an item is bare and the end is nil. Q6: the first event is free, and every further one needs
// credit, the end and an error too. B30: other than Python's documentation says.
#[tokio::test]
async fn every_server_sends_one_event_before_it_is_granted_more() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        request(&mut peer, 1, "count", 2).await?;
        let first = expect(&mut peer, "STREAM").await?;
        assert_eq!(first.args, Value::from(0), "{whose}");
        assert!(peer.recv_for(SILENCE).await?.is_empty(), "{whose}");
        grant(&mut peer, 1, 1).await?;
        let second = expect(&mut peer, "STREAM").await?;
        assert_eq!(second.args, Value::from(1), "{whose}");
        assert!(peer.recv_for(SILENCE).await?.is_empty(), "{whose}");
        grant(&mut peer, 1, 1).await?;
        let end = expect(&mut peer, "STREAM_DONE").await?;
        assert_eq!(end.args, Value::Nil, "{whose}");

        request(&mut peer, 2, "fail_after", 1).await?;
        expect(&mut peer, "STREAM").await?;
        assert!(peer.recv_for(SILENCE).await?.is_empty(), "{whose}");
        grant(&mut peer, 2, 1).await?;
        let error = expect(&mut peer, "ERR").await?;
        assert_eq!(error.args[0], Value::from("CustomError"), "{whose}");
        assert_eq!(error.args.as_array().map(Vec::len), Some(3), "{whose}");

        let empty = rpc::request(rpc::id(3), "no_items", vec![]);
        rpc::send(&mut peer, &empty).await?;
        expect(&mut peer, "STREAM_DONE").await?;
    }
    Ok(())
}

// Q5: strings and integers add up, a bare number is not what Python expects.
#[tokio::test]
async fn every_server_takes_grants_in_several_forms() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        request(&mut peer, 1, "count", 1000).await?;
        expect(&mut peer, "STREAM").await?;
        for form in [array(2), array("2")] {
            let payload = rpc::on_channel(&rpc::id(1), "_zpc_more", form);
            rpc::send(&mut peer, &payload).await?;
            expect(&mut peer, "STREAM").await?;
            expect(&mut peer, "STREAM").await?;
            assert!(peer.recv_for(SILENCE).await?.is_empty(), "{whose}");
        }
    }
    Ok(())
}

// Q7: what follows a request too closely is lost on Python, and its credit for good: a stream would
// stop. Q8: a burst of grants near the end of a stream stops the whole server.
#[tokio::test]
async fn streams_of_every_length_come_from_a_python_server_side_by_side() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;
    for round in 0..10 {
        let streams = (0..20_u64).map(|number| {
            // Around the ends of windows and half windows.
            let to = 45 + 7 * number + round;
            let client = &client;
            async move {
                let mut items = client.stream::<u64>("count", (to,)).await?;
                let mut expected = 0;
                while let Some(item) = soon(items.next_item()).await?? {
                    assert_eq!(item, expected);
                    expected += 1;
                }
                assert_eq!(expected, to);
                Ok::<_, Failure>(())
            }
        });
        try_join_all(streams).await?;
    }
    Ok(())
}

// B2, Q8: grants that come faster than a channel ends stop the whole of Python's server.
#[tokio::test]
async fn a_burst_of_grants_at_the_end_of_a_stream_stops_a_python_server_and_not_ours() -> TestResult
{
    const ROUNDS: u32 = 40;

    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    for round in 0..ROUNDS {
        let answer = soon(burst(&both.ours.endpoint, round)).await?;
        answer.during(format_args!("ours, round {round}"))?;
    }
    // Python answers for as long as it is still on its way into the trap: nothing of a round is
    // certain, not even the first item.
    for round in 0.. {
        let answer = timeout(8 * SILENCE, burst(both.python.endpoint()?, round)).await;
        let Ok(answer) = answer else {
            break;
        };
        answer.during(format_args!("Python's, round {round}"))?;
        assert!(round < 10 * ROUNDS, "Python's outlives {round} bursts");
    }
    Ok(())
}

/// Grants far more than a stream of two items needs, and waits until its server answers somebody
/// else.
async fn burst(endpoint: &str, round: u32) -> TestResult {
    const BURST: usize = 50;

    let mut peer = raw_client(endpoint).await?;
    request(&mut peer, 2 * round, "count", 2).await?;
    expect(&mut peer, "STREAM").await?;
    let payload = rpc::on_channel(&rpc::id(2 * round), "_zpc_more", array(1));
    peer.send(&message(&[b"", &payload]).repeat(BURST)).await?;
    let mut other = raw_client(endpoint).await?;
    let args = vec![Value::from(2), Value::from(40)];
    let call = rpc::request(rpc::id(2 * round + 1), "add", args);
    rpc::send(&mut other, &call).await?;
    expect(&mut other, "OK").await?;
    Ok(())
}

// Q9, B3: Python's client stops altogether when a stream gets more than its slots.
#[tokio::test]
async fn more_than_its_slots_stop_a_python_client_and_one_stream_of_ours() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (server, endpoint) = RawServer::bind().await?;
    let mut theirs = python_client(python, &endpoint, json!({"timeout": 2})).await?;
    let mut server = server.accept().await?;
    let slow = json!({"op": "start_stream", "id": "s", "client": "c", "method": "flood",
        "args": [], "pause": 30});
    theirs.request(slow).await?;
    flood(&mut server).await?;
    tokio::time::sleep(SILENCE).await;
    let (outcome, served) = tokio::join!(
        python_call(&mut theirs, "m", json!([])),
        answer(&mut server, "m")
    );
    served?;
    let outcome = outcome?;
    assert_eq!(outcome["raised"]["kind"], "TimeoutExpired", "{outcome}");

    let (server, endpoint) = RawServer::bind().await?;
    let ours = Client::connect(endpoint).await?;
    let mut server = server.accept().await?;
    let mut items = ours.request("flood", ()).slots(100).stream::<u64>().await?;
    flood(&mut server).await?;
    let (result, served) = tokio::join!(ours.call::<u64>("m", ()), answer(&mut server, "m"));
    served?;
    assert_eq!(result?, 7);
    let end = loop {
        match items.next_item().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(matches!(end, Err(CallError::Overrun { .. })), "{end:?}");
    Ok(())
}

/// Takes the next request and answers with far more than any slots.
async fn flood(server: &mut RawPeer) -> TestResult {
    let request = expect(server, "flood").await?;
    let channel = request.entry("message_id").cloned().unwrap_or(Value::Nil);
    let item = rpc::on_channel(&channel, "STREAM", Value::from(0));
    Ok(server.send(&message(&[b"", &item]).repeat(1000)).await?)
}

/// Answers the next request of that name.
async fn answer(server: &mut RawPeer, method: &str) -> TestResult {
    let mut request = rpc::recv(server).await?;
    while !request.is(method) {
        request = rpc::recv(server).await?;
    }
    let channel = request.entry("message_id").cloned().unwrap_or(Value::Nil);
    Ok(rpc::send(server, &rpc::on_channel(&channel, "OK", array(7))).await?)
}

// B1: Python's client never gets an answer again after it has left a stream early.
#[tokio::test]
async fn a_stream_that_is_left_early_stops_a_python_client_and_not_ours() -> TestResult {
    /// How often Python's client may get away with it.
    const LUCK: usize = 20;

    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"heartbeat": 1})).await?;
    let mut theirs = python_client(python, server.endpoint()?, json!({"timeout": 2})).await?;
    let mut raised = Vec::new();
    for _ in 0..LUCK {
        let left = json!({"op": "stream", "client": "c", "method": "endless", "args": [],
            "take": 5});
        let taken = theirs.request(left).await?;
        assert_eq!(taken["count"], 5, "{taken}");
        for _ in 0..2 {
            let mut sum = python_call(&mut theirs, "add", json!([1, 1])).await?;
            raised.push(sum["raised"]["kind"].take());
        }
        if raised.ends_with(&[json!("TimeoutExpired"), json!("TimeoutExpired")]) {
            break;
        }
    }
    assert!(
        raised.ends_with(&[json!("TimeoutExpired"), json!("TimeoutExpired")]),
        "{raised:?}"
    );

    let client = Client::builder()
        .heartbeat(Heartbeat::every(Duration::from_secs(1)))
        .connect(server.endpoint()?)
        .build()
        .await?;
    for taken in 0..20 {
        let mut items = client.stream::<u64>("endless", ()).await?;
        for expected in 0..taken {
            assert_eq!(soon(items.next_item()).await??, Some(expected));
        }
        drop(items);
        let sum: i64 = soon(client.call("add", (taken, 1))).await??;
        assert_eq!(sum, i64::try_from(taken)? + 1);
    }
    Ok(())
}

// B10: a stream that nobody ever reads from keeps Python's server busy for ever.
#[tokio::test]
async fn a_stream_that_is_dropped_unread_ends_on_both_servers() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let beat = Duration::from_secs(2);
    let both = Both::start(python, beat).await?;
    for (_, endpoint) in both.endpoints()? {
        let client = Client::builder()
            .heartbeat(Heartbeat::every(beat))
            .connect(endpoint)
            .build()
            .await?;
        let items = client.stream::<u64>("endless", ()).await?;
        let sum: i64 = client.call("add", (1, 1)).await?;
        assert_eq!(sum, 2);
        drop(items);
    }

    let mut their_server = both.python;
    soon(async {
        while their_server.request(json!({"op": "journal"})).await? == json!([]) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        while both.ours.seen.cancelled() == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok::<_, Failure>(())
    })
    .await??;

    // Python's client goes on with the heartbeats of what it has dropped, so nobody hears of it.
    let options = json!({"heartbeat": 2});
    let mut theirs = python_client(python, their_server.endpoint()?, options).await?;
    let dropped = json!({"op": "drop", "client": "c", "method": "endless", "args": []});
    theirs.request(dropped).await?;
    tokio::time::sleep(4 * beat).await;
    let held = theirs
        .request(json!({"op": "channels", "client": "c"}))
        .await?;
    assert_eq!(held, 1);
    let busy = their_server.request(json!({"op": "channels"})).await?;
    assert_eq!(busy, 1);
    Ok(())
}

// B11: Python's client waits for ever for the second item.
#[tokio::test]
async fn one_slot_is_enough_for_our_client() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    for (whose, endpoint) in both.endpoints()? {
        let client = Client::connect(endpoint).await?;
        let counting = client.request("count", (50,)).slots(1);
        let mut items = counting.stream::<u64>().await?;
        let mut count = 0;
        while soon(items.next_item()).await??.is_some() {
            count += 1;
        }
        assert_eq!(count, 50, "{whose}");
    }
    let mut theirs = python_client(python, &both.ours.endpoint, json!({})).await?;
    let stalled = json!({"op": "start_stream", "id": "s", "client": "c", "method": "count",
        "args": [50], "slots": 1});
    theirs.request(stalled).await?;
    let seen = json!({"op": "peek", "id": "s"});
    soon(async {
        while theirs.request(seen.clone()).await?["count"] == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok::<_, Failure>(())
    })
    .await??;
    tokio::time::sleep(SILENCE).await;
    let seen = theirs.request(seen).await?;
    assert_eq!(seen["count"], 1, "{seen}");
    Ok(())
}

// B20: Python sends what it has no credit for when it has waited for long enough.
#[tokio::test]
async fn a_python_channel_that_waits_no_longer_for_credit_does_without() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (server, endpoint) = RawServer::bind().await?;
    let mut theirs = python_client(python, &endpoint, json!({})).await?;
    let mut server = server.accept().await?;
    let emit = json!({"op": "emit", "client": "c", "count": 4, "timeout": 0.2});
    let emitted = theirs.request(emit).await?;
    assert_eq!(emitted, json!({"raised": null, "credit": -3}));
    for number in 0..4 {
        let event = expect(&mut server, "event").await?;
        assert_eq!(event.args, array(number));
    }
    Ok(())
}

// B20: waiting for credit for long leaves no debt and no gift behind.
#[tokio::test]
async fn our_server_sends_what_it_was_granted_however_long_it_waited() -> TestResult {
    // The peer has two intervals to answer, however busy the machine is.
    let beats = Heartbeat::every(Duration::from_millis(700));
    let server = serve_with(|builder| builder.heartbeat(beats).bind("tcp://127.0.0.1:*")).await?;
    let mut peer = raw_client(&server.endpoint).await?;
    request(&mut peer, 1, "count", 1000).await?;
    expect(&mut peer, "STREAM").await?;
    let mut items = 1;
    for _ in 0..3 {
        // Several heartbeats long there is no credit.
        for _ in 0..3 {
            expect(&mut peer, "_zpc_hb").await?;
            let beat = rpc::on_channel(&rpc::id(1), "_zpc_hb", array(0));
            rpc::send(&mut peer, &beat).await?;
        }
        grant(&mut peer, 1, 2).await?;
        let mut granted = 0;
        while granted < 2 {
            let event = rpc::recv(&mut peer).await?;
            if event.is("STREAM") {
                assert_eq!(event.args, Value::from(items));
                items += 1;
                granted += 1;
            }
        }
    }
    Ok(())
}

// B25: more than the mark of Python's socket would be lost without a word.
#[tokio::test]
async fn no_item_of_many_streams_from_a_python_server_is_lost() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;
    let streams = (0..16).map(|_| async {
        let mut items = client.stream::<u64>("count", (5000,)).await?;
        let mut expected = 0;
        while let Some(item) = soon(items.next_item()).await?? {
            assert_eq!(item, expected);
            expected += 1;
        }
        Ok::<_, Failure>(expected)
    });
    assert_eq!(try_join_all(streams).await?, [5000; 16]);
    Ok(())
}

// B27: an item may be waited for as long as the caller likes, and the stream goes on.
#[tokio::test]
async fn a_caller_that_does_not_wait_for_an_item_can_ask_for_it_again() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;
    let mut items = client.stream::<u64>("slow_stream", (2, 1.0)).await?;
    let mut waits = 0;
    for expected in [Some(0), Some(1), None] {
        let item = loop {
            match timeout(Duration::from_millis(200), items.next_item()).await {
                Ok(item) => break item?,
                Err(_) => waits += 1,
            }
        };
        assert_eq!(item, expected);
    }
    assert!(waits >= 2, "{waits}");

    // With Python's client the timeout is over with the first item.
    let mut theirs = python_client(python, server.endpoint()?, json!({"timeout": 2})).await?;
    let stalling = json!({"op": "stream", "client": "c", "method": "slow_stream",
        "args": [3, 1.5]});
    let received = theirs.request(stalling).await?;
    assert_eq!(received["count"], 3, "{received}");
    assert!(elapsed(&received) > 4.0, "{received}");
    Ok(())
}

// A slow consumer gets all of a stream that has ended long before.
#[tokio::test]
async fn a_stream_that_has_ended_is_read_to_its_end() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let their_server = python_server(python, json!({"heartbeat": 1})).await?;
    let client = our_client(&their_server).await?;
    let mut items = client.stream::<u64>("count", (50,)).await?;
    assert_eq!(items.next_item().await?, Some(0));
    tokio::time::sleep(Duration::from_secs(1)).await;
    for expected in 1..50 {
        assert_eq!(items.next_item().await?, Some(expected));
    }
    assert_eq!(items.next_item().await?, None);

    let our_server = serve().await?;
    let mut theirs = python_client(python, &our_server.endpoint, json!({})).await?;
    let slow = json!({"op": "stream", "client": "c", "method": "count", "args": [50],
        "pause": 0.02});
    let received = theirs.request(slow).await?;
    assert_eq!(received["count"], 50, "{received}");
    assert_eq!(received["in_order"], true, "{received}");
    Ok(())
}
