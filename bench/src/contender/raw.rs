//! A bare tokio TCP stream: what the machine gives if nothing stands between.
//!
//! One way, frames of ZMTP's form are copied into a buffer of 64 KiB and written when it is full.
//! The receiver walks over them in its read buffer, or splits each body off it as a value. There
//! are no sockets, no queues and no handshake. A round trip is 64 bytes there and back.

use std::hint::black_box;
use std::ops::ControlFlow;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Implementation, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::measure::{Latencies, Meter};
use crate::workload::Workload;

/// How many bytes are gathered for one write, and room for one read.
const BATCH: usize = 64 * 1024;

/// What the receiver does with the bodies of frames.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bodies {
    /// It looks at them.
    InPlace,
    /// It makes a `Bytes` of each, as anything must that hands them over to somebody.
    AsValues,
}

pub(super) async fn run(link: Link, bodies: Bodies) -> Result<(), BenchError> {
    match (link.workload(), link.side()) {
        (Workload::PushPull { size }, Side::Server) => receive(&link, size, bodies).await,
        (Workload::PushPull { size }, Side::Client) => send(&link, size).await,
        (Workload::RoundTrip { size }, Side::Server) => echo(&link, size).await,
        (Workload::RoundTrip { size }, Side::Client) => round_trips(&link, size).await,
        (workload, _) => Err(unsupported(Implementation::Raw, workload)),
    }
}

async fn accept(link: &Link) -> Result<TcpStream, BenchError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    link.listening(listener.local_addr()?.port())?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn connect(link: &Link) -> Result<TcpStream, BenchError> {
    let stream = TcpStream::connect(("127.0.0.1", link.port())).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn send(link: &Link, size: usize) -> Result<(), BenchError> {
    let mut stream = connect(link).await?;
    let body = vec![b'x'; size];
    let mut batch = Vec::with_capacity(BATCH + size + 9);
    loop {
        batch.clear();
        while batch.len() < BATCH {
            match u8::try_from(size) {
                Ok(short) => batch.extend_from_slice(&[0, short]),
                Err(_) => {
                    batch.push(2);
                    batch.extend_from_slice(&(size as u64).to_be_bytes());
                }
            }
            batch.extend_from_slice(black_box(&body));
        }
        stream.write_all(&batch).await?;
    }
}

async fn receive(link: &Link, size: usize, bodies: Bodies) -> Result<(), BenchError> {
    let mut stream = accept(link).await?;
    let mut meter = Meter::new(link.plan()?);
    let mut buffer = BytesMut::with_capacity(2 * BATCH);
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(BenchError::UnexpectedOutput("end of stream".to_owned()));
        }
        while let Some((header, body)) = frame(&buffer) {
            assert_eq!(body, size, "a frame of the wrong size");
            match bodies {
                Bodies::InPlace => {
                    black_box(&buffer[header..header + body]);
                    buffer.advance(header + body);
                }
                Bodies::AsValues => {
                    buffer.advance(header);
                    drop(black_box(buffer.split_to(body).freeze()));
                }
            }
            if let ControlFlow::Break(measurement) = meter.record(1) {
                return link.report(&measurement);
            }
        }
        buffer.reserve(BATCH);
    }
}

/// The lengths of the header and the body at the front, if all of it is there.
fn frame(buffer: &[u8]) -> Option<(usize, usize)> {
    let (header, body) = match *buffer {
        [0, short, ..] => (2, usize::from(short)),
        [2, ref rest @ ..] => {
            let length = rest.first_chunk::<8>()?;
            (9, usize::try_from(u64::from_be_bytes(*length)).ok()?)
        }
        _ => return None,
    };
    (buffer.len() >= header + body).then_some((header, body))
}

async fn echo(link: &Link, size: usize) -> Result<(), BenchError> {
    let mut stream = accept(link).await?;
    let mut buffer = vec![0; size];
    loop {
        stream.read_exact(&mut buffer).await?;
        stream.write_all(&buffer).await?;
    }
}

async fn round_trips(link: &Link, size: usize) -> Result<(), BenchError> {
    let mut stream = connect(link).await?;
    let request = vec![b'x'; size];
    let mut reply = vec![0; size];
    let mut meter = Meter::new(link.plan()?);
    let mut latencies = Latencies::default();
    loop {
        let sent = Latencies::start(&meter);
        stream.write_all(&request).await?;
        stream.read_exact(&mut reply).await?;
        latencies.stop(sent);
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement.with_latency(latencies));
        }
    }
}
