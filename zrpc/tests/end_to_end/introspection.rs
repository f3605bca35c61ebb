//! What a server tells about itself.

use std::sync::Arc;

use futures_util::stream;
use rmpv::Value;
use serde::de::DeserializeOwned;
use zrpc::{Argument, CallError, Client, Method, Server, Service};

use crate::support::{in_time, pair};

fn service() -> zrpc::ServerBuilder {
    Server::builder()
        .name("Calculator")
        .register(
            Method::new(
                "add",
                |(left, right): (i64, i64)| async move { left + right },
            )
            .doc("Adds two numbers.\n")
            .args([Argument::new("left"), Argument::new("right").default(1)]),
        )
        .method(
            "greet",
            |(name, title): (String, Option<String>)| async move {
                format!("{} {name}", title.unwrap_or_default())
            },
        )
        .register(Method::new("sum", |numbers: Vec<i64>| async move {
            numbers.iter().sum::<i64>()
        }))
        .stream("count", |(): ()| stream::iter(0..3))
        .method("_hidden", |(): ()| async { "found" })
}

async fn ask<T: DeserializeOwned>(client: &Client, method: &str, args: &[&str]) -> T {
    in_time(client.call(method, args)).await.unwrap()
}

/// Reads JSON-like text, to write expectations down.
fn map(entries: &[(&str, Value)]) -> Value {
    let entries = entries
        .iter()
        .map(|(key, value)| (Value::from(*key), value.clone()));
    Value::Map(entries.collect())
}

fn array(values: &[Value]) -> Value {
    Value::Array(values.to_vec())
}

#[tokio::test]
async fn names_and_lists_are_those_of_python() {
    let (_server, client) = pair(service()).await;
    let ping: (String, String) = ask(&client, "_zerorpc_ping", &[]).await;
    assert_eq!(ping, ("pong".to_owned(), "Calculator".to_owned()));
    assert_eq!(
        ask::<String>(&client, "_zerorpc_name", &[]).await,
        "Calculator"
    );
    let list: Vec<String> = ask(&client, "_zerorpc_list", &[]).await;
    assert_eq!(list, ["add", "count", "greet", "sum"]);
    assert_eq!(ask::<String>(&client, "_hidden", &[]).await, "found");
}

#[tokio::test]
async fn help_is_the_documentation_or_nil() {
    let (_server, client) = pair(service()).await;
    let help: Option<String> = ask(&client, "_zerorpc_help", &["add"]).await;
    assert_eq!(help.as_deref(), Some("Adds two numbers."));
    let help: Option<String> = ask(&client, "_zerorpc_help", &["count"]).await;
    assert_eq!(help, None);
    let error = in_time(client.call::<Value>("_zerorpc_help", ("x",)))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, CallError::Remote(error) if error.name == "KeyError" && error.message == "'x'"),
        "{error:?}"
    );
}

#[tokio::test]
async fn introspection_describes_itself_when_asked() {
    let (_server, client) = pair(service()).await;
    let help: Option<String> = ask(&client, "_zerorpc_help", &["_zerorpc_ping"]).await;
    assert_eq!(help, None);
    let nil = Value::Nil;
    let args: Value = ask(&client, "_zerorpc_args", &["_zerorpc_help"]).await;
    let names = array(&["method".into()]);
    assert_eq!(args, array(&[names, nil.clone(), nil.clone(), nil]));
}

struct Named(&'static str);

impl Service for Named {
    fn name(&self) -> String {
        self.0.to_owned()
    }

    fn into_methods(self: Arc<Self>) -> Vec<Method> {
        vec![Method::new(self.0, |(): ()| async {})]
    }
}

#[tokio::test]
async fn a_server_has_the_name_it_was_given_or_that_of_its_first_service() {
    let two = || {
        Server::builder()
            .service(Named("first"))
            .service(Named("second"))
    };
    let given = Server::builder().name("given").service(Named("first"));
    for (server, expected) in [
        (two(), "first"),
        (two().name("given"), "given"),
        (given, "given"),
        (Server::builder(), "zrpc"),
    ] {
        let (_server, client) = pair(server).await;
        let name: String = ask(&client, "_zerorpc_name", &[]).await;
        assert_eq!(name, expected);
    }
}

#[tokio::test]
async fn args_is_an_argspec() {
    let (_server, client) = pair(service()).await;
    let nil = Value::Nil;
    let add: Value = ask(&client, "_zerorpc_args", &["add"]).await;
    let names = array(&["left".into(), "right".into()]);
    assert_eq!(
        add,
        array(&[names, nil.clone(), nil.clone(), array(&[1.into()])])
    );
    let greet: Value = ask(&client, "_zerorpc_args", &["greet"]).await;
    let names = array(&["arg1".into(), "arg2".into()]);
    assert_eq!(
        greet,
        array(&[names, nil.clone(), nil.clone(), array(&[Value::Nil])])
    );
    let sum: Value = ask(&client, "_zerorpc_args", &["sum"]).await;
    assert_eq!(sum, array(&[array(&[]), "args".into(), nil.clone(), nil]));
}

#[tokio::test]
async fn inspect_tells_everything_at_once() {
    let (_server, client) = pair(service()).await;
    let all: Value = ask(&client, "_zerorpc_inspect", &[]).await;
    let argument = |name: &str| map(&[("name", name.into())]);
    let with_default =
        |name: &str, default: Value| map(&[("name", name.into()), ("default", default)]);
    let method = |args: Value, doc: Value| map(&[("args", args), ("doc", doc)]);
    let add = array(&[argument("left"), with_default("right", 1.into())]);
    let greet = array(&[argument("arg1"), with_default("arg2", Value::Nil)]);
    let expected = map(&[
        ("name", "Calculator".into()),
        (
            "methods",
            map(&[
                ("add", method(add, "Adds two numbers.".into())),
                ("count", method(array(&[]), Value::Nil)),
                ("greet", method(greet, Value::Nil)),
                ("sum", method(Value::Nil, Value::Nil)),
            ]),
        ),
    ]);
    assert_eq!(all, expected);
}

#[tokio::test]
async fn defaults_are_used() {
    let (_server, client) = pair(service()).await;
    assert_eq!(in_time(client.call::<i64>("add", (41,))).await.unwrap(), 42);
}
