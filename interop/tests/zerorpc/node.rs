//! Node's zerorpc 0.9.8, as server and as client.
//!
//! Left out, with one line about it, where the machine has no Node or no npm.

use std::time::Duration;

use interop::{Failure, Node, Peer, PeerError, TestResult};
use rmpv::Value;
use serde_json::{Value as Json, json};
use tests::rpc;
use zrpc::{CallError, Client, Heartbeat};

use crate::{
    our_service::{Served, serve, serve_with},
    support::{elapsed, raw_client, soon},
};

/// The heartbeat of every implementation, unless told otherwise.
const DEFAULT: Duration = Duration::from_secs(5);

/// A heartbeat that is short enough for a test.
const INTERVAL: Duration = Duration::from_secs(2);

async fn node() -> Result<Option<&'static Node>, Failure> {
    Ok(tokio::task::spawn_blocking(interop::node).await??)
}

/// A server with the methods of `peers/zerorpc_node.js`, and our client of it.
async fn node_server(heartbeat: Duration) -> Result<Option<(Peer, Client)>, Failure> {
    let Some(node) = node().await? else {
        return Ok(None);
    };
    let milliseconds = u64::try_from(heartbeat.as_millis())?;
    let server = Peer::start_node(node, json!({"heartbeat": milliseconds})).await?;
    let client = Client::builder()
        .heartbeat(Heartbeat::every(heartbeat))
        .connect(server.endpoint()?)
        .build()
        .await?;
    Ok(Some((server, client)))
}

async fn node_client(server: &Served, mut settings: Json) -> Result<Option<Peer>, Failure> {
    let Some(node) = node().await? else {
        return Ok(None);
    };
    settings["endpoint"] = json!(server.endpoint);
    Ok(Some(Peer::start_node(node, settings).await?))
}

async fn call(client: &mut Peer, method: &str, args: Json) -> Result<Json, PeerError> {
    let request = json!({"op": "call", "method": method, "args": args});
    client.request(request).await
}

// Q2, Q17: Node refuses replies whose names are binary or that have no id.
// Q20: integers beyond 32 bits arrive as floats.
#[tokio::test]
async fn our_client_calls_a_node_server() -> TestResult {
    let Some((_server, client)) = node_server(DEFAULT).await? else {
        return Ok(());
    };

    let sum: i64 = client.call("add", (2, 40)).await?;
    assert_eq!(sum, 42);
    for value in [
        Value::from(42),
        Value::from(42.42),
        Value::from("déjà vu"),
        Value::from(&b"\0\xff"[..]),
        Value::Nil,
    ] {
        let echoed: Value = client.call("echo", (value.clone(),)).await?;
        assert_eq!(echoed, value);
    }
    let float: Value = client.call("large", ()).await?;
    assert_eq!(float, Value::from(4_294_967_296.0));
    let integer: u64 = client.call("large", ()).await?;
    assert_eq!(integer, 4_294_967_296);
    client.call::<()>("nothing", ()).await?;
    let date: Value = client.call("date", ()).await?;
    assert!(matches!(&date, Value::Ext(13, _)), "{date}");
    let ping: (String, String) = client.call("_zerorpc_ping", ()).await?;
    assert_eq!(ping.0, "pong");
    Ok(())
}

#[tokio::test]
async fn errors_of_a_node_server_have_name_message_and_stack() -> TestResult {
    let Some((_server, client)) = node_server(DEFAULT).await? else {
        return Ok(());
    };
    for (method, name, message) in [
        ("fail_text", "Error", "a text"),
        ("fail_object", "TypeError", "an object"),
        ("fail_thrown", "RangeError", "thrown"),
    ] {
        let raised = client.call::<()>(method, ()).await;
        let Err(CallError::Remote(raised)) = raised else {
            panic!("{method}: {raised:?}");
        };
        assert_eq!((&*raised.name, &*raised.message), (name, message));
    }

    let mut items = client.stream::<u64>("fail_after", (250,)).await?;
    for expected in 0..250 {
        assert_eq!(items.next_item().await?, Some(expected));
    }
    let end = items.next_item().await;
    assert!(
        matches!(&end, Err(CallError::Remote(raised)) if raised.message == "after 250"),
        "{end:?}"
    );
    Ok(())
}

