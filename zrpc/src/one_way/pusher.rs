//! Pushers: one puller after the other gets what is pushed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::Mutex as AsyncMutex;
use zmtp::{PushSocket, TrySendError};

use super::emitter::{Emission, Emitter};
use super::{EmitError, EmitterBuilder, OutgoingEvent};
use crate::ConnectError;

/// Tells one puller after the other to run a method, and waits for no result.
///
/// Each event goes to one of the pullers that have room for it, in turn. An event that was accepted
/// goes out when its puller is there; whether it ran is not told.
///
/// Clones share the socket, which closes with the last of them. It belongs to the runtime that it
/// was made on.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use zrpc::Pusher;
///
/// let pusher = Pusher::connect("tcp://127.0.0.1:4244").await?;
/// pusher.push("resize", ("photo.jpg", 640, 480)).await?;
/// pusher.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Pusher {
    /// It knows whose turn it is among the pullers. Locked for no longer than it takes to try.
    socket: Arc<Mutex<PushSocket>>,
    /// Senders wait in line for room.
    turn: Arc<AsyncMutex<()>>,
    emitter: Emitter,
}

impl Pusher {
    /// Listens for pullers; `tcp://127.0.0.1:*` takes a free port.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The pusher closes if the future is dropped.
    pub async fn bind(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        Self::builder().bind(endpoint).build().await
    }

    /// Connects to a puller. Returns at once; it may come later.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The pusher closes if the future is dropped.
    pub async fn connect(endpoint: impl Into<String>) -> Result<Self, ConnectError> {
        Self::builder().connect(endpoint).build().await
    }

    /// Makes a pusher with other options.
    pub fn builder() -> EmitterBuilder<Self> {
        EmitterBuilder::new()
    }

    /// Pushes an event: the next puller runs `method` with `args`, which are a tuple.
    ///
    /// Waits until there is room for it: for a puller that it is connected to, that is a queue of
    /// [`EmitterBuilder::send_high_water_mark`] events even before the puller is there.
    ///
    /// # Errors
    ///
    /// See [`EmitError`]; nothing was sent.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it is done, nothing was pushed.
    pub async fn push(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<(), EmitError> {
        self.event(method, args).send().await
    }

    /// Pushes an event if there is room for it.
    ///
    /// # Errors
    ///
    /// See [`EmitError`]; nothing was sent.
    pub fn try_push(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> Result<(), EmitError> {
        self.event(method, args).try_send()
    }

    /// Prepares an event, to push it with options of its own.
    pub fn event(
        &self,
        method: impl Into<String>,
        args: impl Serialize,
    ) -> OutgoingEvent<'_, Self> {
        OutgoingEvent::new(self, self.emitter.compat(), method.into(), &args)
    }

    /// Returns the endpoints that it was built with, with wildcards resolved where it is bound.
    pub fn endpoints(&self) -> &[String] {
        self.emitter.endpoints()
    }

    /// Connects to one more puller, which gets its share of the events; one that it is
    /// connected to already gets two. The endpoint is taken as it is: middleware resolves
    /// those that the pusher is built with.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The pusher may connect after the future was dropped.
    pub async fn connect_to(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.emitter.network().connect(endpoint.into()).await
    }

    /// Parts from whoever listens on an endpoint, after what is queued for it was sent, for no longer
    /// than [`EmitterBuilder::linger`].
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if the pusher is not connected to the endpoint.
    pub fn disconnect(&self, endpoint: &str) -> Result<(), ConnectError> {
        self.emitter.network().disconnect(endpoint)
    }

    /// Listens on one more endpoint, which is returned with wildcards resolved.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The endpoint may be bound after the future was dropped.
    pub async fn bind_to(&self, endpoint: impl Into<String>) -> Result<String, ConnectError> {
        self.emitter.network().bind(endpoint.into()).await
    }

    /// Listens on an endpoint no longer, and parts from the pullers that came there, after what is
    /// queued for them was sent.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Endpoint`] if the pusher is not bound to the endpoint.
    ///
    /// # Cancel safety
    ///
    /// The endpoint may be unbound after the future was dropped.
    pub async fn unbind(&self, endpoint: impl Into<String>) -> Result<(), ConnectError> {
        self.emitter.network().unbind(endpoint.into()).await
    }

    /// Closes the pusher and all its clones, and waits until everything was sent, for no longer than
    /// [`EmitterBuilder::linger`].
    ///
    /// # Cancel safety
    ///
    /// It closes in the background if the future is dropped after it was polled.
    pub async fn close(self) {
        self.emitter.network().close().await;
    }

    /// Its socket, as far as it is shared.
    #[cfg(feature = "blocking")]
    pub(crate) fn network(&self) -> &crate::io::Network {
        self.emitter.network()
    }

    pub(super) fn new(socket: PushSocket, emitter: Emitter) -> Self {
        Self {
            socket: Arc::new(Mutex::new(socket)),
            turn: Arc::default(),
            emitter,
        }
    }

    pub(super) async fn send(&self, emission: Emission) -> Result<(), EmitError> {
        let message = self.emitter.encode(emission).await?;
        let _turn = self.turn.lock().await;
        let tried = self.lock().try_send(message);
        let message = match tried {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(message)) => message,
            Err(_) => return Err(EmitError::Closed),
        };
        // A clone waits, so that others can still try.
        let mut socket = self.lock().clone();
        let sent = socket.send(message).await;
        sent.map_err(|_| EmitError::Closed)
    }

    pub(super) fn try_send(&self, emission: Emission) -> Result<(), EmitError> {
        let method = emission.method.clone();
        let message = self.emitter.try_encode(emission)?;
        self.lock().try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => EmitError::Full { method },
            _ => EmitError::Closed,
        })
    }

    fn lock(&self) -> MutexGuard<'_, PushSocket> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
