//! One direction of a connection within the process (L3).
//!
//! ```text
//!  socket handles                                              receiver of the other socket
//!  push ── frames under the lock ──► Pipe ── take (swap) ──► private frames ──► recv
//!            └─ once per idle pipe ─► Inbox, ReadySet ── that there are some
//! ```
//!
//! No octet is encoded and no task stands between the two: what one socket sends is in the queue of
//! the other. The pipe belongs to the sending peer and outlives the link, so that what is sent before
//! the name is bound, or was not yet taken when the other socket closed, waits for the next one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Waker};

use tokio::sync::Notify;

use super::counters::DropReason;
use super::hub::Hub;
use super::inbox::{FrameBatch, keep_last_message};
use super::outbox::{Fill, PushError, Room};
use super::peer::Peer;
use super::queue_limits::QueueLimits;
use super::sync::{Mutex, MutexGuard, lock};
use super::tally::Tally;
use super::wakes::Wakes;
use crate::message::{Frame, Message, More, Part};
use crate::pattern::SocketType;

/// The queue from one socket to another of the same process.
#[derive(Debug)]
pub(crate) struct Pipe {
    state: Mutex<State>,
    /// Wakes the senders.
    writable: Arc<Notify>,
    /// What the sending peer counts.
    tally: Arc<Tally>,
}

struct State {
    /// Whole messages.
    frames: VecDeque<Frame>,
    messages: usize,
    /// Octets in the frames.
    octets: usize,
    /// Messages in the hands of the receiver.
    taken: usize,
    /// The messages in front that are for this connection alone.
    greetings: usize,
    /// The mark of the sending side, which counts alone while there is no other.
    send_mark: usize,
    /// The mark of the receiving side, while there is one.
    receive_mark: Option<usize>,
    /// What the two make together.
    mark: usize,
    gate: Gate,
    /// Whether a sender found the pipe full.
    senders: Senders,
    attention: Attention,
    reader: Option<Reader>,
    /// A task beside the senders, which runs when they pause.
    flusher: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Open,
    /// Nothing is queued while there is no connection.
    Suspended,
    /// The sending socket closes, or disconnects.
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Senders {
    Content,
    Waiting,
}

/// Whether the receiver knows that there are messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attention {
    /// It found none, or is not there, and has to be told.
    Asleep,
    /// It will be told when the senders pause.
    Announced,
    /// It has been told.
    Awake,
    /// It never receives, and what is sent to it is dropped.
    Deaf,
}

/// Where the messages go.
#[derive(Clone)]
struct Reader {
    hub: Arc<Hub>,
    peer: Arc<Peer>,
}

/// What the receiver found in a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Messages, which are in its hands now.
    Messages,
    /// Nothing; it is told when there is something.
    Nothing,
}

impl Pipe {
    /// Makes a pipe of a peer of `hub`, which takes messages up to the mark of that side.
    pub(crate) fn new(hub: &Hub, tally: Arc<Tally>) -> Self {
        let send_mark = hub.queue_options().limits.send.messages;
        Self {
            state: Mutex::new(State {
                frames: VecDeque::new(),
                messages: 0,
                octets: 0,
                taken: 0,
                greetings: 0,
                send_mark,
                receive_mark: None,
                mark: send_mark,
                gate: Gate::Open,
                senders: Senders::Content,
                attention: Attention::Asleep,
                reader: None,
                flusher: None,
            }),
            writable: Arc::clone(&hub.writable),
            tally,
        }
    }

    /// Queues a message of these parts behind those of `envelope`, and tells whether the next one finds room.
    /// Long parts go by reference.
    #[inline(never)]
    pub(crate) fn push(&self, envelope: &[Part], parts: &[Part]) -> Result<Fill, PushError> {
        let mut state = lock(&self.state);
        if state.gate != Gate::Open {
            return Err(PushError::Closed);
        }
        // [INT-042] One queue, with the marks of both ends.
        if !state.has_room() {
            self.make_room(&mut state, parts)?;
        }
        Ok(Self::append(state, envelope, parts))
    }

    /// Queues `message` although the pipe is full: it was not when that was asked, and the message must
    /// not be dropped.
    #[cold]
    pub(crate) fn push_past_mark(&self, message: &Message) {
        let state = lock(&self.state);
        if state.gate == Gate::Open {
            Self::append(state, &[], message.parts());
        }
    }

