//! What publishers and pushers have in common.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use proto::{Body, Compat, IdSource, Request};
use zmtp::{Message, Part, SocketHandle};

use super::EmitError;

/// Makes messages of events, for one socket.
#[derive(Debug, Clone)]
pub(super) struct Emitter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ids: Mutex<IdSource>,
    compat: Compat,
    endpoints: Vec<String>,
    handle: SocketHandle,
}

/// An event that is to be sent.
#[derive(Debug)]
pub(super) struct Emission {
    pub(super) method: String,
    pub(super) args: Body,
    pub(super) topic: Option<Bytes>,
    pub(super) compat: Compat,
}

impl Emitter {
    pub(super) fn new(handle: SocketHandle, compat: Compat, endpoints: Vec<String>) -> Self {
        Self {
            shared: Arc::new(Shared {
                ids: Mutex::new(IdSource::new(rand::random())),
                compat,
                endpoints,
                handle,
            }),
        }
    }

    pub(super) fn compat(&self) -> Compat {
        self.shared.compat
    }

    pub(super) fn endpoints(&self) -> &[String] {
        &self.shared.endpoints
    }

    /// Encodes an event.
    pub(super) fn encode(&self, emission: Emission) -> Result<Message, EmitError> {
        let Emission {
            method,
            args,
            topic,
            compat,
        } = emission;
        if let Err(source) = args.check(compat) {
            return Err(EmitError::NotPortable { method, source });
        }
        let request = Request::new(method, args);
        let payload = {
            let mut ids = self
                .shared
                .ids
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            request.into_payload(&mut ids)
        };
        Ok(match topic {
            None => Message::from(Part::from(payload)),
            Some(topic) => Message::from([Part::from(topic), Part::from(payload)]),
        })
    }

    /// Waits until everything was sent, or the linger period is over.
    pub(super) async fn close(&self) {
        self.shared.handle.close().await;
    }
}
