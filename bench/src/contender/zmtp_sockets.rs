//! This project's sockets, with their defaults.

use std::ops::ControlFlow;
use std::time::Duration;

use bytes::Bytes;
use zmtp::authenticator::AnyKey;
use zmtp::curve::{KeyPair, SecretKey};
use zmtp::{
    Builder, DealerSocket, Message, Part, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket,
    RouterSocket, Socket, SubSocket,
};

use super::keys::{self, Keys};
use super::publication::{Publication, Reader, subscribers, topics};
use super::traffic::together;
use super::{Implementation, beside, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::measure::{Latencies, Meter};
use crate::workload::Workload;

/// Runs one side of a workload. In round trips, those who wait look for messages that long before
/// they sleep.
pub(super) async fn run(link: Link, busy_wait: Duration) -> Result<(), BenchError> {
    match (link.workload(), link.side()) {
        (Workload::PushPull { size }, Side::Server) => pull(&link, size).await,
        (Workload::PushPull { size }, Side::Client) => push(&link, size).await,
        (Workload::Curve { size }, Side::Server) => {
            let server = PullSocket::builder().curve_server(key_pair(&keys::SERVER)?);
            let pull = bind_built(&link, server.authenticator(AnyKey)).await?;
            receive(&link, pull, size).await
        }
        (Workload::Curve { size }, Side::Client) => {
            let server = key_pair(&keys::SERVER)?;
            let client = PushSocket::builder();
            let client = client.curve_client(server.public_key(), key_pair(&keys::CLIENT)?);
            send(connect_built(&link, client).await?, size).await
        }
        (Workload::Inproc { size }, _) => inside_of_one_process(&link, size).await,
        (Workload::PubSub { .. } | Workload::Subscriptions { .. }, Side::Server) => {
            publish(&link).await
        }
        (Workload::PubSub { .. } | Workload::Subscriptions { .. }, Side::Client) => {
            subscribe(&link).await
        }
        (Workload::Connections { .. }, Side::Server) => {
            let mut socket = bind::<PullSocket>(&link).await?;
            loop {
                let message = socket.recv().await;
                message.map(drop).map_err(BenchError::contender)?;
            }
        }
        (Workload::DealerRouter { size }, Side::Server) => route(&link, size).await,
        (Workload::DealerRouter { size }, Side::Client) => deal(&link, size).await,
        (Workload::Echo { .. }, Side::Server) => echo(&link).await,
        (Workload::Echo { size, in_flight }, Side::Client) => {
            keep_in_flight(&link, size, in_flight).await
        }
        (Workload::RoundTrip { .. }, Side::Server) => reply(&link, busy_wait).await,
        (Workload::RoundTrip { size }, Side::Client) => round_trips(&link, size, busy_wait).await,
        (workload, _) => Err(unsupported(Implementation::Zmtp, workload)),
    }
}

async fn bind<S: Socket + Sync>(link: &Link) -> Result<S, BenchError> {
    bind_built(link, S::builder()).await
}

async fn bind_built<S: Socket + Sync>(link: &Link, builder: Builder<S>) -> Result<S, BenchError> {
    let socket = builder.build();
    let endpoint = socket
        .bind("tcp://127.0.0.1:*")
        .await
        .map_err(BenchError::contender)?;
    link.listening_at(&endpoint.to_string())?;
    Ok(socket)
}

async fn connect<S: Socket + Sync>(link: &Link) -> Result<S, BenchError> {
    connect_built(link, S::builder()).await
}

async fn connect_built<S: Socket + Sync>(
    link: &Link,
    builder: Builder<S>,
) -> Result<S, BenchError> {
    let socket = builder.build();
    socket
        .connect(link.endpoint())
        .await
        .map_err(BenchError::contender)?;
    Ok(socket)
}

fn key_pair(keys: &Keys) -> Result<KeyPair, BenchError> {
    let secret: SecretKey = keys.secret.parse().map_err(BenchError::contender)?;
    Ok(KeyPair::from(secret))
}

fn body(size: usize) -> Bytes {
    Bytes::from(vec![b'x'; size])
}

fn check(message: &Message, size: usize) {
    assert_eq!(message.byte_len(), size, "a message of the wrong size");
}

/// A message as a program would make it: a small body lives in the value and is copied there, a
/// large one is shared.
fn outgoing(body: &Bytes) -> Message {
    if body.len() <= Part::INLINE_CAPACITY {
        Message::from(&body[..])
    } else {
        Message::from(body.clone())
    }
}

async fn inside_of_one_process(link: &Link, size: usize) -> Result<(), BenchError> {
    const ENDPOINT: &str = "inproc://bench";
    let pull = PullSocket::new();
    let bound = pull.bind(ENDPOINT).await;
    bound.map_err(BenchError::contender)?;
    let sending = move || async move {
        let push = PushSocket::new();
        let connected = push.connect(ENDPOINT).await;
        connected.map_err(BenchError::contender)?;
        send(push, size).await
    };
    beside(link, sending);
    receive(link, pull, size).await
}

async fn push(link: &Link, size: usize) -> Result<(), BenchError> {
    send(connect::<PushSocket>(link).await?, size).await
}

async fn send(mut socket: PushSocket, size: usize) -> Result<(), BenchError> {
    let body = body(size);
    loop {
        socket
            .send(outgoing(&body))
            .await
            .map_err(BenchError::contender)?;
    }
}

async fn pull(link: &Link, size: usize) -> Result<(), BenchError> {
    receive(link, bind::<PullSocket>(link).await?, size).await
}

async fn receive(link: &Link, mut socket: PullSocket, size: usize) -> Result<(), BenchError> {
    let mut meter = Meter::new(link.plan()?);
    loop {
        let message = socket.recv().await.map_err(BenchError::contender)?;
        check(&message, size);
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
    }
}

async fn deal(link: &Link, size: usize) -> Result<(), BenchError> {
    let mut socket = connect::<DealerSocket>(link).await?;
    let body = body(size);
    loop {
        socket
            .send(outgoing(&body))
            .await
            .map_err(BenchError::contender)?;
    }
}

async fn route(link: &Link, size: usize) -> Result<(), BenchError> {
    let mut socket = bind::<RouterSocket>(link).await?;
    let mut meter = Meter::new(link.plan()?);
    loop {
        let message = socket.recv().await.map_err(BenchError::contender)?;
        assert_eq!(
            message.last().map(|body| body.len()),
            Some(size),
            "a message of the wrong size"
        );
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
    }
}

async fn echo(link: &Link) -> Result<(), BenchError> {
    let mut socket = bind::<RouterSocket>(link).await?;
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
        socket
            .send(outgoing(&body))
            .await
            .map_err(BenchError::contender)?;
    }
    loop {
        let message = socket.recv().await.map_err(BenchError::contender)?;
        check(&message, size);
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
        socket
            .send(outgoing(&body))
            .await
            .map_err(BenchError::contender)?;
    }
}

