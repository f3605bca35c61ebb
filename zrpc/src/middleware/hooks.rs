//! The hooks that middleware may have.

use std::sync::Arc;

use proto::RemoteError;

use super::{
    CallOutcome, ClientRequest, HeaderEntries, HookFuture, ReplyPattern, Resolution, ResolveError,
    ServerReply, ServerRequest, TaskContext,
};
use crate::{CallError, Fault};

/// Code around every call of a client or server, and around what connects them.
///
/// Each hook is named after that of Python's zerorpc and does nothing unless it is written. Those
/// that may wait return a [`HookFuture`]. The order in which they run is shown at the
/// [module](super).
///
/// # Example
///
/// Refuses calls without a token, and adds one to every call:
///
/// ```
/// use zrpc::middleware::{ClientRequest, HookFuture, Middleware, ServerRequest};
/// use zrpc::{Client, Fault, Server};
///
/// struct Token(String);
///
/// impl Middleware for Token {
///     fn client_before_request<'a>(
///         &'a self,
///         request: &'a mut ClientRequest,
///     ) -> HookFuture<'a, Result<(), Fault>> {
///         let added = request.header_mut().insert("token", &self.0);
///         HookFuture::ready(added.map_err(Fault::from))
///     }
///
///     fn server_before_exec<'a>(
///         &'a self,
///         request: &'a mut ServerRequest,
///     ) -> HookFuture<'a, Result<(), Fault>> {
///         HookFuture::ready(match request.header().get::<String>("token") {
///             Ok(Some(token)) if token == self.0 => Ok(()),
///             _ => Err(Fault::new("PermissionError", "a token is missing")),
///         })
///     }
/// }
///
/// let client = Client::builder().middleware(Token("secret".to_owned()));
/// let server = Server::builder().middleware(Token("secret".to_owned()));
/// # drop((client, server));
/// ```
#[expect(
    unused_variables,
    reason = "the names of the parameters are documentation"
)]
pub trait Middleware: Send + Sync + 'static {
    /// An endpoint is about to be bound or connected to. What replaces it goes on to the next
    /// middleware, and the members of a list start over.
    ///
    /// # Errors
    ///
    /// [`ResolveError`] fails what needs the endpoint, as
    /// [`ConnectError::Resolve`](crate::ConnectError::Resolve).
    fn resolve_endpoint<'a>(
        &'a self,
        endpoint: &'a str,
    ) -> HookFuture<'a, Result<Resolution, ResolveError>> {
        HookFuture::ready(Ok(Resolution::Unchanged))
    }

    /// Server, puller, subscriber: a request is about to be handled, also one for an unknown method
    /// of a server. Takes from its header what its handler, and the calls that this makes, shall
    /// have in their [`TaskContext`].
    ///
    /// What is in the header came from whoever could reach the server.
    fn load_task_context(&self, request: &mut ServerRequest, context: &mut TaskContext) {}

    /// An event is about to be made: a request, a reply, the items of a stream (once for all), an
    /// error, or what is published. Puts into its header what of the task's context shall travel.
    fn get_task_context(&self, context: &TaskContext, header: &mut HeaderEntries) {}

    /// Server, puller, subscriber: right before a method is called, and not for unknown ones.
    ///
    /// # Errors
    ///
    /// A [`Fault`] is the answer of the call. Neither the method nor the hooks of later middleware
    /// are called, and those of [`server_inspect_exception`](Self::server_inspect_exception) are.
    fn server_before_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(Ok(()))
    }

    /// Server, puller, subscriber: a method has succeeded. Called before the reply, or the end of
    /// the stream, is sent, and may change it. Pullers and subscribers have no reply.
    ///
    /// # Errors
    ///
    /// A [`Fault`] takes the place of the reply.
    fn server_after_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        reply: Option<&'a mut ServerReply>,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(Ok(()))
    }

    /// Server, puller, subscriber: a call has failed, in whatever way; an unknown method and a
    /// handler that panicked are among them. Called before the error is sent, and may change it.
    /// Pullers and subscribers have no reply.
    ///
    /// `task_context` is what [`get_task_context`](Self::get_task_context) gave.
    fn server_inspect_exception<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        reply: Option<&'a mut ServerReply>,
        task_context: &'a HeaderEntries,
        fault: &'a Fault,
    ) -> HookFuture<'a, ()> {
        HookFuture::ready(())
    }

    /// Client: a request is about to be sent. May change its header.
    ///
    /// # Errors
    ///
    /// A [`Fault`] fails the call as [`CallError::Denied`]. Nothing is sent, and no other hook is
    /// called for it.
    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(Ok(()))
    }

    /// Publisher, pusher: something is about to be sent, behind
    /// [`get_task_context`](Self::get_task_context). Python has no hook here.
    ///
    /// # Errors
    ///
    /// A [`Fault`] fails what would be sent.
    fn before_publish<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(Ok(()))
    }

    /// Client: the first reply to a call is there. `patterns` are the kinds of replies that the
    /// call takes, at first [`ReplyPattern::ReqStream`] and [`ReplyPattern::ReqRep`]; may be
    /// changed. A reply that fits none of those that are left is
    /// [`CallError::UnexpectedEvent`].
    fn client_patterns_list(&self, request: &mut ClientRequest, patterns: &mut Vec<ReplyPattern>) {}

    /// Client: the server answered with an error. What the last middleware that gives something
    /// gives is the error of the call, in place of [`CallError::Remote`].
    fn client_handle_remote_error(
        &self,
        request: &mut ClientRequest,
        error: &RemoteError,
    ) -> Option<CallError> {
        None
    }

    /// Client: a call that was sent is over, in whatever way. Called exactly once for each.
    ///
    /// It does not wait, for it is also called where the call is dropped.
    fn client_after_request(&self, request: &mut ClientRequest, outcome: &CallOutcome<'_>) {}
}

/// Middleware that several clients and servers share.
impl<M: Middleware + ?Sized> Middleware for Arc<M> {
    fn resolve_endpoint<'a>(
        &'a self,
        endpoint: &'a str,
    ) -> HookFuture<'a, Result<Resolution, ResolveError>> {
        (**self).resolve_endpoint(endpoint)
    }

    fn load_task_context(&self, request: &mut ServerRequest, context: &mut TaskContext) {
        (**self).load_task_context(request, context);
    }

    fn get_task_context(&self, context: &TaskContext, header: &mut HeaderEntries) {
        (**self).get_task_context(context, header);
    }

    fn server_before_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        (**self).server_before_exec(request)
    }

    fn server_after_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        reply: Option<&'a mut ServerReply>,
    ) -> HookFuture<'a, Result<(), Fault>> {
        (**self).server_after_exec(request, reply)
    }

    fn server_inspect_exception<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        reply: Option<&'a mut ServerReply>,
        task_context: &'a HeaderEntries,
        fault: &'a Fault,
    ) -> HookFuture<'a, ()> {
        (**self).server_inspect_exception(request, reply, task_context, fault)
    }

    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        (**self).client_before_request(request)
    }

    fn before_publish<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        (**self).before_publish(request)
    }

    fn client_patterns_list(&self, request: &mut ClientRequest, patterns: &mut Vec<ReplyPattern>) {
        (**self).client_patterns_list(request, patterns);
    }

    fn client_handle_remote_error(
        &self,
        request: &mut ClientRequest,
        error: &RemoteError,
    ) -> Option<CallError> {
        (**self).client_handle_remote_error(request, error)
    }

    fn client_after_request(&self, request: &mut ClientRequest, outcome: &CallOutcome<'_>) {
        (**self).client_after_request(request, outcome);
    }
}
