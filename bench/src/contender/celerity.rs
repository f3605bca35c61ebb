//! Crate `celerity`, with its defaults. It has REQ and REP, and a PUB that drops.

use bytes::Bytes;
use celerity::io::{RepSocket, ReqSocket};

use super::traffic::Time;
use super::{Implementation, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::workload::Workload;

pub(super) async fn run(link: Link) -> Result<(), BenchError> {
    match (link.workload(), link.side()) {
        (Workload::RoundTrip { .. }, Side::Server) => reply(&link).await,
        (Workload::RoundTrip { size }, Side::Client) => round_trips(&link, size).await,
        (workload, _) => Err(unsupported(Implementation::Celerity, workload)),
    }
}

async fn reply(link: &Link) -> Result<(), BenchError> {
    let socket = RepSocket::bind("tcp://127.0.0.1:0").await;
    let mut socket = socket.map_err(BenchError::contender)?;
    link.listening(socket.local_addr().port())?;
    loop {
        let request = socket.recv().await.map_err(BenchError::contender)?;
        let sent = socket.reply(request).await;
        sent.map_err(BenchError::contender)?;
    }
}

async fn round_trips(link: &Link, size: usize) -> Result<(), BenchError> {
    let socket = ReqSocket::connect(&link.endpoint()).await;
    let socket = socket.map_err(BenchError::contender)?;
    let body = Bytes::from(vec![b'x'; size]);
    let mut time = Time::new(link)?;
    while time.again() {
        let reply = socket.request(vec![body.clone()]).await;
        let reply = reply.map_err(BenchError::contender)?;
        assert_eq!(
            reply.last().map(Bytes::len),
            Some(size),
            "a reply of the wrong size"
        );
    }
    time.report()
}
