//! A client that asks again when no reply comes: the lazy pirate of the ZeroMQ Guide.
//!
//! The Guide closes the socket of the client and makes a new one, because a REQ that waits for a reply
//! can do nothing else. With the order relaxed it can: the next request supersedes the one before, and
//! a reply that comes late after all is dropped.
//!
//! Run it with `cargo run --example lazy_pirate`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use tokio::time::timeout;
use zmtp::{Endpoint, Message, RepSocket, ReqSocket, Socket};

const ATTEMPTS: u32 = 20;
const PATIENCE: Duration = Duration::from_millis(200);

async fn ask(client: &mut ReqSocket, question: &str) -> Result<Message, Box<dyn Error>> {
    for _ in 0..ATTEMPTS {
        client.send(question).await?;
        match timeout(PATIENCE, client.recv()).await {
            Ok(reply) => return Ok(reply?),
            Err(_elapsed) => println!("client: no reply to {question}, asking again"),
        }
    }
    Err("the server seems to be offline".into())
}

/// Answers two requests and crashes with the third, again and again.
async fn serve(
    mut server: RepSocket,
    endpoint: Endpoint,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    loop {
        for _ in 0..2 {
            let request = server.recv().await?;
            server.send(request)?;
        }
        server.recv().await?;
        println!("server: crashing");
        server.close().await;
        server = RepSocket::new();
        server.bind(&endpoint).await?;
    }
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let server = RepSocket::new();
    let endpoint = server.bind("tcp://127.0.0.1:*").await?;
    tokio::spawn(serve(server, endpoint.clone()));
    let mut client = ReqSocket::builder().req_relaxed().build();
    client.connect(endpoint).await?;
    for number in 1..=5 {
        let question = format!("question {number}");
        let reply = ask(&mut client, &question).await?;
        println!("client: {reply}");
        assert_eq!(reply, [question]);
    }
    Ok(())
}
