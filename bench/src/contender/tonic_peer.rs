//! tonic: gRPC over HTTP/2, with its defaults.

use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

use super::rpc_text;
use super::traffic::{Count, Time, together};
use super::{Implementation, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

use generated::bench_client::BenchClient;
use generated::bench_server::{Bench, BenchServer};

/// What `build.rs` makes.
#[expect(
    clippy::all,
    clippy::or_fun_call,
    clippy::unused_async,
    clippy::use_self,
    unused_qualifications,
    unreachable_pub,
    reason = "generated code"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/bench.Bench.rs"));
}

/// The argument of `echo` and its result.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

/// The argument of `count` and its items.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Number {
    #[prost(uint64, tag = "1")]
    number: u64,
}

pub(super) async fn run(link: Link) -> Result<(), BenchError> {
    match (link.side(), link.workload()) {
        (Side::Server, _) => serve(&link).await,
        (Side::Client, Workload::RpcSequential) => sequential(&link).await,
        (Side::Client, Workload::RpcInFlight { calls }) => in_flight(&link, calls).await,
        (Side::Client, Workload::RpcStream) => stream(&link).await,
        (Side::Client, workload) => Err(unsupported(Implementation::Tonic, workload)),
    }
}

#[derive(Debug)]
struct Service;

#[tonic::async_trait]
impl Bench for Service {
    type CountStream = futures_util::stream::BoxStream<'static, Result<Number, Status>>;

    async fn echo(&self, request: Request<Text>) -> Result<Response<Text>, Status> {
        Ok(Response::new(request.into_inner()))
    }

    async fn count(&self, request: Request<Number>) -> Result<Response<Self::CountStream>, Status> {
        let items = futures_util::stream::iter(0..request.into_inner().number);
        let items = items.map(|number| Ok(Number { number }));
        Ok(Response::new(items.boxed()))
    }
}

async fn serve(link: &Link) -> Result<(), BenchError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    link.listening(listener.local_addr()?.port())?;
    let connections = TcpListenerStream::new(listener);
    let connections = connections.inspect(|connection| {
        // As tonic does with listeners of its own.
        if let Ok(stream) = connection {
            let _ = stream.set_nodelay(true);
        }
    });
    let server = Server::builder().add_service(BenchServer::new(Service));
    let served = server.serve_with_incoming(connections).await;
    served.map_err(BenchError::contender)
}

async fn connect(link: &Link) -> Result<BenchClient<Channel>, BenchError> {
    let address = format!("http://127.0.0.1:{}", link.port());
    let client = BenchClient::connect(address).await;
    client.map_err(BenchError::contender)
}

async fn echo(client: &mut BenchClient<Channel>, text: &str) -> Result<(), BenchError> {
    let text = text.to_owned();
    let len = text.len();
    let reply = client.echo(Text { text }).await;
    let reply = reply.map_err(BenchError::contender)?.into_inner();
    assert_eq!(reply.text.len(), len, "a result of the wrong size");
    Ok(())
}

async fn sequential(link: &Link) -> Result<(), BenchError> {
    let mut client = connect(link).await?;
    let text = rpc_text();
    let mut time = Time::new(link)?;
    while time.again() {
        echo(&mut client, &text).await?;
    }
    time.report()
}

async fn in_flight(link: &Link, calls: usize) -> Result<(), BenchError> {
    let client = connect(link).await?;
    together(link, calls, |mut tally| {
        let mut client = client.clone();
        async move {
            let text = rpc_text();
            loop {
                echo(&mut client, &text).await?;
                tally.record();
            }
        }
    })
    .await
}

async fn stream(link: &Link) -> Result<(), BenchError> {
    let mut client = connect(link).await?;
    let items = client.count(Number { number: u64::MAX }).await;
    let mut items = items.map_err(BenchError::contender)?.into_inner();
    let mut count = Count::new(link)?;
    while count.again() {
        let item = items.message().await.map_err(BenchError::contender)?;
        item.map(drop)
            .ok_or_else(|| BenchError::UnexpectedOutput("end of stream".to_owned()))?;
    }
    count.report()
}
