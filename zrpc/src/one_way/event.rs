//! One event that came.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use proto::{Args, ArgumentsError, DecodeLimits, Envelope, Extra, MessageId, Name};
use serde::de::DeserializeOwned;
use zmtp::session::PeerInfo;
use zmtp::{Part, PeerMessage};

use super::ReceiveError;
use crate::HeaderError;

/// An event that was published or pushed. Received by [`Subscriber::recv`] and [`Puller::recv`].
///
/// [`Subscriber::recv`]: crate::Subscriber::recv
/// [`Puller::recv`]: crate::Puller::recv
#[derive(Clone)]
pub struct Event {
    topic: Option<Bytes>,
    name: Name,
    args: Args,
    header: Extra,
    peer: Arc<PeerInfo>,
    message_id: Option<MessageId>,
}

/// What a method is run with.
pub(super) struct Input {
    pub(super) args: Args,
    pub(super) header: Extra,
    pub(super) peer: Arc<PeerInfo>,
    pub(super) message_id: Option<MessageId>,
}

impl Event {
    /// Returns the name of the method, with what is not UTF-8 replaced.
    pub fn method(&self) -> Cow<'_, str> {
        self.name.to_string_lossy()
    }

    /// Decodes the arguments into a tuple, a struct, a sequence, or `()` for none.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`], which says which argument is wrong and what was expected.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, ArgumentsError> {
        self.args.decode()
    }

    /// Returns the encoded arguments, which are one value of msgpack, and should be an array.
    pub fn encoded_args(&self) -> &Bytes {
        self.args.encoded()
    }

    /// Returns the topic that it was published with.
    pub fn topic(&self) -> Option<&[u8]> {
        self.topic.as_deref()
    }

    /// Decodes an entry of the header. Returns `None` if there is none of that name; the protocol's
    /// own entries are not shown.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] if the entry is no `T`.
    pub fn header<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, HeaderError> {
        self.header.decode(key).map_err(|error| HeaderError {
            key: key.to_owned(),
            detail: error.to_string(),
        })
    }

    /// Returns who is at the other end of the connection that the event came on, see
    /// [`CallContext::peer`](crate::CallContext::peer).
    pub fn peer(&self) -> &PeerInfo {
        &self.peer
    }

    /// Reads a message: a payload, behind a topic or an empty frame if there is one.
    pub(super) fn decode(
        received: PeerMessage,
        limits: &DecodeLimits,
    ) -> Result<Self, ReceiveError> {
        let frames = received
            .message
            .into_parts()
            .into_iter()
            .map(Part::into_bytes);
        let (envelope, payload) = Envelope::parse(frames).map_err(ReceiveError::Frames)?;
        let event = proto::Event::decode(&payload, limits).map_err(ReceiveError::Malformed)?;
        Ok(Self {
            topic: envelope.frames().first().cloned(),
            name: event.name,
            args: Args::from_encoded(event.args),
            header: event.header.extra,
            peer: received.info,
            message_id: event.header.message_id,
        })
    }

    /// Takes the event apart for its method.
    pub(super) fn into_input(self) -> Input {
        Input {
            args: self.args,
            header: self.header,
            peer: self.peer,
            message_id: self.message_id,
        }
    }

    /// Replaces the header, which middleware has changed.
    pub(super) fn set_header(&mut self, header: Extra) {
        self.header = header;
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("method", &self.name)
            .field("topic", &self.topic.as_ref().map(Bytes::len))
            .field("args", &self.args)
            .finish_non_exhaustive()
    }
}