    #[inline(always)]
    fn append(mut state: MutexGuard<'_, State>, envelope: &[Part], parts: &[Part]) -> Fill {
        match parts {
            [] => return Fill::Room,
            [only] if envelope.is_empty() => state.push_part(More::Last, only),
            parts => state.push_several(envelope, parts),
        }
        state.messages += 1;
        let fill = if state.has_room() || state.mark == CONFLATED {
            Fill::Room
        } else {
            Fill::Mark
        };
        if state.attention != Attention::Awake {
            announce(state);
        }
        fill
    }

    /// Whether a message finds no room now. Who asks waits for it from here on.
    pub(crate) fn is_full(&self) -> bool {
        let mut state = lock(&self.state);
        if state.gate != Gate::Open || state.has_room() || state.mark == CONFLATED {
            return false;
        }
        state.senders = Senders::Waiting;
        true
    }

    /// Whether messages are accepted, if there is room.
    pub(crate) fn is_open(&self) -> bool {
        lock(&self.state).gate == Gate::Open
    }

    /// Tells the reader of what was announced to the task of `context` alone, which is announced the
    /// next messages as well.
    pub(crate) fn flush(&self, context: &Context<'_>) {
        let mut state = lock(&self.state);
        match &mut state.flusher {
            Some(flusher) => flusher.clone_from(context.waker()),
            None => state.flusher = Some(context.waker().clone()),
        }
        if state.attention == Attention::Announced {
            rouse(state);
        }
    }

    /// Queues `message` before all others; no mark holds it back.
    pub(crate) fn push_first(&self, message: &Message) {
        let mut first = FrameBatch::default();
        first.push_whole(message);
        let mut state = lock(&self.state);
        for frame in first.into_frames().rev() {
            state.octets += frame.body.len();
            state.frames.push_front(frame);
        }
        state.messages += 1;
        state.greetings += 1;
    }

    /// Takes what [`Self::push_first`] queued back, if the receiver has not taken it: it is not for
    /// the next one.
    pub(crate) fn forget_greetings(&self) {
        let state = &mut *lock(&self.state);
        for _ in 0..std::mem::take(&mut state.greetings) {
            while let Some(frame) = state.frames.pop_front() {
                state.octets -= frame.body.len();
                if frame.more == More::Last {
                    state.messages -= 1;
                    break;
                }
            }
        }
    }

    /// Leads the pipe to the inbox of `peer`, with the mark of its socket on top.
    pub(crate) fn connect(self: &Arc<Self>, hub: &Arc<Hub>, peer: &Arc<Peer>) {
        peer.inbox.connect(Arc::clone(self));
        let mut state = lock(&self.state);
        // Read under the lock: a change from here on finds the mark of the receiver in place.
        state.set_receive_mark(Some(hub.queue_options().limits.receive.messages));
        if state.mark == CONFLATED {
            let (rest, octets) = keep_last_message(&mut state.frames);
            state.octets = octets;
            let superseded = state.messages - rest;
            self.tally.count_dropped(DropReason::Conflated, superseded);
            state.messages = rest;
            state.greetings = 0;
        }
        state.reader = Some(Reader {
            hub: Arc::clone(hub),
            peer: Arc::clone(peer),
        });
        if matches!(hub.socket_type, SocketType::Pub | SocketType::Push) {
            state.attention = Attention::Deaf;
        }
        let senders = std::mem::replace(&mut state.senders, Senders::Content);
        if state.frames.is_empty() {
            drop(state);
        } else {
            announce(state);
        }
        self.notify(senders);
    }