// Q5: a grant replaces what is left of the last one.
#[tokio::test]
async fn streams_of_a_node_server_arrive_side_by_side() -> TestResult {
    let Some((_server, client)) = node_server(DEFAULT).await? else {
        return Ok(());
    };
    let streams = (0..3).map(|_| async {
        let mut items = client.stream::<u64>("count", (5000,)).await?;
        let mut expected = 0;
        while let Some(item) = soon(items.next_item()).await?? {
            assert_eq!(item, expected);
            expected += 1;
        }
        Ok::<_, Failure>(expected)
    });
    let counts = futures_util::future::try_join_all(streams).await?;
    assert_eq!(counts, [5000; 3]);
    Ok(())
}

// Q4, Q10: Node gives up after two intervals without a heartbeat.
#[tokio::test]
async fn heartbeats_with_a_node_server_and_a_node_client_keep_long_calls() -> TestResult {
    let Some((_server, our_client)) = node_server(INTERVAL).await? else {
        return Ok(());
    };
    let ours = serve_with(|builder| {
        builder
            .heartbeat(Heartbeat::every(INTERVAL))
            .bind("tcp://127.0.0.1:*")
    })
    .await?;
    let Some(mut their_client) = node_client(&ours, json!({"heartbeat": 2000})).await? else {
        return Ok(());
    };

    let (waited, outcome) = tokio::join!(
        our_client.call::<f64>("wait", (7.0,)),
        call(&mut their_client, "wait", json!([7.0]))
    );

    assert_eq!(waited?, 7.0);
    let outcome = outcome?;
    assert_eq!(outcome["result"], 7.0, "{outcome}");
    Ok(())
}

// B26: Node says nothing of a method that it does not have.
#[tokio::test]
async fn a_method_that_a_node_server_does_not_have_is_a_lost_remote_and_never_silence() -> TestResult
{
    let Some((_server, client)) = node_server(INTERVAL).await? else {
        return Ok(());
    };

    let answer = soon(client.call::<()>("no_such_method", ())).await?;

    assert!(
        matches!(answer, Err(CallError::LostRemote { .. })),
        "{answer:?}"
    );
    let sum: i64 = client.call("add", (1, 1)).await?;
    assert_eq!(sum, 2);
    Ok(())
}

