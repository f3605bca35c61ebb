//! A server with a few methods, and raw peers for servers and clients.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream;
use rmpv::Value;
use tests::raw_peer::RawPeer;
use tests::rpc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use zrpc::{Client, ClientBuilder, Heartbeat, IoRuntime, Server, ServerBuilder};

/// Returns a server of `echo`, `add` and `count`, on the runtime of the test.
pub(crate) fn methods() -> ServerBuilder {
    Server::builder()
        .name("Test")
        .io_runtime(IoRuntime::Current)
        .method("echo", |(value,): (Value,)| async move { value })
        .method("add", |(a, b): (i64, i64)| async move { a + b })
        .method("wait", |(): ()| std::future::pending::<()>())
        .stream("count", |(to,): (u64,)| stream::iter(0..to))
        .bind("tcp://127.0.0.1:*")
}

pub(crate) struct Running {
    endpoint: String,
    task: JoinHandle<Result<(), zrpc::Interrupted>>,
}

impl Running {
    pub(crate) async fn start(builder: ServerBuilder) -> Self {
        let server = builder.build().await.unwrap();
        let endpoint = server.endpoints()[0].to_string();
        let task = tokio::spawn(server.run());
        Self { endpoint, task }
    }

    /// Returns a raw client, past its handshake.
    pub(crate) async fn raw_client(&self) -> RawPeer {
        let address: SocketAddr = self.endpoint["tcp://".len()..].parse().unwrap();
        let mut peer = RawPeer::connect(address).await.unwrap();
        peer.handshake("DEALER").await.unwrap();
        peer
    }

    /// Returns a client of ours.
    pub(crate) async fn client(&self) -> Client {
        let builder = Client::builder().io_runtime(IoRuntime::Current);
        builder
            .connect(self.endpoint.as_str())
            .build()
            .await
            .unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Calls `add` and checks the sum.
pub(crate) async fn expect_good_call(peer: &mut RawPeer, number: u32) {
    let id = rpc::id(number);
    let args = vec![Value::from(number), Value::from(1)];
    let request = rpc::request(id.clone(), "add", args);
    rpc::send(peer, &request).await.unwrap();
    let reply = rpc::recv(peer).await.unwrap();
    assert!(reply.is("OK"), "{reply:?}");
    assert_eq!(reply.args, Value::Array(vec![Value::from(number + 1)]));
    assert_eq!(reply.entry("response_to"), Some(&id));
}

/// Returns a client of ours that is connected to a raw server, past its handshake.
pub(crate) async fn raw_server(configure: fn(ClientBuilder) -> ClientBuilder) -> (Client, RawPeer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let builder = Client::builder().io_runtime(IoRuntime::Current);
    let client = configure(builder.connect(endpoint)).build().await.unwrap();
    let mut server = RawPeer::accept(&listener).await.unwrap();
    server.handshake("ROUTER").await.unwrap();
    (client, server)
}

/// Returns the heartbeat of somebody whose peer is to be lost soon.
pub(crate) fn short_heartbeat() -> Heartbeat {
    Heartbeat::every(Duration::from_millis(100))
}

/// Returns a heartbeat that a raw peer can keep up with on a machine that has other things to do: it
/// has two intervals for an answer.
pub(crate) fn steady_heartbeat() -> Heartbeat {
    Heartbeat::every(Duration::from_millis(700))
}

/// As many [steady heartbeats](steady_heartbeat) take longer than silence is borne, even at the start
/// of a call.
pub(crate) const BEATS: u32 = 4;
