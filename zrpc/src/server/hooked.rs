//! Runs one call with middleware around it.

use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_core::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use proto::{Args, Body, MessageId};
use tracing::Instrument;

use super::authorize::Authorize;
use super::responder::Responder;
use super::run::{Job, authorized, contained, flatten, sendable};
use super::state::CallerGone;
use crate::context::CallContext;
use crate::middleware::{
    Chain, HeaderEntries, ReplyContent, ServerReply, ServerRequest, TaskContext,
};
use crate::service::{Handler, Method, Outcome, Task, TaskHandler, ThreadHandler, Work};
use crate::sync::Handle;
use crate::{Compat, Fault};

/// What middleware is called with, beyond what every call has.
#[derive(Debug)]
pub(super) struct Hooks {
    pub(super) chain: Arc<Chain>,
    pub(super) message_id: Option<Box<MessageId>>,
}

/// What a handler gave: the last event of its call, unless hooks say otherwise.
type Answer = Result<(HeaderEntries, ReplyContent), Fault>;

/// Runs a call as a task; without a handler it is one of an unknown method.
pub(super) async fn run_task(job: Job, hooks: Hooks, handler: Option<Arc<dyn TaskHandler>>) {
    let Job {
        method,
        args,
        context,
        responder,
        compat,
        authorizer,
        ..
    } = job;
    let settings = Settings { authorizer, compat };
    let work = async {
        let (mut call, task_context) = Hooked::load(hooks, &method, (context, args), settings);
        let work = async {
            let answer = match handler {
                Some(handler) => call.execute(&*handler, &responder).await?,
                None => Err(Fault::new("NameError", method.name().to_owned()).by_caller()),
            };
            Ok(call.conclude(answer).await)
        };
        task_context.scope(work).await
    };
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(reply)) => responder.answer(reply),
        // Hooks are told of handlers that panic. This was one of them.
        Err(panic) => responder.reply(flatten(&method, Err(panic))),
        Ok(Err(CallerGone)) => {}
    }
}

/// Runs a call on a thread of the blocking pool, unless its caller has gone meanwhile. Hooks that
/// wait hold the thread.
pub(super) fn run_thread(job: Job, hooks: Hooks, handler: &dyn ThreadHandler, runtime: &Handle) {
    if job.is_abandoned() {
        return;
    }
    let Job {
        method,
        args,
        context,
        responder,
        compat,
        authorizer,
        ..
    } = job;
    let settings = Settings { authorizer, compat };
    let work = || {
        let (mut call, task_context) = Hooked::load(hooks, &method, (context, args), settings);
        let on_thread = OnThread { runtime, handler };
        Ok(task_context.sync_scope(|| {
            let answer = on_thread.execute(&mut call, &responder)?;
            Ok(runtime.block_on(call.conclude(answer)))
        }))
    };
    match contained(&method, work) {
        Ok(Ok(reply)) => responder.answer(reply),
        Err(fault) => responder.reply(Err(fault)),
        Ok(Err(CallerGone)) => {}
    }
}

/// A call with middleware around it.
struct Hooked {
    chain: Arc<Chain>,
    method: Arc<Method>,
    request: ServerRequest,
    settings: Settings,
}

/// What every call of the server has.
struct Settings {
    authorizer: Option<Arc<dyn Authorize>>,
    compat: Compat,
}

impl Hooked {
    fn load(
        hooks: Hooks,
        method: &Arc<Method>,
        (context, args): (CallContext, Args),
        settings: Settings,
    ) -> (Self, TaskContext) {
        let id = hooks.message_id.map(|id| *id);
        let mut request = ServerRequest::new(context, id, args);
        if let Handler::Missing = method.handler() {
            request.set_missing();
        }
        let task_context = hooks.chain.load_task_context(&mut request);
        let call = Self {
            chain: hooks.chain,
            method: Arc::clone(method),
            request,
            settings,
        };
        (call, task_context)
    }

    /// Calls the hooks in front of the method. Returns what the method can ask about its call.
    async fn before(&mut self) -> Result<CallContext, Fault> {
        let authorizer = self.settings.authorizer.take();
        if let Err(fault) = authorized(authorizer, &self.method, self.request.context()) {
            self.request.set_denied();
            return Err(fault.by_caller());
        }
        let before = self.chain.server_before_exec(&mut self.request).await;
        before.map_err(Fault::by_caller)?;
        let context = self.request.context().clone();
        Ok(match self.request.edited_header() {
            Some(header) => context.with_entries(header),
            None => context,
        })
    }

    async fn execute(
        &mut self,
        handler: &dyn TaskHandler,
        responder: &Responder,
    ) -> Result<Answer, CallerGone> {
        let context = match self.before().await {
            Ok(context) => context,
            Err(fault) => return Ok(Err(fault)),
        };
        let span = self.request.span();
        let method = &self.method;
        let args = self.request.shared_args();
        let start = || handler.start(method.name(), method.signature(), args);
        let started = span.in_scope(|| context.clone().sync_scope(|| contained(method, start)));
        match started {
            Err(fault) => Ok(Err(fault)),
            Ok(Task::Value(future)) => {
                let future = context.scope(future).instrument(span);
                let outcome = AssertUnwindSafe(future).catch_unwind().await;
                Ok(self.value(flatten(&self.method, outcome)))
            }
            Ok(Task::Items(items)) => {
                let header = match self.sendable_header() {
                    Ok(header) => header,
                    Err(fault) => return Ok(Err(fault)),
                };
                let send = self.send_all(items, responder, &header);
                let send = context.scope(send).instrument(span);
                let outcome = AssertUnwindSafe(send).catch_unwind().await;
                match flatten(&self.method, outcome.map(Ok)) {
                    Ok(Ok(Ok(()))) => Ok(Ok((header, ReplyContent::StreamDone))),
                    Ok(Ok(Err(gone))) => Err(gone),
                    Ok(Err(fault)) | Err(fault) => Ok(Err(fault)),
                }
            }
        }
    }