    /// Takes the pipe from its receiver, for [`Inbox::disconnect`](super::inbox::Inbox::disconnect).
    /// What is in it goes to `frames`, or stays for the next receiver. Returns the messages that went,
    /// and adds to `wakes` who waits for their room.
    pub(crate) fn disconnect(
        &self,
        rest: Rest,
        frames: &mut VecDeque<Frame>,
        wakes: &mut Wakes,
    ) -> usize {
        let mut state = lock(&self.state);
        if rest == Rest::Received {
            self.count_passed(&state);
            frames.append(&mut state.frames);
        }
        let moved = match rest {
            Rest::Received => state.hand_over(),
            Rest::Kept => 0,
        };
        let reader = state.reader.take();
        state.flusher = None;
        state.attention = Attention::Asleep;
        state.set_receive_mark(None);
        state.taken = 0;
        if std::mem::replace(&mut state.senders, Senders::Content) == Senders::Waiting {
            wakes.add_senders(Arc::clone(&self.writable));
        }
        drop(state);
        // Not under the lock: these may be the last references to a socket.
        drop(reader);
        moved
    }

    /// Changes the mark of the sending side.
    pub(crate) fn set_send_mark(&self, mark: usize) -> Room {
        let state = &mut *lock(&self.state);
        state.send_mark = mark;
        state.adopt_marks()
    }

    /// Changes the mark of the receiving side, if it is still there, and adds to `wakes` who waits
    /// for the room that makes.
    pub(crate) fn set_receive_mark(&self, mark: usize, wakes: &mut Wakes) {
        let state = &mut *lock(&self.state);
        if state.receive_mark.is_some() {
            state.receive_mark = Some(mark);
            if state.adopt_marks() == Room::Awaited {
                wakes.add_senders(Arc::clone(&self.writable));
            }
        }
    }

    /// Swaps everything queued into `frames`, which must be empty, and credits what was taken
    /// before. Where that makes room that somebody waits for, he is to be woken.
    pub(crate) fn take(&self, frames: &mut VecDeque<Frame>) -> (Found, Option<Arc<Notify>>) {
        let mut state = lock(&self.state);
        self.count_passed(&state);
        state.taken = state.hand_over();
        let senders = state.relieve();
        let found = if state.frames.is_empty() {
            state.attention = Attention::Asleep;
            state.frames = VecDeque::new();
            Found::Nothing
        } else {
            std::mem::swap(&mut state.frames, frames);
            Found::Messages
        };
        let writable = (senders == Senders::Waiting).then(|| Arc::clone(&self.writable));
        (found, writable)
    }

    /// Credits all that was taken, before the receiver has finished with the last of it.
    pub(crate) fn credit(&self) {
        let mut state = lock(&self.state);
        state.taken = 0;
        let senders = state.relieve();
        drop(state);
        self.notify(senders);
    }

    /// Drops what is queued, and accepts nothing until [`Self::resume`].
    /// Returns how many messages that were.
    pub(crate) fn suspend(&self) -> usize {
        let mut state = lock(&self.state);
        if state.gate != Gate::Open {
            return 0;
        }
        state.gate = Gate::Suspended;
        state.clear()
    }

    /// Accepts messages again.
    pub(crate) fn resume(&self) {
        let mut state = lock(&self.state);
        if state.gate == Gate::Suspended {
            state.gate = Gate::Open;
        }
    }

    /// Accepts nothing more; what is queued stays.
    pub(crate) fn drain(&self) {
        lock(&self.state).gate = Gate::Closed;
    }

    /// Accepts nothing more and drops what is queued. Returns how many messages that were.
    pub(crate) fn close(&self) -> usize {
        let mut state = lock(&self.state);
        state.gate = Gate::Closed;
        state.clear()
    }

    /// Messages in the pipe, and in the hands of the receiver.
    pub(crate) fn queued(&self) -> usize {
        let state = lock(&self.state);
        state.messages + state.taken
    }

    /// Whether nothing waits to be taken.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.state).frames.is_empty()
    }

    /// Counts what goes from one side to the other.
    fn count_passed(&self, state: &State) {
        if state.messages == 0 {
            return;
        }
        self.tally.count_sent_messages(state.messages);
        self.tally.count_sent_octets(state.octets);
        if let Some(reader) = &state.reader {
            let tally = &reader.peer.tally;
            tally.count_received_messages(state.messages);
            tally.count_received_octets(state.octets);
        }
    }

    /// Makes room for the last message, if that is all that the pipe keeps.
    #[cold]
    fn make_room(&self, state: &mut State, parts: &[Part]) -> Result<(), PushError> {
        if state.mark != CONFLATED {
            state.senders = Senders::Waiting;
            return Err(PushError::Full);
        }
        if state.send_mark == CONFLATED && parts.len() > 1 {
            return Err(PushError::Multipart);
        }
        self.tally
            .count_dropped(DropReason::Conflated, state.messages);
        state.frames.clear();
        state.hand_over();
        Ok(())
    }

    fn notify(&self, senders: Senders) {
        if senders == Senders::Waiting {
            self.writable.notify_waiters();
        }
    }
}