async fn reply(link: &Link, busy_wait: Duration) -> Result<(), BenchError> {
    let mut socket = bind_built(link, RepSocket::builder().busy_wait(busy_wait)).await?;
    loop {
        let request = socket.recv().await.map_err(BenchError::contender)?;
        socket.send(request).map_err(BenchError::contender)?;
    }
}

async fn round_trips(link: &Link, size: usize, busy_wait: Duration) -> Result<(), BenchError> {
    let mut socket = connect_built(link, ReqSocket::builder().busy_wait(busy_wait)).await?;
    let body = body(size);
    let mut meter = Meter::new(link.plan()?);
    let mut latencies = Latencies::default();
    loop {
        let sent = Latencies::start(&meter);
        socket
            .send(outgoing(&body))
            .await
            .map_err(BenchError::contender)?;
        let message = socket.recv().await.map_err(BenchError::contender)?;
        latencies.stop(sent);
        check(&message, size);
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement.with_latency(latencies));
        }
    }
}

async fn publish(link: &Link) -> Result<(), BenchError> {
    let socket = PubSocket::builder().xpub_nodrop().build();
    let endpoint = socket.bind("tcp://127.0.0.1:*").await;
    let endpoint = endpoint.map_err(BenchError::contender)?;
    link.listening_at(&endpoint.to_string())?;
    let mut publication = Publication::new(link.workload());
    loop {
        let sent = socket.send(publication.next()).await;
        sent.map_err(BenchError::contender)?;
        publication.pause().await;
    }
}

async fn subscribe(link: &Link) -> Result<(), BenchError> {
    let workload = link.workload();
    together(link, subscribers(workload), |mut tally| {
        let endpoint = link.endpoint();
        async move {
            let mut socket = SubSocket::new();
            for topic in topics(workload) {
                socket.subscribe(topic);
            }
            let connected = socket.connect(endpoint).await;
            connected.map_err(BenchError::contender)?;
            let mut reader = Reader::new(workload);
            loop {
                let message = socket.recv().await.map_err(BenchError::contender)?;
                reader.read(message.first().map_or(&[][..], |part| &part[..]))?;
                tally.record_one_of_many();
            }
        }
    })
    .await
}
