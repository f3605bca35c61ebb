//! The server's part of the I/O task: starts a handler for each request and sends what it answers.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::{Args, Body, ChannelEvent, ChannelId, Extra, Name, RemoteError, SendError};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::responder::{CommandSender, Responder, Window};
use super::run::{Job, run_task, run_thread};
use super::{Concurrency, Tracebacks};
use crate::context::CallContext;
use crate::io::{Engine, Multiplexer, PeerChange, Route, Status};
use crate::service::{Handler, Method, Registry};
use crate::{Fault, Values};

/// What handlers, and those who hold the server, ask of the I/O task.
#[derive(Debug)]
pub(super) enum Command {
    /// A handler gave its single result.
    Reply { channel: ChannelId, value: Body },
    /// A handler failed.
    Fail { channel: ChannelId, fault: Fault },
    /// A handler gave an item of a stream, which holds `cost` units of its window.
    StreamItem {
        channel: ChannelId,
        item: Body,
        cost: u32,
    },
    /// A handler's stream is complete.
    StreamDone { channel: ChannelId },
    /// A handler was dropped before it answered.
    HandlerGone { channel: ChannelId },
    /// Take no more requests, and end when all calls are answered.
    Shutdown,
    /// End now.
    Close,
}

/// The settings of a [`ServerEngine`].
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) registry: Registry,
    pub(super) runtime: Handle,
    pub(super) concurrency: Concurrency,
    pub(super) tracebacks: Tracebacks,
    pub(super) values: Values,
    pub(super) commands: CommandSender,
}

/// The calls of one server.
#[derive(Debug)]
pub(super) struct ServerEngine {
    settings: Settings,
    calls: HashMap<ChannelId, Call>,
    /// Calls that wait for their turn, oldest first. Those whose caller is gone are skipped.
    queue: VecDeque<ChannelId>,
    /// Handlers that run, including those whose caller is gone.
    running: usize,
    phase: Phase,
}

/// One call.
#[derive(Debug)]
struct Call {
    method: Arc<Method>,
    stage: Stage,
    cancelled: CancellationToken,
    window: Window,
    /// Items that wait for credit, each with its cost.
    items: VecDeque<(Body, u32)>,
    /// What comes behind the items.
    ending: Option<Ending>,
}

#[derive(Debug)]
enum Stage {
    /// It waits for its turn.
    Queued { args: Args },
    /// Its handler runs. A task can be aborted, a thread cannot.
    Running { task: Option<AbortHandle> },
    /// Its handler is done.
    Answered,
}

#[derive(Debug)]
enum Ending {
    Done,
    Failed(Fault),
}

/// ```text
/// Serving ──shutdown──▶ Draining ──all answered──▶ Finished
///    └──────────────────────┴──────close──────────────▲
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    /// No new request is taken. `until` is set when all calls are answered: how long their last
    /// events may still wait for credit.
    Draining {
        until: Option<Instant>,
    },
    Finished,
}

/// How long answers may wait for credit when a server shuts down and has nothing else to do.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

impl ServerEngine {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            calls: HashMap::new(),
            queue: VecDeque::new(),
            running: 0,
            phase: Phase::Serving,
        }
    }

    fn accept(&mut self, mux: &mut Multiplexer, channel: ChannelId, name: &Name, args: Args) {
        if self.phase != Phase::Serving {
            let fault = Fault::new("ServerStopping", "the server takes no more calls");
            self.fail(mux, channel, fault);
            return;
        }
        let method = name
            .as_str()
            .and_then(|name| self.settings.registry.get(name));
        let Some(method) = method else {
            tracing::debug!(method = %name.to_string_lossy(), "unknown method");
            // Clients match on this error: its message is the bare name.
            let fault = Fault::new("NameError", name.to_string_lossy().into_owned());
            self.fail(mux, channel, fault);
            return;
        };
        let call = Call {
            method: Arc::clone(method),
            stage: Stage::Queued { args },
            cancelled: CancellationToken::new(),
            window: Window::new(),
            items: VecDeque::new(),
            ending: None,
        };
        self.calls.insert(channel, call);
        self.queue.push_back(channel);
        self.start_queued();
    }

    /// Starts as many handlers as may run.
    fn start_queued(&mut self) {
        while self.settings.concurrency.allows(self.running) {
            let Some(channel) = self.queue.pop_front() else {
                return;
            };
            if let Some(call) = self.calls.get_mut(&channel) {
                call.start(channel, &self.settings);
                self.running += 1;
            }
        }
    }

    /// A handler is done, whatever became of its call.
    fn handler_done(&mut self, channel: ChannelId) {
        self.running = self.running.saturating_sub(1);
        if let Some(call) = self.calls.get_mut(&channel) {
            call.stage = Stage::Answered;
        }
        self.start_queued();
    }

    fn stream_item(&mut self, mux: &mut Multiplexer, channel: ChannelId, item: (Body, u32)) {
        if let Some(call) = self.calls.get_mut(&channel) {
            call.items.push_back(item);
            // Behind items that wait for credit, this one waits too.
            if call.items.len() == 1 {
                self.send_items(mux, channel);
            }
        }
    }

    /// Sends what has credit, and the end of the stream behind the last item.
    fn send_items(&mut self, mux: &mut Multiplexer, channel: ChannelId) {
        let Some(call) = self.calls.get_mut(&channel) else {
            return;
        };
        while let Some((item, cost)) = call.items.pop_front() {
            match mux.stream_item(channel, item) {
                Ok(()) => call.window.release(cost),
                Err(SendError::NoCredit(item) | SendError::Full(item)) => {
                    call.items.push_front((item, cost));
                    return;
                }
                Err(_) => {
                    self.drop_call(channel);
                    return;
                }
            }
        }
        match call.ending.take() {
            None => {}
            Some(Ending::Done) => {
                self.calls.remove(&channel);
                // That the caller has gone meanwhile is as good.
                let _ = mux.stream_done(channel, Extra::new());
            }
            Some(Ending::Failed(fault)) => {
                self.calls.remove(&channel);
                self.fail(mux, channel, fault);
            }
        }
    }

    fn end(&mut self, mux: &mut Multiplexer, channel: ChannelId, ending: Ending) {
        if let Some(call) = self.calls.get_mut(&channel) {
            call.ending = Some(ending);
            if call.items.is_empty() {
                self.send_items(mux, channel);
            }
        }
        self.handler_done(channel);
    }

    fn fail(&self, mux: &mut Multiplexer, channel: ChannelId, fault: Fault) {
        let mut error = RemoteError::new(fault.name(), fault.message());
        if let (Tracebacks::Sent, Some(traceback)) = (self.settings.tracebacks, fault.traceback()) {
            error = error.with_traceback(traceback);
        }
        // That the caller has gone meanwhile is as good.
        let _ = mux.fail(channel, &error, Extra::new());
    }

    /// Nobody waits for this call any more.
    fn drop_call(&mut self, channel: ChannelId) {
        if let Some(call) = self.calls.remove(&channel) {
            call.cancel();
        }
    }

    fn shut_down(&mut self) {
        if self.phase == Phase::Serving {
            self.phase = Phase::Draining { until: None };
        }
    }

    fn close(&mut self) {
        for (_, call) in self.calls.drain() {
            call.cancel();
        }
        self.phase = Phase::Finished;
    }

    /// Notices the end of a shutdown.
    fn update_phase(&mut self, mux: &Multiplexer, now: Instant) {
        let Phase::Draining { until } = self.phase else {
            return;
        };
        if !self.calls.is_empty() || self.running > 0 {
            return;
        }
        let until = until.unwrap_or_else(|| now + LAST_ANSWERS);
        self.phase = match mux.channel_count() == 0 || until <= now {
            true => Phase::Finished,
            false => Phase::Draining { until: Some(until) },
        };
    }
}

