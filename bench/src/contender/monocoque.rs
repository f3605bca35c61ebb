//! Crate `monocoque-rs` on its tokio backend, with write coalescing.
//!
//! Its sockets are single connections without queues: sending writes from the caller's task, and
//! nothing moves while the caller does something else. By default each message is a system call;
//! coalescing gathers them, and is what its own figures are made with. What waits for an answer
//! has to flush.

use bytes::Bytes;
use monocoque::rt::{LocalRuntime, TcpListener, TcpStream};
use monocoque::zmq::{
    DealerSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, SocketOptions,
};

use super::traffic::{Count, Time};
use super::{Implementation, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

/// Runs on a runtime of its own: the sockets stay on one thread.
pub(super) fn run(link: &Link) -> Result<(), BenchError> {
    LocalRuntime::new()?.block_on(work(link))
}

async fn work(link: &Link) -> Result<(), BenchError> {
    match (link.workload(), link.side()) {
        (Workload::PushPull { size }, Side::Server) => pull(link, size).await,
        (Workload::PushPull { size }, Side::Client) => push(link, size).await,
        (Workload::DealerRouter { size }, Side::Server) => route(link, size).await,
        (Workload::DealerRouter { size }, Side::Client) => deal(link, size).await,
        (Workload::Echo { .. }, Side::Server) => echo(link).await,
        (Workload::Echo { size, in_flight }, Side::Client) => {
            keep_in_flight(link, size, in_flight).await
        }
        (Workload::RoundTrip { .. }, Side::Server) => reply(link).await,
        (Workload::RoundTrip { size }, Side::Client) => round_trips(link, size).await,
        (workload, _) => Err(unsupported(Implementation::Monocoque, workload)),
    }
}

async fn accept(link: &Link) -> Result<TcpStream, BenchError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    link.listening(listener.local_addr()?.port())?;
    Ok(listener.accept().await?.0)
}

async fn connect(link: &Link) -> Result<TcpStream, BenchError> {
    Ok(TcpStream::connect(("127.0.0.1", link.port())).await?)
}

fn coalescing() -> SocketOptions {
    SocketOptions::default().with_write_coalescing(true)
}

fn body(size: usize) -> Bytes {
    Bytes::from(vec![b'x'; size])
}

/// The last part of what arrived; an error at the end of the stream.
fn last(arrived: bool, parts: &[Bytes]) -> Result<&Bytes, BenchError> {
    let body = parts.last().filter(|_| arrived);
    body.ok_or_else(|| BenchError::UnexpectedOutput("end of stream".to_owned()))
}

fn check(arrived: bool, parts: &[Bytes], size: usize) -> Result<(), BenchError> {
    assert_eq!(
        last(arrived, parts)?.len(),
        size,
        "a message of the wrong size"
    );
    Ok(())
}

async fn push(link: &Link, size: usize) -> Result<(), BenchError> {
    let mut socket = PushSocket::from_tcp_with_options(connect(link).await?, coalescing()).await?;
    let body = body(size);
    loop {
        socket.send_one(body.clone()).await?;
    }
}

async fn pull(link: &Link, size: usize) -> Result<(), BenchError> {
    let mut socket = PullSocket::from_tcp(accept(link).await?).await?;
    let mut parts = Vec::new();
    let mut count = Count::new(link)?;
    while count.again() {
        let arrived = socket.recv_into(&mut parts).await?;
        check(arrived, &parts, size)?;
    }
    count.report()
}

async fn deal(link: &Link, size: usize) -> Result<(), BenchError> {
    let stream = connect(link).await?;
    let mut socket = DealerSocket::from_tcp_with_options(stream, coalescing()).await?;
    let body = body(size);
    loop {
        socket.send(vec![body.clone()]).await?;
    }
}

async fn route(link: &Link, size: usize) -> Result<(), BenchError> {
    let mut socket = RouterSocket::from_tcp(accept(link).await?).await?;
    let mut parts = Vec::new();
    let mut count = Count::new(link)?;
    while count.again() {
        let arrived = socket.recv_into(&mut parts).await?;
        check(arrived, &parts, size)?;
    }
    count.report()
}

/// Answers what has arrived, and flushes when nothing more has.
async fn echo(link: &Link) -> Result<(), BenchError> {
    let stream = accept(link).await?;
    let mut socket = RouterSocket::from_tcp_with_options(stream, coalescing()).await?;
    let mut parts = Vec::new();
    loop {
        let arrived = socket.recv_into(&mut parts).await?;
        last(arrived, &parts)?;
        socket.send(parts.clone()).await?;
        while socket.try_recv_into(&mut parts)? {
            socket.send(parts.clone()).await?;
        }
        socket.flush().await?;
    }
}

async fn keep_in_flight(link: &Link, size: usize, in_flight: usize) -> Result<(), BenchError> {
    let stream = connect(link).await?;
    let mut socket = DealerSocket::from_tcp_with_options(stream, coalescing()).await?;
    let body = body(size);
    let mut parts = Vec::new();
    for _ in 0..in_flight {
        socket.send(vec![body.clone()]).await?;
    }
    socket.flush().await?;
    let mut count = Count::new(link)?;
    while count.again() {
        if !socket.try_recv_into(&mut parts)? {
            socket.flush().await?;
            let arrived = socket.recv_into(&mut parts).await?;
            last(arrived, &parts)?;
        }
        assert_eq!(
            last(true, &parts)?.len(),
            size,
            "a message of the wrong size"
        );
        socket.send(vec![body.clone()]).await?;
    }
    count.report()
}

async fn reply(link: &Link) -> Result<(), BenchError> {
    let mut socket = RepSocket::from_tcp(accept(link).await?).await?;
    let mut parts = Vec::new();
    loop {
        let arrived = socket.recv_into(&mut parts).await?;
        last(arrived, &parts)?;
        socket.send(parts.clone()).await?;
    }
}

async fn round_trips(link: &Link, size: usize) -> Result<(), BenchError> {
    let mut socket = ReqSocket::from_tcp(connect(link).await?).await?;
    let body = body(size);
    let mut parts = Vec::new();
    let mut time = Time::new(link)?;
    while time.again() {
        socket.send(vec![body.clone()]).await?;
        let arrived = socket.recv_into(&mut parts).await?;
        check(arrived, &parts, size)?;
    }
    time.report()
}
