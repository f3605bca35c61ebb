//! Services and typed clients that `#[zrpc::service]` makes, against Python on the other side.

use futures_util::{
    TryStreamExt as _,
    stream::{self, Stream},
};
use interop::TestResult;
use rmpv::Value;
use serde_json::json;
use thiserror::Error;
use zrpc::{CallContext, CallError, Client, Server};

use crate::support::{our_client, python, python_call, python_client, python_server, soon};

#[derive(Debug, Error)]
#[error("{0}")]
struct CustomError(String);

/// What `peers/zerorpc_server.py` offers, and a server of ours as well.
#[zrpc::service]
trait Probe {
    /// Greets somebody.
    ///
    /// The greeting is in English.
    async fn hello(&self, name: String) -> String;

    /// Adds two numbers.
    fn add(&self, a: i64, #[zrpc(default = 1)] b: i64) -> i64;

    /// Says how the arguments arrived.
    fn arguments(&self, #[zrpc(rest)] args: Vec<Value>) -> Vec<String>;

    async fn nothing(&self);

    #[zrpc(blocking)]
    fn fail_custom(&self) -> Result<(), CustomError>;

    /// Counts from zero.
    fn count(&self, to: u64) -> impl Stream<Item = u64>;

    /// A stream that breaks.
    fn fail_after(&self, items: u64) -> impl Stream<Item = Result<u64, CustomError>>;

    /// Answers later.
    async fn wait(&self, context: &CallContext, seconds: f64) -> f64;
}

struct Ours;

#[zrpc::service]
impl Probe for Ours {
    async fn hello(&self, name: String) -> String {
        tokio::task::yield_now().await;
        format!("Hello, {name}")
    }

    fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }

    fn arguments(&self, args: Vec<Value>) -> Vec<String> {
        args.iter().map(ToString::to_string).collect()
    }

    async fn nothing(&self) {
        tokio::task::yield_now().await;
    }

    fn fail_custom(&self) -> Result<(), CustomError> {
        Err(CustomError("déjà vu".to_owned()))
    }

    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }

    fn fail_after(&self, items: u64) -> impl Stream<Item = Result<u64, CustomError>> {
        let end = Err(CustomError(format!("after {items}")));
        stream::iter((0..items).map(Ok).chain([end]))
    }

    async fn wait(&self, context: &CallContext, seconds: f64) -> f64 {
        context.cancelled().await;
        seconds
    }
}

async fn ours() -> Result<Server, zrpc::BuildError> {
    Server::builder()
        .service(Ours)
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
}

/// The same calls of whichever server.
async fn call_all(client: Client) -> TestResult {
    let probe = ProbeClient::new(client);
    assert_eq!(soon(probe.hello("déjà vu")).await??, "Hello, déjà vu");
    assert_eq!(probe.add(2, Some(40)).await?, 42);
    // What is left out is left to the server, whose default is the same.
    assert_eq!(probe.add(2, None).await?, 3);
    probe.nothing().await?;
    let args = vec![Value::from(1), Value::from("two")];
    assert_eq!(probe.arguments(args).await?.len(), 2);
    let raised = probe.fail_custom().await;
    assert!(
        matches!(&raised, Err(CallError::Remote(raised))
            if raised.name == "CustomError" && raised.message == "déjà vu"),
        "{raised:?}"
    );
    let items: Vec<u64> = soon(probe.count(1000).await?.try_collect()).await??;
    assert_eq!(items, (0..1000).collect::<Vec<_>>());
    let mut items = probe.fail_after(2).await?;
    assert_eq!(soon(items.next_item()).await??, Some(0));
    assert_eq!(soon(items.next_item()).await??, Some(1));
    let raised = soon(items.next_item()).await?;
    assert!(
        matches!(&raised, Err(CallError::Remote(raised)) if raised.message == "after 2"),
        "{raised:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_typed_client_calls_a_python_server_and_ours_alike() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let theirs = python_server(python, json!({})).await?;
    call_all(our_client(&theirs).await?).await?;
    let ours = ours().await?;
    call_all(Client::connect(&ours.endpoints()[0]).await?).await
}

#[tokio::test]
async fn python_calls_a_service_that_the_macro_made() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = ours().await?;
    let mut client = python_client(python, &server.endpoints()[0], json!({})).await?;

    let hello = python_call(&mut client, "hello", json!(["RPC"])).await?;
    assert_eq!(hello["result"], "Hello, RPC", "{hello}");
    let added = python_call(&mut client, "add", json!([2])).await?;
    assert_eq!(added["result"], 3, "{added}");
    let args = python_call(&mut client, "arguments", json!([1, "two"])).await?;
    assert_eq!(args["result"], json!(["1", "\"two\""]), "{args}");
    let raised = python_call(&mut client, "fail_custom", json!([])).await?;
    assert_eq!(raised["raised"]["name"], "CustomError", "{raised}");
    let missing = python_call(&mut client, "hello", json!([])).await?;
    assert_eq!(
        missing["raised"]["message"], "hello() missing 1 required argument: 'name'",
        "{missing}"
    );
    Ok(())
}

#[tokio::test]
async fn python_learns_names_documentation_and_defaults_of_the_source() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = ours().await?;
    let mut client = python_client(python, &server.endpoints()[0], json!({})).await?;

    let help = python_call(&mut client, "_zerorpc_help", json!(["hello"])).await?;
    assert_eq!(
        help["result"], "Greets somebody.\n\nThe greeting is in English.",
        "{help}"
    );
    for (method, argspec) in [
        ("add", json!([["a", "b"], null, null, [1]])),
        ("arguments", json!([[], "args", null, null])),
        ("wait", json!([["seconds"], null, null, null])),
    ] {
        let args = python_call(&mut client, "_zerorpc_args", json!([method])).await?;
        assert_eq!(args["result"], argspec, "{args}");
    }
    let inspect = python_call(&mut client, "_zerorpc_inspect", json!([])).await?;
    let inspected = &inspect["result"];
    assert_eq!(inspected["name"], "Probe");
    assert_eq!(
        inspected["methods"]["add"],
        json!({"args": [{"name": "a"}, {"name": "b", "default": 1}], "doc": "Adds two numbers."})
    );
    assert_eq!(
        inspected["methods"]["nothing"],
        json!({"args": [], "doc": null})
    );
    Ok(())
}
