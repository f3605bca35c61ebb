//! One call that a server has.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use proto::{Args, Body, ChannelId, Extra, MessageId};

use super::engine::Settings;
use super::hooked::Hooks;
use super::places::Place;
use super::queue::Spot;
use super::responder::Responder;
use super::run::Job;
use super::state::{CallState, Origin};
use crate::Fault;
use crate::context::CallContext;
use crate::service::Method;

/// One call. Dropped before its handler is done, it stops the handler.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Arc<Method>,
    pub(super) place: Place,
    pub(super) stage: Stage,
    state: Arc<CallState>,
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
    /// The id of the request, if there is middleware that may ask for it.
    pub(super) message_id: Option<Box<MessageId>>,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// It waits for its turn.
    Queued { input: Input, spot: Spot },
    /// Its handler runs, or is about to.
    Running,
    /// Its handler does not run yet, or not any more.
    Idle,
}

/// The last that a handler gives, with what middleware put into its header.
#[derive(Debug)]
pub(super) enum Ending {
    /// A single result, which has the header entries itself.
    Value(Body),
    /// The end of a stream.
    Done(Option<Box<Extra>>),
    Failed(Fault, Option<Box<Extra>>),
}

/// Whether the handler of a call was told already that it may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    First,
    More,
}

impl Call {
    /// Makes a call that is not started.
    pub(super) fn new(method: Arc<Method>, place: Place, origin: Origin) -> Self {
        Self {
            method,
            place,
            stage: Stage::Idle,
            state: Arc::new(CallState::new(origin)),
            released: 0,
            items: VecDeque::new(),
            ending: None,
        }
    }

    /// Starts the handler.
    pub(super) fn start(&mut self, channel: ChannelId, input: Input, settings: &Settings) {
        let Input {
            args,
            header,
            message_id,
        } = input;
        let name = Arc::clone(self.method.shared_name());
        let job = Job {
            args,
            context: CallContext::new(name, header, Arc::clone(&self.state)),
            responder: Responder::new(
                channel,
                self.place,
                settings.commands.clone(),
                Arc::clone(&self.state),
            ),
            compat: settings.compat,
            method: Arc::clone(&self.method),
            state: Arc::clone(&self.state),
            authorizer: settings.authorizer.clone(),
            hooks: settings.middleware.as_ref().map(|chain| {
                let chain = Arc::clone(chain);
                Box::new(Hooks { chain, message_id })
            }),
        };
        settings.spawner.start(job);
        self.stage = Stage::Running;
    }

    /// Returns whether the caller waits no longer, though it has heard nothing yet.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.state.is_overdue(now)
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
        self.state.release(std::mem::take(&mut self.released));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Stage::Idle = self.stage {
            return;
        }
        self.state.cancel();
    }
}
