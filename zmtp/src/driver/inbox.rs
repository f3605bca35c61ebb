//! The queues between connections and their socket, incoming (L3).
//!
//! ```text
//!  connection task                                              receiver
//!  decode ► its own frames ── publish (append) ──► Inbox ── take (swap) ──► private frames ► recv
//!                                 └─ once per idle inbox ─► ReadySet ── which inboxes have some
//! ```
//!
//! The connection hands over what one read brought under one lock; the receiver swaps the whole
//! queue out and works through it without any. A receiver is woken only when it sleeps, and a
//! connection only when it found its inbox full.

use std::collections::{VecDeque, vec_deque};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Waker};

use super::counters::DropReason;
use super::hub::{Hub, Linger};
use super::origin::{Count, Earlier, Origin};
use super::peer::Peer;
use super::pipe::{Found, Pipe, Rest};
use super::queue_limits::QueueLimits;
use super::ready_set::ReadySet;
use super::sync::atomic::{AtomicBool, Ordering};
use super::sync::{Mutex, MutexGuard, lock};
use super::tally::Tally;
use super::unreceived::{Unreceived, UnreceivedPlace};
use super::wakes::Wakes;
use crate::message::{Frame, Message, More, Part};
use crate::session::PeerInfo;

/// Frames of whole messages, with their count and size.
#[derive(Default)]
pub(crate) struct FrameBatch {
    /// Whole messages, and behind them the parts of one whose last one has not come.
    frames: VecDeque<Frame>,
    messages: usize,
    bytes: usize,
    /// How many parts of the message at the end have come, without its last one.
    unfinished: usize,
    /// What they cost.
    unfinished_bytes: usize,
    /// How many frames the last batch had, and so the next may have.
    expected: usize,
}

/// What a part costs: an empty one takes memory too.
#[inline]
pub(crate) fn charge(body: &Part) -> usize {
    body.len() + size_of::<Frame>()
}

impl FrameBatch {
    /// Appends a frame.
    #[inline]
    pub(crate) fn push(&mut self, frame: Frame) {
        let bytes = self.unfinished_bytes + charge(&frame.body);
        if frame.more == More::More {
            self.unfinished += 1;
            self.unfinished_bytes = bytes;
        } else {
            self.unfinished = 0;
            self.unfinished_bytes = 0;
            self.bytes += bytes;
            self.messages += 1;
        }
        self.frames.push_back(frame);
    }

    /// Appends a message of one part, between two messages.
    #[inline]
    pub(crate) fn push_message(&mut self, body: Part) {
        self.bytes += charge(&body);
        self.messages += 1;
        self.frames.push_back(Frame {
            body,
            more: More::Last,
        });
    }

    /// Appends a message that no peer sent.
    pub(crate) fn push_whole(&mut self, message: &Message) {
        let Some((last, rest)) = message.parts().split_last() else {
            return;
        };
        for part in rest {
            self.push(Frame::more(part.clone()));
        }
        self.push(Frame::last(last.clone()));
    }

    /// The frames of whole messages.
    pub(crate) fn into_frames(self) -> vec_deque::IntoIter<Frame> {
        self.frames.into_iter()
    }

    /// Whole messages in the batch.
    pub(crate) fn message_count(&self) -> usize {
        self.messages
    }

    /// Keeps the last message alone.
    #[cold]
    fn conflate(&mut self, tally: &Tally) {
        let (rest, _octets) = keep_last_message(&mut self.frames);
        let superseded = self.messages - rest;
        tally.count_dropped(DropReason::Conflated, superseded);
        self.messages = rest;
        self.bytes = self.frames.iter().map(|frame| charge(&frame.body)).sum();
    }

    /// Makes room for a batch as large as the last one, in one go.
    pub(crate) fn prepare(&mut self) {
        if self.frames.capacity() == 0 {
            self.frames.reserve(self.expected);
        }
    }

    /// Gives its room back while nothing comes: a socket may have ten thousand idle connections.
    pub(crate) fn release(&mut self) {
        if self.frames.is_empty() {
            self.frames = VecDeque::new();
        }
    }

    /// Drops what has not been handed over.
    pub(crate) fn discard(&mut self) {
        self.frames.drain(..self.whole_frames());
        self.messages = 0;
        self.bytes = 0;
    }

    /// Drops the parts of a message whose last one has not come ([ZMTP31-050]). Returns how many
    /// such messages there were: one or none.
    pub(crate) fn drop_unfinished_message(&mut self) -> usize {
        self.frames.truncate(self.whole_frames());
        self.unfinished_bytes = 0;
        usize::from(std::mem::take(&mut self.unfinished) > 0)
    }

