//! A running handler's way to the I/O task.

use std::sync::Arc;

use proto::{Body, ChannelId};
use tokio::sync::{Semaphore, mpsc};

use super::call::Ending;
use super::engine::Command;
use super::places::Place;
use crate::Fault;

/// How handlers reach the I/O task.
///
/// Unbounded, because the end of a call must be told without waiting. What it holds is bounded by
/// the calls that run: each has at most its [`Window`] of items in it, and one end.
pub(super) type CommandSender = mpsc::UnboundedSender<Command>;

/// The caller is gone: nothing that is sent reaches anybody.
#[derive(Debug)]
pub(super) struct CallerGone;

/// Answers one call, exactly once. Dropped without an answer, it tells that the handler is gone.
#[derive(Debug)]
pub(super) struct Responder {
    channel: ChannelId,
    /// What the handler occupies, to be given back.
    place: Place,
    commands: CommandSender,
    window: Window,
    /// Whether the end was told.
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Answering,
    Answered,
}

impl Responder {
    pub(super) fn new(
        channel: ChannelId,
        place: Place,
        commands: CommandSender,
        window: Window,
    ) -> Self {
        Self {
            channel,
            place,
            commands,
            window,
            state: State::Answering,
        }
    }

    /// Answers with a single result, or with the failure of the call.
    pub(super) fn reply(self, outcome: Result<Body, Fault>) {
        self.end(outcome.map_or_else(Ending::Failed, Ending::Value));
    }

    /// Ends a stream, with the failure that ended it if there was one.
    pub(super) fn finish_stream(self, outcome: Result<(), Fault>) {
        self.end(outcome.map_or_else(Ending::Failed, |()| Ending::Done));
    }

    fn end(mut self, ending: Ending) {
        self.state = State::Answered;
        self.tell_end(ending);
    }

    fn tell_end(&self, ending: Ending) {
        self.tell(Command::End {
            channel: self.channel,
            place: self.place,
            ending,
        });
    }

    /// Sends one item of a stream; waits while enough are on their way.
    pub(super) async fn item(&self, item: Body) -> Result<(), CallerGone> {
        let cost = self.window.reserve(&item).await?;
        self.send_item(item, cost);
        Ok(())
    }

    fn send_item(&self, item: Body, cost: u32) {
        self.tell(Command::StreamItem {
            channel: self.channel,
            item,
            cost,
        });
    }

    fn tell(&self, command: Command) {
        // Without an I/O task nobody waits for an answer.
        let _ = self.commands.send(command);
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if self.state == State::Answering {
            let fault = Fault::new("RuntimeError", "the handler was stopped");
            self.tell_end(Ending::Failed(fault));
        }
    }
}

/// What a stream may have on its way between its handler and the socket.
///
/// It is counted in units of [`UNIT`] bytes, of which each item takes at least one, so that a
/// handler is ahead by enough small items to keep the I/O task busy, and by few large ones.
#[derive(Debug, Clone)]
pub(super) struct Window {
    units: Arc<Semaphore>,
}

/// The size of an item that counts as one.
const UNIT: usize = 4096;

/// How many units may be on their way.
const UNITS: u32 = 64;

impl Window {
    pub(super) fn new() -> Self {
        Self {
            units: Arc::new(Semaphore::new(UNITS as usize)),
        }
    }

    /// Takes units for `item`, waiting for those of earlier ones.
    async fn reserve(&self, item: &Body) -> Result<u32, CallerGone> {
        let units = item.encoded().len() / UNIT + 1;
        let cost = u32::try_from(units).map_or(UNITS, |units| units.min(UNITS));
        match self.units.acquire_many(cost).await {
            Ok(permit) => {
                permit.forget();
                Ok(cost)
            }
            Err(_closed) => Err(CallerGone),
        }
    }

    /// Gives units back: items have been handed to the multiplexer.
    pub(super) fn release(&self, cost: u32) {
        self.units.add_permits(cost as usize);
    }

    /// Lets nothing more in: the caller is gone.
    pub(super) fn close(&self) {
        self.units.close();
    }
}
