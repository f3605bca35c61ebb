//! What the tests share: a Python server or client with one line.

use std::{net::SocketAddr, time::Duration};

use interop::{Failure, Interop, Output, Peer, PeerError, Program, Python, environment};
use serde_json::{Value, json};
use tests::raw_peer::RawPeer;
use tokio::net::TcpListener;
use zrpc::Client;

use crate::our_service::{Served, serve_with};

/// No single step of a test takes longer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Ten mebibytes.
pub(crate) const LARGE: usize = 10 << 20;

/// The Python environment, unless the tests are switched off.
pub(crate) fn python() -> Result<Option<&'static Python>, Failure> {
    Ok(match environment()? {
        Interop::On(python) => Some(python),
        Interop::Off => None,
    })
}

/// A `zerorpc.Server` with the methods of `peers/zerorpc_server.py`.
pub(crate) async fn python_server(python: &Python, settings: Value) -> Result<Peer, PeerError> {
    Peer::start(python, Program::ZerorpcServer, settings).await
}

/// A `zerorpc.Client` named `c` that is connected to `endpoint`.
pub(crate) async fn python_client(
    python: &Python,
    endpoint: &str,
    mut options: Value,
) -> Result<Peer, PeerError> {
    let mut peer = Peer::start(python, Program::ZerorpcClient, json!({})).await?;
    options["op"] = json!("client");
    options["name"] = json!("c");
    options["endpoint"] = json!(endpoint);
    peer.request(options).await?;
    Ok(peer)
}

/// A call of the Python client `c`; waits for its outcome.
pub(crate) async fn python_call(
    peer: &mut Peer,
    method: &str,
    args: Value,
) -> Result<Value, PeerError> {
    peer.request(json!({"op": "call", "client": "c", "method": method, "args": args}))
        .await
}

/// Our client with default options, connected to a Python server.
pub(crate) async fn our_client(server: &Peer) -> Result<Client, Failure> {
    Ok(Client::connect(server.endpoint()?).await?)
}

/// A peer that sends what it is told to, connected to a server and past its handshake.
pub(crate) async fn raw_client(endpoint: &str) -> Result<RawPeer, Failure> {
    let address = endpoint
        .trim_start_matches("tcp://")
        .parse::<SocketAddr>()?;
    let mut peer = RawPeer::connect(address).await?;
    peer.handshake("DEALER").await?;
    Ok(peer)
}

/// A place where a client can connect to a peer that sends what it is told to.
pub(crate) struct RawServer {
    listener: TcpListener,
}

impl RawServer {
    pub(crate) async fn bind() -> Result<(Self, String), Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("tcp://{}", listener.local_addr()?);
        Ok((Self { listener }, endpoint))
    }

    pub(crate) async fn accept(self) -> Result<RawPeer, Failure> {
        let mut peer = RawPeer::accept(&self.listener).await?;
        peer.handshake("ROUTER").await?;
        Ok(peer)
    }
}

/// A Python server and one of ours, with the same methods.
pub(crate) struct Both {
    pub(crate) python: Peer,
    pub(crate) ours: Served,
}

impl Both {
    /// Starts both with a heartbeat.
    pub(crate) async fn start(python: &Python, heartbeat: Duration) -> Result<Self, Failure> {
        let seconds = heartbeat.as_secs_f64();
        let beats = zrpc::Heartbeat::every(heartbeat);
        Ok(Self {
            python: python_server(python, json!({"heartbeat": seconds})).await?,
            ours: serve_with(|builder| builder.heartbeat(beats).bind("tcp://127.0.0.1:*")).await?,
        })
    }

    /// Whose server each is, for messages, and where.
    pub(crate) fn endpoints(&self) -> Result<[(&'static str, &str); 2], Failure> {
        Ok([
            ("Python's", self.python.endpoint()?),
            ("ours", &self.ours.endpoint),
        ])
    }
}

/// A future that must not take longer than [`DEADLINE`].
#[track_caller]
pub(crate) fn soon<T>(future: impl Future<Output = T>) -> impl Future<Output = Result<T, Failure>> {
    interop::within(DEADLINE, future)
}

/// The seconds that an outcome of a peer took.
pub(crate) fn elapsed(outcome: &Value) -> f64 {
    outcome["elapsed"].as_f64().unwrap_or(f64::INFINITY)
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

/// The checksum that a peer tells of binary (CRC-32 of zlib).
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        let index = crc.to_le_bytes()[0] ^ byte;
        (crc >> 8) ^ CRC_TABLE[usize::from(index)]
    })
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    let mut value: u32 = 0;
    while index < table.len() {
        let mut crc = value;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[index] = crc;
        index += 1;
        value += 1;
    }
    table
};

/// Asserts that a command ended well and returns what it printed.
pub(crate) fn printed(output: Output) -> String {
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}