    /// How many frames belong to whole messages.
    fn whole_frames(&self) -> usize {
        self.frames.len() - self.unfinished
    }

    /// Moves the whole messages to the end of `queue`.
    fn hand_over(&mut self, queue: &mut Self) {
        queue.messages += std::mem::take(&mut self.messages);
        queue.bytes += std::mem::take(&mut self.bytes);
        let whole = self.whole_frames();
        self.expected = whole.min(MAX_EXPECTED);
        // Parts of a message move on once: until it is whole, nothing else is handed over.
        let rest = (self.unfinished > 0).then(|| self.frames.split_off(whole));
        if queue.frames.is_empty() {
            std::mem::swap(&mut queue.frames, &mut self.frames);
        } else {
            queue.frames.append(&mut self.frames);
        }
        if let Some(rest) = rest {
            self.frames = rest;
        }
    }

    /// Takes the whole messages, with their count and size.
    pub(super) fn take_messages(&mut self) -> (VecDeque<Frame>, Count) {
        let count = Count {
            messages: std::mem::take(&mut self.messages),
            bytes: std::mem::take(&mut self.bytes),
        };
        (std::mem::take(&mut self.frames), count)
    }
}

impl fmt::Debug for FrameBatch {
    /// Leaves out the messages, which are nobody's business and may be large.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameBatch")
            .field("messages", &self.messages)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// How much an inbox takes before it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InboxRoom {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
}

impl InboxRoom {
    pub(crate) const NONE: Self = Self {
        messages: 0,
        bytes: 0,
    };

    pub(crate) const UNLIMITED: Self = Self {
        messages: usize::MAX,
        bytes: usize::MAX,
    };

    pub(crate) fn is_none(self) -> bool {
        self.messages == 0 || self.bytes == 0
    }
}

/// Whether the inbox is in the [`ReadySet`] or in the hands of the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    Unlisted,
    Listed,
}

#[derive(Debug)]
struct State {
    limits: QueueLimits,
    queue: FrameBatch,
    taken_messages: usize,
    taken_bytes: usize,
    /// Notices about the peer that wait beside its messages, and their size.
    notices: usize,
    notice_bytes: usize,
    /// Notices of what went with the peer, which take no room that it could still use.
    departures: usize,
    listing: Listing,
    /// The connection task, if it waits for room.
    writer: Option<Waker>,
    /// What a ROUTER puts in front of messages from this peer.
    routing_id: Part,
    /// Where the messages of a peer in this process are.
    source: Option<Arc<Pipe>>,
    /// Who sent what is here.
    origin: Origin,
    /// Held once the connection has ended, while what it brought has not been received.
    unreceived: Option<UnreceivedPlace>,
}

/// The incoming queue of one peer.
#[derive(Debug)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// Whether the connection has to ask for the room again; lets it look without the lock.
    has_new_limits: AtomicBool,
}

