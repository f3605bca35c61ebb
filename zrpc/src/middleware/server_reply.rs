//! What a server is about to answer, as its hooks see it.

use proto::Body;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::HeaderEntries;
use crate::{Fault, Reply};

/// The last event of a call, before it is sent: a result, the end of a stream, or an error.
#[derive(Debug)]
pub struct ServerReply {
    header: HeaderEntries,
    content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Value(Body),
    StreamDone,
    Failed(Fault),
}

impl ServerReply {
    pub(crate) fn new(header: HeaderEntries, content: Content) -> Self {
        Self { header, content }
    }

    /// Returns the header entries beyond the protocol's own.
    #[must_use]
    pub fn header(&self) -> &HeaderEntries {
        &self.header
    }

    /// Returns the header entries beyond the protocol's own, to change them.
    pub fn header_mut(&mut self) -> &mut HeaderEntries {
        &mut self.header
    }

    /// Returns the encoded result; `None` at the end of a stream, and for an error.
    #[must_use]
    pub fn encoded_value(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Value(value) => Some(value.encoded()),
            Content::StreamDone | Content::Failed(_) => None,
        }
    }

    /// Decodes the result; `None` at the end of a stream, and for an error.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the result is no `T`.
    pub fn value<T: DeserializeOwned>(&self) -> Result<Option<T>, Fault> {
        let decoded = self.encoded_value().map(proto::decode).transpose();
        decoded.map_err(|error| Fault::new("TypeError", error.to_string()))
    }

    /// Replaces the result. Does nothing at the end of a stream, and for an error.
    ///
    /// # Errors
    ///
    /// A `TypeError` if the value has no msgpack form; nothing is changed then.
    pub fn set_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        if let Content::Value(current) = &mut self.content {
            *current = Reply::new(value)?.0;
        }
        Ok(())
    }

    /// Returns the error, if it is one.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match &self.content {
            Content::Failed(fault) => Some(fault),
            Content::Value(_) | Content::StreamDone => None,
        }
    }

    /// Replaces the error. Does nothing if the call did not fail; a hook that wants it to returns
    /// the fault.
    pub fn set_fault(&mut self, fault: Fault) {
        if let Content::Failed(current) = &mut self.content {
            *current = fault;
        }
    }

    /// Checks the result, or replaces it.
    pub(crate) fn try_map_value(
        mut self,
        map: impl FnOnce(Body) -> Result<Body, Fault>,
    ) -> Result<Self, Fault> {
        if let Content::Value(value) = self.content {
            self.content = Content::Value(map(value)?);
        }
        Ok(self)
    }

    pub(crate) fn into_parts(self) -> (HeaderEntries, Content) {
        (self.header, self.content)
    }
}
