//! Runs the method of one event, with the hooks of middleware around it.

use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use proto::{Args, MessageId};
use tracing::Instrument;

use super::{Event, ReceiveError};
use crate::Fault;
use crate::context::CallContext;
use crate::middleware::{Chain, HeaderEntries, ServerRequest, TaskContext};
use crate::server::{CallState, Origin, contained, flatten};
use crate::service::{Handler, Method, Task};

/// One event and its method, which may be one that there is not.
struct Execution {
    method: Arc<Method>,
    args: Args,
    context: CallContext,
    message_id: Option<MessageId>,
    state: CancelOnDrop,
}

/// Cancels what runs on a thread when nobody waits for it any more.
struct CancelOnDrop(Arc<CallState>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs a method. A handler that panics fails this event and nothing else. Streams are made and not
/// iterated, for nobody takes their items.
pub(super) async fn execute(
    method: Arc<Method>,
    event: Event,
    hooks: Option<Arc<Chain>>,
) -> Result<(), Fault> {
    let execution = Execution::new(method, event);
    match hooks {
        None => execution.run().await,
        Some(chain) => {
            let method = Arc::clone(&execution.method);
            let outcome = AssertUnwindSafe(execution.run_hooked(&chain)).catch_unwind();
            flatten(&method, outcome.await)
        }
    }
}

/// Calls the hooks around an event that no method handles, because somebody takes it as it is.
/// Returns it as they let it in.
pub(super) async fn admit(mut event: Event, chain: Arc<Chain>) -> Result<Event, ReceiveError> {
    let name = event.method().into_owned();
    let method = Arc::new(Method::missing(&name));
    let work = async {
        let mut execution = Execution::new(Arc::clone(&method), event.clone());
        let (mut request, task_context) = execution.load(&chain);
        let work = async {
            let admitted = async {
                let before = chain.server_before_exec(&mut request).await;
                before.map_err(Fault::by_caller)?;
                let header = request.edited_header();
                chain.server_after_exec(&mut request, None).await?;
                Ok(header)
            };
            match admitted.await {
                Ok(header) => Ok(header),
                Err(fault) => Err(inspect(&chain, &mut request, fault).await),
            }
        };
        task_context.scope(work).await
    };
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    match flatten(&method, outcome) {
        Ok(edited) => {
            if let Some(header) = edited {
                event.set_header(header);
            }
            Ok(event)
        }
        Err(fault) => Err(ReceiveError::Failed {
            method: name,
            fault,
        }),
    }
}

/// Shows hooks what went wrong, and returns it.
async fn inspect(chain: &Chain, request: &mut ServerRequest, fault: Fault) -> Fault {
    let mut header = HeaderEntries::new();
    chain.get_task_context(&TaskContext::current(), &mut header);
    chain
        .server_inspect_exception(request, None, &header, &fault)
        .await;
    fault
}

impl Execution {
    fn new(method: Arc<Method>, event: Event) -> Self {
        let input = event.into_input();
        // Nobody waits for an answer.
        let state = Arc::new(CallState::new(Origin {
            peer: Some(input.peer),
            deadline: None,
        }));
        let name = Arc::clone(method.shared_name());
        Self {
            method,
            args: input.args,
            context: CallContext::new(name, input.header, Arc::clone(&state)),
            message_id: input.message_id,
            state: CancelOnDrop(state),
        }
    }

    async fn run(self) -> Result<(), Fault> {
        let Self {
            method,
            args,
            context,
            state,
            ..
        } = self;
        match method.handler().clone() {
            Handler::Missing => Err(Fault::new("NameError", method.name().to_owned())),
            Handler::Task(handler) => {
                let start = || handler.start(method.name(), method.signature(), args);
                let started = context.clone().sync_scope(|| contained(&method, start))?;
                match started {
                    Task::Items(_never_polled) => Ok(()),
                    Task::Value(future) => {
                        let outcome = AssertUnwindSafe(context.scope(future)).catch_unwind().await;
                        flatten(&method, outcome).map(drop)
                    }
                }
            }
            Handler::Thread(handler) => {
                let _cancel = state;
                let (span, task_context) = (tracing::Span::current(), TaskContext::current());
                let work = move || {
                    let mut give = |_item| Ok(ControlFlow::Break(()));
                    let run = || handler.run(method.name(), method.signature(), args, &mut give);
                    let run = || context.sync_scope(|| contained(&method, run)).map(drop);
                    span.in_scope(|| task_context.sync_scope(run))
                };
                // What the handler panics with is contained; this is the end of the runtime.
                let ended = tokio::task::spawn_blocking(work).await;
                ended.unwrap_or_else(|_| Err(Fault::new("RuntimeError", "the runtime has ended")))
            }
        }
    }

    /// Runs the method between the hooks, in the order of Python's pullers: what is not known is
    /// only inspected.
    async fn run_hooked(mut self, chain: &Chain) -> Result<(), Fault> {
        let (mut request, task_context) = match self.method.handler() {
            Handler::Missing => {
                let mut request = self.request();
                request.set_missing();
                (request, TaskContext::new())
            }
            Handler::Task(_) | Handler::Thread(_) => self.load(chain),
        };
        let work = async {
            match self.run_between(chain, &mut request).await {
                Ok(()) => Ok(()),
                Err(fault) => Err(inspect(chain, &mut request, fault).await),
            }
        };
        task_context.scope(work).await
    }

    /// Returns what hooks see of the event.
    fn request(&mut self) -> ServerRequest {
        let message_id = self.message_id.take();
        ServerRequest::new(self.context.clone(), message_id, self.args.clone())
    }

    fn load(&mut self, chain: &Chain) -> (ServerRequest, TaskContext) {
        let mut request = self.request();
        let task_context = chain.load_task_context(&mut request);
        (request, task_context)
    }

    async fn run_between(
        mut self,
        chain: &Chain,
        request: &mut ServerRequest,
    ) -> Result<(), Fault> {
        if let Handler::Missing = self.method.handler() {
            return self.run().await;
        }
        let before = chain.server_before_exec(request).await;
        before.map_err(Fault::by_caller)?;
        if let Some(header) = request.edited_header() {
            self.context = self.context.with_entries(header);
        }
        let span = request.span();
        self.run().instrument(span).await?;
        chain.server_after_exec(request, None).await
    }
}