impl Inbox {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self {
            state: Mutex::new(State {
                limits,
                queue: FrameBatch::default(),
                taken_messages: 0,
                taken_bytes: 0,
                notices: 0,
                notice_bytes: 0,
                departures: 0,
                listing: Listing::Unlisted,
                writer: None,
                routing_id: Part::default(),
                source: None,
                origin: Origin::default(),
                unreceived: None,
            }),
            has_new_limits: AtomicBool::new(false),
        }
    }

    /// Takes messages up to `limits` from now on. What is queued stays.
    ///
    /// Adds to `wakes` who waits for room that there is now.
    pub(crate) fn set_limits(&self, limits: QueueLimits, wakes: &mut Wakes) {
        let mut state = lock(&self.state);
        state.limits = limits;
        self.has_new_limits.store(true, Ordering::Relaxed);
        if !state.room().is_none()
            && let Some(writer) = state.writer.take()
        {
            wakes.add_task(writer);
        }
        let source = state.source.clone();
        drop(state);
        if let Some(source) = source {
            source.set_receive_mark(limits.messages, wakes);
        }
    }

    /// Whether the limits are others than when this was last asked: then what the connection knows of
    /// the room is worth nothing.
    pub(crate) fn take_new_limits(&self) -> bool {
        self.has_new_limits.load(Ordering::Relaxed)
            && self.has_new_limits.swap(false, Ordering::Relaxed)
    }

    /// Names the peer for messages that are taken from now on.
    pub(crate) fn set_routing_id(&self, routing_id: Part) {
        lock(&self.state).routing_id = routing_id;
    }

    /// Names who sends the messages that come from now on. What is here is from who was named before.
    pub(crate) fn introduce(&self, info: &Arc<PeerInfo>) {
        let state = &mut *lock(&self.state);
        state.origin.introduce(info, &mut state.queue);
    }

    /// Who sent what is in the hands of the receiver.
    pub(crate) fn taken_info(&self) -> Option<Arc<PeerInfo>> {
        lock(&self.state).origin.taken()
    }

    /// The room there is. Where there is none, the task of `context` is woken when there is some.
    pub(crate) fn room(&self, context: &Context<'_>) -> InboxRoom {
        let mut state = lock(&self.state);
        if state.limits.keep_last_message() {
            return InboxRoom::UNLIMITED;
        }
        let room = state.room();
        if room.is_none() {
            match &mut state.writer {
                Some(writer) => writer.clone_from(context.waker()),
                None => state.writer = Some(context.waker().clone()),
            }
        }
        room
    }

    /// Hands the whole messages of `batch` to the receiver; `peer` owns this inbox.
    pub(crate) fn publish(&self, batch: &mut FrameBatch, peer: &Arc<Peer>, ready: &ReadySet) {
        if batch.messages == 0 {
            return;
        }
        let mut state = lock(&self.state);
        let is_conflated = state.limits.keep_last_message();
        let queue = &mut state.queue;
        batch.hand_over(queue);
        if is_conflated {
            queue.conflate(&peer.tally);
            let superseded = state.origin.discard_earlier();
            peer.tally.count_dropped(DropReason::Conflated, superseded);
        }
        list(state, peer, ready);
    }

    /// Tells the receiver of messages in the pipe of `peer`, which owns this inbox.
    pub(crate) fn list(&self, peer: &Arc<Peer>, ready: &ReadySet) {
        list(lock(&self.state), peer, ready);
    }

    /// Messages that wait, or are in the hands of the receiver.
    pub(crate) fn queued(&self) -> usize {
        let state = lock(&self.state);
        let here = state.queue.messages + state.taken_messages + state.origin.earlier().messages;
        let source = state.source.clone();
        drop(state);
        here + source.map_or(0, |pipe| pipe.queued())
    }

    /// Counts this inbox among the `unreceived` until the receiver has found it empty, and has taken
    /// all notices: its connection has ended.
    pub(crate) fn outlive_connection(&self, unreceived: &Unreceived) {
        let state = &mut *lock(&self.state);
        if !state.is_received() {
            state.unreceived = Some(unreceived.take_place());
        }
    }

    /// Receives from `pipe` what comes after what is here.
    pub(crate) fn connect(&self, pipe: Arc<Pipe>) {
        lock(&self.state).source = Some(pipe);
    }

    /// Takes this inbox, of a `peer` of `hub`, from its pipe. What has come is received, unless the
    /// socket is closing.
    pub(crate) fn disconnect(&self, peer: &Arc<Peer>, hub: &Hub) {
        let mut state = lock(&self.state);
        let Some(pipe) = state.source.take() else {
            return;
        };
        let rest = match hub.linger() {
            Linger::Open => Rest::Received,
            Linger::Unlimited | Linger::Until(_) => Rest::Kept,
        };
        let mut wakes = Wakes::default();
        state.queue.messages += pipe.disconnect(rest, &mut state.queue.frames, &mut wakes);
        if state.queue.frames.is_empty() {
            drop(state);
        } else {
            list(state, peer, &hub.ready);
        }
        wakes.wake();
    }

    /// Swaps everything queued into `frames`, which must be empty, and credits what was taken
    /// before. Gives the routing id of the peer, or `None` where nothing was queued: then the peer
    /// comes back through the [`ReadySet`].
    pub(crate) fn take(&self, frames: &mut VecDeque<Frame>) -> Option<Part> {
        let mut state = lock(&self.state);
        if state.origin.is_divided()
            && let Some(earlier) = state.origin.take_earlier()
        {
            return Some(take_earlier(state, earlier, frames));
        }
        if state.queue.frames.is_empty() && state.source.is_some() {
            return take_from_pipe(state, frames);
        }
        let writer = state.writer.take();
        state.taken_messages = state.queue.messages;
        state.taken_bytes = state.queue.bytes;
        let routing_id = if state.queue.frames.is_empty() {
            state.listing = Listing::Unlisted;
            state.queue.frames = VecDeque::new();
            state.vacate();
            None
        } else {
            std::mem::swap(&mut state.queue.frames, frames);
            state.queue.messages = 0;
            state.queue.bytes = 0;
            Some(state.routing_id.clone())
        };
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        routing_id
    }

    /// Counts a notice about the peer, which waits elsewhere, as if it were one of its messages.
    /// Returns who it is about.
    pub(crate) fn charge_notice(&self, bytes: usize) -> Option<Arc<PeerInfo>> {
        let mut state = lock(&self.state);
        state.notices += 1;
        state.notice_bytes += bytes;
        state.origin.newest()
    }

    /// Credits a notice that the receiver has taken.
    pub(crate) fn credit_notice(&self, bytes: usize) {
        let mut state = lock(&self.state);
        state.notices = state.notices.saturating_sub(1);
        state.notice_bytes = state.notice_bytes.saturating_sub(bytes);
        state.vacate();
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    /// Counts a notice of what went with the peer, which waits elsewhere. Returns who it is about.
    pub(crate) fn charge_departure(&self) -> Option<Arc<PeerInfo>> {
        let mut state = lock(&self.state);
        state.departures += 1;
        state.origin.newest()
    }

    /// Credits such a notice, which the receiver has taken.
    pub(crate) fn credit_departure(&self) {
        let mut state = lock(&self.state);
        state.departures = state.departures.saturating_sub(1);
        state.vacate();
    }

    /// Credits all that was taken, before the receiver has finished with the last of it.
    pub(crate) fn credit(&self) {
        let mut state = lock(&self.state);
        state.taken_messages = 0;
        state.taken_bytes = 0;
        let writer = state.writer.take();
        let source = state.source.clone();
        drop(state);
        if let Some(source) = source {
            source.credit();
        }
        if let Some(writer) = writer {
            writer.wake();
        }
    }
}