/// The mark of a pipe that keeps the last message alone.
const CONFLATED: usize = QueueLimits::LAST_MESSAGE.messages;

/// What becomes of messages that the receiver has not taken when a link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// They have come, and are received.
    Received,
    /// They wait for the next receiver: this one is closed.
    Kept,
}

impl State {
    #[inline]
    fn has_room(&self) -> bool {
        self.messages + self.taken < self.mark
    }

    #[inline]
    fn push_part(&mut self, more: More, part: &Part) {
        self.octets += part.len();
        let body = part.clone();
        self.frames.push_back(Frame { body, more });
    }

    #[inline(never)]
    fn push_several(&mut self, envelope: &[Part], parts: &[Part]) {
        let Some((last, rest)) = parts.split_last() else {
            return;
        };
        for part in envelope.iter().chain(rest) {
            self.push_part(More::More, part);
        }
        self.push_part(More::Last, last);
    }

    fn set_receive_mark(&mut self, mark: Option<usize>) {
        self.receive_mark = mark;
        self.mark = self.combined_mark();
    }

    fn adopt_marks(&mut self) -> Room {
        self.mark = self.combined_mark();
        if self.has_room() && self.senders == Senders::Waiting {
            self.senders = Senders::Content;
            return Room::Awaited;
        }
        Room::Unneeded
    }

    fn combined_mark(&self) -> usize {
        match (self.send_mark, self.receive_mark) {
            (CONFLATED, _) | (_, Some(CONFLATED)) => CONFLATED,
            (send, None) => send,
            // No mark is `usize::MAX`, and stays that.
            (send, Some(receive)) => send.saturating_add(receive),
        }
    }

    /// Who is to be woken: senders that wait, once half of the pipe is free. Woken for each bit of
    /// room, both sides would run for a few messages at a time ([INT-041]).
    fn relieve(&mut self) -> Senders {
        if self.messages + self.taken <= self.mark / 2 {
            std::mem::replace(&mut self.senders, Senders::Content)
        } else {
            Senders::Content
        }
    }

    /// What is queued goes to the receiver.
    fn hand_over(&mut self) -> usize {
        self.octets = 0;
        self.greetings = 0;
        std::mem::take(&mut self.messages)
    }

    fn clear(&mut self) -> usize {
        self.frames = VecDeque::new();
        self.hand_over()
    }
}

impl fmt::Debug for State {
    /// Leaves out the reader: its inbox shows this pipe.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("messages", &self.messages)
            .field("taken", &self.taken)
            .field("mark", &self.mark)
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}

/// Has the reader told that there are messages: when the senders pause, or when there are many. To
/// wake another thread costs as much as to send dozens of messages, and one that is woken for the
/// first of a burst is back asleep before the next.
#[cold]
fn announce(mut state: MutexGuard<'_, State>) {
    if state.attention == Attention::Deaf {
        let messages = state.clear();
        if let Some(reader) = &state.reader {
            let tally = &reader.peer.tally;
            tally.count_dropped(DropReason::Unexpected, messages);
        }
        return;
    }
    if state.messages >= BURST {
        return rouse(state);
    }
    if state.attention == Attention::Announced {
        return;
    }
    let Some(flusher) = state.flusher.clone() else {
        return rouse(state);
    };
    state.attention = Attention::Announced;
    drop(state);
    flusher.wake();
}

/// So many messages are not held back until the senders pause (measured, see `bench/NOTES.md`).
const BURST: usize = 512;

/// Tells the reader, if there is one, that there are messages.
#[cold]
fn rouse(mut state: MutexGuard<'_, State>) {
    let Some(reader) = state.reader.clone() else {
        return;
    };
    state.attention = Attention::Awake;
    // An inbox locks its pipe, and not the other way round.
    drop(state);
    reader.peer.inbox.list(&reader.peer, &reader.hub.ready);
}

#[cfg(test)]
mod tests;
