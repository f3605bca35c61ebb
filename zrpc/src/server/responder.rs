//! A running handler's way to the I/O task.

use std::sync::Arc;

use proto::{Body, ChannelId, Extra};
use tokio::sync::mpsc;

use super::call::Ending;
use super::engine::Command;
use super::places::Place;
use super::state::{CallState, CallerGone};
use crate::Fault;
use crate::middleware::{ReplyContent, ServerReply};

/// How handlers reach the I/O task.
///
/// Unbounded, because the end of a call must be told without waiting. What it holds is bounded by
/// the calls that run: each has at most the items in it that its window lets in, and one end.
pub(super) type CommandSender = mpsc::UnboundedSender<Command>;

/// Answers one call, exactly once. Dropped without an answer, it tells that the handler is gone.
#[derive(Debug)]
pub(super) struct Responder {
    channel: ChannelId,
    /// What the handler occupies, to be given back.
    place: Place,
    commands: CommandSender,
    call: Arc<CallState>,
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
        call: Arc<CallState>,
    ) -> Self {
        Self {
            channel,
            place,
            commands,
            call,
            state: State::Answering,
        }
    }

    /// Answers with a single result, or with the failure of the call.
    pub(super) fn reply(self, outcome: Result<Body, Fault>) {
        self.end(match outcome {
            Ok(value) => Ending::Value(value),
            Err(fault) => Ending::Failed(fault, None),
        });
    }

    /// Ends a stream, with the failure that ended it if there was one.
    pub(super) fn finish_stream(self, outcome: Result<(), Fault>) {
        self.end(match outcome {
            Ok(()) => Ending::Done(None),
            Err(fault) => Ending::Failed(fault, None),
        });
    }

    /// Answers with what middleware made of the outcome.
    pub(super) fn answer(self, reply: ServerReply) {
        let (header, content) = reply.into_parts();
        let header = header.into_extra();
        self.end(match content {
            ReplyContent::Value(value) => Ending::Value(value.with_extra(header)),
            ReplyContent::StreamDone => Ending::Done(boxed(header)),
            ReplyContent::Failed(fault) => Ending::Failed(fault, boxed(header)),
        });
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
        let cost = self.call.reserve(&item).await?;
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
            self.tell_end(Ending::Failed(fault, None));
        }
    }
}

/// Header entries are rare, and should cost those little that have none.
fn boxed(header: Extra) -> Option<Box<Extra>> {
    (!header.is_empty()).then(|| Box::new(header))
}
