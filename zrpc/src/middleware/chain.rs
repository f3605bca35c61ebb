//! All middleware of a client or server, in the order in which it was registered.

use std::fmt;
use std::sync::Arc;

use proto::{Body, RemoteError};

use super::{
    CallOutcome, ClientRequest, HeaderEntries, Middleware, ReplyPattern, ServerReply,
    ServerRequest, TaskContext,
};
use crate::{CallError, Fault};

/// The middleware of a client or server. Calls the hooks of each in turn.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    links: Vec<Arc<dyn Middleware>>,
}

impl Chain {
    pub(crate) fn push(&mut self, middleware: Arc<dyn Middleware>) {
        self.links.push(middleware);
    }

    /// Returns the chain to be shared by all calls; `None` if there is nothing to be called.
    pub(crate) fn into_shared(self) -> Option<Arc<Self>> {
        (!self.is_empty()).then(|| Arc::new(self))
    }

    pub(crate) fn load_task_context(&self, request: &mut ServerRequest) -> TaskContext {
        let mut context = TaskContext::new();
        for middleware in self.iter() {
            middleware.load_task_context(request, &mut context);
        }
        context
    }

    /// Adds to `header` what of `context` shall travel.
    pub(crate) fn get_task_context(&self, context: &TaskContext, header: &mut HeaderEntries) {
        for middleware in self.iter() {
            middleware.get_task_context(context, header);
        }
    }

    pub(crate) async fn server_before_exec(
        &self,
        request: &mut ServerRequest,
    ) -> Result<(), Fault> {
        for middleware in self.iter() {
            middleware.server_before_exec(request).await?;
        }
        Ok(())
    }

    pub(crate) async fn server_after_exec(
        &self,
        request: &mut ServerRequest,
        mut reply: Option<&mut ServerReply>,
    ) -> Result<(), Fault> {
        for middleware in self.iter() {
            let reply = reply.as_deref_mut();
            middleware.server_after_exec(request, reply).await?;
        }
        Ok(())
    }

    pub(crate) async fn server_inspect_exception(
        &self,
        request: &mut ServerRequest,
        mut reply: Option<&mut ServerReply>,
        task_context: &HeaderEntries,
        fault: &Fault,
    ) {
        for middleware in self.iter() {
            let reply = reply.as_deref_mut();
            middleware
                .server_inspect_exception(request, reply, task_context, fault)
                .await;
        }
    }

    pub(crate) async fn client_before_request(
        &self,
        request: &mut ClientRequest,
    ) -> Result<(), Fault> {
        for middleware in self.iter() {
            middleware.client_before_request(request).await?;
        }
        Ok(())
    }

    /// Calls the hooks in front of what is published or pushed, and returns it as it is to be sent.
    pub(crate) async fn publish(&self, method: &str, args: Body) -> Result<proto::Request, Fault> {
        let mut request = ClientRequest::new(method, args);
        self.get_task_context(&TaskContext::current(), request.header_mut());
        for middleware in self.iter() {
            middleware.before_publish(&mut request).await?;
        }
        // Nobody else takes it.
        let sent = request.take();
        sent.ok_or_else(|| Fault::new("RuntimeError", "the event was sent already"))
    }

    /// Returns the kinds of replies that a call takes.
    pub(crate) fn client_patterns_list(&self, request: &mut ClientRequest) -> Vec<ReplyPattern> {
        let mut patterns = vec![ReplyPattern::ReqStream, ReplyPattern::ReqRep];
        for middleware in self.iter() {
            middleware.client_patterns_list(request, &mut patterns);
        }
        patterns
    }

    pub(crate) fn client_handle_remote_error(
        &self,
        request: &mut ClientRequest,
        error: &RemoteError,
    ) -> Option<CallError> {
        let mut last = None;
        for middleware in self.iter() {
            last = middleware
                .client_handle_remote_error(request, error)
                .or(last);
        }
        last
    }

    pub(crate) fn client_after_request(
        &self,
        request: &mut ClientRequest,
        outcome: &CallOutcome<'_>,
    ) {
        for middleware in self.iter() {
            middleware.client_after_request(request, outcome);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn Middleware> {
        self.links.iter().map(|middleware| &**middleware)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("count", &self.links.len())
            .finish()
    }
}
