//! One call that a server has.

use std::collections::VecDeque;
use std::sync::Arc;

use proto::{Args, Body, ChannelId, Extra};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::engine::Settings;
use super::places::Place;
use super::queue::Spot;
use super::responder::{Responder, Window};
use super::run::{Job, run_task, run_thread};
use crate::Fault;
use crate::context::CallContext;
use crate::service::{Handler, Method};

/// One call. Dropped before its handler is done, it stops the handler.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Arc<Method>,
    pub(super) place: Place,
    pub(super) stage: Stage,
    cancelled: CancellationToken,
    window: Window,
    /// Units of the window that are free again, and of which the handler was not told yet.
    released: u32,
    /// Items that wait for credit, each with its cost.
    pub(super) items: VecDeque<(Body, u32)>,
    /// What comes behind the items.
    pub(super) ending: Option<Ending>,
}

/// What a handler is started with.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) args: Args,
    pub(super) header: Extra,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// It waits for its turn.
    Queued { input: Input, spot: Spot },
    /// Its handler runs. A task can be aborted, a thread cannot.
    Running { task: Option<AbortHandle> },
    /// Its handler does not run yet, or not any more.
    Idle,
}

/// The last that a handler gives.
#[derive(Debug)]
pub(super) enum Ending {
    /// A single result.
    Value(Body),
    /// The end of a stream.
    Done,
    Failed(Fault),
}

/// Whether the handler of a call was told already that it may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    First,
    More,
}

impl Call {
    /// Makes a call that is not started.
    pub(super) fn new(method: Arc<Method>, place: Place) -> Self {
        Self {
            method,
            place,
            stage: Stage::Idle,
            cancelled: CancellationToken::new(),
            window: Window::new(),
            released: 0,
            items: VecDeque::new(),
            ending: None,
        }
    }

    /// Starts the handler.
    pub(super) fn start(&mut self, channel: ChannelId, input: Input, settings: &Settings) {
        let name = Arc::clone(self.method.shared_name());
        let job = Job {
            args: input.args,
            context: CallContext::new(name, input.header, self.cancelled.clone()),
            responder: Responder::new(
                channel,
                self.place,
                settings.commands.clone(),
                self.window.clone(),
            ),
            values: settings.values,
            method: Arc::clone(&self.method),
        };
        let runtime = &settings.runtime;
        let task = match self.method.handler().clone() {
            Handler::Task(handler) => Some(runtime.spawn(run_task(job, handler)).abort_handle()),
            Handler::Thread(handler) => {
                let waits_on = runtime.clone();
                // Starting a thread may fail with a panic, which must not reach the I/O task.
                runtime.spawn(async move {
                    waits_on
                        .clone()
                        .spawn_blocking(move || run_thread(job, &*handler, &waits_on));
                });
                None
            }
        };
        self.stage = Stage::Running { task };
    }

    /// Notes that an item was handed to the multiplexer.
    pub(super) fn release(&mut self, cost: u32) -> Release {
        let before = self.released;
        self.released += cost;
        match before {
            0 => Release::First,
            _ => Release::More,
        }
    }

    /// Lets the handler go on, once for all items that were handed over.
    pub(super) fn flush_released(&mut self) {
        self.window.release(std::mem::take(&mut self.released));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Stage::Idle = self.stage {
            return;
        }
        self.cancelled.cancel();
        self.window.close();
        if let Stage::Running { task: Some(task) } = &self.stage {
            task.abort();
        }
    }
}
