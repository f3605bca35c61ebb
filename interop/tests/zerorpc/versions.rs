//! Every version of Python that zerorpc runs on, as server and as client.
//!
//! Versions that the machine does not have are left out, and a line says so.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use interop::{Failure, PYTHON_VERSIONS, Python, TestResult, python_of_version};
use rmpv::Value;
use serde_bytes::ByteBuf;
use serde_json::json;
use zrpc::{CallError, Client};

use crate::{
    our_service::serve,
    support::{python_call, python_client, python_server},
};

// Q13: strings of Python 2 arrive as binary, of which its errors and its service name are examples.
// Q25, Q27, B17.
#[tokio::test]
async fn our_client_understands_the_server_of_every_python() -> TestResult {
    let pythons = installed().await?;
    try_join_all(pythons.into_iter().map(|(version, python)| async move {
        let server = python_server(python, json!({})).await?;
        let client = Client::connect(server.endpoint()?).await?;
        calls_and_streams(version, &client).await?;
        introspection(version, &client).await
    }))
    .await?;
    Ok(())
}

async fn calls_and_streams(version: &str, client: &Client) -> TestResult {
    let sum: i64 = client.call("add", (2, 40)).await?;
    assert_eq!(sum, 42, "{version}");
    let hello: String = client.call("hello", ("RPC",)).await?;
    assert_eq!(hello, "Hello, RPC", "{version}");
    for value in [
        Value::from(42),
        Value::from(42.42),
        Value::from("déjà vu"),
        Value::from(u64::MAX),
        Value::from(&b"\0\xff"[..]),
    ] {
        let echoed: Value = client.call("echo", (value.clone(),)).await?;
        assert_eq!(echoed, value, "{version}");
    }
    let binary: ByteBuf = client.call("binary", (1000,)).await?;
    assert_eq!(binary.len(), 1000, "{version}");

    let raised = client.call::<()>("fail", ("why",)).await;
    let Err(CallError::Remote(raised)) = raised else {
        panic!("{version}: {raised:?}");
    };
    assert_eq!((&*raised.name, &*raised.message), ("ValueError", "why"));
    let traceback = raised.traceback.unwrap_or_default();
    assert!(traceback.starts_with("Traceback"), "{version}: {traceback}");
    let unknown = client.call::<()>("no_such_method", ()).await;
    assert!(
        matches!(&unknown, Err(CallError::Remote(raised))
            if raised.name == "NameError" && raised.message == "no_such_method"),
        "{version}: {unknown:?}"
    );

    let mut items = client.stream::<u64>("count", (1000,)).await?;
    let mut expected = 0;
    while let Some(item) = items.next_item().await? {
        assert_eq!(item, expected, "{version}");
        expected += 1;
    }
    assert_eq!(expected, 1000, "{version}");
    Ok(())
}

async fn introspection(version: &str, client: &Client) -> TestResult {
    let ping: (String, String) = client.call("_zerorpc_ping", ()).await?;
    assert_eq!(ping, ("pong".into(), "Probe".into()), "{version}");
    let list: Vec<String> = client.call("_zerorpc_list", ()).await?;
    assert!(list.iter().any(|name| name == "add"), "{version}: {list:?}");
    let inspected = client
        .call::<BTreeMap<String, Value>>("_zerorpc_inspect", ())
        .await;
    if matches!(version, "3.11" | "3.12" | "3.13") {
        assert!(
            matches!(&inspected, Err(CallError::Remote(raised)) if raised.name == "AttributeError"),
            "{version}: {inspected:?}"
        );
    } else {
        let inspected = inspected?;
        assert!(inspected.contains_key("methods"), "{version}");
        assert!(inspected.contains_key("name"), "{version}");
    }
    Ok(())
}

// Q1: every Python 3 finds its calls by the type of their ids.
// Q2, Q25, Q27, B17.
#[tokio::test]
async fn our_server_is_understood_by_the_client_of_every_python() -> TestResult {
    let server = serve().await?;
    let pythons = installed().await?;
    let endpoint = &*server.endpoint;
    try_join_all(pythons.into_iter().map(|(version, python)| async move {
        let mut client = python_client(python, endpoint, json!({})).await?;
        let sum = python_call(&mut client, "add", json!([2, 40])).await?;
        assert_eq!(sum["result"], 42, "{version}: {sum}");
        let values = json!([42, 42.42, "déjà vu", {"$bytes": "00ff"}, null, [1], {"k": 1}]);
        client
            .request(json!({"op": "echoes", "client": "c", "values": values}))
            .await?;

        let failed = python_call(&mut client, "fail", json!(["why"])).await?;
        assert_eq!(
            failed["raised"]["name"], "ValueError",
            "{version}: {failed}"
        );
        assert_eq!(failed["raised"]["message"], "why", "{version}: {failed}");
        let unknown = python_call(&mut client, "no_such_method", json!([])).await?;
        assert_eq!(unknown["raised"]["name"], "NameError", "{version}");
        assert_eq!(unknown["raised"]["message"], "no_such_method", "{version}");

        let counted = client
            .request(json!({"op": "stream", "client": "c", "method": "count", "args": [1000]}))
            .await?;
        assert_eq!(counted["count"], 1000, "{version}: {counted}");
        assert_eq!(counted["in_order"], true, "{version}: {counted}");

        let inspected = python_call(&mut client, "_zerorpc_inspect", json!([])).await?;
        assert_eq!(
            inspected["result"]["methods"]["add"],
            json!({"args": [{"name": "a"}, {"name": "b", "default": 1}],
                "doc": "Adds two numbers."}),
            "{version}"
        );
        Ok::<_, Failure>(())
    }))
    .await?;
    Ok(())
}

/// The versions that the machine has, with the peers installed for each.
async fn installed() -> Result<Vec<(&'static str, &'static Python)>, Failure> {
    let found = PYTHON_VERSIONS
        .map(|version| tokio::task::spawn_blocking(move || (version, python_of_version(version))));
    let mut pythons = Vec::new();
    for found in found {
        let (version, python) = found.await?;
        pythons.extend(python?.map(|python| (version, python)));
    }
    Ok(pythons)
}
