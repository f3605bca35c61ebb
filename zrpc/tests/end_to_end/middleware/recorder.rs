//! Middleware that notes which of its hooks are called, and a service for it.

use std::sync::{Arc, Mutex};

use futures_util::stream;
use zrpc::middleware::{
    CallOutcome, ClientRequest, HeaderEntries, HookFuture, Middleware, ReplyPattern, ServerReply,
    ServerRequest, TaskContext,
};
use zrpc::{CallError, Client, ClientBuilder, Fault, RemoteError, Server, ServerBuilder};

/// Notes which hooks are called, on both sides.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorder {
    pub(super) calls: Arc<Mutex<Vec<String>>>,
}

/// One side, with the name that its hooks are noted under.
pub(super) struct Side {
    name: &'static str,
    recorder: Recorder,
}

impl Recorder {
    pub(super) fn side(&self, name: &'static str) -> Side {
        let recorder = self.clone();
        Side { name, recorder }
    }

    fn note(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
    }

    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// A service whose handlers note themselves.
    pub(super) fn service(&self) -> ServerBuilder {
        let (method, stream, thread) = (self.clone(), self.clone(), self.clone());
        Server::builder()
            .middleware(self.side("S"))
            .method("echo", move |(value,): (u8,)| {
                let method = method.clone();
                async move {
                    method.note("method");
                    value
                }
            })
            .blocking("slow", move |(value,): (u8,)| {
                thread.note("method");
                value
            })
            .method("fail", |(): ()| async {
                Err::<(), _>(Fault::new("ValueError", "no"))
            })
            .method("panic", |(): ()| async {
                assert!(std::env::args().count() == 0);
            })
            .method("hang", |(): ()| std::future::pending::<()>())
            .stream("count", move |(to,): (u8,)| {
                let noted = stream.clone();
                stream::iter(0..to).inspect_item(move || noted.note("item"))
            })
            .blocking_stream("count_slowly", |(to,): (u8,)| 0..to)
    }

    pub(super) fn client(&self) -> ClientBuilder {
        Client::builder().middleware(self.side("C"))
    }
}

/// `inspect` of `StreamExt`, for streams of which only the number of items matters.
trait InspectItem: Sized {
    fn inspect_item(self, note: impl Fn() + Send + 'static) -> stream::BoxStream<'static, u8>;
}

impl<S: futures_util::Stream<Item = u8> + Send + 'static> InspectItem for S {
    fn inspect_item(self, note: impl Fn() + Send + 'static) -> stream::BoxStream<'static, u8> {
        use futures_util::StreamExt;
        self.inspect(move |_| note()).boxed()
    }
}

impl Side {
    fn note(&self, hook: &str) {
        self.recorder.note(format!("{}.{hook}", self.name));
    }
}

impl Middleware for Side {
    fn load_task_context(&self, _request: &mut ServerRequest, _context: &mut TaskContext) {
        self.note("load_task_context");
    }

    fn get_task_context(&self, _context: &TaskContext, _header: &mut HeaderEntries) {
        self.note("get_task_context");
    }

    fn server_before_exec<'a>(
        &'a self,
        _request: &'a mut ServerRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        self.note("server_before_exec");
        // One that waits.
        HookFuture::new(async {
            tokio::task::yield_now().await;
            Ok(())
        })
    }

    fn server_after_exec<'a>(
        &'a self,
        _request: &'a mut ServerRequest,
        reply: Option<&'a mut ServerReply>,
    ) -> HookFuture<'a, Result<(), Fault>> {
        assert!(reply.is_some());
        self.note("server_after_exec");
        HookFuture::ready(Ok(()))
    }

    fn server_inspect_exception<'a>(
        &'a self,
        _request: &'a mut ServerRequest,
        _reply: Option<&'a mut ServerReply>,
        _task_context: &'a HeaderEntries,
        fault: &'a Fault,
    ) -> HookFuture<'a, ()> {
        self.note(&format!("server_inspect_exception({})", fault.name()));
        HookFuture::ready(())
    }

    fn client_before_request<'a>(
        &'a self,
        _request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        self.note("client_before_request");
        HookFuture::ready(Ok(()))
    }

    fn client_patterns_list(&self, _request: &mut ClientRequest, patterns: &mut Vec<ReplyPattern>) {
        assert_eq!(*patterns, [ReplyPattern::ReqStream, ReplyPattern::ReqRep]);
        self.note("client_patterns_list");
    }

    fn client_handle_remote_error(
        &self,
        _request: &mut ClientRequest,
        _error: &RemoteError,
    ) -> Option<CallError> {
        self.note("client_handle_remote_error");
        None
    }

    fn client_after_request(&self, _request: &mut ClientRequest, outcome: &CallOutcome<'_>) {
        let how = match outcome {
            CallOutcome::Completed { .. } => "completed",
            CallOutcome::Failed { error, .. } => match error {
                CallError::Remote(_) => "remote error",
                CallError::Timeout { .. } => "timeout",
                CallError::LostRemote { .. } => "lost remote",
                CallError::Disconnected => "disconnected",
                CallError::UnexpectedStream { .. } => "unexpected stream",
                CallError::Decode { .. } => "decode",
                _ => "other",
            },
            CallOutcome::Dropped => "dropped",
            _ => "?",
        };
        self.note(&format!("client_after_request({how})"));
    }
}
