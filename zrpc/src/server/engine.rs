//! The server's part of the I/O task: starts a handler for each request and sends what it answers.

use std::sync::Arc;
use std::time::Instant;

use proto::{Body, ChannelEvent, ChannelId, Extra, Name, RemoteError, SendError};
use tokio::sync::oneshot;
use zmtp::PeerId;

use super::authorize::Authorize;
use super::call::{Call, Ending, Input, Release, Stage};
use super::drain::{Drain, Drains};
use super::places::{Admission, Place, Places};
use super::responder::CommandSender;
use super::spawner::Spawner;
use super::state::Origin;
use super::{Concurrency, Tracebacks};
use crate::io::{ChannelMap, Engine, Multiplexer, PeerChange, Peers, Route, Status};
use crate::middleware::Chain;
use crate::service::{Handler, Method, Registry, shown_name};
use crate::{Compat, ConnectionFailure, Fault, Stats};

/// What handlers, and those who hold the server, ask of the I/O task.
#[derive(Debug)]
pub(super) enum Command {
    /// A handler gave an item of a stream, which holds `cost` units of its window.
    StreamItem {
        channel: ChannelId,
        item: Body,
        cost: u32,
    },
    /// A handler is done, and gives its place back.
    End {
        channel: ChannelId,
        place: Place,
        ending: Ending,
    },
    /// Take no more requests, and end when all calls are answered.
    Shutdown,
    /// The same, but for somebody who does not wait for ever.
    Drain(Drain),
    /// End now.
    Close,
    /// Tell what was counted.
    Stats(oneshot::Sender<Stats>),
}

/// The settings of a [`ServerEngine`].
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) registry: Registry,
    pub(super) spawner: Spawner,
    pub(super) concurrency: Concurrency,
    pub(super) threads: usize,
    pub(super) tracebacks: Tracebacks,
    pub(super) compat: Compat,
    pub(super) commands: CommandSender,
    pub(super) authorizer: Option<Arc<dyn Authorize>>,
    /// `None` if there is none.
    pub(super) middleware: Option<Arc<Chain>>,
}

/// The calls of one server.
#[derive(Debug)]
pub(super) struct ServerEngine {
    settings: Settings,
    calls: ChannelMap<Call>,
    places: Places,
    /// Calls whose handlers may go on since this turn.
    released: Vec<ChannelId>,
    phase: Phase,
    /// Those who wait for the end.
    drains: Drains,
}

/// Who calls.
#[derive(Debug)]
struct Caller {
    channel: ChannelId,
    peer: PeerId,
    origin: Origin,
}

/// ```text
/// Serving ──shutdown──▶ Draining ──all answered──▶ Finished
///    └──────────────────────┴──────close──────────────▲
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    /// No new request is taken.
    Draining,
    Finished,
}

