//! This project's RPC client and server.

use std::time::Duration;

use zrpc::{Client, IoRuntime, Server, SocketOptions};

use super::traffic::{Count, Time, together};
use super::{Implementation, rpc_text, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

/// Where and how input and output are done.
#[derive(Clone, Debug, Default)]
pub(super) struct Io {
    runtime: IoRuntime,
    socket: SocketOptions,
}

impl Io {
    /// On the runtime of the handlers and callers.
    pub(super) fn shared() -> Self {
        Self {
            runtime: IoRuntime::Current,
            socket: SocketOptions::default(),
        }
    }

    /// Looking for messages that long before it sleeps.
    pub(super) fn busy(mut self, patience: Duration) -> Self {
        self.socket = self.socket.busy_wait(patience);
        self
    }
}

pub(super) async fn run(link: Link, io: Io) -> Result<(), BenchError> {
    match (link.side(), link.workload()) {
        (Side::Server, _) => serve(&link, io).await,
        (Side::Client, Workload::RpcSequential) => sequential(&link, io).await,
        (Side::Client, Workload::RpcInFlight { calls }) => in_flight(&link, io, calls).await,
        (Side::Client, Workload::RpcStream) => stream(&link, io).await,
        (Side::Client, workload) => Err(unsupported(Implementation::Zrpc, workload)),
    }
}

async fn serve(link: &Link, io: Io) -> Result<(), BenchError> {
    let server = Server::builder()
        .method("echo", |(text,): (String,)| async move { text })
        .stream("count", |(to,): (u64,)| futures_util::stream::iter(0..to))
        .io_runtime(io.runtime)
        .socket(io.socket)
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .map_err(BenchError::contender)?;
    for endpoint in server.endpoints() {
        link.listening_at(endpoint)?;
    }
    server.run().await.map_err(BenchError::contender)
}

async fn connect(link: &Link, io: Io) -> Result<Client, BenchError> {
    Client::builder()
        .io_runtime(io.runtime)
        .socket(io.socket)
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

async fn sequential(link: &Link, io: Io) -> Result<(), BenchError> {
    let client = connect(link, io).await?;
    let text = rpc_text();
    let mut time = Time::new(link)?;
    while time.again() {
        echo(&client, &text).await?;
    }
    time.report()
}

/// Each of `calls` tasks makes one call after the other.
async fn in_flight(link: &Link, io: Io, calls: usize) -> Result<(), BenchError> {
    let client = connect(link, io).await?;
    together(link, calls, |mut tally| {
        let client = client.clone();
        async move {
            let text = rpc_text();
            loop {
                echo(&client, &text).await?;
                tally.record();
            }
        }
    })
    .await
}

async fn stream(link: &Link, io: Io) -> Result<(), BenchError> {
    let client = connect(link, io).await?;
    let items = client.stream::<u64>("count", (u64::MAX,)).await;
    let mut items = items.map_err(BenchError::contender)?;
    let mut count = Count::new(link)?;
    while count.again() {
        let item = items.next_item().await.map_err(BenchError::contender)?;
        item.map(drop)
            .ok_or_else(|| BenchError::UnexpectedOutput("end of stream".to_owned()))?;
    }
    count.report()
}
