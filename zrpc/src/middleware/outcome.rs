//! How a call ended, as the hooks of a client see it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use proto::{RemoteError, ValueError};
use serde::de::DeserializeOwned;

use super::HeaderEntries;
use crate::{CallError, HeaderError};

/// The last event of a call, as it came: a result, the end of a stream, or an error.
#[derive(Debug, Clone)]
pub struct ClientReply {
    header: HeaderEntries,
    content: Content,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Value(Bytes),
    StreamDone,
    Failed(RemoteError),
}

/// How a call ended.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum CallOutcome<'a> {
    /// It gave its result, or its stream came to its end.
    Completed {
        /// What the server sent.
        reply: &'a ClientReply,
    },
    /// It failed.
    Failed {
        /// What the caller gets.
        error: &'a CallError,
        /// What the server sent, if it is what failed the call.
        reply: Option<&'a ClientReply>,
    },
    /// The caller dropped the call, or the stream, before its end.
    Dropped,
}

/// A kind of reply that a call takes: the patterns of Python's zerorpc.
///
/// There are no others, because the protocol has no other replies. What a hook can do is to take
/// one away, so that a client is answered with single results alone, or with streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyPattern {
    /// `STREAM` and `STREAM_DONE`.
    ReqStream,
    /// `OK` and `ERR`.
    ReqRep,
}

/// An error of the program in place of one that a server sent, see
/// [`Middleware::client_handle_remote_error`](super::Middleware::client_handle_remote_error).
///
/// # Example
///
/// ```
/// use zrpc::middleware::TranslatedError;
/// use zrpc::{CallError, RemoteError};
///
/// #[derive(Debug, PartialEq, thiserror::Error)]
/// #[error("no such user")]
/// struct NoSuchUser;
///
/// let remote = RemoteError::new("NoSuchUser", "no such user");
/// let error = CallError::Translated(TranslatedError::new(NoSuchUser, remote));
/// let CallError::Translated(translated) = &error else { panic!() };
/// assert_eq!(translated.downcast_ref(), Some(&NoSuchUser));
/// ```
#[derive(Clone)]
pub struct TranslatedError {
    error: Arc<dyn Error + Send + Sync>,
    remote: Arc<RemoteError>,
}

impl ClientReply {
    pub(crate) fn new(header: HeaderEntries, content: Content) -> Self {
        Self { header, content }
    }

    /// Returns the header entries beyond the protocol's own.
    #[must_use]
    pub fn header(&self) -> &HeaderEntries {
        &self.header
    }

    /// Decodes an entry of the header. Returns `None` if there is none of this name.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] if the entry is no `T`.
    pub fn header_entry<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, HeaderError> {
        self.header.get(key)
    }

    /// Returns the encoded result; `None` at the end of a stream, and for an error.
    #[must_use]
    pub fn encoded_value(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Value(value) => Some(value),
            Content::StreamDone | Content::Failed(_) => None,
        }
    }

    /// Decodes the result. Returns `None` at the end of a stream, and for an error.
    ///
    /// # Errors
    ///
    /// [`ValueError`] if the result is no `T`.
    pub fn value<T: DeserializeOwned>(&self) -> Result<Option<T>, ValueError> {
        self.encoded_value().map(proto::decode).transpose()
    }

    /// Returns what the server said, if the call failed there.
    #[must_use]
    pub fn remote_error(&self) -> Option<&RemoteError> {
        match &self.content {
            Content::Failed(error) => Some(error),
            Content::Value(_) | Content::StreamDone => None,
        }
    }
}

impl CallOutcome<'_> {
    /// Returns what the server sent, if it answered.
    #[must_use]
    pub fn reply(&self) -> Option<&ClientReply> {
        match self {
            Self::Completed { reply } => Some(reply),
            Self::Failed { reply, .. } => *reply,
            Self::Dropped => None,
        }
    }

    /// Returns the error, if the call failed.
    #[must_use]
    pub fn error(&self) -> Option<&CallError> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::Completed { .. } | Self::Dropped => None,
        }
    }
}

impl TranslatedError {
    /// Makes an error that stands for what the server said.
    pub fn new(error: impl Error + Send + Sync + 'static, remote: RemoteError) -> Self {
        Self {
            error: Arc::new(error),
            remote: Arc::new(remote),
        }
    }

    /// Returns the error, if it is an `E`.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.error.downcast_ref()
    }

    /// Returns what the server said.
    #[must_use]
    pub fn remote(&self) -> &RemoteError {
        &self.remote
    }
}

impl fmt::Debug for TranslatedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.error, f)
    }
}

impl fmt::Display for TranslatedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl Error for TranslatedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// The same error, not one that looks alike.
impl PartialEq for TranslatedError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.error, &other.error)
    }
}
