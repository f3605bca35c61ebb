//! Plain calls.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rmpv::Value;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use tokio::sync::Barrier;
use zrpc::{CallError, Client, Fault, IoRuntime, Method, Response, Server};

use crate::support::{ReservedPort, in_time, pair, pair_with};

#[tokio::test]
async fn a_call_returns_what_the_method_returns() {
    let (_server, client) = pair(
        Server::builder().method("hello", |(name,): (String,)| async move {
            format!("Hello, {name}")
        }),
    )
    .await;
    let reply: String = in_time(client.call("hello", ("RPC",))).await.unwrap();
    assert_eq!(reply, "Hello, RPC");
}

#[tokio::test]
async fn arguments_and_results_are_any_serialisable_values() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Point {
        x: f64,
        label: Option<String>,
    }
    let (_server, client) = pair(
        Server::builder()
            .method("none", |(): ()| async {})
            .method("echo", |(value,): (Value,)| async move { value })
            .method("move", |(mut point, by): (Point, Option<f64>)| async move {
                point.x += by.unwrap_or(1.0);
                Ok::<_, Fault>(point)
            })
            .register(Method::new("sum", |numbers: Vec<i64>| async move {
                numbers.iter().sum::<i64>()
            })),
    )
    .await;
    in_time(client.call::<()>("none", ())).await.unwrap();
    let point = Point {
        x: 1.5,
        label: Some("ä".to_owned()),
    };
    let moved: Point = in_time(client.call("move", (&point,))).await.unwrap();
    assert_eq!(moved, Point { x: 2.5, ..point });
    let sum: i64 = in_time(client.call("sum", (1, 2, 3, 4))).await.unwrap();
    assert_eq!(sum, 10);
    let dynamic = Value::Map(vec![
        (
            Value::from("key"),
            Value::Array(vec![Value::Nil, Value::from(-1)]),
        ),
        (Value::from("binary"), Value::Binary(vec![0, 255])),
        (Value::from("ext"), Value::Ext(5, vec![1])),
    ]);
    let echoed: Value = in_time(client.call("echo", (&dynamic,))).await.unwrap();
    assert_eq!(echoed, dynamic);
    let array = vec![Value::from(3), Value::from(4)];
    let sum: Value = in_time(client.call("sum", array)).await.unwrap();
    assert_eq!(sum, Value::from(7));
}

