//! A request on its way out, as the hooks of a client see it.

use std::sync::Arc;

use proto::{Body, IdSource, MessageId};
use serde::de::DeserializeOwned;

use super::{Extensions, HeaderEntries};
use crate::Fault;

/// A request that is about to be sent, or was.
#[derive(Debug)]
pub struct ClientRequest {
    method: Arc<str>,
    message_id: MessageId,
    header: HeaderEntries,
    /// `None` once it was sent.
    args: Option<Body>,
    extensions: Extensions,
}

impl ClientRequest {
    pub(crate) fn new(method: &str, mut args: Body) -> Self {
        Self {
            method: method.into(),
            message_id: IdSource::new(rand::random()).next_id(),
            header: HeaderEntries::from_extra(std::mem::take(args.extra_mut())),
            args: Some(args),
            extensions: Extensions::new(),
        }
    }

    /// Returns the name of the method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the id of the request, which the header of its event has as `message_id`.
    #[must_use]
    pub fn message_id(&self) -> &MessageId {
        &self.message_id
    }

    /// Returns the header entries beyond the protocol's own.
    #[must_use]
    pub fn header(&self) -> &HeaderEntries {
        &self.header
    }

    /// Returns the header entries beyond the protocol's own, to change them. Without effect once
    /// the request was sent.
    pub fn header_mut(&mut self) -> &mut HeaderEntries {
        &mut self.header
    }

    /// Returns the encoded arguments, a msgpack array; `None` once the request was sent.
    #[must_use]
    pub fn encoded_args(&self) -> Option<&[u8]> {
        self.args.as_ref().map(Body::encoded)
    }

    /// Decodes the arguments; `None` once the request was sent.
    ///
    /// # Errors
    ///
    /// A `TypeError` if they are no `T`.
    pub fn args<T: DeserializeOwned>(&self) -> Result<Option<T>, Fault> {
        let decoded = self.encoded_args().map(proto::decode).transpose();
        decoded.map_err(|error| Fault::new("TypeError", error.to_string()))
    }

    /// Returns what middleware keeps with the request.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Returns what middleware keeps with the request, to change it.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Takes the request as it is to be sent.
    pub(crate) fn take(&mut self) -> Option<proto::Request> {
        let args = self.args.take()?;
        let args = args.with_extra(self.header.extra().clone());
        let request = proto::Request::new(&*self.method, args);
        Some(request.with_message_id(self.message_id.clone()))
    }
}
