//! libzmq through crate `zmq`, with its defaults: one I/O thread, blocking calls on the main one.

use std::ops::ControlFlow;

use zmq::{Context, Message, SNDMORE, Socket, SocketType};

use super::{Implementation, unsupported};
use crate::cli::Side;
use crate::error::BenchError;
use crate::link::Link;
use crate::measure::{Latencies, Meter};
use crate::workload::Workload;

pub(super) fn run(link: &Link) -> Result<(), BenchError> {
    let context = Context::new();
    match (link.workload(), link.side()) {
        (Workload::PushPull { size }, Side::Server) => {
            receive(link, &bind(&context, zmq::PULL, link)?, size)
        }
        (Workload::PushPull { size }, Side::Client) => {
            send(&connect(&context, zmq::PUSH, link)?, size)
        }
        (Workload::DealerRouter { size }, Side::Server) => {
            receive_with_identity(link, &bind(&context, zmq::ROUTER, link)?, size)
        }
        (Workload::DealerRouter { size }, Side::Client) => {
            send(&connect(&context, zmq::DEALER, link)?, size)
        }
        (Workload::Echo { .. }, Side::Server) => echo(&bind(&context, zmq::ROUTER, link)?),
        (Workload::Echo { size, in_flight }, Side::Client) => {
            let socket = connect(&context, zmq::DEALER, link)?;
            keep_in_flight(link, &socket, size, in_flight)
        }
        (Workload::RoundTrip { .. }, Side::Server) => reply(&bind(&context, zmq::REP, link)?),
        (Workload::RoundTrip { size }, Side::Client) => {
            round_trips(link, &connect(&context, zmq::REQ, link)?, size)
        }
        (workload, _) => Err(unsupported(Implementation::Libzmq, workload)),
    }
}

fn bind(context: &Context, kind: SocketType, link: &Link) -> Result<Socket, BenchError> {
    let socket = context.socket(kind)?;
    socket.bind("tcp://127.0.0.1:*")?;
    let endpoint = socket
        .get_last_endpoint()?
        .unwrap_or_else(|invalid| String::from_utf8_lossy(&invalid).into_owned());
    link.listening_at(&endpoint)?;
    Ok(socket)
}

fn connect(context: &Context, kind: SocketType, link: &Link) -> Result<Socket, BenchError> {
    let socket = context.socket(kind)?;
    socket.connect(&link.endpoint())?;
    Ok(socket)
}

fn send(socket: &Socket, size: usize) -> Result<(), BenchError> {
    let body = vec![b'x'; size];
    loop {
        socket.send(body.as_slice(), 0)?;
    }
}

fn receive(link: &Link, socket: &Socket, size: usize) -> Result<(), BenchError> {
    let mut meter = Meter::new(link.plan()?);
    let mut message = Message::new();
    loop {
        socket.recv(&mut message, 0)?;
        assert_eq!(message.len(), size, "a message of the wrong size");
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
    }
}

fn receive_with_identity(link: &Link, socket: &Socket, size: usize) -> Result<(), BenchError> {
    let mut meter = Meter::new(link.plan()?);
    let mut message = Message::new();
    loop {
        socket.recv(&mut message, 0)?;
        socket.recv(&mut message, 0)?;
        assert_eq!(message.len(), size, "a message of the wrong size");
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
    }
}

fn echo(socket: &Socket) -> Result<(), BenchError> {
    loop {
        let identity = socket.recv_msg(0)?;
        let body = socket.recv_msg(0)?;
        socket.send(identity, SNDMORE)?;
        socket.send(body, 0)?;
    }
}

fn keep_in_flight(
    link: &Link,
    socket: &Socket,
    size: usize,
    in_flight: usize,
) -> Result<(), BenchError> {
    let body = vec![b'x'; size];
    let mut meter = Meter::new(link.plan()?);
    let mut message = Message::new();
    for _ in 0..in_flight {
        socket.send(body.as_slice(), 0)?;
    }
    loop {
        socket.recv(&mut message, 0)?;
        assert_eq!(message.len(), size, "a message of the wrong size");
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement);
        }
        socket.send(body.as_slice(), 0)?;
    }
}

fn reply(socket: &Socket) -> Result<(), BenchError> {
    loop {
        let request = socket.recv_msg(0)?;
        socket.send(request, 0)?;
    }
}

fn round_trips(link: &Link, socket: &Socket, size: usize) -> Result<(), BenchError> {
    let body = vec![b'x'; size];
    let mut meter = Meter::new(link.plan()?);
    let mut latencies = Latencies::default();
    let mut message = Message::new();
    loop {
        let sent = Latencies::start(&meter);
        socket.send(body.as_slice(), 0)?;
        socket.recv(&mut message, 0)?;
        latencies.stop(sent);
        assert_eq!(message.len(), size, "a message of the wrong size");
        if let ControlFlow::Break(measurement) = meter.record(1) {
            return link.report(&measurement.with_latency(latencies));
        }
    }
}
