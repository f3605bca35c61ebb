//! Our side of the interop cases: a client, a server or a ZeroMQ socket that a driver talks to.
//!
//! ```text
//! interop-peer server '{"bind": "tcp://*:4242", "heartbeat": 1, "name": "ours"}'
//! interop-peer client '{}'
//! interop-peer sockets '{}'
//! interop-peer kill 7        kills a process as `kill -9` does, where there is no such command
//! interop-peer idle          keeps a container alive until it is told to end
//! ```
//!
//! The first three have the conversation of `interop/peers/control.py`: one JSON object a line, the
//! first one `{"ready": …}`, then a reply `{"ok": …}` or `{"error": …}` to each request. They end
//! when their standard input is closed.

mod client;
mod conversation;
mod error;
mod outcome;
mod server;
mod sockets;
mod values;

use std::env;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    client::Clients,
    conversation::converse,
    error::{PeerError, Usage},
    server::Served,
    sockets::Sockets,
};

#[tokio::main]
async fn main() -> Result<(), PeerError> {
    let mut arguments = env::args().skip(1);
    let role = arguments.next().unwrap_or_default();
    let argument = arguments.next().unwrap_or_else(|| String::from("{}"));
    match role.as_str() {
        "server" => converse(Served::start(&settings(&argument)?).await?).await,
        "client" => converse(Clients::default()).await,
        "sockets" => converse(Sockets::default()).await,
        "kill" => kill(&argument),
        "idle" => idle().await,
        _ => Err(Usage::Role(role).into()),
    }
}

fn settings(argument: &str) -> Result<Value, PeerError> {
    serde_json::from_str(argument).map_err(PeerError::Request)
}

fn kill(process: &str) -> Result<(), PeerError> {
    let number = process.parse().ok().and_then(Pid::from_raw);
    let process = number.ok_or_else(|| Usage::Process(process.to_owned()))?;
    Ok(kill_process(process, Signal::KILL)?)
}

/// The first process of a container is not ended by a signal that it does not handle.
async fn idle() -> Result<(), PeerError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(PeerError::Io)?;
    terminate.recv().await;
    Ok(())
}
