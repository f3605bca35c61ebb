//! Measures how many calls and stream items a second the state machines carry, without a socket.
//!
//! `cargo run --release -p zrpc-proto --example throughput`

use std::error::Error;
use std::time::{Duration, Instant};

use zrpc_proto::{
    Body, ChannelEvent, ChannelOptions, Config, Extra, IdSource, Multiplexer, Request, SendError,
};

type Mux = Multiplexer<u32>;

const CALLS: u32 = 500_000;
const ITEMS: u32 = 2_000_000;

#[expect(clippy::disallowed_methods, reason = "measures")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "the result")]
fn report(what: &str, count: u32, elapsed: Duration) {
    println!(
        "{what}: {:.0} a second",
        f64::from(count) / elapsed.as_secs_f64()
    );
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut client = Mux::new(Config::client(), IdSource::new([1; 12]));
    let mut server = Mux::new(Config::server(), IdSource::new([2; 12]));
    let start = now();
    for number in 0..CALLS {
        call(
            &mut client,
            &mut server,
            start + Duration::from_micros(u64::from(number)),
        )?;
    }
    report("sequential calls", CALLS, start.elapsed());
    let start = now();
    stream(&mut client, &mut server, start)?;
    report("stream items", ITEMS, start.elapsed());
    Ok(())
}

fn call(client: &mut Mux, server: &mut Mux, now: Instant) -> Result<(), Box<dyn Error>> {
    let request = Request::new("echo", Body::args(&("hello",))?);
    client.open(now, &0, request, &ChannelOptions::default())?;
    carry(client, server, now)?;
    while let Some(event) = server.poll_event() {
        if let ChannelEvent::Request { channel, args, .. } = event {
            let (text,): (String,) = args.decode()?;
            server.reply(channel, Body::value(&text)?)?;
        }
    }
    carry(server, client, now)?;
    match client.poll_event() {
        Some(ChannelEvent::Reply { .. }) => Ok(()),
        other => Err(format!("no reply but {other:?}").into()),
    }
}

fn stream(client: &mut Mux, server: &mut Mux, now: Instant) -> Result<(), Box<dyn Error>> {
    let request = Request::new("count", Body::args(&())?);
    let call = client.open(now, &0, request, &ChannelOptions::default())?;
    carry(client, server, now)?;
    let Some(ChannelEvent::Request { channel, .. }) = server.poll_event() else {
        return Err("no request".into());
    };
    let mut sent = 0;
    while sent < ITEMS {
        match server.stream_item(channel, Body::value(&sent)?) {
            Ok(()) => sent = sent.saturating_add(1),
            Err(SendError::NoCredit(_) | SendError::Full(_)) => {
                carry(server, client, now)?;
                while client.poll_event().is_some() {
                    client.consume(call, 1)?;
                }
                carry(client, server, now)?;
                while server.poll_event().is_some() {}
            }
            Err(error) => return Err(error.into()),
        }
    }
    server.stream_done(channel, Extra::new())?;
    Ok(())
}

fn carry(from: &mut Mux, to: &mut Mux, now: Instant) -> Result<(), Box<dyn Error>> {
    while let Some(transmit) = from.poll_transmit(now) {
        to.handle_event(now, &0, transmit.payload)?;
    }
    Ok(())
}
