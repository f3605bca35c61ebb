//! The six `_zerorpc_` methods, asked in both directions.

use interop::TestResult;
use rmpv::Value;
use serde_json::json;
use zrpc::CallError;

use crate::{
    our_service::serve,
    support::{our_client, python, python_call, python_client, python_server},
};

// Q27, B17.
#[tokio::test]
async fn our_server_describes_itself_to_python() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let ping = python_call(&mut client, "_zerorpc_ping", json!([])).await?;
    assert_eq!(ping["result"], json!(["pong", "Probe"]), "{ping}");
    let name = python_call(&mut client, "_zerorpc_name", json!([])).await?;
    assert_eq!(name["result"], "Probe", "{name}");
    let list = python_call(&mut client, "_zerorpc_list", json!([])).await?;
    let listed = list["result"].as_array().cloned().unwrap_or_default();
    assert!(listed.iter().any(|name| name == "add"), "{list}");
    assert!(
        !listed
            .iter()
            .any(|name| name.as_str().is_some_and(|name| name.starts_with('_'))),
        "{list}"
    );
    let help = python_call(&mut client, "_zerorpc_help", json!(["hello"])).await?;
    assert_eq!(
        help["result"], "Greets somebody.\n\nThe greeting is in English.",
        "{help}"
    );
    let args = python_call(&mut client, "_zerorpc_args", json!(["add"])).await?;
    assert_eq!(
        args["result"],
        json!([["a", "b"], null, null, [1]]),
        "{args}"
    );
    let inspect = python_call(&mut client, "_zerorpc_inspect", json!([])).await?;
    let inspected = &inspect["result"];
    assert_eq!(inspected["name"], "Probe");
    assert_eq!(
        inspected["methods"]["add"],
        json!({"args": [{"name": "a"}, {"name": "b", "default": 1}], "doc": "Adds two numbers."})
    );
    Ok(())
}

// Q27.
#[tokio::test]
async fn help_about_a_method_that_is_not_there_is_a_key_error() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let help = python_call(&mut client, "_zerorpc_help", json!(["nobody"])).await?;

    assert_eq!(help["raised"]["name"], "KeyError", "{help}");
    Ok(())
}

// Q27.
#[tokio::test]
async fn a_python_server_that_can_describes_itself_to_us() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"getargspec": "restored"})).await?;
    let client = our_client(&server).await?;

    let ping: (String, String) = client.call("_zerorpc_ping", ()).await?;
    assert_eq!(ping, ("pong".into(), "Probe".into()));
    let name: String = client.call("_zerorpc_name", ()).await?;
    assert_eq!(name, "Probe");
    let list: Vec<String> = client.call("_zerorpc_list", ()).await?;
    assert!(list.iter().any(|name| name == "add"), "{list:?}");
    let help: Option<String> = client.call("_zerorpc_help", ("echo",)).await?;
    assert_eq!(help, None);
    let args: (Vec<String>, Value, Value, Vec<i64>) =
        client.call("_zerorpc_args", ("add",)).await?;
    assert_eq!(args.0, ["self", "a", "b"]);
    assert_eq!(args.3, [1]);
    let inspect: Value = client.call("_zerorpc_inspect", ()).await?;
    assert_eq!(inspect["name"], Value::from("Probe"));
    assert_eq!(
        inspect["methods"]["add"]["doc"],
        Value::from("Adds two numbers.")
    );
    Ok(())
}

// B17.
#[tokio::test]
async fn a_python_server_that_cannot_answers_with_an_error() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"getargspec": "removed"})).await?;
    let client = our_client(&server).await?;

    let inspect = client.call::<Value>("_zerorpc_inspect", ()).await;

    assert!(
        matches!(inspect, Err(CallError::Remote(ref raised)) if raised.name == "AttributeError"),
        "{inspect:?}"
    );
    Ok(())
}