#[tokio::test]
async fn a_hundred_calls_are_in_flight_at_once() {
    // Every handler waits until all of them run.
    let barrier = Arc::new(Barrier::new(100));
    let (_server, client) = pair(Server::builder().method("meet", move |(number,): (u32,)| {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            number
        }
    }))
    .await;
    let calls = (0..100_u32).map(|number| {
        let client = client.clone();
        async move { client.call::<u32>("meet", (number,)).await.unwrap() }
    });
    let replies = in_time(join_all(calls)).await;
    assert_eq!(replies, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn ten_mebibytes_go_both_ways() {
    let (_server, client) =
        pair(Server::builder().method("echo", |(data,): (ByteBuf,)| async move { data })).await;
    let data = ByteBuf::from(
        (0..10 << 20)
            .map(|i: u32| (i % 251) as u8)
            .collect::<Vec<_>>(),
    );
    let echoed: ByteBuf = in_time(client.call("echo", (&data,))).await.unwrap();
    assert_eq!(echoed, data);
}

#[tokio::test]
async fn a_call_before_there_is_a_server_waits_for_it() {
    let port = ReservedPort::new();
    let client = Client::connect(port.endpoint()).await.unwrap();
    let call = tokio::spawn(async move { client.call::<u8>("one", ()).await });
    let _server = Server::builder()
        .method("one", |(): ()| async { 1_u8 })
        .bind(port.endpoint())
        .build()
        .await
        .unwrap();
    assert_eq!(in_time(call).await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn a_server_that_connects_serves_a_client_that_binds() {
    let client = Client::builder()
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .unwrap();
    let _server = Server::builder()
        .method("one", |(): ()| async { 1_u8 })
        .connect(&client.endpoints()[0])
        .build()
        .await
        .unwrap();
    assert_eq!(in_time(client.call::<u8>("one", ())).await.unwrap(), 1);
}

#[tokio::test]
async fn calls_go_to_servers_in_turn() {
    let (first, second) = (named("first").await, named("second").await);
    let client = Client::builder()
        .connect(&first.endpoints()[0])
        .connect(&second.endpoints()[0])
        .build()
        .await
        .unwrap();
    let mut seen = HashSet::new();
    // Both are connected sooner or later, and then each gets every other call.
    while seen.len() < 2 {
        seen.insert(in_time(client.call::<String>("name", ())).await.unwrap());
    }
    let one: String = in_time(client.call("name", ())).await.unwrap();
    let other: String = in_time(client.call("name", ())).await.unwrap();
    assert_ne!(one, other);
}

async fn named(name: &'static str) -> Server {
    Server::builder()
        .method("name", move |(): ()| async move { name })
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .unwrap()
}

#[tokio::test]
async fn one_runtime_is_enough() {
    let server = Server::builder()
        .method("one", |(): ()| async { 1_u8 })
        .io_runtime(IoRuntime::Current);
    let client = Client::builder().io_runtime(IoRuntime::Current);
    let (_server, client) = pair_with(server, client).await;
    assert_eq!(in_time(client.call::<u8>("one", ())).await.unwrap(), 1);
}

#[tokio::test]
async fn a_request_takes_whatever_comes() {
    let (_server, client) = pair(
        Server::builder()
            .method("one", |(): ()| async { 1_u8 })
            .stream("many", |(): ()| futures_util::stream::iter(0..3_u8)),
    )
    .await;
    let single = in_time(client.request("one", ()).send::<u8>())
        .await
        .unwrap();
    assert!(matches!(single, Response::Value(1)));
    let Response::Stream(mut items) = in_time(client.request("many", ()).send::<u8>())
        .await
        .unwrap()
    else {
        panic!("a stream was expected");
    };
    assert_eq!(in_time(items.next_item()).await.unwrap(), Some(0));
    assert_eq!(in_time(items.next_item()).await.unwrap(), Some(1));
    assert_eq!(in_time(items.next_item()).await.unwrap(), Some(2));
    assert_eq!(in_time(items.next_item()).await.unwrap(), None);
}

#[tokio::test]
async fn a_blocking_method_answers() {
    let (_server, client) = pair(Server::builder().blocking("crunch", |(n,): (u64,)| {
        u64::checked_mul(n, 2).ok_or_else(|| Fault::new("OverflowError", "too large"))
    }))
    .await;
    assert_eq!(
        in_time(client.call::<u64>("crunch", (21,))).await.unwrap(),
        42
    );
}

#[tokio::test]
async fn arguments_and_results_may_be_known_only_when_the_program_runs() {
    let server = Server::builder()
        .method("echo", |values: Vec<Value>| async move { values })
        .stream("items", |values: Vec<Value>| {
            futures_util::stream::iter(values)
        });
    let (_server, client) = pair(server).await;
    let values = vec![
        Value::from(-7),
        Value::Nil,
        Value::Binary(vec![0, 255]),
        Value::Map(vec![("key".into(), vec![Value::from(1.5)].into())]),
    ];
    let expected = Value::Array(values.clone());
    // As a list, and as one value that is a list.
    let echoed = in_time(client.call::<Value>("echo", &values)).await;
    assert_eq!(echoed, Ok(expected.clone()));
    let echoed = in_time(client.call::<Value>("echo", &expected)).await;
    assert_eq!(echoed, Ok(expected));
    let mut items = client.stream::<Value>("items", &values).await.unwrap();
    for value in values {
        assert_eq!(in_time(items.next_item()).await, Ok(Some(value)));
    }
    let single = Value::from("one");
    let error = in_time(client.call::<Value>("echo", single)).await;
    assert!(matches!(error, Err(CallError::Encode { .. })), "{error:?}");
}

/// The only thread of the runtime is held by who waits for the others, on threads of their own.
#[test]
fn threads_that_wait_for_calls_need_nothing_of_their_runtime() {
    const THREADS: u32 = 8;
    let (sender, receiver) = mpsc::channel();
    let running = std::thread::spawn(move || {
        let builder = &mut tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        // The server's handlers have a runtime that goes on.
        let handlers = tokio::runtime::Runtime::new().unwrap();
        let server = Server::builder()
            .method("one", |(): ()| async { 1_u8 })
            .bind("tcp://127.0.0.1:*");
        let server = handlers.block_on(server.build()).unwrap();
        runtime.block_on(async {
            let client = Client::connect(&server.endpoints()[0]).await.unwrap();
            client.connected().await.unwrap();
            for _ in 0..THREADS {
                let (client, sender) = (client.clone(), sender.clone());
                tokio::task::spawn_blocking(move || {
                    let runtime = tokio::runtime::Handle::current();
                    for _ in 0..100 {
                        assert_eq!(runtime.block_on(client.call::<u8>("one", ())), Ok(1));
                    }
                    sender.send(()).unwrap();
                });
            }
            for _ in 0..THREADS {
                receiver.recv_timeout(Duration::from_secs(30)).unwrap();
            }
        });
    });
    running.join().unwrap();
}

// Where one thread runs all handlers, most are done before there is a task for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn handlers_that_hold_threads_of_the_runtime_run_side_by_side() {
    let (begins, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let (arrives, arrived) = mpsc::channel();
    let arrived = Mutex::new(arrived);
    let (_server, client) = pair(
        Server::builder()
            .method("arrive", move |(): ()| {
                let arrives = arrives.clone();
                async move { arrives.send(()).is_ok() }
            })
            .method("await", move |(): ()| {
                begins.send(()).unwrap();
                let met = arrived
                    .lock()
                    .unwrap()
                    .recv_timeout(Duration::from_secs(30))
                    .is_ok();
                async move { met }
            }),
    )
    .await;
    let awaits = tokio::spawn({
        let client = client.clone();
        async move { client.call("await", ()).await }
    });
    assert_eq!(in_time(begun.recv()).await, Some(()));
    assert_eq!(in_time(client.call("arrive", ())).await, Ok(true));
    assert_eq!(in_time(awaits).await.unwrap(), Ok(true));
}

#[tokio::test]
async fn handlers_that_wait_go_on_when_what_they_wait_for_is_there() {
    let barrier = Arc::new(Barrier::new(3));
    let (_server, client) = pair(Server::builder().method("meet", move |(tag,): (u32,)| {
        let barrier = Arc::clone(&barrier);
        async move {
            tokio::task::yield_now().await;
            barrier.wait().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
            tag
        }
    }))
    .await;
    let calls = (0..3_u32).map(|tag| client.call::<u32>("meet", (tag,)));
    let replies = in_time(join_all(calls)).await;
    assert_eq!(replies, [Ok(0), Ok(1), Ok(2)]);
}

#[tokio::test]
async fn handlers_that_never_wait_leave_turns_to_other_tasks() {
    const CALLS: usize = 32;
    let turns = Arc::new(AtomicUsize::new(0));
    let (_server, client) = pair(Server::builder().method("spin", {
        let turns = Arc::clone(&turns);
        move |(): ()| {
            let before = turns.load(Ordering::Relaxed);
            async move {
                let began = Instant::now();
                while began.elapsed() < Duration::from_millis(2) {
                    std::hint::spin_loop();
                }
                before
            }
        }
    }))
    .await;
    in_time(client.connected()).await.unwrap();
    let ticks = tokio::spawn(async move {
        loop {
            turns.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let calls = (0..CALLS).map(|_| client.call::<usize>("spin", ()));
    let before = in_time(join_all(calls)).await.into_iter();
    let before: HashSet<_> = before.map(Result::unwrap).collect();
    ticks.abort();
    // Tasks that yield are woken in the reverse order: two handlers may come one after the other.
    assert!(before.len() >= CALLS / 2, "{before:?}");
}
