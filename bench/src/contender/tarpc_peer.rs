//! tarpc over TCP with bincode, with its defaults.

use futures_util::StreamExt;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::{client, context, serde_transport};

use super::rpc_text;
use super::traffic::{Time, together};
use super::{Implementation, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

#[tarpc::service]
trait Bench {
    async fn echo(text: String) -> String;
}

#[derive(Clone, Debug)]
struct Service;

impl Bench for Service {
    async fn echo(self, _: context::Context, text: String) -> String {
        text
    }
}

pub(super) async fn run(link: Link) -> Result<(), BenchError> {
    match (link.side(), link.workload()) {
        (Side::Server, _) => serve(&link).await,
        (Side::Client, Workload::RpcSequential) => sequential(&link).await,
        (Side::Client, Workload::RpcInFlight { calls }) => in_flight(&link, calls).await,
        (Side::Client, workload) => Err(unsupported(Implementation::Tarpc, workload)),
    }
}

async fn serve(link: &Link) -> Result<(), BenchError> {
    let mut connections = serde_transport::tcp::listen("127.0.0.1:0", Bincode::default).await?;
    link.listening(connections.local_addr().port())?;
    while let Some(connection) = connections.next().await {
        let requests = BaseChannel::with_defaults(connection?).execute(Service.serve());
        tokio::spawn(requests.for_each(async |reply| {
            tokio::spawn(reply);
        }));
    }
    Ok(())
}

async fn connect(link: &Link) -> Result<BenchClient, BenchError> {
    let address = ("127.0.0.1", link.port());
    let connection = serde_transport::tcp::connect(address, Bincode::default).await?;
    Ok(BenchClient::new(client::Config::default(), connection).spawn())
}

async fn echo(client: &BenchClient, text: &str) -> Result<(), BenchError> {
    let reply = client.echo(context::current(), text.to_owned()).await;
    let reply = reply.map_err(BenchError::contender)?;
    assert_eq!(reply.len(), text.len(), "a result of the wrong size");
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
