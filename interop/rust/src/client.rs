//! Clients, with the requests of `interop/peers/zerorpc_client.py`.
//!
//! ```text
//! client {name, endpoint | endpoints, timeout?, heartbeat?}
//! call {client, method, args, timeout?}     start the same + {id}; join {id}
//! stream {client, method, args, take?}      start_stream the same + {id}; peek {id}; join {id}
//! close {name}
//! ```

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rmpv::Value as Msgpack;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use zrpc::{CallError, Client, Heartbeat, Request};

use crate::{
    conversation::{Peer, text},
    error::PeerError,
    outcome::{outcome, raised},
    values::{from_json, to_json},
};

const FIRST_ITEMS: usize = 10;

/// The clients of this process, by the names that the driver gave them.
#[derive(Default)]
pub(crate) struct Clients {
    clients: HashMap<String, Client>,
    started: HashMap<String, JoinHandle<Value>>,
    seen: HashMap<String, Arc<Mutex<Seen>>>,
}

/// What a stream gave so far.
#[derive(Default)]
struct Seen {
    count: u64,
    first_items: Vec<Value>,
    last: Value,
    is_out_of_order: bool,
}

impl Peer for Clients {
    fn facts(&self) -> Value {
        json!({"version": env!("CARGO_PKG_VERSION")})
    }

    async fn handle(&mut self, request: &Value) -> Result<Value, PeerError> {
        match text(request, "op")? {
            "client" => self.connect(request).await,
            "call" => Ok(call(self.request(request)?).await),
            "start" => {
                let running = tokio::spawn(call(self.request(request)?));
                self.started.insert(id(request), running);
                Ok(Value::Null)
            }
            "stream" => {
                let take = request["take"].as_u64();
                Ok(stream(self.request(request)?, take, Arc::default()).await)
            }
            "start_stream" => {
                let seen = Arc::default();
                self.seen.insert(id(request), Arc::clone(&seen));
                let take = request["take"].as_u64();
                let running = tokio::spawn(stream(self.request(request)?, take, seen));
                self.started.insert(id(request), running);
                Ok(Value::Null)
            }
            "peek" => {
                let seen = self.seen.get(&id(request));
                let seen = seen.ok_or_else(|| PeerError::Unknown(id(request)))?;
                Ok(shown(seen))
            }
            "join" => {
                let started = self.started.remove(&id(request));
                let running = started.ok_or_else(|| PeerError::Unknown(id(request)))?;
                running.await.map_err(PeerError::library)
            }
            "close" => {
                if let Some(client) = self.clients.remove(text(request, "name")?) {
                    client.close().await;
                }
                Ok(Value::Null)
            }
            other => Err(PeerError::Operation(other.to_owned())),
        }
    }
}

impl Clients {
    async fn connect(&mut self, request: &Value) -> Result<Value, PeerError> {
        let mut builder = Client::builder();
        let endpoints = request["endpoints"].as_array().cloned();
        for endpoint in endpoints.unwrap_or_else(|| vec![request["endpoint"].clone()]) {
            builder = builder.connect(endpoint.as_str().ok_or(PeerError::Field("endpoint"))?);
        }
        if let Some(seconds) = request["timeout"].as_f64() {
            builder = builder.timeout(Duration::from_secs_f64(seconds));
        }
        if let Some(seconds) = request["heartbeat"].as_f64() {
            builder = builder.heartbeat(Heartbeat::every(Duration::from_secs_f64(seconds)));
        }
        let client = builder.build().await.map_err(PeerError::library)?;
        self.clients
            .insert(text(request, "name")?.to_owned(), client);
        Ok(Value::Null)
    }

    fn request(&self, request: &Value) -> Result<Request, PeerError> {
        let name = text(request, "client")?;
        let client = self
            .clients
            .get(name)
            .ok_or_else(|| PeerError::Unknown(name.to_owned()))?;
        let args = from_json(&request["args"]);
        let call = client.request(text(request, "method")?, args);
        Ok(match request["timeout"].as_f64() {
            Some(seconds) => call.timeout(Duration::from_secs_f64(seconds)),
            None => call,
        })
    }
}

/// Ids are texts or numbers.
fn id(request: &Value) -> String {
    request["id"].to_string()
}

async fn call(request: Request) -> Value {
    let began = Instant::now();
    let result = request.call::<Msgpack>().await;
    outcome(result.map(|value| to_json(&value)), began)
}

async fn stream(request: Request, take: Option<u64>, seen: Arc<Mutex<Seen>>) -> Value {
    let began = Instant::now();
    let result = receive(request, take, &seen).await;
    let mut shown = shown(&seen);
    if let Err(error) = result {
        shown["raised"] = raised(&error);
    }
    shown["elapsed"] = json!(began.elapsed().as_secs_f64());
    shown
}

async fn receive(request: Request, take: Option<u64>, seen: &Mutex<Seen>) -> Result<(), CallError> {
    let mut items = request.stream::<Msgpack>().await?;
    while let Some(item) = items.next_item().await? {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let item = to_json(&item);
        if item != json!(seen.count) {
            seen.is_out_of_order = true;
        }
        if seen.first_items.len() < FIRST_ITEMS {
            seen.first_items.push(item.clone());
        }
        seen.last = item;
        seen.count += 1;
        if Some(seen.count) == take {
            break;
        }
    }
    Ok(())
}

fn shown(seen: &Mutex<Seen>) -> Value {
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    json!({
        "count": seen.count,
        "first_items": seen.first_items,
        "last": seen.last,
        "in_order": !seen.is_out_of_order,
    })
}