/// No more frames than this are made room for before they have come.
const MAX_EXPECTED: usize = 1024;

impl State {
    /// Whether the receiver has all that came from the peer, and knows all that it did.
    fn is_received(&self) -> bool {
        self.listing == Listing::Unlisted && self.notices == 0 && self.departures == 0
    }

    /// Gives the place back that the inbox has after its connection, if it is received.
    fn vacate(&mut self) {
        if self.is_received() {
            self.unreceived = None;
        }
    }

    fn room(&self) -> InboxRoom {
        let (limits, earlier) = (self.limits, self.origin.earlier());
        InboxRoom {
            messages: limits.messages.saturating_sub(
                self.queue.messages + self.taken_messages + self.notices + earlier.messages,
            ),
            bytes: limits.bytes.saturating_sub(
                self.queue.bytes + self.taken_bytes + self.notice_bytes + earlier.bytes,
            ),
        }
    }
}

/// As [`Inbox::take`], of what is in the pipe.
#[cold]
fn take_from_pipe(mut state: MutexGuard<'_, State>, frames: &mut VecDeque<Frame>) -> Option<Part> {
    // What was taken before is done with; the pipe counts what it hands out itself.
    state.taken_messages = 0;
    state.taken_bytes = 0;
    let (found, writable) = state.source.as_ref()?.take(frames);
    let routing_id = match found {
        Found::Messages => Some(state.routing_id.clone()),
        Found::Nothing => {
            state.listing = Listing::Unlisted;
            None
        }
    };
    drop(state);
    if let Some(writable) = writable {
        writable.notify_waiters();
    }
    routing_id
}

/// As [`Inbox::take`], of what an earlier connection has left.
#[cold]
fn take_earlier(
    mut state: MutexGuard<'_, State>,
    earlier: Earlier,
    frames: &mut VecDeque<Frame>,
) -> Part {
    state.taken_messages = earlier.count.messages;
    state.taken_bytes = earlier.count.bytes;
    *frames = earlier.frames;
    let routing_id = state.routing_id.clone();
    let writer = state.writer.take();
    drop(state);
    if let Some(writer) = writer {
        writer.wake();
    }
    routing_id
}

/// Tells the receiver of the messages in an inbox of `peer`.
fn list(mut state: MutexGuard<'_, State>, peer: &Arc<Peer>, ready: &ReadySet) {
    if state.listing == Listing::Unlisted {
        state.listing = Listing::Listed;
        drop(state);
        ready.insert(Arc::clone(peer));
    }
}

/// Drops all but the last message of `frames`, which hold whole messages. Returns how many there are
/// now, and their octets.
pub(super) fn keep_last_message(frames: &mut VecDeque<Frame>) -> (usize, usize) {
    let is_end = |frame: &Frame| frame.more == More::Last;
    let before = frames.iter().rev().skip(1).position(is_end);
    if let Some(parts) = before {
        frames.drain(..frames.len() - parts - 1);
    }
    let octets = frames.iter().map(|frame| frame.body.len()).sum();
    (usize::from(!frames.is_empty()), octets)
}

#[cfg(test)]
mod tests;
