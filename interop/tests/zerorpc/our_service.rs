//! Our server with the methods that Python calls.

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt as _, stream};
use interop::{Failure, TestResult};
use rmpv::Value;
use serde_bytes::ByteBuf;
use thiserror::Error;
use zrpc::{Argument, CallContext, Fault, Method, Server, ServerBuilder, ServerHandle};

use crate::support::{crc32, pattern, soon};

/// An error of the service, by which callers know its name.
#[derive(Debug, Error)]
#[error("{0}")]
struct CustomError(String);

/// A running server.
pub(crate) struct Served {
    pub(crate) endpoint: String,
    pub(crate) seen: Seen,
    pub(crate) handle: ServerHandle,
    running: tokio::task::JoinHandle<Result<(), zrpc::Interrupted>>,
}

impl Served {
    /// Waits until so many calls of `never` have begun.
    pub(crate) async fn until_begun(&self, count: u64) -> TestResult {
        soon(async {
            while self.seen.begun.load(Ordering::Relaxed) < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// What the methods of a server noticed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Calls of `never`.
    begun: Arc<AtomicU64>,
    /// Items that `endless` produced.
    produced: Arc<AtomicU64>,
    /// Handlers that were dropped before they ended.
    cancelled: Arc<AtomicU64>,
}

impl Seen {
    pub(crate) fn produced(&self) -> u64 {
        self.produced.load(Ordering::Relaxed)
    }

    pub(crate) fn cancelled(&self) -> u64 {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// Counts itself when it is dropped.
struct CountsItsEnd(Arc<AtomicU64>);

impl Drop for CountsItsEnd {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Serves on a free port with default options.
pub(crate) async fn serve() -> Result<Served, Failure> {
    serve_with(|builder| builder.bind("tcp://127.0.0.1:*")).await
}

/// Serves with other options; `configure` says where.
pub(crate) async fn serve_with(
    configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> Result<Served, Failure> {
    let seen = Seen::default();
    let mut builder = Server::builder().name("Probe");
    for method in methods(&seen) {
        builder = builder.register(method);
    }
    let server = configure(builder).build().await?;
    let endpoint = server.endpoints().first().cloned().unwrap_or_default();
    let handle = server.handle();
    let running = tokio::spawn(server.run());
    Ok(Served {
        endpoint,
        seen,
        handle,
        running,
    })
}

fn methods(seen: &Seen) -> Vec<Method> {
    let mut all = plain_methods();
    all.extend(failing_methods());
    all.extend(slow_methods(seen));
    all.extend(streaming_methods(seen));
    all
}

fn plain_methods() -> Vec<Method> {
    vec![
        Method::new("hello", |(name,): (String,)| async move {
            format!("Hello, {name}")
        })
        .doc("Greets somebody.\n\nThe greeting is in English.")
        .args(["name"]),
        Method::new("add", |(a, b): (i64, i64)| async move { a + b })
            .doc("Adds two numbers.")
            .args([Argument::new("a"), Argument::new("b").default(1)]),
        Method::new("echo", |(value,): (Value,)| async move { value }).args(["value"]),
        Method::new("nothing", |(): ()| async {}),
        Method::new("header", |(key,): (String,)| async move {
            let context = CallContext::current();
            context.and_then(|context| context.header::<Value>(&key).ok().flatten())
        }),
        Method::new("types", |(): ()| async { types() }),
        Method::new("binary", |(size,): (usize,)| async move {
            ByteBuf::from(pattern(size, 7))
        }),
        Method::new("measure", |(data,): (ByteBuf,)| async move {
            (data.len(), crc32(&data))
        }),
        Method::new("kinds", |args: Vec<Value>| async move {
            args.iter().map(kind).collect::<Vec<_>>()
        }),
    ]
}

fn failing_methods() -> Vec<Method> {
    vec![
        Method::new("fail", |(message,): (String,)| async move {
            Err::<(), _>(Fault::new("ValueError", message).with_traceback("line one\n  line two"))
        })
        .doc("Raises ValueError."),
        Method::new("fail_custom", |(): ()| async {
            Err::<(), _>(CustomError(String::from("déjà vu")))
        }),
        Method::new("panics", |(): ()| async {
            if true {
                panic!("a handler's panic");
            }
        }),
    ]
}

fn slow_methods(seen: &Seen) -> Vec<Method> {
    let (begun, cancelled) = (Arc::clone(&seen.begun), Arc::clone(&seen.cancelled));
    vec![
        Method::new("wait", |(seconds,): (f64,)| async move {
            tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            seconds
        }),
        Method::blocking("block", |(seconds,): (f64,)| block(seconds)),
        Method::blocking("burn", |(seconds,): (f64,)| burn(seconds)),
        Method::new("block_in_async", |(seconds,): (f64,)| async move {
            block(seconds)
        }),
        Method::new("burn_in_async", |(seconds,): (f64,)| async move {
            burn(seconds)
        }),
        Method::new("never", move |(): ()| {
            let ending = CountsItsEnd(Arc::clone(&cancelled));
            begun.fetch_add(1, Ordering::Relaxed);
            async move {
                pending::<()>().await;
                drop(ending);
            }
        }),
    ]
}

fn streaming_methods(seen: &Seen) -> Vec<Method> {
    let seen = seen.clone();
    vec![
        Method::stream("count", |(to,): (u64,)| stream::iter(0..to))
            .doc("Counts from zero.")
            .args(["to"]),
        Method::blocking_stream("count_blocking", |(to,): (u64,)| 0..to),
        Method::blocking_stream("slow_stream", |(items, pause): (u64, f64)| {
            (0..items).inspect(move |_| {
                block(pause);
            })
        }),
        Method::stream("no_items", |(): ()| stream::empty::<u64>()),
        Method::stream("words", |(): ()| stream::iter(words())),
        Method::stream("fail_after", |(items,): (u64,)| {
            stream::iter(0..items)
                .map(Ok)
                .chain(stream::once(async move {
                    Err(CustomError(format!("after {items}")))
                }))
        })
        .doc("A stream that breaks."),
        Method::stream("endless", move |(): ()| endless(seen.clone())),
    ]
}

fn endless(seen: Seen) -> impl Stream<Item = u64> {
    let ending = CountsItsEnd(Arc::clone(&seen.cancelled));
    stream::iter(0..).map(move |number| {
        let _still_open = &ending;
        seen.produced.store(number + 1, Ordering::Relaxed);
        number
    })
}

fn block(seconds: f64) -> f64 {
    thread::sleep(Duration::from_secs_f64(seconds));
    seconds
}

fn burn(seconds: f64) -> f64 {
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < seconds {
        std::hint::spin_loop();
    }
    seconds
}

fn words() -> Vec<Value> {
    vec![
        Value::from("a"),
        Value::Nil,
        Value::Array(Vec::new()),
        Value::Map(vec![(Value::from("k"), Value::from(1))]),
        Value::Binary(vec![0]),
        Value::from(0),
        Value::from(false),
    ]
}

/// One value of every kind, as `peers/zerorpc_server.py` has them.
pub(crate) fn types() -> BTreeMap<&'static str, Value> {
    let timestamp = [
        5_u32.to_be_bytes().as_slice(),
        &1_700_000_000_u64.to_be_bytes(),
    ]
    .concat();
    BTreeMap::from([
        ("nil", Value::Nil),
        ("true", Value::from(true)),
        ("false", Value::from(false)),
        ("zero", Value::from(0)),
        ("fixint", Value::from(127)),
        ("negative", Value::from(-32)),
        ("u8", Value::from(u8::MAX)),
        ("u16", Value::from(u16::MAX)),
        ("u32", Value::from(u32::MAX)),
        ("u64", Value::from(u64::MAX)),
        ("i8", Value::from(i8::MIN)),
        ("i16", Value::from(i16::MIN)),
        ("i32", Value::from(i32::MIN)),
        ("i64", Value::from(i64::MIN)),
        ("float", Value::from(1.5)),
        ("infinity", Value::from(f64::INFINITY)),
        ("str", Value::from("déjà vu €")),
        ("str8", Value::from("s".repeat(200))),
        ("str16", Value::from("s".repeat(300))),
        ("bin", Value::Binary(vec![0, 0xff, 0xfe])),
        ("empty", Value::Binary(Vec::new())),
        (
            "list",
            Value::Array(vec![
                Value::from(1),
                Value::Array(vec![Value::from(2), Value::Array(Vec::new())]),
            ]),
        ),
        ("tuple", Value::Array(vec![Value::from(1), Value::from(2)])),
        (
            "map",
            Value::Map(vec![(
                Value::from("k"),
                Value::Map(vec![(Value::from("n"), Value::Nil)]),
            )]),
        ),
        ("ext", Value::Ext(5, b"abc".to_vec())),
        ("timestamp", Value::Ext(-1, timestamp)),
    ])
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "bool",
        Value::Integer(_) => "int",
        Value::F32(_) | Value::F64(_) => "float",
        Value::String(_) => "str",
        Value::Binary(_) => "bin",
        Value::Array(_) => "array",
        Value::Map(_) => "map",
        Value::Ext(..) => "ext",
    }
}
