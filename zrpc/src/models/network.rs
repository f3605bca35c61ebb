//! What runs clients and servers in a model.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use shuttle::future::{JoinHandle, block_on, spawn, yield_now};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};
use tokio::sync::Semaphore;

use crate::io::model::wire;
use crate::server::Concurrency;
use crate::{Client, Method, ServerHandle, client, server};

/// How many interleavings are tried of a model, by each of two ways to choose them.
const RUNS: usize = 200;

/// How often the second way lets another task than the one that it prefers run on.
const PREEMPTIONS: usize = 3;

/// Room for what a debug build keeps on the stack of a task.
const STACK: usize = 512 * 1024;

/// Runs `model` in many interleavings.
pub(crate) fn explore<F>(model: impl Fn() -> F + Copy + Send + Sync + 'static)
where
    F: Future<Output = ()> + 'static,
{
    let mut config = Config::new();
    config.stack_size = STACK;
    config.silence_warnings = true;
    let run = move || block_on(model());
    Runner::new(RandomScheduler::new(RUNS), config.clone()).run(run);
    Runner::new(PctScheduler::new(PREEMPTIONS, RUNS), config).run(run);
}

/// The tasks of a model. Each of them has to end.
#[derive(Default)]
pub(crate) struct Tasks(Vec<JoinHandle<()>>);

impl Tasks {
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.push(spawn(task));
    }

    /// Waits for all tasks.
    pub(crate) async fn join(self) {
        for task in self.0 {
            task.await.unwrap();
        }
    }
}

/// A client and a server that are connected.
pub(super) struct Pair {
    pub(super) client: Client,
    pub(super) server: ServerHandle,
    pub(super) client_io: JoinHandle<()>,
    pub(super) server_io: JoinHandle<()>,
}

impl Pair {
    pub(super) fn new(methods: Vec<Method>, concurrency: Concurrency) -> Self {
        let (left, right) = wire();
        let (client, client_io) = client::model::client(left);
        let (server, server_io) = server::model::server(right, methods, concurrency);
        Self {
            client,
            server,
            client_io: spawn(client_io),
            server_io: spawn(server_io),
        }
    }

    /// Ends both sides, and checks that nothing is left of them.
    pub(super) async fn finish(self) {
        let Self {
            client,
            server,
            client_io,
            server_io,
        } = self;
        drop(client);
        client_io.await.unwrap();
        server.shutdown().await;
        server_io.await.unwrap();
    }
}

/// Polls a future up to `polls` times, with others in between, and drops it.
pub(super) async fn polled<T>(future: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut future = std::pin::pin!(future);
    for _ in 0..polls {
        let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
        match polled.await {
            Poll::Ready(output) => return Some(output),
            Poll::Pending => yield_now().await,
        }
    }
    None
}

/// Counts what runs, and has run.
#[derive(Clone, Debug)]
pub(super) struct Counter(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    begun: Semaphore,
    total: AtomicUsize,
    ended: Semaphore,
}

/// Something that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Counted(Counter);

impl Counter {
    pub(super) fn new() -> Self {
        Self(Arc::new(Counts {
            begun: Semaphore::new(0),
            total: AtomicUsize::new(0),
            ended: Semaphore::new(0),
        }))
    }

    pub(super) fn count(&self) -> Counted {
        self.0.total.fetch_add(1, Ordering::Relaxed);
        self.0.begun.add_permits(1);
        Counted(self.clone())
    }

    /// How many run.
    pub(super) fn now(&self) -> usize {
        self.total() - self.0.ended.available_permits()
    }

    /// How many run, or have run.
    pub(super) fn total(&self) -> usize {
        self.0.total.load(Ordering::Relaxed)
    }

    /// Waits until so many have begun.
    pub(super) async fn begun(&self, count: u32) {
        let _ = self.0.begun.acquire_many(count).await.unwrap();
    }

    /// Waits until none runs.
    pub(super) async fn ended(&self) {
        let total = u32::try_from(self.total()).unwrap();
        let _ = self.0.ended.acquire_many(total).await.unwrap();
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.ended.add_permits(1);
    }
}
