//! Workers that crash, a queue that notices, and a client that asks again: the paranoid pirate of the
//! ZeroMQ Guide.
//!
//! ```text
//!   REQ ──► ROUTER   queue   ROUTER ◄── DEALER  worker
//!             requests to those who are idle
//! ```
//!
//! A worker says that it is ready, and is idle again with each reply. In the Guide, queue and workers
//! send each other heartbeats as messages. Here the sockets do that below: a worker that falls silent
//! is disconnected, and the queue receives the notice. In the other direction a worker that misses its
//! queue connects again and says that it is ready.
//!
//! Run it with `cargo run --example paranoid_pirate`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::VecDeque;
use std::error::Error;
use std::time::Duration;

use tokio::time::timeout;
use zmtp::session::Heartbeat;
use zmtp::{
    DealerSocket, Endpoint, Message, Part, ReqSocket, RouterNotify, RouterSocket, SendError, Socket,
};

const QUESTIONS: u32 = 12;
const ATTEMPTS: u32 = 20;
const PATIENCE: Duration = Duration::from_millis(500);
const HEARTBEAT: Heartbeat = Heartbeat::new(Duration::from_millis(250));
const READY: &str = "READY";

/// The workers that wait for a request, the one that waits longest first.
#[derive(Default)]
struct Idle(VecDeque<Part>);

impl Idle {
    fn add(&mut self, worker: Part) {
        self.remove(&worker);
        self.0.push_back(worker);
    }

    fn remove(&mut self, worker: &Part) {
        self.0.retain(|idle| idle != worker);
    }
}

async fn queue(
    mut clients: RouterSocket,
    mut workers: RouterSocket,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut idle = Idle::default();
    loop {
        tokio::select! {
            // Without an idle worker, requests stay where they are.
            request = clients.recv(), if !idle.0.is_empty() => {
                hand_out(&workers, &mut idle, request?).await?;
            }
            message = workers.recv() => {
                let mut message = message?;
                let worker = message.pop_front().unwrap_or_default();
                if message == [""] {
                    println!("queue: worker {worker} is gone");
                    idle.remove(&worker);
                } else {
                    if message != [READY] {
                        clients.send(message).await?;
                    }
                    idle.add(worker);
                }
            }
        }
    }
}

/// Gives `request` to the first idle worker that is still there; if there is none, the client has to
/// ask again.
async fn hand_out(
    workers: &RouterSocket,
    idle: &mut Idle,
    mut request: Message,
) -> Result<(), SendError> {
    while let Some(worker) = idle.0.pop_front() {
        request.push_front(worker);
        match workers.send(request).await {
            Err(SendError::Unroutable(returned)) => request = returned,
            other => return other,
        }
        request.pop_front();
    }
    Ok(())
}

/// Answers `lifetime` requests and crashes with the next.
async fn worker(
    name: &str,
    lifetime: u32,
    queue: Endpoint,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut dealer = DealerSocket::builder()
        .routing_id(name)?
        .heartbeat(HEARTBEAT)
        .hello_message(READY)
        .build();
    dealer.connect(queue).await?;
    for _ in 0..lifetime {
        let mut message = dealer.recv().await?;
        let answer = format!(
            "{} answered by {name}",
            message.text(message.part_count() - 1)?
        );
        message.pop_back();
        message.push_back(answer);
        dealer.send(message).await?;
    }
    dealer.recv().await?;
    println!("worker {name}: crashing");
    Ok(())
}

async fn ask(client: &mut ReqSocket, question: &str) -> Result<Message, Box<dyn Error>> {
    for _ in 0..ATTEMPTS {
        client.send(question).await?;
        match timeout(PATIENCE, client.recv()).await {
            Ok(reply) => return Ok(reply?),
            Err(_elapsed) => println!("client: no reply to {question}, asking again"),
        }
    }
    Err("the service seems to be offline".into())
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let clients = RouterSocket::new();
    let workers = RouterSocket::builder()
        .router_mandatory()
        .router_handover()
        .router_notify(RouterNotify::Disconnect)
        .heartbeat(HEARTBEAT)
        .build();
    let for_clients = clients.bind("tcp://127.0.0.1:*").await?;
    let for_workers = workers.bind("tcp://127.0.0.1:*").await?;
    tokio::spawn(queue(clients, workers));
    for (name, lifetime) in [("steady", u32::MAX), ("shaky", 2), ("short-lived", 0)] {
        tokio::spawn(worker(name, lifetime, for_workers.clone()));
    }
    let mut client = ReqSocket::builder().req_relaxed().build();
    client.connect(for_clients).await?;
    for number in 1..=QUESTIONS {
        let question = format!("question {number}");
        let reply = ask(&mut client, &question).await?;
        println!("client: {reply}");
        assert!(reply.text(0)?.starts_with(&question));
    }
    Ok(())
}
