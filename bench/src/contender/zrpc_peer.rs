//! This project's RPC client and server.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::Mutex;

use tokio::sync::oneshot;
use zrpc::{Client, IoRuntime, Server};

use super::{Implementation, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::measure::{Latencies, Meter};
use crate::workload::Workload;

/// How many characters an argument has, and its result.
const TEXT: usize = 64;

pub(super) async fn run(link: Link, io: IoRuntime) -> Result<(), BenchError> {
    match (link.side(), link.workload()) {
        (Side::Server, _) => serve(&link, io).await,
        (Side::Client, Workload::RpcSequential) => sequential(&link, io).await,
        (Side::Client, Workload::RpcInFlight { calls }) => in_flight(&link, io, calls).await,
        (Side::Client, Workload::RpcStream) => stream(&link, io).await,
        (Side::Client, workload) => Err(unsupported(Implementation::Zrpc, workload)),
    }
}

async fn serve(link: &Link, io: IoRuntime) -> Result<(), BenchError> {
    let server = Server::builder()
        .method("echo", |(text,): (String,)| async move { text })
        .stream("count", |(to,): (u64,)| futures_util::stream::iter(0..to))
        .io_runtime(io)
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .map_err(BenchError::contender)?;
    for endpoint in server.endpoints() {
        link.listening_at(endpoint)?;
    }
    server.run().await.map_err(BenchError::contender)
}

async fn connect(link: &Link, io: IoRuntime) -> Result<Client, BenchError> {
    Client::builder()
        .io_runtime(io)
        .connect(link.endpoint())
        .build()
        .await
        .map_err(BenchError::contender)
}

async fn echo(client: &Client, text: &str) -> Result<(), BenchError> {
    let reply: String = client
        .call("echo", (text,))
        .await
        .map_err(BenchError::contender)?;
    assert_eq!(reply.len(), text.len(), "a result of the wrong size");
    Ok(())
}

async fn sequential(link: &Link, io: IoRuntime) -> Result<(), BenchError> {
    let client = connect(link, io).await?;
    let text = "x".repeat(TEXT);
    let mut meter = Meter::new(link.plan()?);
    let mut latencies = Latencies::default();
    loop {
        let called = Latencies::start(&meter);
        echo(&client, &text).await?;
        latencies.stop(called);
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement.with_latency(latencies));
        }
    }
}

/// Each of `calls` tasks makes one call after the other.
async fn in_flight(link: &Link, io: IoRuntime, calls: usize) -> Result<(), BenchError> {
    let client = connect(link, io).await?;
    let meter = Arc::new(Mutex::new(Meter::new(link.plan()?)));
    let (done, result) = oneshot::channel();
    let done = Arc::new(Mutex::new(Some(done)));
    for _ in 0..calls {
        let (client, meter, done) = (client.clone(), Arc::clone(&meter), Arc::clone(&done));
        tokio::spawn(async move {
            let text = "x".repeat(TEXT);
            let outcome = loop {
                if let Err(error) = echo(&client, &text).await {
                    break Err(error);
                }
                if let ControlFlow::Break(measurement) = lock(&meter).record(1) {
                    break Ok(measurement);
                }
            };
            // The first that ends speaks for all.
            if let Some(done) = lock(&done).take() {
                let _ = done.send(outcome);
            }
        });
    }
    let measurement = result.await.map_err(BenchError::contender)??;
    link.report(&measurement)
}

async fn stream(link: &Link, io: IoRuntime) -> Result<(), BenchError> {
    let client = connect(link, io).await?;
    let mut meter = Meter::new(link.plan()?);
    let mut items = client
        .stream::<u64>("count", (u64::MAX,))
        .await
        .map_err(BenchError::contender)?;
    while let Some(_item) = items.next_item().await.map_err(BenchError::contender)? {
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
    }
    Err(BenchError::UnexpectedOutput("end of stream".to_owned()))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
