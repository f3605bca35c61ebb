//! What a running handler can ask about its own call.

use std::sync::Arc;
use std::time::Instant;

use proto::Extra;
use serde::de::DeserializeOwned;
use tokio::task::futures::TaskLocalFuture;
use zmtp::PeerAddress;
use zmtp::session::PeerInfo;

use crate::server::CallState;

tokio::task_local! {
    static CURRENT: CallContext;
}

/// The call that the current task, or blocking thread, serves. Methods of `#[zrpc::service]` take it
/// as a parameter.
///
/// # Example
///
/// ```
/// use zrpc::{CallContext, Method};
///
/// let search = Method::blocking("search", |(): ()| {
///     let context = CallContext::current();
///     for candidate in 0..1_000_000_u64 {
///         if context.as_ref().is_some_and(CallContext::is_cancelled) {
///             break; // Nobody waits for the answer any more.
///         }
///         std::hint::black_box(candidate);
///     }
/// });
/// # drop(search);
/// ```
#[derive(Debug, Clone)]
pub struct CallContext {
    method: Arc<str>,
    /// None for nearly all calls.
    header: Option<Arc<Extra>>,
    state: Arc<CallState>,
}

/// An entry of a request's header is not of the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("header entry {key} cannot be decoded: {detail}")]
#[non_exhaustive]
pub struct HeaderError {
    /// The name of the entry.
    pub key: String,
    /// What is wrong with it.
    pub detail: String,
}

impl CallContext {
    /// Returns the call that this task or blocking thread serves, if it serves one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Returns the name of the method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns who is at the other end of the connection that the call came on: a client, or a broker
    /// in front of it. What it says of itself is in [`PeerInfo::metadata`] and proves nothing; what
    /// an [`Authenticator`](crate::security::Authenticator) has said of it is in
    /// [`PeerInfo::user_id`] and [`PeerInfo::granted`].
    ///
    /// `None` if the connection was gone before anything about it could be known.
    pub fn peer(&self) -> Option<&PeerInfo> {
        self.state.peer()
    }

    /// Returns the user that an authenticator has found at the other end of the connection. With
    /// PLAIN and the ready-made authenticators it is the user name, with CURVE the public key.
    pub fn user_id(&self) -> Option<&[u8]> {
        let user_id = self.peer()?.user_id.as_ref()?;
        Some(user_id.as_slice())
    }

    /// Returns where the connection that the call came on begins: at the client, or at a broker or
    /// proxy in front of it.
    pub fn peer_address(&self) -> Option<&PeerAddress> {
        self.peer()?.address.as_ref()
    }

    /// Returns until when the caller waits for the first reply, if it says so. Clients of this crate
    /// do; those of others do not.
    ///
    /// Calls that the method makes itself wait no longer than this for a single result, or until its
    /// stream has begun, unless [`Request::no_timeout`](crate::Request::no_timeout) says otherwise.
    pub fn deadline(&self) -> Option<Instant> {
        self.state.deadline()
    }

    /// Decodes an entry that the caller, or its middleware, added to the header of the request.
    /// Returns `None` if there is none of that name; the protocol's own entries are not shown.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] if the entry is no `T`.
    pub fn header<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, HeaderError> {
        let Some(header) = &self.header else {
            return Ok(None);
        };
        header.decode(key).map_err(|error| HeaderError {
            key: key.to_owned(),
            detail: error.to_string(),
        })
    }

    /// Returns whether the caller is gone: lost, timed out, or no longer interested.
    pub fn is_cancelled(&self) -> bool {
        self.state.is_cancelled()
    }

    /// Waits until the caller is gone while the handler runs; for ever if it is not before the handler
    /// has ended.
    ///
    /// An asynchronous handler does not need this: its future is dropped then.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn cancelled(&self) {
        self.state.cancelled().await;
    }

    pub(crate) fn new(method: Arc<str>, header: Extra, state: Arc<CallState>) -> Self {
        Self {
            method,
            header: (!header.is_empty()).then(|| Arc::new(header)),
            state,
        }
    }

    /// Returns until when somebody waits for the first reply of the call that this task or thread
    /// serves. A stream that has begun may go on for as long as it likes.
    pub(crate) fn inherited_deadline() -> Option<Instant> {
        let deadline = CURRENT.try_with(|call| call.state.awaited_until());
        deadline.ok().flatten()
    }

    /// Returns the header entries of the request, if it has any.
    pub(crate) fn entries(&self) -> Option<&Extra> {
        self.header.as_deref()
    }

    /// Replaces the header entries of the request.
    pub(crate) fn with_entries(mut self, header: Extra) -> Self {
        self.header = (!header.is_empty()).then(|| Arc::new(header));
        self
    }

    /// Runs a future as part of this call.
    pub(crate) fn scope<F: Future>(self, future: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, future)
    }

    /// Runs a closure as part of this call.
    pub(crate) fn sync_scope<T>(self, closure: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, closure)
    }
}
