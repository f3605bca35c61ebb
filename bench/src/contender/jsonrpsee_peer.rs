//! jsonrpsee over a WebSocket. Its client refuses more than 256 calls at a time by default; the
//! limit is raised to what a workload needs.

use std::sync::Arc;

use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;
use jsonrpsee::server::{RpcModule, Server};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};

use super::rpc_text;
use super::traffic::{Time, together};
use super::{Implementation, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

pub(super) async fn run(link: Link) -> Result<(), BenchError> {
    match (link.side(), link.workload()) {
        (Side::Server, _) => serve(&link).await,
        (Side::Client, Workload::RpcSequential) => sequential(&link).await,
        (Side::Client, Workload::RpcInFlight { calls }) => in_flight(&link, calls).await,
        (Side::Client, workload) => Err(unsupported(Implementation::Jsonrpsee, workload)),
    }
}

async fn serve(link: &Link) -> Result<(), BenchError> {
    let server = Server::builder().build("127.0.0.1:0").await;
    let server = server.map_err(BenchError::contender)?;
    link.listening(server.local_addr()?.port())?;
    let mut module = RpcModule::new(());
    let registered = module.register_async_method("echo", |parameters, _, _| async move {
        Ok::<String, ErrorObjectOwned>(parameters.one()?)
    });
    registered.map_err(BenchError::contender)?;
    server.start(module).stopped().await;
    Ok(())
}

async fn connect(link: &Link, calls: usize) -> Result<WsClient, BenchError> {
    let address = format!("ws://127.0.0.1:{}", link.port());
    let client = WsClientBuilder::default()
        .max_concurrent_requests(calls.max(256))
        .build(address)
        .await;
    client.map_err(BenchError::contender)
}

async fn echo(client: &WsClient, text: &str) -> Result<(), BenchError> {
    let reply = client.request::<String, _>("echo", rpc_params![text]).await;
    let reply = reply.map_err(BenchError::contender)?;
    assert_eq!(reply.len(), text.len(), "a result of the wrong size");
    Ok(())
}

async fn sequential(link: &Link) -> Result<(), BenchError> {
    let client = connect(link, 1).await?;
    let text = rpc_text();
    let mut time = Time::new(link)?;
    while time.again() {
        echo(&client, &text).await?;
    }
    time.report()
}

async fn in_flight(link: &Link, calls: usize) -> Result<(), BenchError> {
    let client = Arc::new(connect(link, calls).await?);
    together(link, calls, |mut tally| {
        let client = Arc::clone(&client);
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
