//! A server with the methods of `interop/peers/zerorpc_server.py` that the cases call.
//!
//! Settings: `bind`, and optionally `heartbeat` in seconds and `name`. Requests: `works`, the ids of
//! calls of `work` in the order they began; `channels`, how many long calls still run; `stop`.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use rmpv::Value as Msgpack;
use serde_json::{Value, json};
use zrpc::{Argument, Fault, Heartbeat, Method, Server, ServerHandle};

use crate::{
    conversation::{Peer, text},
    error::PeerError,
    values::pattern,
};

/// A running server.
pub(crate) struct Served {
    endpoint: String,
    handle: ServerHandle,
    journal: Journal,
    running: Running,
}

/// The ids of calls of `work` that began.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<i64>>>);

impl Journal {
    fn lock(&self) -> MutexGuard<'_, Vec<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts the handlers that run.
#[derive(Clone, Default)]
struct Running(Arc<()>);

impl Running {
    /// What a handler keeps for as long as it runs.
    fn begin(&self) -> Weak<()> {
        Arc::downgrade(&self.0)
    }

    fn count(&self) -> usize {
        Arc::weak_count(&self.0)
    }
}

impl Served {
    pub(crate) async fn start(settings: &Value) -> Result<Self, PeerError> {
        let journal = Journal::default();
        let running = Running::default();
        let mut builder = Server::builder()
            .name(settings["name"].as_str().unwrap_or("Probe"))
            .bind(text(settings, "bind")?);
        for method in methods(&journal, &running) {
            builder = builder.register(method);
        }
        if let Some(seconds) = settings["heartbeat"].as_f64() {
            builder = builder.heartbeat(Heartbeat::every(Duration::from_secs_f64(seconds)));
        }
        let server = builder.build().await.map_err(PeerError::library)?;
        let endpoint = server.endpoints().first().cloned().unwrap_or_default();
        let handle = server.handle();
        tokio::spawn(server.run());
        Ok(Self {
            endpoint,
            handle,
            journal,
            running,
        })
    }
}

impl Peer for Served {
    fn facts(&self) -> Value {
        json!({"endpoint": self.endpoint, "version": env!("CARGO_PKG_VERSION")})
    }

    async fn handle(&mut self, request: &Value) -> Result<Value, PeerError> {
        match text(request, "op")? {
            "works" => Ok(json!(*self.journal.lock())),
            "channels" => Ok(json!(self.running.count())),
            "stop" => {
                self.handle.shutdown().await;
                Ok(Value::Null)
            }
            other => Err(PeerError::Operation(other.to_owned())),
        }
    }
}

fn methods(journal: &Journal, running: &Running) -> Vec<Method> {
    let mut all = vec![
        Method::new("add", |(a, b): (i64, i64)| async move { a + b })
            .doc("Adds two numbers.")
            .args([Argument::new("a"), Argument::new("b")]),
        Method::new("echo", |(value,): (Msgpack,)| async move { value }).args(["value"]),
        Method::new("binary", |(size,): (usize,)| async move {
            Msgpack::Binary(pattern(size, 7))
        }),
        Method::new("fail", |(message,): (String,)| async move {
            Err::<(), _>(Fault::new("ValueError", message))
        }),
        Method::stream("count", |(to,): (u64,)| stream::iter(0..to)),
        Method::stream("slow_stream", |(items, pause): (u64, f64)| {
            slowly(stream::iter(0..items), pause)
        }),
        Method::stream("fail_after", |(items,): (u64,)| {
            let end = stream::iter([Err(Fault::new("CustomError", format!("after {items}")))]);
            stream::iter(0..items).map(Ok).chain(end)
        }),
    ];
    all.extend(long_methods(journal, running));
    all
}

/// Methods whose calls can be lost, and are counted.
fn long_methods(journal: &Journal, running: &Running) -> [Method; 3] {
    let journal = journal.clone();
    let (waits, works, streams) = (running.clone(), running.clone(), running.clone());
    [
        Method::new("wait", move |(seconds,): (f64,)| {
            let runs = waits.begin();
            async move {
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                drop(runs);
                seconds
            }
        }),
        Method::new("work", move |(id, seconds): (i64, f64)| {
            let runs = works.begin();
            journal.lock().push(id);
            async move {
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                drop(runs);
                id
            }
        }),
        Method::stream("endless", move |(): ()| {
            let runs = streams.begin();
            slowly(stream::iter(0_u64..), 0.01).inspect(move |_| {
                let _still_open = &runs;
            })
        }),
    ]
}

/// The same items with a pause before each.
fn slowly<T>(items: impl Stream<Item = T>, seconds: f64) -> impl Stream<Item = T> {
    let pause = Duration::from_secs_f64(seconds);
    items.then(move |item| async move {
        tokio::time::sleep(pause).await;
        item
    })
}