    async fn send_all(
        &self,
        mut items: BoxStream<'static, Outcome>,
        responder: &Responder,
        header: &HeaderEntries,
    ) -> Result<Result<(), CallerGone>, Fault> {
        while let Some(item) = items.next().await {
            let item = self.item(item?, header)?;
            if let Err(gone) = responder.item(item).await {
                return Ok(Err(gone));
            }
        }
        Ok(Ok(()))
    }

    /// Takes the single result of a method.
    fn value(&self, outcome: Outcome) -> Answer {
        let value = outcome?;
        Ok((self.sendable_header()?, ReplyContent::Value(value)))
    }

    /// Makes one item of a stream.
    fn item(&self, item: Body, header: &HeaderEntries) -> Outcome {
        let item = sendable(&self.method, self.settings.compat, item)?;
        Ok(if header.is_empty() {
            item
        } else {
            item.with_extra(header.extra().clone())
        })
    }

    /// Returns the header entries of what is sent.
    fn header(&self) -> HeaderEntries {
        let mut header = HeaderEntries::new();
        self.chain
            .get_task_context(&TaskContext::current(), &mut header);
        header
    }

    /// Returns the header entries of what is sent, unless its receiver would drop or change them.
    fn sendable_header(&self) -> Result<HeaderEntries, Fault> {
        let header = self.header();
        self.check_header(&header)?;
        Ok(header)
    }

    fn check_header(&self, header: &HeaderEntries) -> Result<(), Fault> {
        let checked = header.extra().check(self.settings.compat);
        checked.map_err(|error| {
            let method = self.method.name();
            Fault::new(
                "TypeError",
                format!("{method}() has an answer that cannot be sent: {error}"),
            )
        })
    }

    /// Calls the hooks behind the method, and returns the last event of the call.
    async fn conclude(&mut self, answer: Answer) -> ServerReply {
        let fault = match self.finish(answer).await {
            Ok(reply) => return reply,
            Err(fault) => fault,
        };
        let mut reply = ServerReply::new(self.header(), ReplyContent::Failed(fault.clone()));
        let task_context = self.header();
        self.chain
            .server_inspect_exception(&mut self.request, Some(&mut reply), &task_context, &fault)
            .await;
        // An error that its receiver drops for what goes with it would be none.
        if let Err(fault) = self.check_header(reply.header()) {
            tracing::warn!(%fault, "left the header entries of an error out");
            *reply.header_mut() = HeaderEntries::new();
        }
        reply
    }

    async fn finish(&mut self, answer: Answer) -> Result<ServerReply, Fault> {
        let (header, content) = answer?;
        let mut reply = ServerReply::new(header, content);
        self.chain
            .server_after_exec(&mut self.request, Some(&mut reply))
            .await?;
        // Hooks may have changed the header and the value.
        self.check_header(reply.header())?;
        reply.try_map_value(|value| sendable(&self.method, self.settings.compat, value))
    }
}

/// A handler that holds its thread, and how it waits there.
struct OnThread<'a> {
    runtime: &'a Handle,
    handler: &'a dyn ThreadHandler,
}

impl OnThread<'_> {
    fn execute(&self, call: &mut Hooked, responder: &Responder) -> Result<Answer, CallerGone> {
        let context = match self.runtime.block_on(call.before()) {
            Ok(context) => context,
            Err(fault) => return Ok(Err(fault)),
        };
        let span = call.request.span();
        let method = &call.method;
        let args = call.request.shared_args();
        // Of a stream, once for all of it.
        let mut header = None;
        let mut caller = Caller::Waits;
        let mut give = |item| {
            let header = match &mut header {
                Some(header) => header,
                none => none.insert(call.sendable_header()?),
            };
            let item = call.item(item, header)?;
            if self.runtime.block_on(responder.item(item)).is_ok() {
                return Ok(ControlFlow::Continue(()));
            }
            caller = Caller::Gone;
            Ok(ControlFlow::Break(()))
        };
        let handler = self.handler;
        let work = || handler.run(method.name(), method.signature(), args, &mut give);
        let work = span.in_scope(|| context.sync_scope(|| contained(method, work)));
        match (work, caller) {
            (_, Caller::Gone) => Err(CallerGone),
            (Err(fault), Caller::Waits) => Ok(Err(fault)),
            (Ok(Work::Value(value)), Caller::Waits) => Ok(call.value(Ok(value))),
            (Ok(Work::Given), Caller::Waits) => {
                let header = header.map_or_else(|| call.sendable_header(), Ok);
                Ok(header.map(|header| (header, ReplyContent::StreamDone)))
            }
        }
    }
}

/// Whether somebody takes the items of a stream.
#[derive(Clone, Copy)]
enum Caller {
    Waits,
    Gone,
}
