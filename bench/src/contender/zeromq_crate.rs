//! Crate `zeromq`, the official pure-Rust implementation, with its defaults.

use std::ops::ControlFlow;

use bytes::Bytes;
use zeromq::{
    DealerSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, Socket, SocketRecv,
    SocketSend,
};

use super::{Implementation, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::measure::{Latencies, Meter};
use crate::workload::Workload;

pub(super) async fn run(link: Link) -> Result<(), BenchError> {
    match (link.workload(), link.side()) {
        (Workload::PushPull { size }, Side::Server) => {
            receive(&link, bind::<PullSocket>(&link).await?, size).await
        }
        (Workload::PushPull { size }, Side::Client) => {
            send(connect::<PushSocket>(&link).await?, size).await
        }
        (Workload::DealerRouter { size }, Side::Server) => {
            receive(&link, bind::<RouterSocket>(&link).await?, size).await
        }
        (Workload::DealerRouter { size }, Side::Client) => {
            send(connect::<DealerSocket>(&link).await?, size).await
        }
        (Workload::Connections { .. }, Side::Server) => {
            let mut socket = bind::<PullSocket>(&link).await?;
            loop {
                let message = socket.recv().await;
                message.map(drop).map_err(BenchError::contender)?;
            }
        }
        (Workload::Echo { .. }, Side::Server) => echo(bind::<RouterSocket>(&link).await?).await,
        (Workload::Echo { size, in_flight }, Side::Client) => {
            keep_in_flight(&link, size, in_flight).await
        }
        (Workload::RoundTrip { .. }, Side::Server) => echo(bind::<RepSocket>(&link).await?).await,
        (Workload::RoundTrip { size }, Side::Client) => round_trips(&link, size).await,
        (workload, _) => Err(unsupported(Implementation::Zeromq, workload)),
    }
}

async fn bind<S: Socket>(link: &Link) -> Result<S, BenchError> {
    let mut socket = S::new();
    let endpoint = socket
        .bind("tcp://127.0.0.1:0")
        .await
        .map_err(BenchError::contender)?;
    link.listening_at(&endpoint.to_string())?;
    Ok(socket)
}

async fn connect<S: Socket>(link: &Link) -> Result<S, BenchError> {
    let mut socket = S::new();
    socket
        .connect(&link.endpoint())
        .await
        .map_err(BenchError::contender)?;
    Ok(socket)
}

fn body(size: usize) -> Bytes {
    Bytes::from(vec![b'x'; size])
}

async fn send(mut socket: impl SocketSend, size: usize) -> Result<(), BenchError> {
    let body = body(size);
    loop {
        socket
            .send(body.clone().into())
            .await
            .map_err(BenchError::contender)?;
    }
}

async fn receive(link: &Link, mut socket: impl SocketRecv, size: usize) -> Result<(), BenchError> {
    let mut meter = Meter::new(link.plan()?);
    loop {
        let message = socket.recv().await.map_err(BenchError::contender)?;
        let len = message.get(message.len() - 1).map(Bytes::len);
        assert_eq!(len, Some(size), "a message of the wrong size");
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
    }
}

async fn echo(mut socket: impl SocketRecv + SocketSend) -> Result<(), BenchError> {
    loop {
        let message = socket.recv().await.map_err(BenchError::contender)?;
        socket.send(message).await.map_err(BenchError::contender)?;
    }
}

async fn keep_in_flight(link: &Link, size: usize, in_flight: usize) -> Result<(), BenchError> {
    let mut socket = connect::<DealerSocket>(link).await?;
    let body = body(size);
    let mut meter = Meter::new(link.plan()?);
    for _ in 0..in_flight {
        let message = body.clone().into();
        socket.send(message).await.map_err(BenchError::contender)?;
    }
    loop {
        socket.recv().await.map_err(BenchError::contender)?;
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
        let message = body.clone().into();
        socket.send(message).await.map_err(BenchError::contender)?;
    }
}

async fn round_trips(link: &Link, size: usize) -> Result<(), BenchError> {
    let mut socket = connect::<ReqSocket>(link).await?;
    let body = body(size);
    let mut meter = Meter::new(link.plan()?);
    let mut latencies = Latencies::default();
    loop {
        let sent = Latencies::start(&meter);
        let message = body.clone().into();
        socket.send(message).await.map_err(BenchError::contender)?;
        socket.recv().await.map_err(BenchError::contender)?;
        latencies.stop(sent);
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement.with_latency(latencies));
        }
    }
}