impl ServerEngine {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            places: Places::new(settings.concurrency, settings.threads),
            settings,
            calls: ChannelMap::new(),
            released: Vec::new(),
            phase: Phase::Serving,
            drains: Drains::default(),
        }
    }

    fn accept(&mut self, mux: &mut Multiplexer, caller: Caller, name: &Name, input: Input) {
        let Caller {
            channel,
            peer,
            origin,
        } = caller;
        if self.phase != Phase::Serving {
            let fault = Fault::new("ServerStopping", "the server takes no more calls");
            self.fail(mux, channel, &fault, Extra::new());
            return;
        }
        let method = name
            .as_str()
            .and_then(|name| self.settings.registry.get(name));
        let method = match method {
            Some(method) => Arc::clone(method),
            None => {
                let name = name.to_string_lossy();
                tracing::debug!(%peer, method = shown_name(&name), "unknown method");
                if self.settings.middleware.is_none() {
                    // Clients match on this error: its message is the bare name.
                    let fault = Fault::new("NameError", name.into_owned());
                    self.fail(mux, channel, &fault, Extra::new());
                    return;
                }
                Arc::new(Method::missing(&name))
            }
        };
        let place = place_of(&method);
        let mut call = Call::new(method, place, origin);
        match self.places.admit(place, peer, channel) {
            Admission::Starts => call.start(channel, input, &self.settings),
            Admission::Waits(spot) => call.stage = Stage::Queued { input, spot },
        }
        self.calls.insert(channel, call);
    }

    /// Starts as many waiting handlers as may run.
    fn start_waiting(&mut self, mux: &mut Multiplexer, now: Instant) {
        while let Some((place, channel)) = self.places.next() {
            let call = self.calls.get_mut(channel);
            let stage = call.map(|call| (std::mem::replace(&mut call.stage, Stage::Idle), call));
            match stage {
                Some((Stage::Queued { input, .. }, call)) if !call.is_overdue(now) => {
                    call.start(channel, input, &self.settings);
                }
                Some((Stage::Queued { .. }, call)) => {
                    // Its caller has given up, and what says so is on its way or lost.
                    let method = shown_name(call.method.name());
                    tracing::debug!(method, "a call waited too long");
                    self.calls.remove(channel);
                    let _ = mux.close(channel);
                    self.places.release(place);
                }
                _ => self.places.release(place),
            }
        }
    }

    /// A handler is done, whatever became of its call.
    fn end(&mut self, mux: &mut Multiplexer, channel: ChannelId, ending: Ending) {
        let Some(call) = self.calls.get_mut(channel) else {
            return;
        };
        call.stage = Stage::Idle;
        call.ending = Some(ending);
        if call.items.is_empty() {
            self.send_items(mux, channel);
        }
    }

    fn stream_item(&mut self, mux: &mut Multiplexer, channel: ChannelId, item: (Body, u32)) {
        if let Some(call) = self.calls.get_mut(channel) {
            call.items.push_back(item);
            // Behind items that wait for credit, this one waits too.
            if call.items.len() == 1 {
                self.send_items(mux, channel);
            }
        }
    }

    /// Sends what has credit, and the end of the call behind the last item.
    fn send_items(&mut self, mux: &mut Multiplexer, channel: ChannelId) {
        let Some(call) = self.calls.get_mut(channel) else {
            return;
        };
        while let Some((item, cost)) = call.items.pop_front() {
            match mux.stream_item(channel, item) {
                Ok(()) => {
                    if call.release(cost) == Release::First {
                        self.released.push(channel);
                    }
                }
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
        let Some(ending) = call.ending.take() else {
            return;
        };
        self.calls.remove(channel);
        // That the caller has gone meanwhile is as good.
        match ending {
            Ending::Value(value) => drop(mux.reply(channel, value)),
            Ending::Done(header) => drop(mux.stream_done(channel, unboxed(header))),
            Ending::Failed(fault, header) => self.fail(mux, channel, &fault, unboxed(header)),
        }
    }

    fn fail(&self, mux: &mut Multiplexer, channel: ChannelId, fault: &Fault, header: Extra) {
        let mut error = RemoteError::new(fault.name(), fault.message());
        if let (Tracebacks::Sent, Some(traceback)) = (self.settings.tracebacks, fault.traceback()) {
            error = error.with_traceback(traceback);
        }
        // That the caller has gone meanwhile is as good.
        let _ = mux.fail(channel, &error, header);
    }

    /// Nobody waits for this call any more. Its place is free when its handler has stopped.
    fn drop_call(&mut self, channel: ChannelId) {
        if let Some(call) = self.calls.remove(channel)
            && let Stage::Queued { spot, .. } = call.stage
        {
            self.places.leave(call.place, spot);
        }
    }

    fn close(&mut self, mux: &mut Multiplexer) {
        let mut cut = Vec::new();
        for (channel, stopped) in self.calls.take() {
            // That the caller has gone meanwhile is as good.
            let _ = mux.close(channel);
            cut.push(Arc::clone(&stopped.method));
        }
        self.drains.finish(cut.iter().map(|method| method.name()));
        self.phase = Phase::Finished;
    }
}

impl Engine for ServerEngine {
    type Command = Command;

    fn handle_command(&mut self, mux: &mut Multiplexer, now: Instant, command: Command) {
        match command {
            Command::StreamItem {
                channel,
                item,
                cost,
            } => self.stream_item(mux, channel, (item, cost)),
            Command::End {
                channel,
                place,
                ending,
            } => {
                self.end(mux, channel, ending);
                self.places.release(place);
                self.start_waiting(mux, now);
            }
            Command::Shutdown => {
                if self.phase == Phase::Serving {
                    self.phase = Phase::Draining;
                }
            }
            Command::Drain(drain) => {
                if self.phase == Phase::Serving {
                    self.phase = Phase::Draining;
                }
                self.drains.add(drain);
            }
            Command::Close => self.close(mux),
            // Whoever asked may have gone.
            Command::Stats(answer) => drop(answer.send(Stats::of(mux))),
        }
    }

    fn handle_event(
        &mut self,
        mux: &mut Multiplexer,
        now: Instant,
        event: ChannelEvent<Route>,
        peers: &impl Peers,
    ) {
        match event {
            ChannelEvent::Request {
                channel,
                peer,
                name,
                args,
                header,
            } => {
                let peer = peer.peer;
                let origin = Origin {
                    peer: peers.info(peer),
                    deadline: header.timeout.and_then(|timeout| now.checked_add(timeout)),
                };
                let hooks = self.settings.middleware.is_some();
                let input = Input {
                    args,
                    header: header.extra,
                    message_id: header.message_id.filter(|_| hooks).map(Box::new),
                };
                let caller = Caller {
                    channel,
                    peer,
                    origin,
                };
                self.accept(mux, caller, &name, input);
            }
            ChannelEvent::Writable { channel } => self.send_items(mux, channel),
            ChannelEvent::Closed { channel, reason } => {
                if let Some(call) = self.calls.get(channel) {
                    let method = shown_name(call.method.name());
                    tracing::debug!(method, %reason, "caller is gone");
                }
                self.drop_call(channel);
            }
            // Events of a client.
            _ => {}
        }
    }

    fn handle_peer(&mut self, _mux: &mut Multiplexer, _now: Instant, _change: PeerChange) {}

    fn handle_connect_failure(&mut self, _failure: ConnectionFailure) {}

    fn handle_timeout(&mut self, mux: &mut Multiplexer, now: Instant) {
        if self
            .drains
            .deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            tracing::debug!("the calls that are left are cut off");
            self.close(mux);
        }
    }

    fn handle_hangup(&mut self, mux: &mut Multiplexer) {
        self.close(mux);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.drains.deadline()
    }

    fn update(&mut self) -> Status {
        for channel in self.released.drain(..) {
            if let Some(call) = self.calls.get_mut(channel) {
                call.flush_released();
            }
        }
        if self.phase == Phase::Draining && self.calls.is_empty() && self.places.are_empty() {
            self.phase = Phase::Finished;
        }
        if self.phase == Phase::Finished {
            self.drains.finish(std::iter::empty());
        }
        match self.phase {
            Phase::Finished => Status::Finished,
            Phase::Serving | Phase::Draining => Status::Running,
        }
    }
}

fn unboxed(header: Option<Box<Extra>>) -> Extra {
    header.map_or_else(Extra::new, |header| *header)
}

/// What the handler of a method occupies.
fn place_of(method: &Method) -> Place {
    match method.handler() {
        // Whatever name its caller has made up.
        Handler::Missing => Place::Task,
        _ if method.is_introspection() => Place::Free,
        Handler::Task(_) => Place::Task,
        Handler::Thread(_) => Place::Thread,
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_there_is_not_takes_a_place_whatever_it_is_called() {
        assert_eq!(place_of(&Method::missing("_zerorpc_ping")), Place::Task);
        assert_eq!(place_of(&Method::missing("other")), Place::Task);
    }
}
