//! The socket under a multiplexer, and how its messages become payloads and back.

use std::sync::Arc;

use bytes::Bytes;
use proto::{Envelope, EnvelopeError};
use zmtp::{
    DealerSocket, Message, Part, PeerId, RecvError, RouterSocket, Socket, TryRecvError,
    TrySendError,
};

/// Names a peer of a multiplexer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    /// The connection.
    pub(crate) peer: PeerId,
    /// The routing frames of whoever is behind it. Shared, because every event of a channel has
    /// a copy, and absent for a direct peer, which is nearly all of them.
    envelope: Option<Arc<Envelope>>,
}

/// A connection came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerChange {
    Up(PeerId),
    Down(PeerId),
}

/// What DEALER and ROUTER have in common.
pub(crate) trait Link: Socket + Send + 'static {
    /// Queues a message for one peer.
    fn try_send_to(&self, peer: PeerId, message: Message) -> Result<(), TrySendError>;

    /// Resolves when, after this call, a full queue got room.
    fn writable(&self) -> impl Future<Output = ()> + Send + 'static;

    /// Waits for a message.
    fn recv_from(&mut self) -> impl Future<Output = Result<(PeerId, Message), RecvError>> + Send;

    /// Takes a message, if there is one.
    fn try_recv_from(&mut self) -> Result<(PeerId, Message), TryRecvError>;
}

impl Link for DealerSocket {
    fn try_send_to(&self, peer: PeerId, message: Message) -> Result<(), TrySendError> {
        Self::try_send_to(self, peer, message)
    }

    fn writable(&self) -> impl Future<Output = ()> + Send + 'static {
        Self::writable(self)
    }

    fn recv_from(&mut self) -> impl Future<Output = Result<(PeerId, Message), RecvError>> + Send {
        Self::recv_from(self)
    }

    fn try_recv_from(&mut self) -> Result<(PeerId, Message), TryRecvError> {
        Self::try_recv_from(self)
    }
}

impl Link for RouterSocket {
    fn try_send_to(&self, peer: PeerId, message: Message) -> Result<(), TrySendError> {
        Self::try_send_to(self, peer, message)
    }

    fn writable(&self) -> impl Future<Output = ()> + Send + 'static {
        Self::writable(self)
    }

    fn recv_from(&mut self) -> impl Future<Output = Result<(PeerId, Message), RecvError>> + Send {
        Self::recv_from(self)
    }

    fn try_recv_from(&mut self) -> Result<(PeerId, Message), TryRecvError> {
        Self::try_recv_from(self)
    }
}

impl Route {
    /// The peer at the other end of the connection itself.
    pub(crate) fn direct(peer: PeerId) -> Self {
        Self {
            peer,
            envelope: None,
        }
    }

    /// Splits a received message into where it came from and its payload.
    pub(crate) fn parse(
        peer: PeerId,
        mut message: Message,
    ) -> Result<(Self, Bytes), EnvelopeError> {
        if let [delimiter, _] = message.parts()
            && delimiter.is_empty()
            && let Some(payload) = message.pop_back()
        {
            return Ok((Self::direct(peer), payload.into_bytes()));
        }
        let frames = message.into_parts().into_iter().map(Part::into_bytes);
        let (envelope, payload) = Envelope::parse(frames)?;
        let envelope = if envelope.is_direct() {
            None
        } else {
            Some(Arc::new(envelope.detach()?))
        };
        Ok((Self { peer, envelope }, payload))
    }

    /// Makes the message that carries `payload` to this peer.
    pub(crate) fn wrap(&self, payload: Bytes) -> Message {
        match &self.envelope {
            None => Message::from([Part::new(), Part::from(payload)]),
            Some(envelope) => envelope.wrap(payload).map(Part::from).collect(),
        }
    }
}

/// Takes the payload back from a message that was not sent.
pub(super) fn unwrap(mut message: Message) -> Bytes {
    message.pop_back().map(Part::into_bytes).unwrap_or_default()
}
