//! One log line for each call.

use std::time::Instant;

use super::{
    CallOutcome, ClientRequest, HeaderEntries, HookFuture, Middleware, ServerReply, ServerRequest,
    TaskContext,
};
use crate::Fault;
use crate::service::shown_name;

/// Logs each call when it is over: its method, how long it took, and the name of the exception if it
/// failed.
///
/// The events are `tracing` events of the target `zrpc::calls`: calls that succeed or that nobody
/// waits for any more at the level `DEBUG`, as calls that are refused, for methods that there are not,
/// or with arguments that do not fit; others that fail at `WARN`. Of long names the beginning is
/// logged. Arguments, results and the
/// messages of exceptions are not logged, for nobody knows what is in them.
///
/// # Example
///
/// ```
/// let server = zrpc::Server::builder().middleware(zrpc::middleware::Logging::new());
/// # drop(server);
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Logging {}

/// A call that is going on. What it is when it is dropped says how it ended.
struct InProgress {
    method: Box<str>,
    since: Instant,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The request of a caller is handled.
    Serving,
    /// The method was successful. The hooks of other middleware may fail the call still.
    Served,
    /// A call is made. Hooks learn its end once it was sent.
    Calling,
    Over,
}

impl Logging {
    /// Makes the middleware.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl InProgress {
    fn new(method: &str, stage: Stage) -> Self {
        Self {
            method: method.into(),
            since: Instant::now(),
            stage,
        }
    }

    /// Ends it. Returns how long it took, in seconds.
    fn finish(&mut self) -> f64 {
        self.stage = Stage::Over;
        self.since.elapsed().as_secs_f64()
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let ending = match self.stage {
            Stage::Serving => "caller is gone",
            Stage::Served => "call was answered",
            Stage::Calling => "call was not sent",
            Stage::Over => return,
        };
        let seconds = self.finish();
        let method = &*self.method;
        tracing::debug!(target: "zrpc::calls", method, seconds, "{ending}");
    }
}

impl Middleware for Logging {
    fn load_task_context(&self, request: &mut ServerRequest, _context: &mut TaskContext) {
        let call = InProgress::new(shown_name(request.method()), Stage::Serving);
        request.extensions_mut().insert(call);
    }

    fn server_after_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        _reply: Option<&'a mut ServerReply>,
    ) -> HookFuture<'a, Result<(), Fault>> {
        if let Some(call) = request.extensions_mut().get_mut::<InProgress>() {
            call.stage = Stage::Served;
        }
        HookFuture::ready(Ok(()))
    }

    fn server_inspect_exception<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        _reply: Option<&'a mut ServerReply>,
        _task_context: &'a HeaderEntries,
        fault: &'a Fault,
    ) -> HookFuture<'a, ()> {
        let call = request.extensions_mut().remove::<InProgress>();
        let seconds = call.map(|mut call| call.finish());
        let (method, error) = (shown_name(request.method()), fault.name());
        // Peers can send what they like, and shall not fill the log.
        if request.is_missing() || fault.is_by_caller() {
            tracing::debug!(target: "zrpc::calls", method, error, seconds, "call refused");
        } else {
            tracing::warn!(target: "zrpc::calls", method, error, seconds, "call failed");
        }
        HookFuture::ready(())
    }

    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        let call = InProgress::new(request.method(), Stage::Calling);
        request.extensions_mut().insert(call);
        HookFuture::ready(Ok(()))
    }

    fn client_after_request(&self, request: &mut ClientRequest, outcome: &CallOutcome<'_>) {
        let Some(mut call) = request.extensions_mut().remove::<InProgress>() else {
            return;
        };
        let seconds = call.finish();
        let method = &*call.method;
        match outcome {
            CallOutcome::Completed { .. } => {
                tracing::debug!(target: "zrpc::calls", method, seconds, "call was answered");
            }
            CallOutcome::Failed { error, .. } => {
                let error = error.name();
                tracing::warn!(target: "zrpc::calls", method, error, seconds, "call failed");
            }
            CallOutcome::Dropped => {
                tracing::debug!(target: "zrpc::calls", method, seconds, "call was given up");
            }
        }
    }
}
