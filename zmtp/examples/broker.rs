//! Clients and services that do not know each other, with a broker between them.
//!
//! ```text
//!   REQ ──┐                      ┌── REP
//!   REQ ──┼─► ROUTER ─ DEALER ───┼── REP
//!   REQ ──┘       broker         └── REP
//! ```
//!
//! Run it with `cargo run --example broker`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use futures_util::StreamExt;
use tokio::task::JoinSet;
use zmtp::{DealerSocket, Endpoint, RepSocket, ReqSocket, RouterSocket, SendError, Socket};

const CLIENTS: u32 = 3;
const SERVICES: u32 = 2;
const QUESTIONS: u32 = 4;

/// Carries requests one way and replies the other. The ROUTER puts the name of the client in front of
/// a request, the REP returns it with the reply, and the ROUTER finds the client by it.
async fn broker(frontend: RouterSocket, backend: DealerSocket) -> Result<(), SendError> {
    let (replies, requests) = frontend.split();
    let (services, answers) = backend.split();
    tokio::try_join!(
        requests.map(Ok).forward(services),
        answers.map(Ok).forward(replies),
    )?;
    Ok(())
}

async fn service(name: u32, broker: Endpoint) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut rep = RepSocket::new();
    rep.connect(broker).await?;
    loop {
        let question = rep.recv().await?;
        rep.send(format!("{}? Service {name} says yes.", question.text(0)?))?;
    }
}

async fn client(name: u32, broker: Endpoint) -> Result<u32, Box<dyn Error + Send + Sync>> {
    let mut req = ReqSocket::new();
    req.connect(broker).await?;
    let mut answered = 0;
    for number in 0..QUESTIONS {
        req.send(format!("question {number} of client {name}"))
            .await?;
        println!("{}", req.recv().await?.text(0)?);
        answered += 1;
    }
    Ok(answered)
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let frontend = RouterSocket::new();
    let backend = DealerSocket::new();
    let for_clients = frontend.bind("tcp://127.0.0.1:*").await?;
    let for_services = backend.bind("tcp://127.0.0.1:*").await?;
    tokio::spawn(broker(frontend, backend));
    for name in 0..SERVICES {
        tokio::spawn(service(name, for_services.clone()));
    }
    let mut clients = JoinSet::new();
    for name in 0..CLIENTS {
        clients.spawn(client(name, for_clients.clone()));
    }
    let mut answered = 0;
    while let Some(client) = clients.join_next().await {
        answered += client??;
    }
    assert_eq!(answered, CLIENTS * QUESTIONS);
    Ok(())
}
