//! libzmq through crate `zmq`, with its defaults: one I/O thread, blocking calls on others.

use std::ops::ControlFlow;
use std::thread;

use zmq::{Context, Message, SNDMORE, Socket, SocketType};

use super::publication::{Publication, Reader, subscribers, topics};
use super::traffic::Tally;
use super::{Implementation, keys, unsupported};
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
        (Workload::Curve { size }, Side::Server) => {
            let socket = context.socket(zmq::PULL)?;
            socket.set_curve_server(true)?;
            socket.set_curve_secretkey(&keys::decode(keys::SERVER.secret)?)?;
            receive(link, &bound(socket, link)?, size)
        }
        (Workload::Curve { size }, Side::Client) => {
            let socket = context.socket(zmq::PUSH)?;
            socket.set_curve_serverkey(&keys::decode(keys::SERVER.public)?)?;
            socket.set_curve_publickey(&keys::decode(keys::CLIENT.public)?)?;
            socket.set_curve_secretkey(&keys::decode(keys::CLIENT.secret)?)?;
            send(&connected(socket, link)?, size)
        }
        (Workload::Inproc { size }, _) => inside_of_one_process(&context, link, size),
        (Workload::PubSub { .. } | Workload::Subscriptions { .. }, Side::Server) => {
            let mut socket = context.socket(zmq::PUB)?;
            xpub_nodrop::set(&mut socket)?;
            publish(&bound(socket, link)?, link.workload())
        }
        (Workload::PubSub { .. } | Workload::Subscriptions { .. }, Side::Client) => {
            subscribe(&context, link)
        }
        (Workload::Connections { .. }, Side::Server) => {
            let socket = bind(&context, zmq::PULL, link)?;
            loop {
                socket.recv_msg(0)?;
            }
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
    bound(context.socket(kind)?, link)
}

fn bound(socket: Socket, link: &Link) -> Result<Socket, BenchError> {
    socket.bind("tcp://127.0.0.1:*")?;
    let endpoint = socket
        .get_last_endpoint()?
        .unwrap_or_else(|invalid| String::from_utf8_lossy(&invalid).into_owned());
    link.listening_at(&endpoint)?;
    Ok(socket)
}

fn connect(context: &Context, kind: SocketType, link: &Link) -> Result<Socket, BenchError> {
    connected(context.socket(kind)?, link)
}

fn connected(socket: Socket, link: &Link) -> Result<Socket, BenchError> {
    socket.connect(&link.endpoint())?;
    Ok(socket)
}

/// Two threads, and the queue of inproc between them.
fn inside_of_one_process(context: &Context, link: &Link, size: usize) -> Result<(), BenchError> {
    const ENDPOINT: &str = "inproc://bench";
    let pull = context.socket(zmq::PULL)?;
    pull.bind(ENDPOINT)?;
    let push = context.socket(zmq::PUSH)?;
    push.connect(ENDPOINT)?;
    thread::spawn(move || send(&push, size));
    receive(link, &pull, size)
}

fn publish(socket: &Socket, workload: Workload) -> Result<(), BenchError> {
    let mut publication = Publication::new(workload);
    loop {
        socket.send(publication.next(), 0)?;
    }
}

/// Each subscriber is a thread of its own.
fn subscribe(context: &Context, link: &Link) -> Result<(), BenchError> {
    let workload = link.workload();
    let (tally, outcome) = Tally::new(link)?;
    for _ in 0..subscribers(workload) {
        let socket = context.socket(zmq::SUB)?;
        if let Workload::Subscriptions { .. } = workload {
            // Its mark counts subscriptions too, and what is above it is lost without a word.
            socket.set_sndhwm(0)?;
        }
        for topic in topics(workload) {
            socket.set_subscribe(topic.as_bytes())?;
        }
        let socket = connected(socket, link)?;
        let mut tally = tally.clone();
        thread::spawn(move || {
            let mut reader = Reader::new(workload);
            let mut message = Message::new();
            loop {
                let read = socket.recv(&mut message, 0).map_err(BenchError::from);
                match read.and_then(|()| reader.read(&message)) {
                    Ok(()) => tally.record_one_of_many(),
                    Err(error) => return tally.finish(Err(error)),
                }
            }
        });
    }
    let measurement = outcome.blocking_recv().map_err(BenchError::contender)??;
    link.report(&measurement)
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
