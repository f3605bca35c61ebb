//! Runs one call: decodes its arguments, runs its handler, and answers.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use futures_core::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use proto::{Args, Body};

use super::authorize::Authorize;
use super::hooked::Hooks;
use super::responder::Responder;
use super::state::CallState;
use crate::context::CallContext;
use crate::service::{Method, Outcome, Task, TaskHandler, ThreadHandler, Work, shown_name};
use crate::sync::Handle;
use crate::{Compat, Fault};

/// One call that is ready to run.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) method: Arc<Method>,
    pub(super) args: Args,
    pub(super) context: CallContext,
    pub(super) responder: Responder,
    pub(super) compat: Compat,
    pub(super) state: Arc<CallState>,
    pub(super) authorizer: Option<Arc<dyn Authorize>>,
    /// `None` without middleware.
    pub(super) hooks: Option<Box<Hooks>>,
}

impl Job {
    /// Returns whether nobody waits for it any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.state.is_cancelled() || self.state.is_overdue(Instant::now())
    }
}

/// Returns the task that runs a call. A handler that panics fails this call and nothing else.
///
/// The task holds what it needs once, where an `async fn` would have room for its arguments beside
/// what it takes out of them: the task is moved several times before and after it runs.
pub(super) fn run_task(
    job: Job,
    handler: Arc<dyn TaskHandler>,
) -> impl Future<Output = ()> + Send + 'static {
    let Job {
        method,
        args,
        context,
        responder,
        compat,
        authorizer,
        ..
    } = job;
    async move {
        if let Err(fault) = authorized(authorizer, &method, &context) {
            responder.reply(Err(fault));
            return;
        }
        let work = async {
            let started = handler.start(method.name(), method.signature(), args)?;
            finish(started, &method, compat, &responder).await
        };
        let outcome = AssertUnwindSafe(context.scope(work)).catch_unwind().await;
        answer(responder, flatten(&method, outcome));
    }
}

/// Starts the handler of a call, and lets it run until it waits for the first time. Returns the task
/// that runs the rest, if there is any.
pub(super) fn run_first_turn(
    job: Job,
    handler: &dyn TaskHandler,
) -> Option<impl Future<Output = ()> + Send + 'static> {
    let Job {
        method,
        args,
        context,
        responder,
        compat,
        authorizer,
        ..
    } = job;
    if let Err(fault) = authorized(authorizer, &method, &context) {
        responder.reply(Err(fault));
        return None;
    }
    let work = || match handler.start(method.name(), method.signature(), args)? {
        // Whoever runs the rest asks again, with a waker that wakes.
        Task::Value(mut future) => Ok(match future.as_mut().now_or_never() {
            Some(value) => Turn::Finished(sendable(&method, compat, value?)?),
            None => Turn::Waiting(Task::Value(future)),
        }),
        items @ Task::Items(_) => Ok(Turn::Waiting(items)),
    };
    let started = match context.clone().sync_scope(|| contained(&method, work)) {
        Ok(Turn::Finished(value)) => {
            responder.reply(Ok(value));
            return None;
        }
        Ok(Turn::Waiting(started)) => started,
        Err(fault) => {
            responder.reply(Err(fault));
            return None;
        }
    };
    Some(async move {
        let work = finish(started, &method, compat, &responder);
        let outcome = AssertUnwindSafe(context.scope(work)).catch_unwind().await;
        answer(responder, flatten(&method, outcome));
    })
}

/// How far a handler got.
enum Turn {
    Finished(Body),
    Waiting(Task),
}

/// Runs a handler that has been started to its end. Returns its value; there is none if it gave a
/// stream, whose items have been sent.
async fn finish(
    started: Task,
    method: &Method,
    compat: Compat,
    responder: &Responder,
) -> Result<Option<Body>, Fault> {
    match started {
        Task::Value(future) => sendable(method, compat, future.await?).map(Some),
        Task::Items(items) => {
            let sendable = |item| sendable(method, compat, item);
            // In a box, because a call that gives one value should not have room for a stream.
            let sent = Box::pin(send_all(items, responder, sendable));
            sent.await.map(|()| None)
        }
    }
}

fn answer(responder: Responder, outcome: Result<Option<Body>, Fault>) {
    match outcome {
        Ok(Some(value)) => responder.reply(Ok(value)),
        Ok(None) => responder.finish_stream(Ok(())),
        Err(fault) => responder.reply(Err(fault)),
    }
}

/// Runs a call on a thread of the blocking pool, unless its caller has gone meanwhile.
pub(super) fn run_thread(job: Job, handler: &dyn ThreadHandler, runtime: &Handle) {
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
    if let Err(fault) = authorized(authorizer, &method, &context) {
        responder.reply(Err(fault));
        return;
    }
    let mut give = |item| {
        let item = sendable(&method, compat, item)?;
        Ok(match runtime.block_on(responder.item(item)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_caller_gone) => ControlFlow::Break(()),
        })
    };
    let work = || match handler.run(method.name(), method.signature(), args, &mut give)? {
        Work::Value(value) => sendable(&method, compat, value).map(Some),
        Work::Given => Ok(None),
    };
    match context.sync_scope(|| contained(&method, work)) {
        Ok(Some(value)) => responder.reply(Ok(value)),
        Ok(None) => responder.finish_stream(Ok(())),
        Err(fault) => responder.reply(Err(fault)),
    }
}

/// Asks whether the call may be served. Whoever panics instead of an answer does not allow it.
pub(super) fn authorized(
    authorizer: Option<Arc<dyn Authorize>>,
    method: &Method,
    context: &CallContext,
) -> Result<(), Fault> {
    let Some(authorizer) = authorizer else {
        return Ok(());
    };
    contained(method, || authorizer.authorize(context)).inspect_err(|fault| {
        let user = context.user_id().map(String::from_utf8_lossy);
        let method = shown_name(method.name());
        tracing::debug!(method, ?user, %fault, "a call was not allowed");
    })
}

async fn send_all(
    mut items: BoxStream<'static, Outcome>,
    responder: &Responder,
    sendable: impl Fn(Body) -> Outcome,
) -> Result<(), Fault> {
    while let Some(item) = items.next().await {
        if responder.item(sendable(item?)?).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Turns a value that must not be sent into an error.
pub(super) fn sendable(method: &Method, compat: Compat, value: Body) -> Outcome {
    match value.check(compat) {
        Ok(()) => Ok(value),
        Err(error) => Err(Fault::new(
            "TypeError",
            format!(
                "{}() gave a value that cannot be sent: {error}",
                method.name()
            ),
        )),
    }
}

/// Runs a closure that may panic.
pub(crate) fn contained<T>(
    method: &Method,
    closure: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, Fault> {
    // What the closure leaves broken goes with its call.
    flatten(method, catch_unwind(AssertUnwindSafe(closure)))
}

pub(crate) fn flatten<T>(
    method: &Method,
    outcome: Result<Result<T, Fault>, Box<dyn Any + Send>>,
) -> Result<T, Fault> {
    outcome.unwrap_or_else(|panic| Err(panicked(method, &*panic)))
}

/// What a caller is told of a panic. What it said stays here, unless tracebacks are sent.
fn panicked(method: &Method, panic: &(dyn Any + Send)) -> Fault {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let shown = shown_name(method.name());
    tracing::error!(method = shown, panic = text, "handler panicked");
    Fault::new("RuntimeError", format!("{}() panicked", method.name()))
        .with_traceback(format!("panic: {text}"))
}
