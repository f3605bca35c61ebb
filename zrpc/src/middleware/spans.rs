//! A `tracing` span for each call, on both sides, in one distributed trace.

use tracing::Span;
use tracing::field::Empty;

use super::{
    CallOutcome, ClientRequest, HeaderEntries, HookFuture, Middleware, ServerReply, ServerRequest,
    TaskContext, TraceContext,
};
use crate::Fault;
use crate::service::shown_name;

/// Makes a `tracing` span for each call, on both sides, and carries the W3C trace context between
/// them ([`TraceContext`]).
///
/// The span of a server, `zrpc.server`, is entered while the handler runs, and closed when the call
/// is over. That of a client, `zrpc.client`, lasts from the request to the last event, and is a
/// child of the span that the caller is in. They are of the level `INFO` and the target
/// `zrpc::calls`, with these fields, named as OpenTelemetry does:
///
/// | field | what it is |
/// |---|---|
/// | `otel.kind` | `server` or `client` |
/// | `rpc.system` | `zerorpc` |
/// | `rpc.method` | the name of the method; of a long one from a caller the beginning |
/// | `trace_id`, `span_id` | the position in the trace; a log line can be found by it |
/// | `parent_span_id` | the span that caused this one, where it is known |
/// | `error.type` | the name of the exception, if the call failed; `dropped` if its caller gave up |
///
/// Arguments, results and messages are not recorded. A trace context that is malformed is taken for
/// none, which begins a new trace.
///
/// # Example
///
/// ```
/// use zrpc::middleware::Tracing;
/// use zrpc::{Client, Server};
///
/// let client = Client::builder().middleware(Tracing::new());
/// let server = Server::builder().middleware(Tracing::new());
/// # drop((client, server));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Tracing {}

/// The span of a call that this side makes.
struct ClientSpan(Span);

impl Tracing {
    /// Makes the middleware.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

/// Returns a span's position in its trace, and the id of the span before it.
fn next(parent: Option<&TraceContext>) -> (TraceContext, Option<String>) {
    match parent {
        Some(parent) => (parent.child(), Some(parent.span_id().to_string())),
        None => (TraceContext::random(), None),
    }
}

/// Puts the context into what is sent, unless there is no room: no call fails for not being traced.
fn send(own: &TraceContext, request: &mut ClientRequest) {
    if let Err(error) = own.put_into(request.header_mut()) {
        let method = request.method();
        tracing::debug!(method, %error, "left the trace context out");
    }
}

/// Records what failed a call.
fn record_fault(span: &Span, fault: &Fault) {
    span.record("error.type", fault.name());
}

impl Middleware for Tracing {
    fn load_task_context(&self, request: &mut ServerRequest, context: &mut TaskContext) {
        let parent = TraceContext::from_header(request.header()).unwrap_or_else(|error| {
            tracing::debug!(%error, "a caller sent no trace context");
            None
        });
        let (own, parent) = next(parent.as_ref());
        let span = tracing::info_span!(
            target: "zrpc::calls",
            "zrpc.server",
            otel.kind = "server",
            rpc.system = "zerorpc",
            rpc.method = shown_name(request.method()),
            trace_id = %own.trace_id(),
            span_id = %own.span_id(),
            parent_span_id = parent,
            error.type = Empty,
        );
        request.set_span(span);
        if let Err(error) = own.put_into_context(context) {
            tracing::debug!(%error, "left the trace context out");
        }
    }

    fn server_inspect_exception<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        _reply: Option<&'a mut ServerReply>,
        _task_context: &'a HeaderEntries,
        fault: &'a Fault,
    ) -> HookFuture<'a, ()> {
        record_fault(&request.span(), fault);
        HookFuture::ready(())
    }

    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        let (own, span) = begin("client", request);
        request.extensions_mut().insert(ClientSpan(span));
        send(&own, request);
        HookFuture::ready(Ok(()))
    }

    fn before_publish<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        // It is over when it is sent.
        let (own, _span) = begin("producer", request);
        send(&own, request);
        HookFuture::ready(Ok(()))
    }

    fn client_after_request(&self, request: &mut ClientRequest, outcome: &CallOutcome<'_>) {
        let Some(ClientSpan(span)) = request.extensions_mut().remove() else {
            return;
        };
        match outcome {
            CallOutcome::Completed { .. } => {}
            CallOutcome::Failed { error, .. } => {
                span.record("error.type", error.name());
            }
            CallOutcome::Dropped => {
                span.record("error.type", "dropped");
            }
        }
    }
}

/// Makes the span of what is about to be sent.
fn begin(kind: &'static str, request: &ClientRequest) -> (TraceContext, Span) {
    let (own, parent) = next(TraceContext::current().as_ref());
    let span = tracing::info_span!(
        target: "zrpc::calls",
        "zrpc.client",
        otel.kind = kind,
        rpc.system = "zerorpc",
        rpc.method = request.method(),
        trace_id = %own.trace_id(),
        span_id = %own.span_id(),
        parent_span_id = parent,
        error.type = Empty,
    );
    (own, span)
}
