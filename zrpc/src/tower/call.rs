//! A call as a value.

use std::fmt;

use bytes::Bytes;
use proto::{Args, ArgumentsError, Body, EncodeError, Extra};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A call of a method: what a client is to send, or what a server got.
///
/// Cloning it is cheap, so that a layer may make it again.
#[derive(Clone)]
pub struct Call {
    method: String,
    args: Bytes,
    header: Extra,
}

impl Call {
    /// Makes a call of a method. The arguments are a tuple; `()` stands for none.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if they cannot be encoded.
    pub fn new(method: impl Into<String>, args: impl Serialize) -> Result<Self, EncodeError> {
        Ok(Self {
            method: method.into(),
            args: Body::args(&args)?.into_encoded(),
            header: Extra::new(),
        })
    }

    /// Adds an entry to the header of the request, see [`Request::header`](crate::Request::header).
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the name is one of the protocol's own, or the value cannot be encoded.
    pub fn with_header<T: Serialize + ?Sized>(
        mut self,
        key: &str,
        value: &T,
    ) -> Result<Self, EncodeError> {
        self.header.insert(key, value)?;
        Ok(self)
    }

    /// Returns the name of the method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Decodes the arguments: as a tuple, or as `Vec<rmpv::Value>` whatever they are.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`] says which argument is wrong. It converts into the fault that Python's
    /// callers know for that, a `TypeError`, by [`Fault::new`](crate::Fault::new).
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, ArgumentsError> {
        Args::from_encoded(self.args.clone()).decode()
    }

    /// What a server got. The header is in the [`CallContext`](crate::CallContext).
    pub(super) fn received(method: &str, args: &Args) -> Self {
        Self {
            method: method.to_owned(),
            args: args.encoded().clone(),
            header: Extra::new(),
        }
    }

    /// What a client sends.
    pub(super) fn into_parts(self) -> (String, Result<Body, EncodeError>) {
        let args = match Body::from_encoded(&self.args) {
            Ok(args) => Ok(args.with_extra(self.header)),
            // It was encoded here, or accepted by a server with larger limits.
            Err(error) => Err(EncodeError::Unserializable {
                message: error.to_string(),
            }),
        };
        (self.method, args)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("args_len", &self.args.len())
            .finish_non_exhaustive()
    }
}
