//! Messages of events.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use proto::{Body, Compat, IdSource, Request};
use zmtp::{Message, Part};

use super::EmitError;
use crate::io::Network;
use crate::middleware::Chain;

/// Makes messages of events, for one socket.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ids: Mutex<IdSource>,
    compat: Compat,
    endpoints: Vec<String>,
    network: Network,
    /// `None` without middleware.
    hooks: Option<Arc<Chain>>,
}

/// An event that is to be sent.
#[derive(Debug)]
pub(super) struct Emission {
    pub(super) method: String,
    pub(super) args: Body,
    pub(super) topic: Option<Bytes>,
    pub(super) compat: Compat,
}

impl Emission {
    /// Refuses what the other side would drop or change.
    fn checked(self) -> Result<Self, EmitError> {
        match self.args.check(self.compat) {
            Ok(()) => Ok(self),
            Err(detail) => Err(EmitError::NotPortable {
                method: self.method,
                detail,
            }),
        }
    }
}

impl Encoder {
    pub(super) fn new(
        network: Network,
        compat: Compat,
        endpoints: Vec<String>,
        hooks: Option<Arc<Chain>>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                ids: Mutex::new(IdSource::new(rand::random())),
                compat,
                endpoints,
                network,
                hooks,
            }),
        }
    }

    pub(super) fn compat(&self) -> Compat {
        self.shared.compat
    }

    pub(super) fn endpoints(&self) -> &[String] {
        &self.shared.endpoints
    }

    /// Encodes an event, behind the hooks of middleware.
    pub(super) async fn encode(&self, emission: Emission) -> Result<Message, EmitError> {
        let emission = emission.checked()?;
        match &self.shared.hooks {
            None => Ok(self.finish(Request::new(emission.method, emission.args), emission.topic)),
            Some(chain) => self.encode_hooked(chain, emission).await,
        }
    }

    /// As [`Self::encode`], unless a hook waits.
    pub(super) fn try_encode(&self, emission: Emission) -> Result<Message, EmitError> {
        let method = match self.shared.hooks {
            None => String::new(),
            Some(_) => emission.method.clone(),
        };
        let encoded = self.encode(emission).now_or_never();
        encoded.unwrap_or(Err(EmitError::HookWaits { method }))
    }

    async fn encode_hooked(&self, chain: &Chain, emission: Emission) -> Result<Message, EmitError> {
        let Emission {
            method,
            args,
            topic,
            compat,
        } = emission;
        let request = match chain.publish(&method, args).await {
            Ok(request) => request,
            Err(fault) => return Err(EmitError::Denied { method, fault }),
        };
        match request.args.extra().check(compat) {
            Ok(()) => Ok(self.finish(request, topic)),
            Err(detail) => Err(EmitError::NotPortable { method, detail }),
        }
    }

    fn finish(&self, request: Request, topic: Option<Bytes>) -> Message {
        let payload = {
            let ids = self.shared.ids.lock();
            request.into_payload(&mut ids.unwrap_or_else(PoisonError::into_inner))
        };
        match topic {
            None => Message::from(Part::from(payload)),
            Some(topic) => Message::from([Part::from(topic), Part::from(payload)]),
        }
    }

    /// Where it is bound and connected to.
    pub(super) fn network(&self) -> &Network {
        &self.shared.network
    }
}
