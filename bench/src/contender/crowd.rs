//! Many bare connections to one PULL of somebody else: how fast it lets them in, and what it keeps
//! for each of them.
//!
//! 1. All connections are made, 64 at a time, up to the READY of the other side.
//! 2. They are left alone for the length of a window.
//! 3. Each sends ten messages of 1 KiB, and they are left alone again.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{Implementation, unsupported};
use crate::error::BenchError;
use crate::link::Link;
use crate::measure::{Footprint, Measurement, process};
use crate::workload::Workload;

/// How many handshakes are under way at any moment.
const AT_ONCE: usize = 64;
/// How many messages each connection sends.
const MESSAGES: usize = 10;
const MESSAGE_SIZE: u16 = 1024;
/// How long the other process must do nothing until it counts as done.
const QUIET: Duration = Duration::from_millis(300);

pub(super) async fn run(link: Link) -> Result<(), BenchError> {
    let Workload::Connections { count } = link.workload() else {
        return Err(unsupported(Implementation::Crowd, link.workload()));
    };
    let plan = link.plan()?;
    let peer = plan.peer;
    let memory = process::resident_bytes(peer);
    let per_connection = |now: u64| now.saturating_sub(memory) as f64 / count as f64;

    let begun = Instant::now();
    let before = (process::time(std::process::id()), process::time(peer));
    let mut connections = connect_all(link.port(), count).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let client_cpu = process::time(std::process::id()).saturating_sub(before.0);
    let server_cpu = process::time(peer).saturating_sub(before.1);

    calm(peer).await;
    let idle_bytes = per_connection(process::resident_bytes(peer));
    let idle_since = Instant::now();
    let before = (process::switches(peer), process::time(peer));
    sleep(plan.window).await;
    let idle_seconds = idle_since.elapsed().as_secs_f64();
    let wake_ups = process::switches(peer).saturating_sub(before.0) as f64 / idle_seconds;
    let idle_load = process::time(peer).saturating_sub(before.1).as_secs_f64() / idle_seconds;

    let messages = messages();
    for connection in &mut connections {
        connection.write_all(&messages).await?;
    }
    calm(peer).await;
    let used_bytes = per_connection(process::resident_bytes(peer));

    link.report(&Measurement {
        operations: count as u64,
        seconds,
        server_cpu: server_cpu.as_secs_f64(),
        client_cpu: client_cpu.as_secs_f64(),
        foreign_cpu: 0.0,
        latency: None,
        footprint: Some(Footprint {
            idle_bytes,
            used_bytes,
            wake_ups,
            idle_load,
        }),
        size: None,
    })
}

async fn connect_all(port: u16, count: usize) -> Result<Vec<TcpStream>, BenchError> {
    let lanes = (0..AT_ONCE).map(|lane| async move {
        let mut connections = Vec::new();
        for _ in (lane..count).step_by(AT_ONCE) {
            connections.push(connect(port).await?);
        }
        Ok::<_, BenchError>(connections)
    });
    Ok(try_join_all(lanes).await?.into_iter().flatten().collect())
}

/// One connection of a PUSH without encryption, after its handshake.
async fn connect(port: u16) -> Result<TcpStream, BenchError> {
    const READY: &[u8] = b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x04PUSH";
    let mut greeting = [0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");

    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    stream.write_all(&greeting).await?;
    stream.read_exact(&mut greeting).await?;
    stream.write_all(READY).await?;
    let mut header = [0; 2];
    stream.read_exact(&mut header).await?;
    let [0x04, length] = header else {
        return Err(BenchError::UnexpectedOutput(format!("{header:?}")));
    };
    let mut ready = [0; 255];
    stream.read_exact(&mut ready[..usize::from(length)]).await?;
    Ok(stream)
}

fn messages() -> Vec<u8> {
    let mut message = vec![2];
    message.extend_from_slice(&u64::from(MESSAGE_SIZE).to_be_bytes());
    message.resize(message.len() + usize::from(MESSAGE_SIZE), b'x');
    message.repeat(MESSAGES)
}

/// Waits until a process does nothing any more.
async fn calm(peer: u32) {
    let mut seen = process::time(peer);
    loop {
        sleep(QUIET).await;
        let now = process::time(peer);
        if now == seen {
            return;
        }
        seen = now;
    }
}
