//! Middleware made of closures.

use zrpc::middleware::{
    ClientRequest, HeaderEntries, HookFuture, Middleware, ReplyPattern, Resolution, ResolveError,
    ServerReply, ServerRequest,
};
use zrpc::{CallError, Fault, RemoteError};

/// A hook that may fail.
type Hook<T> = fn(&mut T) -> Result<(), Fault>;

type Resolve = fn(&str) -> Result<Resolution, ResolveError>;

/// Middleware made of closures, for one hook each.
#[derive(Default)]
pub(super) struct Custom {
    pub(super) before_request: Option<Hook<ClientRequest>>,
    pub(super) before_exec: Option<Hook<ServerRequest>>,
    pub(super) after_exec: Option<Hook<ServerReply>>,
    pub(super) inspect: Option<fn(&mut ServerReply)>,
    pub(super) patterns: Option<fn(&mut Vec<ReplyPattern>)>,
    pub(super) remote_error: Option<fn(&RemoteError) -> Option<CallError>>,
    pub(super) resolve: Option<Resolve>,
}

impl Middleware for Custom {
    fn resolve_endpoint<'a>(
        &'a self,
        endpoint: &'a str,
    ) -> HookFuture<'a, Result<Resolution, ResolveError>> {
        let resolve = self.resolve.unwrap_or(|_| Ok(Resolution::Unchanged));
        HookFuture::ready(resolve(endpoint))
    }

    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(self.before_request.map_or(Ok(()), |hook| hook(request)))
    }

    fn server_before_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(self.before_exec.map_or(Ok(()), |hook| hook(request)))
    }

    fn server_after_exec<'a>(
        &'a self,
        _request: &'a mut ServerRequest,
        reply: Option<&'a mut ServerReply>,
    ) -> HookFuture<'a, Result<(), Fault>> {
        let after = self.after_exec.unwrap_or(|_| Ok(()));
        HookFuture::ready(reply.map_or(Ok(()), after))
    }

    fn server_inspect_exception<'a>(
        &'a self,
        _request: &'a mut ServerRequest,
        reply: Option<&'a mut ServerReply>,
        _task_context: &'a HeaderEntries,
        _fault: &'a Fault,
    ) -> HookFuture<'a, ()> {
        if let (Some(hook), Some(reply)) = (self.inspect, reply) {
            hook(reply);
        }
        HookFuture::ready(())
    }

    fn client_patterns_list(&self, _: &mut ClientRequest, patterns: &mut Vec<ReplyPattern>) {
        if let Some(hook) = self.patterns {
            hook(patterns);
        }
    }

    fn client_handle_remote_error(
        &self,
        _: &mut ClientRequest,
        error: &RemoteError,
    ) -> Option<CallError> {
        self.remote_error.and_then(|hook| hook(error))
    }
}

pub(super) fn custom(change: impl FnOnce(&mut Custom)) -> Custom {
    let mut custom = Custom::default();
    change(&mut custom);
    custom
}
