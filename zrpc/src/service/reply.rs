//! What handlers may return.

use proto::{Body, ValueError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Fault;

/// An encoded result, ready to be sent.
#[derive(Debug, Clone)]
pub struct Reply(pub(crate) Body);

impl Reply {
    /// Encodes a value.
    ///
    /// # Errors
    ///
    /// The value has no msgpack form: a `TypeError`, as Python calls it.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, Fault> {
        Body::value(value)
            .map(Self)
            .map_err(|error| Fault::new("TypeError", error.to_string()))
    }

    /// Decodes the value.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if it is no `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ValueError> {
        proto::decode(self.0.encoded())
    }
}

/// A value that a handler returns, or an item of a stream: any `T: Serialize`, or
/// `Result<T, E>` where `E` converts into a [`Fault`], as every [`std::error::Error`] does.
///
/// `Kind` only keeps the two implementations apart and is always inferred. It cannot be inferred
/// for a `Result` whose error type implements both [`std::error::Error`] and [`Serialize`];
/// `.map_err(Fault::from)` says which one is meant. A `Result` whose error is neither, such as
/// `Result<T, String>`, is refused when the server is built.
pub trait IntoReply<Kind>: Send {
    /// Encodes the value, or turns the error into a fault.
    ///
    /// # Errors
    ///
    /// The handler failed, or its value cannot be encoded.
    fn into_reply(self) -> Result<Reply, Fault>;
}

/// The kind of a reply that cannot fail. See [`IntoReply`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Plain {}

/// The kind of a reply that is a `Result`. See [`IntoReply`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Fallible {}

impl<T: Serialize + Send> IntoReply<Plain> for T {
    fn into_reply(self) -> Result<Reply, Fault> {
        Reply::new(&self)
    }
}

impl<T: Serialize + Send, E: Into<Fault> + Send> IntoReply<Fallible> for Result<T, E> {
    fn into_reply(self) -> Result<Reply, Fault> {
        Reply::new(&self.map_err(Into::into)?)
    }
}
