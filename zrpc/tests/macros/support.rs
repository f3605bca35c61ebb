//! A server of one service, and a client.

use std::time::Duration;

use zrpc::{Client, Server, ServerBuilder, Service};

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves on a free port and connects to it.
pub(crate) async fn serve(service: impl Service) -> (Server, Client) {
    serve_all(Server::builder().service(service)).await
}

/// The same for a server with more to it.
pub(crate) async fn serve_all(server: ServerBuilder) -> (Server, Client) {
    let server = server.bind("tcp://127.0.0.1:*").build().await.unwrap();
    let client = Client::connect(&server.endpoints()[0]).await.unwrap();
    (server, client)
}

/// Fails a test that would hang.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("the test takes too long")
}
