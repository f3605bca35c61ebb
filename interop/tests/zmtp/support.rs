//! What the tests share: libzmq sockets with one line, one way to send
//! and receive, and messages that both sides can make.

use std::time::Duration;

use interop::{Failure, Interop, Peer, PeerError, Program, Python, environment};
use serde_json::{Value, json};
use zmtp::{
    DealerSocket, Message, Monitor, PairSocket, PubSocket, PullSocket, PushSocket, RepSocket,
    ReqSocket, RouterSocket, Socket, SocketEvent, SubSocket, XPubSocket, XSubSocket,
};

/// No single step of a test takes longer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binder {
    We,
    Libzmq,
}

/// The Python environment, unless the tests are switched off.
pub(crate) fn python() -> Result<Option<&'static Python>, Failure> {
    Ok(match environment()? {
        Interop::On(python) => Some(python),
        Interop::Off => None,
    })
}

/// A libzmq socket named `z` in a process of its own.
pub(crate) async fn libzmq(
    python: &Python,
    socket_type: &str,
    options: Value,
) -> Result<Peer, PeerError> {
    let mut peer = Peer::start(python, Program::Zmq, json!({})).await?;
    peer.request(json!({"op": "socket", "name": "z", "type": socket_type, "options": options}))
        .await?;
    Ok(peer)
}

/// Binds the libzmq socket and tells where.
pub(crate) async fn bind_libzmq(peer: &mut Peer, endpoint: &str) -> Result<String, Failure> {
    let reply = peer
        .request(json!({"op": "bind", "name": "z", "endpoint": endpoint}))
        .await?;
    let bound = reply["endpoint"].as_str().ok_or(PeerError::Field {
        field: String::from("endpoint"),
        reply: reply.clone(),
    })?;
    Ok(bound.to_owned())
}

/// Joins our socket and the libzmq socket.
pub(crate) async fn join(
    ours: &impl Socket,
    peer: &mut Peer,
    binder: Binder,
) -> Result<(), Failure> {
    match binder {
        Binder::We => {
            let endpoint = ours.bind("tcp://127.0.0.1:*").await?.to_string();
            peer.request(json!({"op": "connect", "name": "z", "endpoint": endpoint}))
                .await?;
        }
        Binder::Libzmq => {
            let endpoint = bind_libzmq(peer, "tcp://127.0.0.1:*").await?;
            ours.connect(endpoint).await?;
        }
    }
    Ok(())
}

/// Waits for the next handshake of our socket.
pub(crate) async fn handshake(monitor: &mut Monitor) -> Result<(), Failure> {
    let done = async {
        while !matches!(
            monitor.recv().await,
            Some(SocketEvent::HandshakeSucceeded { .. })
        ) {}
    };
    soon(done).await
}

/// Waits until our socket has lost a peer: what it is given before may go to that one.
pub(crate) async fn disconnected(monitor: &mut Monitor) -> Result<(), Failure> {
    let lost =
        async { while !matches!(monitor.recv().await, Some(SocketEvent::Disconnected { .. })) {} };
    soon(lost).await
}

/// A future that must not take longer than [`DEADLINE`].
#[track_caller]
pub(crate) fn soon<T>(future: impl Future<Output = T>) -> impl Future<Output = Result<T, Failure>> {
    interop::within(DEADLINE, future)
}

/// The bytes that `{"$pattern": {"size", "seed"}}` stands for in a peer.
pub(crate) fn pattern(size: usize, seed: usize) -> Vec<u8> {
    let cycle: Vec<u8> = (0..256)
        .map(|index| ((31 * index + seed) % 256).to_le_bytes()[0])
        .collect();
    let mut bytes = cycle.repeat(size / 256 + 1);
    bytes.truncate(size);
    bytes
}

/// A message of the given head and parts of the given sizes.
pub(crate) fn message(head: &[&str], sizes: &[usize]) -> Message {
    let mut message = Message::new();
    for part in head {
        message.push_back(*part);
    }
    for (seed, size) in sizes.iter().enumerate() {
        message.push_back(pattern(*size, seed));
    }
    message
}

/// The same message for a peer.
pub(crate) fn parts(head: &[&str], sizes: &[usize]) -> Value {
    let patterns = sizes
        .iter()
        .enumerate()
        .map(|(seed, size)| json!({"$pattern": {"size": size, "seed": seed}}));
    head.iter()
        .map(|part| json!(part))
        .chain(patterns)
        .collect()
}

/// Asserts equality without printing megabytes.
pub(crate) fn assert_same(received: &Message, expected: &Message) {
    assert_eq!(sizes(received), sizes(expected));
    assert!(received == expected, "same sizes, other bytes");
}

fn sizes(message: &Message) -> Vec<usize> {
    message.iter().map(|part| part.len()).collect()
}

/// Our socket types that send.
pub(crate) trait Sends {
    async fn give(&mut self, message: Message) -> Result<(), Failure>;
}

/// Our socket types that receive.
pub(crate) trait Receives {
    async fn take(&mut self) -> Result<Message, Failure>;
}

macro_rules! senders {
    ($($socket:ident)*) => {$(
        impl Sends for $socket {
            async fn give(&mut self, message: Message) -> Result<(), Failure> {
                soon(self.send(message)).await??;
                Ok(())
            }
        }
    )*};
}

impl Sends for RepSocket {
    async fn give(&mut self, message: Message) -> Result<(), Failure> {
        Ok(self.send(message)?)
    }
}

impl Sends for PubSocket {
    async fn give(&mut self, message: Message) -> Result<(), Failure> {
        self.send(message).await?;
        // Publishing hardly waits, so this is where the connections get their turn.
        tokio::task::yield_now().await;
        Ok(())
    }
}

macro_rules! receivers {
    ($($socket:ident)*) => {$(
        impl Receives for $socket {
            async fn take(&mut self) -> Result<Message, Failure> {
                Ok(soon(self.recv()).await??)
            }
        }
    )*};
}

senders!(DealerSocket RouterSocket ReqSocket PushSocket XPubSocket PairSocket);
receivers!(DealerSocket RouterSocket ReqSocket RepSocket PullSocket SubSocket XSubSocket PairSocket);
