//! Python zerorpc against Python zerorpc.

use interop::{Interop, Peer, PeerError, Program, Python, TestResult, environment, run_to_end};
use serde_json::{Value, json};

#[tokio::test]
async fn calls_errors_and_streams_work() -> TestResult {
    let Interop::On(python) = environment()? else {
        return Ok(());
    };
    let (_server, mut client) = connected(python, json!({})).await?;

    let added = client.request(call("add", json!([2, 3]))).await?;
    assert_eq!(added["result"], 5);
    let failed = client.request(call("fail", json!(["why"]))).await?;
    assert_eq!(failed["raised"]["name"], "ValueError");
    assert_eq!(failed["raised"]["message"], "why");
    assert!(
        failed["raised"]["traceback"]
            .as_str()
            .is_some_and(|text| text.contains("raise ValueError"))
    );
    let counted = client
        .request(
            json!({"op": "stream", "client": "c", "method": "count", "args": [1000], "slots": 10}),
        )
        .await?;
    assert_eq!(counted["count"], 1000);
    assert_eq!(counted["in_order"], true);
    Ok(())
}

#[tokio::test]
async fn values_of_every_kind_come_back() -> TestResult {
    let Interop::On(python) = environment()? else {
        return Ok(());
    };
    let (_server, mut client) = connected(python, json!({})).await?;

    let values = json!([
        null, true, 0, -1, 18_446_744_073_709_551_615_u64, 1.5, "déjà vu", {"$bytes": "00ff"},
        {"$float": "nan"}, {"$float": "-inf"}, [1, [2, []]], {"k": {"n": null}},
        {"$ext": [5, "616263"]}, {"$timestamp": [1_700_000_000, 5]},
        {"$pattern": {"size": 1_048_576, "seed": 1}}, {"$repeat": {"text": "ab", "count": 50_000}},
    ]);
    let echoed = client
        .request(json!({"op": "echoes", "client": "c", "values": values}))
        .await?;

    assert_eq!(echoed, 16);
    Ok(())
}

#[tokio::test]
async fn a_hundred_calls_are_in_flight_at_once() -> TestResult {
    let Interop::On(python) = environment()? else {
        return Ok(());
    };
    let (_server, mut client) = connected(python, json!({})).await?;

    let storm = client
        .request(
            json!({"op": "storm", "client": "c", "count": 100, "method": "wait", "args": [1.0]}),
        )
        .await?;

    assert_eq!(storm["answered"], 100, "{storm}");
    assert!(
        storm["elapsed"].as_f64().is_some_and(|s| s < 10.0),
        "{storm}"
    );
    Ok(())
}

// B6.
/// The failure that our server must not have: see `tests/zerorpc/blocking_methods.rs`.
#[tokio::test]
async fn a_python_server_loses_its_callers_while_a_method_blocks() -> TestResult {
    let Interop::On(python) = environment()? else {
        return Ok(());
    };
    let server = Peer::start(python, Program::ZerorpcServer, json!({"heartbeat": 1})).await?;
    let mut client = Peer::start(python, Program::ZerorpcClient, json!({})).await?;
    client
        .request(
            json!({"op": "client", "name": "c", "endpoint": server.endpoint()?,
            "heartbeat": 1}),
        )
        .await?;

    let blocked = client.request(call("block", json!([4.5]))).await?;

    assert_eq!(blocked["raised"]["kind"], "LostRemote", "{blocked}");
    Ok(())
}

#[tokio::test]
async fn the_command_line_prints_results() -> TestResult {
    let Interop::On(python) = environment()? else {
        return Ok(());
    };
    let server = Peer::start(python, Program::ZerorpcServer, json!({})).await?;
    let mut command = python.command("zerorpc_command.py");
    command.args(["-j", "-pj", server.endpoint()?, "add", "2", "40"]);

    let output = run_to_end(command).await?;

    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(output.stdout, "42");
    Ok(())
}

// B17.
#[tokio::test]
async fn introspection_depends_on_getargspec() -> TestResult {
    let Interop::On(python) = environment()? else {
        return Ok(());
    };
    let (_old, mut client) = connected(python, json!({"getargspec": "restored"})).await?;
    let inspected = client.request(call("_zerorpc_inspect", json!([]))).await?;
    assert_eq!(
        inspected["result"]["methods"]["add"]["doc"],
        "Adds two numbers."
    );

    let (_new, mut client) = connected(python, json!({"getargspec": "removed"})).await?;
    let inspected = client.request(call("_zerorpc_inspect", json!([]))).await?;
    assert_eq!(inspected["raised"]["name"], "AttributeError", "{inspected}");
    Ok(())
}

/// A server and a client program that is connected to it as `c`.
async fn connected(python: &Python, settings: Value) -> Result<(Peer, Peer), PeerError> {
    let server = Peer::start(python, Program::ZerorpcServer, settings).await?;
    let mut client = Peer::start(python, Program::ZerorpcClient, json!({})).await?;
    client
        .request(json!({"op": "client", "name": "c", "endpoint": server.endpoint()?}))
        .await?;
    Ok((server, client))
}

fn call(method: &str, args: Value) -> Value {
    json!({"op": "call", "client": "c", "method": method, "args": args})
}