impl Engine for ServerEngine {
    type Command = Command;

    fn handle_command(&mut self, mux: &mut Multiplexer, _now: Instant, command: Command) {
        match command {
            Command::Reply { channel, value } => {
                if self.calls.remove(&channel).is_some() {
                    // That the caller has gone meanwhile is as good.
                    let _ = mux.reply(channel, value);
                }
                self.handler_done(channel);
            }
            Command::Fail { channel, fault } => self.end(mux, channel, Ending::Failed(fault)),
            Command::StreamItem {
                channel,
                item,
                cost,
            } => self.stream_item(mux, channel, (item, cost)),
            Command::StreamDone { channel } => self.end(mux, channel, Ending::Done),
            Command::HandlerGone { channel } => {
                let fault = Fault::new("RuntimeError", "the handler was stopped");
                self.end(mux, channel, Ending::Failed(fault));
            }
            Command::Shutdown => self.shut_down(),
            Command::Close => self.close(),
        }
    }

    fn handle_event(&mut self, mux: &mut Multiplexer, event: ChannelEvent<Route>) {
        match event {
            ChannelEvent::Request {
                channel,
                name,
                args,
                ..
            } => self.accept(mux, channel, &name, args),
            ChannelEvent::Writable { channel } => self.send_items(mux, channel),
            ChannelEvent::Closed { channel, reason } => {
                if let Some(call) = self.calls.get(&channel) {
                    tracing::debug!(method = call.method.name(), %reason, "caller is gone");
                }
                self.drop_call(channel);
            }
            // Events of a client.
            _ => {}
        }
    }

    fn handle_peer(&mut self, _mux: &mut Multiplexer, _now: Instant, _change: PeerChange) {}

    fn handle_timeout(&mut self, _mux: &mut Multiplexer, _now: Instant) {}

    fn handle_hangup(&mut self, _mux: &mut Multiplexer) {
        self.close();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Draining { until } => until,
            Phase::Serving | Phase::Finished => None,
        }
    }

    fn update(&mut self, mux: &Multiplexer, now: Instant) -> Status {
        self.update_phase(mux, now);
        match self.phase {
            Phase::Finished => Status::Finished,
            Phase::Serving | Phase::Draining { .. } => Status::Running,
        }
    }
}

impl Call {
    /// Starts the handler.
    fn start(&mut self, channel: ChannelId, settings: &Settings) {
        let Stage::Queued { args } = &self.stage else {
            return;
        };
        let commands = settings.commands.clone();
        let job = Job {
            args: args.clone(),
            context: CallContext::new(
                Arc::clone(self.method.shared_name()),
                self.cancelled.clone(),
            ),
            responder: Responder::new(channel, commands, self.window.clone()),
            values: settings.values,
            method: Arc::clone(&self.method),
        };
        let runtime = &settings.runtime;
        let task = match self.method.handler().clone() {
            Handler::Task(handler) => Some(runtime.spawn(run_task(job, handler)).abort_handle()),
            Handler::Thread(handler) => {
                let waits_on = runtime.clone();
                runtime.spawn_blocking(move || run_thread(job, &*handler, &waits_on));
                None
            }
        };
        self.stage = Stage::Running { task };
    }

    /// Stops the handler.
    fn cancel(&self) {
        self.cancelled.cancel();
        self.window.close();
        if let Stage::Running { task: Some(task) } = &self.stage {
            task.abort();
        }
    }
}
