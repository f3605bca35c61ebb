//! omq, with its defaults, its sockets on the runtime of the measurement.

use std::ops::ControlFlow;

use bytes::Bytes;
use omq_tokio::{
    CurveKeypair, CurvePublicKey, CurveSecretKey, Endpoint, Message, Options, Socket, SocketType,
};

use super::publication::{Publication, Reader, subscribers, topics};
use super::traffic::together;
use super::{Implementation, beside, keys, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::measure::{Latencies, Meter};
use crate::workload::Workload;

/// The longest body that omq keeps inside its message.
const INLINE_CAPACITY: usize = 55;

pub(super) async fn run(link: Link) -> Result<(), BenchError> {
    match (link.workload(), link.side()) {
        (Workload::PushPull { size }, Side::Server) => {
            receive(&link, &bind(&link, SocketType::Pull).await?, size).await
        }
        (Workload::PushPull { size }, Side::Client) => {
            send(&connect(&link, SocketType::Push).await?, size).await
        }
        (Workload::Curve { size }, Side::Server) => {
            let options = Options::default().curve_server(key_pair(&keys::SERVER)?);
            let socket = bind_with(&link, SocketType::Pull, options).await?;
            receive(&link, &socket, size).await
        }
        (Workload::Curve { size }, Side::Client) => {
            let server = CurvePublicKey::from_z85(keys::SERVER.public);
            let server = server.map_err(BenchError::contender)?;
            let options = Options::default().curve_client(key_pair(&keys::CLIENT)?, server);
            send(&connect_with(&link, SocketType::Push, options).await?, size).await
        }
        (Workload::Inproc { size }, _) => inside_of_one_process(&link, size).await,
        (Workload::PubSub { .. } | Workload::Subscriptions { .. }, Side::Server) => {
            publish(&link).await
        }
        (Workload::PubSub { .. } | Workload::Subscriptions { .. }, Side::Client) => {
            subscribe(&link).await
        }
        (Workload::Connections { .. }, Side::Server) => {
            let socket = bind(&link, SocketType::Pull).await?;
            loop {
                let message = socket.recv().await;
                message.map(drop).map_err(BenchError::contender)?;
            }
        }
        (Workload::DealerRouter { size }, Side::Server) => {
            receive(&link, &bind(&link, SocketType::Router).await?, size).await
        }
        (Workload::DealerRouter { size }, Side::Client) => {
            send(&connect(&link, SocketType::Dealer).await?, size).await
        }
        (Workload::Echo { .. }, Side::Server) => {
            echo(&bind(&link, SocketType::Router).await?).await
        }
        (Workload::Echo { size, in_flight }, Side::Client) => {
            let socket = connect(&link, SocketType::Dealer).await?;
            keep_in_flight(&link, &socket, size, in_flight).await
        }
        (Workload::RoundTrip { .. }, Side::Server) => {
            echo(&bind(&link, SocketType::Rep).await?).await
        }
        (Workload::RoundTrip { size }, Side::Client) => {
            round_trips(&link, &connect(&link, SocketType::Req).await?, size).await
        }
        (workload, _) => Err(unsupported(Implementation::Omq, workload)),
    }
}

async fn bind(link: &Link, kind: SocketType) -> Result<Socket, BenchError> {
    bind_with(link, kind, Options::default()).await
}

async fn bind_with(link: &Link, kind: SocketType, options: Options) -> Result<Socket, BenchError> {
    let socket = Socket::new(kind, options);
    let endpoint: Endpoint = "tcp://127.0.0.1:0".parse().map_err(BenchError::contender)?;
    let bound = socket.bind(endpoint).await.map_err(BenchError::contender)?;
    link.listening_at(&bound.to_string())?;
    Ok(socket)
}

async fn connect(link: &Link, kind: SocketType) -> Result<Socket, BenchError> {
    connect_with(link, kind, Options::default()).await
}

async fn connect_with(
    link: &Link,
    kind: SocketType,
    options: Options,
) -> Result<Socket, BenchError> {
    let socket = Socket::new(kind, options);
    let endpoint: Endpoint = link.endpoint().parse().map_err(BenchError::contender)?;
    socket
        .connect(endpoint)
        .await
        .map_err(BenchError::contender)?;
    Ok(socket)
}

fn key_pair(keys: &keys::Keys) -> Result<CurveKeypair, BenchError> {
    Ok(CurveKeypair {
        public: CurvePublicKey::from_z85(keys.public).map_err(BenchError::contender)?,
        secret: CurveSecretKey::from_z85(keys.secret).map_err(BenchError::contender)?,
    })
}

async fn inside_of_one_process(link: &Link, size: usize) -> Result<(), BenchError> {
    let endpoint: Endpoint = "inproc://bench".parse().map_err(BenchError::contender)?;
    let pull = Socket::new(SocketType::Pull, Options::default());
    let bound = pull.bind(endpoint.clone()).await;
    bound.map_err(BenchError::contender)?;
    let sending = move || async move {
        let push = Socket::new(SocketType::Push, Options::default());
        let connected = push.connect(endpoint).await;
        connected.map_err(BenchError::contender)?;
        send(&push, size).await
    };
    beside(link, sending);
    receive(link, &pull, size).await
}

async fn publish(link: &Link) -> Result<(), BenchError> {
    let mut options = Options::default();
    options.xpub_nodrop = true;
    let socket = bind_with(link, SocketType::Pub, options).await?;
    let mut publication = Publication::new(link.workload());
    loop {
        let message = Message::from_slice(publication.next());
        socket.send(message).await.map_err(BenchError::contender)?;
        publication.pause().await;
    }
}

async fn subscribe(link: &Link) -> Result<(), BenchError> {
    let workload = link.workload();
    let endpoint: Endpoint = link.endpoint().parse().map_err(BenchError::contender)?;
    together(link, subscribers(workload), |mut tally| {
        let endpoint = endpoint.clone();
        async move {
            let socket = Socket::new(SocketType::Sub, Options::default());
            for topic in topics(workload) {
                let subscribed = socket.subscribe(topic).await;
                subscribed.map_err(BenchError::contender)?;
            }
            let connected = socket.connect(endpoint).await;
            connected.map_err(BenchError::contender)?;
            let mut reader = Reader::new(workload);
            loop {
                let message = socket.recv().await.map_err(BenchError::contender)?;
                reader.read(message.part_slice(0).unwrap_or_default())?;
                tally.record_one_of_many();
            }
        }
    })
    .await
}

fn body(size: usize) -> Bytes {
    Bytes::from(vec![b'x'; size])
}

async fn send_one(socket: &Socket, body: &Bytes) -> Result<(), BenchError> {
    // A small body lives in the value and is copied there, a large one is shared.
    let message = if body.len() <= INLINE_CAPACITY {
        Message::from_slice(body)
    } else {
        Message::single(body.clone())
    };
    socket.send(message).await.map_err(BenchError::contender)
}

async fn send(socket: &Socket, size: usize) -> Result<(), BenchError> {
    let body = body(size);
    loop {
        send_one(socket, &body).await?;
    }
}

async fn receive(link: &Link, socket: &Socket, size: usize) -> Result<(), BenchError> {
    let mut meter = Meter::new(link.plan()?);
    loop {
        let message = socket.recv().await.map_err(BenchError::contender)?;
        let len = message.part_slice(message.len() - 1).map(<[u8]>::len);
        assert_eq!(len, Some(size), "a message of the wrong size");
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
    }
}

async fn echo(socket: &Socket) -> Result<(), BenchError> {
    loop {
        let message = socket.recv().await.map_err(BenchError::contender)?;
        socket.send(message).await.map_err(BenchError::contender)?;
    }
}

async fn keep_in_flight(
    link: &Link,
    socket: &Socket,
    size: usize,
    in_flight: usize,
) -> Result<(), BenchError> {
    let body = body(size);
    let mut meter = Meter::new(link.plan()?);
    for _ in 0..in_flight {
        send_one(socket, &body).await?;
    }
    loop {
        socket.recv().await.map_err(BenchError::contender)?;
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
        send_one(socket, &body).await?;
    }
}

async fn round_trips(link: &Link, socket: &Socket, size: usize) -> Result<(), BenchError> {
    let body = body(size);
    let mut meter = Meter::new(link.plan()?);
    let mut latencies = Latencies::default();
    loop {
        let sent = Latencies::start(&meter);
        send_one(socket, &body).await?;
        socket.recv().await.map_err(BenchError::contender)?;
        latencies.stop(sent);
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement.with_latency(latencies));
        }
    }
}
