//! Crate `rzmq`, with its defaults: epoll and not io_uring, which needs a runtime of its own.

use bytes::Bytes;
use rzmq::socket::{
    CURVE_PUBLIC_KEY, CURVE_SECRET_KEY, CURVE_SERVER, CURVE_SERVER_KEY, LAST_ENDPOINT, SUBSCRIBE,
    XPUB_NODROP,
};
use rzmq::{Context, Msg, Socket, SocketType};

use super::publication::{Publication, Reader, subscribers, topics};
use super::traffic::{Count, Time, together};
use super::{Implementation, keys, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

pub(super) async fn run(link: Link) -> Result<(), BenchError> {
    let context = Context::new().map_err(BenchError::contender)?;
    let socket = |kind| context.socket(kind).map_err(BenchError::contender);
    match (link.workload(), link.side()) {
        (Workload::PushPull { size }, Side::Server) => {
            receive(&link, &bound(&link, socket(SocketType::Pull)?).await?, size).await
        }
        (Workload::PushPull { size }, Side::Client) => {
            send(&connected(&link, socket(SocketType::Push)?).await?, size).await
        }
        (Workload::Curve { size }, Side::Server) => {
            let socket = socket(SocketType::Pull)?;
            set(&socket, CURVE_SERVER, &1_i32.to_ne_bytes()).await?;
            set(
                &socket,
                CURVE_SECRET_KEY,
                &keys::decode(keys::SERVER.secret)?,
            )
            .await?;
            receive(&link, &bound(&link, socket).await?, size).await
        }
        (Workload::Curve { size }, Side::Client) => {
            let socket = socket(SocketType::Push)?;
            set(
                &socket,
                CURVE_SERVER_KEY,
                &keys::decode(keys::SERVER.public)?,
            )
            .await?;
            set(
                &socket,
                CURVE_PUBLIC_KEY,
                &keys::decode(keys::CLIENT.public)?,
            )
            .await?;
            set(
                &socket,
                CURVE_SECRET_KEY,
                &keys::decode(keys::CLIENT.secret)?,
            )
            .await?;
            send(&connected(&link, socket).await?, size).await
        }
        (Workload::PubSub { .. }, Side::Server) => {
            let socket = socket(SocketType::Pub)?;
            set(&socket, XPUB_NODROP, &1_i32.to_ne_bytes()).await?;
            publish(&bound(&link, socket).await?, link.workload()).await
        }
        (Workload::PubSub { .. }, Side::Client) => subscribe(&link, &context).await,
        (Workload::DealerRouter { size }, Side::Server) => {
            receive_with_identity(
                &link,
                &bound(&link, socket(SocketType::Router)?).await?,
                size,
            )
            .await
        }
        (Workload::DealerRouter { size }, Side::Client) => {
            send(&connected(&link, socket(SocketType::Dealer)?).await?, size).await
        }
        (Workload::Echo { .. }, Side::Server) => {
            echo(&bound(&link, socket(SocketType::Router)?).await?).await
        }
        (Workload::Echo { size, in_flight }, Side::Client) => {
            let socket = connected(&link, socket(SocketType::Dealer)?).await?;
            keep_in_flight(&link, &socket, size, in_flight).await
        }
        (Workload::RoundTrip { .. }, Side::Server) => {
            echo(&bound(&link, socket(SocketType::Rep)?).await?).await
        }
        (Workload::RoundTrip { size }, Side::Client) => {
            round_trips(
                &link,
                &connected(&link, socket(SocketType::Req)?).await?,
                size,
            )
            .await
        }
        (workload, _) => Err(unsupported(Implementation::Rzmq, workload)),
    }
}

async fn bound(link: &Link, socket: Socket) -> Result<Socket, BenchError> {
    let bound = socket.bind("tcp://127.0.0.1:0").await;
    bound.map_err(BenchError::contender)?;
    let endpoint = socket.get_option(LAST_ENDPOINT).await;
    let endpoint = endpoint.map_err(BenchError::contender)?;
    let endpoint = String::from_utf8_lossy(&endpoint);
    link.listening_at(endpoint.trim_end_matches('\0'))?;
    Ok(socket)
}

async fn connected(link: &Link, socket: Socket) -> Result<Socket, BenchError> {
    let connected = socket.connect(&link.endpoint()).await;
    connected.map_err(BenchError::contender)?;
    Ok(socket)
}

async fn set(socket: &Socket, option: i32, value: &[u8]) -> Result<(), BenchError> {
    let set = socket.set_option_raw(option, value).await;
    set.map_err(BenchError::contender)
}

fn body(size: usize) -> Bytes {
    Bytes::from(vec![b'x'; size])
}

async fn send_one(socket: &Socket, body: &Bytes) -> Result<(), BenchError> {
    let sent = socket.send(Msg::from_bytes(body.clone())).await;
    sent.map_err(BenchError::contender)
}

async fn send(socket: &Socket, size: usize) -> Result<(), BenchError> {
    let body = body(size);
    loop {
        send_one(socket, &body).await?;
    }
}

async fn receive(link: &Link, socket: &Socket, size: usize) -> Result<(), BenchError> {
    let mut count = Count::new(link)?;
    while count.again() {
        let message = socket.recv().await.map_err(BenchError::contender)?;
        assert_eq!(message.size(), size, "a message of the wrong size");
    }
    count.report()
}

async fn receive_with_identity(
    link: &Link,
    socket: &Socket,
    size: usize,
) -> Result<(), BenchError> {
    let mut count = Count::new(link)?;
    while count.again() {
        let parts = socket.recv_multipart().await;
        let parts = parts.map_err(BenchError::contender)?;
        let len = parts.last().map(Msg::size);
        assert_eq!(len, Some(size), "a message of the wrong size");
    }
    count.report()
}

async fn echo(socket: &Socket) -> Result<(), BenchError> {
    loop {
        let parts = socket.recv_multipart().await;
        let sent = socket.send_multipart(parts.map_err(BenchError::contender)?);
        sent.await.map_err(BenchError::contender)?;
    }
}

async fn keep_in_flight(
    link: &Link,
    socket: &Socket,
    size: usize,
    in_flight: usize,
) -> Result<(), BenchError> {
    let body = body(size);
    for _ in 0..in_flight {
        send_one(socket, &body).await?;
    }
    let mut count = Count::new(link)?;
    while count.again() {
        socket.recv().await.map_err(BenchError::contender)?;
        send_one(socket, &body).await?;
    }
    count.report()
}

async fn round_trips(link: &Link, socket: &Socket, size: usize) -> Result<(), BenchError> {
    let body = body(size);
    let mut time = Time::new(link)?;
    while time.again() {
        send_one(socket, &body).await?;
        let reply = socket.recv().await.map_err(BenchError::contender)?;
        assert_eq!(reply.size(), size, "a message of the wrong size");
    }
    time.report()
}

async fn publish(socket: &Socket, workload: Workload) -> Result<(), BenchError> {
    let mut publication = Publication::new(workload);
    loop {
        let message = Msg::from_vec(publication.next().to_vec());
        socket.send(message).await.map_err(BenchError::contender)?;
        publication.pause().await;
    }
}

async fn subscribe(link: &Link, context: &Context) -> Result<(), BenchError> {
    let workload = link.workload();
    together(link, subscribers(workload), |mut tally| {
        let (context, endpoint) = (context.clone(), link.endpoint());
        async move {
            let socket = context.socket(SocketType::Sub);
            let socket = socket.map_err(BenchError::contender)?;
            for topic in topics(workload) {
                set(&socket, SUBSCRIBE, topic.as_bytes()).await?;
            }
            let connected = socket.connect(&endpoint).await;
            connected.map_err(BenchError::contender)?;
            let mut reader = Reader::new(workload);
            loop {
                let message = socket.recv().await.map_err(BenchError::contender)?;
                reader.read(message.data().unwrap_or_default())?;
                tally.record_one_of_many();
            }
        }
    })
    .await
}
