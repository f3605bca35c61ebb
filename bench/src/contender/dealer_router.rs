//! Requests and replies by hand over this project's DEALER and ROUTER: a number and a text there
//! and back, with neither msgpack nor channels. What an RPC on these sockets cannot beat.

use bytes::Bytes;
use zmtp::{DealerSocket, Message, Part, RouterSocket, Socket};

use super::traffic::{Count, Time};
use super::{Implementation, rpc_text, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

pub(super) async fn run(link: Link) -> Result<(), BenchError> {
    match (link.side(), link.workload()) {
        (Side::Server, _) => serve(&link).await,
        (Side::Client, Workload::RpcSequential) => sequential(&link).await,
        (Side::Client, Workload::RpcInFlight { calls }) => in_flight(&link, calls).await,
        (Side::Client, workload) => Err(unsupported(Implementation::DealerRouter, workload)),
    }
}

async fn serve(link: &Link) -> Result<(), BenchError> {
    let mut socket = RouterSocket::new();
    let endpoint = socket.bind("tcp://127.0.0.1:*").await;
    link.listening_at(&endpoint.map_err(BenchError::contender)?.to_string())?;
    loop {
        let request = socket.recv().await.map_err(BenchError::contender)?;
        socket.send(request).await.map_err(BenchError::contender)?;
    }
}

/// A client that numbers its requests.
#[derive(Debug)]
struct Requester {
    socket: DealerSocket,
    text: Bytes,
    number: u64,
}

impl Requester {
    async fn new(link: &Link) -> Result<Self, BenchError> {
        let socket = DealerSocket::new();
        let connected = socket.connect(link.endpoint()).await;
        connected.map_err(BenchError::contender)?;
        Ok(Self {
            socket,
            text: Bytes::from(rpc_text()),
            number: 0,
        })
    }

    async fn request(&mut self) -> Result<(), BenchError> {
        self.number += 1;
        let number = Part::from(&self.number.to_le_bytes()[..]);
        let message = Message::from([number, Part::from(self.text.clone())]);
        let sent = self.socket.send(message).await;
        sent.map_err(BenchError::contender)
    }

    async fn reply(&mut self) -> Result<(), BenchError> {
        let reply = self.socket.recv().await.map_err(BenchError::contender)?;
        let len = reply.last().map(|text| text.len());
        assert_eq!(len, Some(self.text.len()), "a reply of the wrong size");
        Ok(())
    }
}

async fn sequential(link: &Link) -> Result<(), BenchError> {
    let mut requester = Requester::new(link).await?;
    let mut time = Time::new(link)?;
    while time.again() {
        requester.request().await?;
        requester.reply().await?;
    }
    time.report()
}

async fn in_flight(link: &Link, calls: usize) -> Result<(), BenchError> {
    let mut requester = Requester::new(link).await?;
    for _ in 0..calls {
        requester.request().await?;
    }
    let mut count = Count::new(link)?;
    while count.again() {
        requester.reply().await?;
        requester.request().await?;
    }
    count.report()
}
