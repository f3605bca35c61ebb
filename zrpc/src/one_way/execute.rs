//! Runs the method of one event.

use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use super::Event;
use crate::Fault;
use crate::context::CallContext;
use crate::server::{CallState, Origin, contained, flatten};
use crate::service::{Handler, Method, Task};

/// Cancels what runs on a thread when nobody waits for it any more.
struct CancelOnDrop(Arc<CallState>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Runs a method. A handler that panics fails this event and nothing else. Streams are made and not
/// iterated, for nobody takes their items.
pub(super) async fn execute(method: Arc<Method>, event: Event) -> Result<(), Fault> {
    let (args, header, peer) = event.into_input();
    // Nobody waits for an answer.
    let origin = Origin {
        peer: Some(peer),
        deadline: None,
    };
    let state = Arc::new(CallState::new(origin));
    let name = Arc::clone(method.shared_name());
    let context = CallContext::new(name, header, Arc::clone(&state));
    match method.handler().clone() {
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
        Handler::Missing => Err(Fault::new("NameError", method.name().to_owned())),
        Handler::Thread(handler) => {
            let _guard = CancelOnDrop(state);
            let work = move || {
                let mut give = |_item| Ok(ControlFlow::Break(()));
                let run = || handler.run(method.name(), method.signature(), args, &mut give);
                context.sync_scope(|| contained(&method, run)).map(drop)
            };
            // What the handler panics with is contained; this is the end of the runtime.
            let ended = tokio::task::spawn_blocking(work).await;
            ended.unwrap_or_else(|_| Err(Fault::new("RuntimeError", "the runtime has ended")))
        }
    }
}
