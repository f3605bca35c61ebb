//! Our sockets among themselves, over TCP and Unix sockets of this machine and within the process.

mod blocking;
mod busy_wait;
mod cancellation;
mod conflate;
mod counters;
mod endpoints;
mod heartbeats;
mod inproc;
#[cfg(unix)]
mod ipc;
mod life;
mod live_options;
mod models;
mod pair;
mod pipeline;
mod proxy;
mod publish_subscribe;
mod request_reply;
mod requests;
mod reserved_port;
mod returning;
mod routing;
mod runtimes;
mod senders;
mod socks;
mod streams;
mod tcp;
mod xpub_xsub;

use std::time::Duration;

use tokio::time::timeout;
use zmtp::{Monitor, SocketEvent};

const LOOPBACK: &str = "tcp://127.0.0.1:*";

/// Fails the test instead of hanging it.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future)
        .await
        .expect("took too long")
}

/// Waits until one more peer has finished its handshake.
async fn handshake(monitor: &mut Monitor) {
    soon(async {
        while !matches!(
            monitor.recv().await,
            Some(SocketEvent::HandshakeSucceeded { .. })
        ) {}
    })
    .await;
}

/// Waits until one more connection has ended.
async fn disconnect(monitor: &mut Monitor) {
    soon(async {
        while !matches!(monitor.recv().await, Some(SocketEvent::Disconnected { .. })) {}
    })
    .await;
}
