//! A server and a client of it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use zrpc::{Client, ClientBuilder, Server, ServerBuilder};

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves on a free port and connects to it.
pub(crate) async fn pair(server: ServerBuilder) -> (Server, Client) {
    pair_with(server, Client::builder()).await
}

pub(crate) async fn pair_with(server: ServerBuilder, client: ClientBuilder) -> (Server, Client) {
    let server = server.bind("tcp://127.0.0.1:*").build().await.unwrap();
    let client = client
        .connect(&server.endpoints()[0])
        .build()
        .await
        .unwrap();
    (server, client)
}

/// A port where a server comes later, or another one comes back.
///
/// It stays bound by a socket that does not listen, so that the system gives it to nobody else, and
/// connections to it are refused. Servers may listen there, since they set `SO_REUSEADDR` as well.
#[derive(Debug)]
pub(crate) struct ReservedPort {
    endpoint: String,
    socket: TcpSocket,
}

impl ReservedPort {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(any).unwrap();
        Self {
            endpoint: format!("tcp://{}", socket.local_addr().unwrap()),
            socket,
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether somebody listens there.
    pub(crate) fn is_in_use(&self) -> bool {
        TcpStream::connect(self.socket.local_addr().unwrap()).is_ok()
    }
}

/// Fails a test that would hang.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("the test takes too long")
}

/// Waits until nobody listens at `endpoint`.
pub(crate) async fn expect_free(endpoint: &str) {
    let address = endpoint.strip_prefix("tcp://").unwrap();
    in_time(async {
        while TcpListener::bind(address).is_err() {
            yield_now().await;
        }
    })
    .await;
}

/// Counts what happens in handlers, so that tests can wait for it.
#[derive(Debug, Clone)]
pub(crate) struct Counter(Arc<Semaphore>);

impl Counter {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    pub(crate) fn count(&self) {
        self.0.add_permits(1);
    }

    /// Waits until it happened `times` more.
    pub(crate) async fn wait_for(&self, times: u32) {
        in_time(self.0.acquire_many(times)).await.unwrap().forget();
    }

    pub(crate) fn pending(&self) -> usize {
        self.0.available_permits()
    }

    /// Counts when the guard is dropped.
    pub(crate) fn on_drop(&self) -> CountOnDrop {
        CountOnDrop(self.clone())
    }
}

#[derive(Debug)]
pub(crate) struct CountOnDrop(Counter);

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.0.count();
    }
}
