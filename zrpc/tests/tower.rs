//! Clients and methods as services of tower.

#![cfg(feature = "tower")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use zrpc::tower::Call;
use zrpc::{CallContext, CallError, Client, Fault, Method, Reply, Server, ServerBuilder};

/// Fails a test that would hang.
async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("the test takes too long")
}

async fn pair(server: ServerBuilder) -> (Server, Client) {
    let server = server.bind("tcp://127.0.0.1:*").build().await.unwrap();
    let client = Client::connect(&server.endpoints()[0]).await.unwrap();
    (server, client)
}

#[tokio::test]
async fn a_client_is_a_service() {
    let (_server, client) = pair(
        Server::builder()
            .method("add", |(a, b): (i64, i64)| async move { a + b })
            .method("header", |(): ()| async {
                CallContext::current().unwrap().header::<String>("trace")
            })
            .stream("count", |(): ()| futures_util::stream::iter(0..3)),
    )
    .await;
    let call = Call::new("add", (1, 2)).unwrap();
    let reply = in_time(client.clone().oneshot(call)).await.unwrap();
    assert_eq!(reply.decode::<i64>().unwrap(), 3);
    assert!(reply.decode::<String>().is_err());
    let call = Call::new("header", ()).unwrap().with_header("trace", "abc");
    let reply = in_time((&client).oneshot(call.unwrap())).await.unwrap();
    assert_eq!(
        reply.decode::<Option<String>>().unwrap().as_deref(),
        Some("abc")
    );
    let missing = Call::new("missing", ()).unwrap();
    let error = in_time((&client).oneshot(missing)).await.unwrap_err();
    assert!(matches!(error, CallError::Remote(error) if error.name == "NameError"));
    let stream = Call::new("count", ()).unwrap();
    let error = in_time((&client).oneshot(stream)).await.unwrap_err();
    assert!(matches!(error, CallError::UnexpectedStream { .. }));
}

#[tokio::test]
async fn layers_go_around_a_client() {
    let (_server, client) = pair(
        Server::builder()
            .method("hang", |(): ()| std::future::pending::<()>())
            .method("one", |(): ()| async { 1 }),
    )
    .await;
    let mut client = ServiceBuilder::new()
        .timeout(Duration::from_millis(100))
        .concurrency_limit(1)
        .service(client);
    let hang = Call::new("hang", ()).unwrap();
    let error = in_time(client.ready().await.unwrap().call(hang))
        .await
        .unwrap_err();
    assert!(error.is::<tower::timeout::error::Elapsed>(), "{error}");
    let one = Call::new("one", ()).unwrap();
    let reply = in_time(client.ready().await.unwrap().call(one))
        .await
        .unwrap();
    assert_eq!(reply.decode::<u8>().unwrap(), 1);
}

#[tokio::test]
async fn a_service_is_offered_as_a_method_and_its_errors_are_faults() {
    let divide = service_fn(|call: Call| async move {
        let (a, b): (i64, i64) = call
            .args()
            .map_err(|error| Fault::new("TypeError", error.to_string()))?;
        let quotient = a
            .checked_div(b)
            .ok_or_else(|| Fault::new("ZeroDivisionError", "division by zero"))?;
        Reply::new(&quotient)
    });
    let (_server, client) = pair(Server::builder().register(Method::tower("divide", divide))).await;
    assert_eq!(in_time(client.call::<i64>("divide", (6, 3))).await, Ok(2));
    for (args, name) in [
        ((6, 0), "ZeroDivisionError"),
        ((i64::MIN, -1), "ZeroDivisionError"),
    ] {
        let error = in_time(client.call::<i64>("divide", args))
            .await
            .unwrap_err();
        assert!(matches!(error, CallError::Remote(error) if error.name == name));
    }
    let error = in_time(client.call::<i64>("divide", ("six", 3)))
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Remote(error) if error.name == "TypeError"));
    let args: Vec<Vec<rmpv::Value>> = vec![vec![]];
    let error = in_time(client.call::<i64>("divide", &args[0]))
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Remote(error) if error.name == "TypeError"));
}

/// How many calls a limited service served at once.
#[tokio::test]
async fn layers_go_around_a_method() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let work = service_fn(move |_call: Call| {
        let (running, most) = (Arc::clone(&running), Arc::clone(&seen));
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Reply::new(&())
        }
    });
    let limited = ServiceBuilder::new().concurrency_limit(2).service(work);
    let (_server, client) = pair(Server::builder().register(Method::tower("work", limited))).await;
    let calls = (0..20).map(|_| client.call::<()>("work", ()));
    let outcomes = in_time(futures_util::future::join_all(calls)).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_client_that_is_offered_is_a_proxy() {
    let (_inner, client) = pair(
        Server::builder()
            .method("echo", |(value,): (rmpv::Value,)| async move { value })
            .method("fail", |(): ()| async {
                Err::<(), _>(Fault::new("KeyError", "'x'"))
            }),
    )
    .await;
    let timed = ServiceBuilder::new()
        .map_err(Fault::from_boxed)
        .timeout(Duration::from_secs(20))
        .service(client.clone());
    let (_outer, outside) = pair(
        Server::builder()
            .register(Method::tower("echo", client))
            .register(Method::tower("fail", timed)),
    )
    .await;
    let value = rmpv::Value::Map(vec![("key".into(), 7.into())]);
    let echoed = in_time(outside.call::<rmpv::Value>("echo", (value.clone(),))).await;
    assert_eq!(echoed, Ok(value));
    let error = in_time(outside.call::<()>("fail", ())).await.unwrap_err();
    match error {
        CallError::Remote(error) => {
            assert_eq!((&*error.name, &*error.message), ("KeyError", "'x'"));
        }
        other => panic!("the fault of the inner server was expected: {other}"),
    }
}
