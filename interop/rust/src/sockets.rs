//! ZeroMQ sockets, with the requests of `interop/peers/zmq_peer.py`.
//!
//! ```text
//! socket {name, type, options}      DEALER, ROUTER, PUSH, PULL, PUB or SUB; CURVE_* and SUBSCRIBE
//! bind / connect {name, endpoint}   close {name}
//! send {name, parts}                recv {name, timeout?} -> parts
//! echo {name, count}                sends back what it receives, all parts
//! ```

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};
use tokio::time::timeout;
use zmtp::{
    Builder, DealerSocket, Message, PubSocket, PullSocket, PushSocket, RouterSocket, Socket,
    SocketHandle, SubSocket,
    authenticator::AnyKey,
    curve::{KeyPair, PublicKey, SecretKey},
};

use crate::{
    conversation::{Peer, text},
    error::PeerError,
    values::{hexadecimal, octets},
};

/// What waits longer has failed.
const LONGEST_WAIT: f64 = 10.0;

/// The sockets of this process, by the names that the driver gave them.
#[derive(Default)]
pub(crate) struct Sockets(HashMap<String, Any>);

/// A socket of any of these types.
enum Any {
    Dealer(DealerSocket),
    Router(RouterSocket),
    Push(PushSocket),
    Pull(PullSocket),
    Pub(PubSocket),
    Sub(SubSocket),
}

impl Peer for Sockets {
    fn facts(&self) -> Value {
        json!({"version": env!("CARGO_PKG_VERSION")})
    }

    async fn handle(&mut self, request: &Value) -> Result<Value, PeerError> {
        let name = text(request, "name")?;
        let operation = text(request, "op")?;
        if operation == "socket" {
            self.0.insert(name.to_owned(), Any::new(request)?);
            return Ok(Value::Null);
        }
        if operation == "close" {
            self.0.remove(name);
            return Ok(Value::Null);
        }
        let socket = self.0.get_mut(name);
        let socket = socket.ok_or_else(|| PeerError::Unknown(name.to_owned()))?;
        let seconds = request["timeout"].as_f64().unwrap_or(LONGEST_WAIT);
        let done = socket.handle_request(operation, request);
        timeout(Duration::from_secs_f64(seconds), done)
            .await
            .unwrap_or(Err(PeerError::Silent))
    }
}

impl Any {
    fn new(request: &Value) -> Result<Self, PeerError> {
        let options = &request["options"];
        Ok(match text(request, "type")? {
            "DEALER" => Self::Dealer(build(options)?),
            "ROUTER" => Self::Router(build(options)?),
            "PUSH" => Self::Push(build(options)?),
            "PULL" => Self::Pull(build(options)?),
            "PUB" => Self::Pub(build(options)?),
            "SUB" => {
                let socket: SubSocket = build(options)?;
                socket.subscribe(options["SUBSCRIBE"].as_str().unwrap_or_default());
                Self::Sub(socket)
            }
            other => return Err(PeerError::Unknown(other.to_owned())),
        })
    }

    async fn handle_request(
        &mut self,
        operation: &str,
        request: &Value,
    ) -> Result<Value, PeerError> {
        match operation {
            "bind" => {
                let endpoint = self.handle().bind(text(request, "endpoint")?).await;
                let endpoint = endpoint.map_err(PeerError::library)?;
                Ok(json!({"endpoint": endpoint.to_string()}))
            }
            "connect" => {
                let connected = self.handle().connect(text(request, "endpoint")?).await;
                connected.map_err(PeerError::library)?;
                Ok(Value::Null)
            }
            "send" => {
                let parts = request["parts"].as_array();
                let parts = parts.ok_or(PeerError::Field("parts"))?;
                let parts = parts.iter().map(|part| octets(part).into()).collect();
                self.send(Message::from_parts(parts)).await?;
                Ok(Value::Null)
            }
            "recv" => {
                let message = self.recv().await?;
                Ok(message
                    .iter()
                    .map(|part| hexadecimal(part.as_slice()))
                    .collect())
            }
            "echo" => {
                let count = request["count"].as_u64().ok_or(PeerError::Field("count"))?;
                for _ in 0..count {
                    let message = self.recv().await?;
                    self.send(message).await?;
                }
                Ok(Value::Null)
            }
            other => Err(PeerError::Operation(other.to_owned())),
        }
    }

    fn handle(&self) -> &SocketHandle {
        match self {
            Self::Dealer(socket) => socket.handle(),
            Self::Router(socket) => socket.handle(),
            Self::Push(socket) => socket.handle(),
            Self::Pull(socket) => socket.handle(),
            Self::Pub(socket) => socket.handle(),
            Self::Sub(socket) => socket.handle(),
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), PeerError> {
        match self {
            Self::Dealer(socket) => socket.send(message).await,
            Self::Router(socket) => socket.send(message).await,
            Self::Push(socket) => socket.send(message).await,
            Self::Pub(socket) => socket.send(message).await,
            Self::Pull(_) | Self::Sub(_) => return Err(PeerError::Operation("send".to_owned())),
        }
        .map_err(PeerError::library)
    }

    async fn recv(&mut self) -> Result<Message, PeerError> {
        match self {
            Self::Dealer(socket) => socket.recv().await,
            Self::Router(socket) => socket.recv().await,
            Self::Pull(socket) => socket.recv().await,
            Self::Sub(socket) => socket.recv().await,
            Self::Push(_) | Self::Pub(_) => return Err(PeerError::Operation("recv".to_owned())),
        }
        .map_err(PeerError::library)
    }
}

/// A socket with the options of libzmq that the cases use.
fn build<S: Socket>(options: &Value) -> Result<S, PeerError> {
    let builder: Builder<S> = S::builder();
    if options["CURVE_SERVER"] == json!(1) {
        let builder = builder.curve_server(key_pair(options)?);
        return Ok(builder.authenticator(AnyKey).build());
    }
    if options["CURVE_SERVERKEY"].is_string() {
        let server: PublicKey = key(options, "CURVE_SERVERKEY")?;
        return Ok(builder.curve_client(server, key_pair(options)?).build());
    }
    Ok(builder.build())
}

fn key_pair(options: &Value) -> Result<KeyPair, PeerError> {
    let secret: SecretKey = key(options, "CURVE_SECRETKEY")?;
    Ok(KeyPair::from(secret))
}

fn key<K>(options: &Value, field: &'static str) -> Result<K, PeerError>
where
    K: std::str::FromStr<Err: std::error::Error>,
{
    text(options, field)?.parse().map_err(PeerError::library)
}
