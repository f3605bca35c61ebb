//! Crate `msgpack-rpc`: MessagePack-RPC over TCP.

use std::future::{Ready, ready};

use msgpack_rpc::{Client, Service, Value, serve as answer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::rpc_text;
use super::traffic::{Time, together};
use super::{Implementation, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

#[derive(Debug)]
struct Bench;

impl Service for Bench {
    type RequestFuture = Ready<Result<Value, Value>>;

    fn handle_request(&mut self, method: &str, parameters: &[Value]) -> Self::RequestFuture {
        ready(match (method, parameters) {
            ("echo", [text]) => Ok(text.clone()),
            _ => Err(Value::from("no such method")),
        })
    }

    fn handle_notification(&mut self, _: &str, _: &[Value]) {}
}

pub(super) async fn run(link: Link) -> Result<(), BenchError> {
    match (link.side(), link.workload()) {
        (Side::Server, _) => serve(&link).await,
        (Side::Client, Workload::RpcSequential) => sequential(&link).await,
        (Side::Client, Workload::RpcInFlight { calls }) => in_flight(&link, calls).await,
        (Side::Client, workload) => Err(unsupported(Implementation::MsgpackRpc, workload)),
    }
}

async fn serve(link: &Link) -> Result<(), BenchError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    link.listening(listener.local_addr()?.port())?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(answer(stream.compat(), Bench).await?)
}

async fn connect(link: &Link) -> Result<Client, BenchError> {
    let stream = TcpStream::connect(("127.0.0.1", link.port())).await?;
    stream.set_nodelay(true)?;
    Ok(Client::new(stream.compat()))
}

async fn echo(client: &Client, text: &str) -> Result<(), BenchError> {
    let reply = client.request("echo", &[text.into()]).await;
    let reply = reply.map_err(|error| BenchError::UnexpectedOutput(error.to_string()))?;
    let len = reply.as_str().map(str::len);
    assert_eq!(len, Some(text.len()), "a result of the wrong size");
    Ok(())
}

async fn sequential(link: &Link) -> Result<(), BenchError> {
    let client = connect(link).await?;
    let text = rpc_text();
    let mut time = Time::new(link)?;
    while time.again() {
        echo(&client, &text).await?;
    }
    time.report()
}

async fn in_flight(link: &Link, calls: usize) -> Result<(), BenchError> {
    let client = connect(link).await?;
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