// B26: what every object of JavaScript has is a method of Node's server, whose caller is kept
// waiting, and an event that it does not understand ends its process if nobody listens for errors.
#[tokio::test]
async fn a_node_server_offers_what_objects_inherit_and_ends_at_an_event_that_is_none() -> TestResult
{
    let Some(node) = node().await? else {
        return Ok(());
    };
    let careless = json!({"heartbeat": 2000, "listen": {"errors": false}});
    let mut server = Peer::start_node(node, careless).await?;
    let client = Client::builder()
        .heartbeat(Heartbeat::every(INTERVAL))
        .timeout(8 * INTERVAL)
        .connect(server.endpoint()?)
        .build()
        .await?;
    let inherited = soon(client.call::<()>("toString", ())).await?;
    assert!(
        matches!(inherited, Err(CallError::Timeout { .. })),
        "{inherited:?}"
    );

    let mut peer = raw_client(server.endpoint()?).await?;
    rpc::send(&mut peer, b"no event").await?;
    let ended = soon(async {
        while server.request(json!({"op": "works"})).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    ended.await?;

    let ours = serve().await?;
    let mut peer = raw_client(&ours.endpoint).await?;
    rpc::send(&mut peer, b"no event").await?;
    let client = Client::connect(&ours.endpoint).await?;
    let sum: i64 = client.call("add", (1, 1)).await?;
    assert_eq!(sum, 2);
    Ok(())
}

// Q2, Q17, Q20.
#[tokio::test]
async fn a_node_client_calls_our_server() -> TestResult {
    let server = serve().await?;
    let Some(mut client) = node_client(&server, json!({})).await? else {
        return Ok(());
    };

    let sum = call(&mut client, "add", json!([2, 40])).await?;
    assert_eq!(sum["result"], 42, "{sum}");
    // Beyond 32 bits Node's integers are floats.
    let large = call(&mut client, "add", json!([2_147_483_648_u64, 1])).await?;
    assert_eq!(large["result"], 2_147_483_649_u64, "{large}");
    for value in [
        json!(42),
        json!(42.42),
        json!("déjà vu"),
        json!({"$bytes": "00ff"}),
        json!(null),
        json!([1, [2]]),
        json!({"k": {"n": 1}}),
        json!({"$date": 86_400_000}),
    ] {
        let echoed = call(&mut client, "echo", json!([value])).await?;
        assert_eq!(echoed["result"], value, "{echoed}");
    }
    let kinds = json!([{"$undefined": true}, {"$bytes": "00"}, {"$date": 0}, 3_000_000_000_u64]);
    let kinds = call(&mut client, "kinds", kinds).await?;
    assert_eq!(
        kinds["result"],
        json!(["nil", "bin", "ext", "float"]),
        "{kinds}"
    );
    let inspected = call(&mut client, "_zerorpc_inspect", json!([])).await?;
    assert_eq!(inspected["result"]["name"], "Probe", "{inspected}");
    Ok(())
}

// Q25, B26: what every object of JavaScript has is not what a service offers.
#[tokio::test]
async fn a_node_client_gets_errors_for_what_our_server_does_not_have() -> TestResult {
    let server = serve().await?;
    let Some(mut client) = node_client(&server, json!({})).await? else {
        return Ok(());
    };
    for method in [
        "no_such_method",
        "toString",
        "constructor",
        "__proto__",
        "__defineGetter__",
    ] {
        let unknown = call(&mut client, method, json!([])).await?;
        assert_eq!(unknown["raised"]["name"], "NameError", "{unknown}");
        assert_eq!(unknown["raised"]["message"], *method, "{unknown}");
    }
    let failed = call(&mut client, "fail", json!(["why"])).await?;
    assert_eq!(failed["raised"]["name"], "ValueError", "{failed}");
    assert_eq!(failed["raised"]["message"], "why", "{failed}");
    let journal = client.request(json!({"op": "journal"})).await?;
    assert_eq!(journal, json!([]));
    Ok(())
}

// Q5, B2: Node grants for every item once it is behind, which made Python's server lose its credit
// count and then stop. B25: and lose items.
#[tokio::test]
async fn a_node_client_that_floods_our_server_with_grants_gets_every_item() -> TestResult {
    let server = serve().await?;
    let Some(mut client) = node_client(&server, json!({"timeout": 60})).await? else {
        return Ok(());
    };

    let received = client
        .request(json!({"op": "stream", "method": "count", "args": [20_000]}))
        .await?;

    assert_eq!(received["count"], 20_000, "{received}");
    assert_eq!(received["in_order"], true, "{received}");
    let sum = call(&mut client, "add", json!([1, 1])).await?;
    assert_eq!(sum["result"], 2, "{sum}");
    Ok(())
}

#[tokio::test]
async fn a_node_client_has_many_calls_in_flight_and_gives_up_when_it_wants() -> TestResult {
    let server = serve().await?;
    let Some(mut client) = node_client(&server, json!({})).await? else {
        return Ok(());
    };

    let storm = client
        .request(json!({"op": "storm", "method": "add", "args": [1, 1], "count": 200}))
        .await?;
    assert_eq!(storm["answered"], 200, "{storm}");
    let late = client
        .request(json!({"op": "call", "method": "never", "args": [], "timeout": 1}))
        .await?;
    assert_eq!(late["raised"]["name"], "TimeoutExpired", "{late}");
    assert!(elapsed(&late) < 10.0, "{late}");
    Ok(())
}

#[tokio::test]
async fn a_node_client_that_closes_is_noticed() -> TestResult {
    let server = serve_with(|builder| {
        builder
            .heartbeat(Heartbeat::every(INTERVAL))
            .bind("tcp://127.0.0.1:*")
    })
    .await?;
    let Some(mut client) = node_client(&server, json!({"heartbeat": 2000})).await? else {
        return Ok(());
    };
    client
        .request(json!({"op": "start", "id": "x", "method": "never", "args": []}))
        .await?;
    server.until_begun(1).await?;
    assert_eq!(server.seen.cancelled(), 0);

    client.request(json!({"op": "close"})).await?;

    soon(async {
        while server.seen.cancelled() == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}
