//! A request that has come, as the hooks of a server see it.

use proto::{Args, Extra, MessageId};
use serde::de::DeserializeOwned;

use super::{Extensions, HeaderEntries};
use crate::{CallContext, Fault};

/// A request that a server, puller or subscriber is about to handle, or has handled.
///
/// It is dropped when the call is over, also if its caller went away and no hook says so.
#[derive(Debug)]
pub struct ServerRequest {
    context: CallContext,
    message_id: Option<MessageId>,
    header: HeaderEntries,
    edited: Edited,
    args: Args,
    extensions: Extensions,
    standing: Standing,
    /// The span that the handler runs in.
    span: Option<tracing::Span>,
}

/// Whether the hooks in front of the method are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Accepted,
    /// There is no such method.
    Missing,
    /// The authorizer does not allow the call.
    Denied,
}

/// Whether a hook may have changed the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edited {
    No,
    Perhaps,
}

impl ServerRequest {
    pub(crate) fn new(context: CallContext, message_id: Option<MessageId>, args: Args) -> Self {
        Self {
            header: HeaderEntries::from_extra(context.entries().cloned().unwrap_or_default()),
            context,
            message_id,
            edited: Edited::No,
            args,
            extensions: Extensions::new(),
            standing: Standing::Accepted,
            span: None,
        }
    }

    /// Notes that there is no such method.
    pub(crate) fn set_missing(&mut self) {
        self.standing = Standing::Missing;
    }

    /// Notes that the call is not allowed.
    pub(crate) fn set_denied(&mut self) {
        self.standing = Standing::Denied;
    }

    /// Returns the name of the method, which may be unknown.
    #[must_use]
    pub fn method(&self) -> &str {
        self.context.method()
    }

    /// Returns whether there is no such method.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.standing == Standing::Missing
    }

    /// Returns whether the [authorizer](crate::Authorize) of the server does not allow the call.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.standing == Standing::Denied
    }

    /// Returns what the handler can ask about the call.
    #[must_use]
    pub fn context(&self) -> &CallContext {
        &self.context
    }

    /// Returns the id that the caller chose for the request, if it has one.
    #[must_use]
    pub fn message_id(&self) -> Option<&MessageId> {
        self.message_id.as_ref()
    }

    /// Returns the header entries beyond the protocol's own.
    #[must_use]
    pub fn header(&self) -> &HeaderEntries {
        &self.header
    }

    /// Returns the header entries beyond the protocol's own, to change what the handler sees with
    /// [`CallContext::header`].
    pub fn header_mut(&mut self) -> &mut HeaderEntries {
        self.edited = Edited::Perhaps;
        &mut self.header
    }

    /// Returns the encoded arguments. They should be a msgpack array; callers may send anything.
    #[must_use]
    pub fn encoded_args(&self) -> &[u8] {
        self.args.encoded()
    }

    /// Decodes the arguments.
    ///
    /// # Errors
    ///
    /// A `TypeError` if they are no `T`.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        self.args
            .decode()
            .map_err(|error| Fault::new("TypeError", error.to_string()))
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

    pub(crate) fn shared_args(&self) -> Args {
        self.args.clone()
    }

    /// Returns the header for the handler, if hooks may have changed it.
    pub(crate) fn edited_header(&self) -> Option<Extra> {
        match self.edited {
            Edited::No => None,
            Edited::Perhaps => Some(self.header.extra().clone()),
        }
    }

    /// Lets the handler run in a span.
    pub(super) fn set_span(&mut self, span: tracing::Span) {
        self.span = Some(span);
    }

    /// Returns the span that the handler runs in.
    pub(crate) fn span(&self) -> tracing::Span {
        self.span.clone().unwrap_or_else(tracing::Span::none)
    }
}
