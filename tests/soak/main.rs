//! Ten thousand calls and a thousand streams on one connection for ten heartbeats, beside clients
//! that are slow, deaf or gone: nobody else notices, and the server's memory is bounded and comes
//! back.
//!
//! That is with `ZRPC_SOAK=full`, and takes a minute. Without, a heartbeat is one second and not
//! five, and there is a tenth of everything, which a busy machine can bear without optimisation.
//! The server is a process of its own, so that its memory is its own.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something fails, and says where"
)]

mod process;
mod service;

use std::time::{Duration, Instant};

use rmpv::Value;
use tests::raw_peer::RawPeer;
use tests::{bytes::message, rpc};
use tokio::task::JoinSet;
use zrpc::{Client, Heartbeat, ReplyStream};

use process::ServerProcess;

/// For how many heartbeats all of it goes on.
const HEARTBEATS: u32 = 10;

/// What the server may use beyond what it starts with. Measured was a fifth; the deaf client alone
/// asked for a hundred MiB.
const PEAK: usize = 400 << 20;

/// What of it may stay. Measured was a half, which the allocator keeps although next to nothing of it is
/// in use: it gives the end of its heap back, and something small is always there.
const REMAINS: usize = 120 << 20;

/// By how much it may grow when all of it happens again.
const GROWTH: usize = 10 << 20;

/// No single step takes longer, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// How much of everything there is.
struct Load {
    /// How long a heartbeat is.
    interval: Duration,
    /// Calls that are in flight all the time, on the connection of the slow client.
    calls: u64,
    /// Streams that are open all the time, on the same connection.
    streams: u64,
    /// Calls of the client that reads nothing, each for a tenth of a mebibyte.
    unread: u32,
    /// Calls of each client that vanishes.
    vanishing: u32,
}

impl Load {
    fn chosen() -> Self {
        let full = std::env::var_os("ZRPC_SOAK").is_some_and(|value| value == "full");
        let (seconds, unit) = if full { (5, 1000) } else { (1, 100) };
        Self {
            interval: Duration::from_secs(seconds),
            calls: 10 * u64::from(unit),
            streams: u64::from(unit),
            unread: 1000,
            vanishing: unit,
        }
    }

    /// Returns how many handlers the slow client keeps alive.
    fn open(&self) -> u64 {
        self.calls + self.streams
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_a_client_that_is_slow_deaf_or_gone() {
    let load = Load::chosen();
    let server = ServerProcess::start().await;
    let healthy = client(&server.endpoint, &load).await;
    let sum: i64 = healthy.call("add", (1, 2)).await.unwrap();
    assert_eq!(sum, 3);
    let before = server.memory();

    let slow = client(&server.endpoint, &load).await;
    let calls = hold(&slow, &load);
    let mut streams = open_streams(&slow, &load).await;
    await_open(&healthy, load.open()).await;
    let deaf = deaf(&server.endpoint, &load).await;
    let _silent = vanishing(&server.endpoint, &load).await;
    let mut closing = Some(vanishing(&server.endpoint, &load).await);

    let mut peak = 0;
    for beat in 0..u64::from(HEARTBEATS) {
        let began = Instant::now();
        // An item of each stream for a heartbeat is as slow as a reader gets.
        for stream in &mut streams {
            assert_eq!(next(stream).await, beat);
        }
        while began.elapsed() < load.interval {
            let sum: u64 = in_time(healthy.call("add", (beat, 1))).await.unwrap();
            assert_eq!(sum, beat + 1);
            peak = server.memory().max(peak);
            tokio::time::sleep(load.interval / 20).await;
        }
        if beat == 1 {
            drop(closing.take());
        }
    }

    // Those that vanished, with and without a word, are gone; all others are still there.
    await_open(&healthy, load.open()).await;
    release(&healthy, calls).await;
    for stream in &mut streams {
        assert_eq!(next(stream).await, u64::from(HEARTBEATS));
    }
    drop((streams, deaf));
    await_open(&healthy, 0).await;
    assert!(
        peak < before + PEAK,
        "{before} octets before, {peak} at most"
    );
    let left = settled(&server).await;
    assert!(
        left < before + REMAINS,
        "{before} octets before, {left} after"
    );

    // What was used is used again.
    let calls = hold(&slow, &load);
    let streams = open_streams(&slow, &load).await;
    await_open(&healthy, load.open()).await;
    release(&healthy, calls).await;
    drop(streams);
    await_open(&healthy, 0).await;
    let again = settled(&server).await;
    assert!(
        again < left + GROWTH,
        "{left} octets after the first time, {again} after the second"
    );
}

/// Returns what the server holds when it gives nothing back any more.
async fn settled(server: &ServerProcess) -> usize {
    let mut last = server.memory();
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let memory = server.memory();
        if memory >= last {
            return memory;
        }
        last = memory;
    }
}

/// Makes calls that are answered when the server is told to release them.
fn hold(client: &Client, load: &Load) -> JoinSet<(u64, u64)> {
    let mut calls = JoinSet::new();
    for number in 0..load.calls {
        let client = client.clone();
        calls.spawn(async move {
            let held = client.request("hold", (number,)).no_timeout();
            (number, held.call().await.unwrap())
        });
    }
    calls
}

/// Has all calls answered, each with what it sent.
async fn release(client: &Client, mut calls: JoinSet<(u64, u64)>) {
    in_time(client.call::<()>("release", ())).await.unwrap();
    while let Some(done) = in_time(calls.join_next()).await {
        let (sent, received) = done.unwrap();
        assert_eq!(sent, received);
    }
}

async fn open_streams(client: &Client, load: &Load) -> Vec<ReplyStream<u64>> {
    let mut streams = Vec::new();
    for _ in 0..load.streams {
        streams.push(client.stream("count", ()).await.unwrap());
    }
    streams
}

async fn client(endpoint: &str, load: &Load) -> Client {
    let builder = Client::builder().heartbeat(Heartbeat::every(load.interval));
    builder.connect(endpoint).build().await.unwrap()
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap()
}

async fn next(stream: &mut ReplyStream<u64>) -> u64 {
    in_time(stream.next_item()).await.unwrap().unwrap()
}

/// Waits until the server has so many handlers that wait or stream.
async fn await_open(client: &Client, count: u64) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let open: u64 = in_time(client.call("open", ())).await.unwrap();
        if open == count {
            return;
        }
        assert!(Instant::now() < deadline, "{open} handlers, not {count}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn raw(endpoint: &str) -> RawPeer {
    let address = endpoint["tcp://".len()..].parse().unwrap();
    let mut peer = RawPeer::connect(address).await.unwrap();
    peer.handshake("DEALER").await.unwrap();
    peer
}

fn requests(method: &str, count: u32) -> Vec<u8> {
    (0..count)
        .flat_map(|number| {
            let args = vec![Value::from(number)];
            message(&[b"", &rpc::request(rpc::id(number), method, args)])
        })
        .collect()
}

/// A client that asks for 100 MB and reads nothing of it.
async fn deaf(endpoint: &str, load: &Load) -> RawPeer {
    let mut peer = raw(endpoint).await;
    peer.send(&requests("blob", load.unread)).await.unwrap();
    peer
}

/// A client with calls in flight that never says a word again.
async fn vanishing(endpoint: &str, load: &Load) -> RawPeer {
    let mut peer = raw(endpoint).await;
    peer.send(&requests("hold", load.vanishing)).await.unwrap();
    peer
}
