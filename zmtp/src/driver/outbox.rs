//! The queue between a socket and one connection, outgoing (L3).
//!
//! ```text
//!  socket handles                                       connection task
//!  try_push ── encode under the lock ──► batch ── take (swap) ──► its own batch ──► write
//!     ▲                                                              │
//!     └────── one wake per batch, only if somebody waits ◄── credit ─┘
//! ```
//!
//! The queue holds encoded octets, not messages: `send` costs one uncontended lock and one copy,
//! and the connection takes everything there is with a single swap. The high-water mark counts what
//! is queued plus what the connection has taken and not finished.

use std::sync::Arc;
use std::task::{Context, Waker};

use super::commands::{Commands, ConnectionCommand};
use super::counters::DropReason;
use super::encoded::EncodedBatch;
use super::monitor::DisconnectReason;
use super::pipe::Pipe;
use super::queue_limits::QueueLimits;
use super::sync::atomic::{AtomicBool, Ordering};
use super::sync::{Mutex, MutexGuard, lock};
use super::tally::Tally;
use crate::message::{Message, Part};

/// Why a message was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushError {
    /// The queue is at its high-water mark; the hub's `writable` tells when it no longer is.
    Full,
    /// There is no connection any more, or not yet, or the socket is closing.
    Closed,
    /// The queue keeps the last message alone, which has one part.
    Multipart,
}

/// How full a queue is after a message was added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// There is room for the next one.
    Room,
    /// It has reached its high-water mark.
    Mark,
}

/// What the connection task found when it asked for more to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The batch holds messages.
    Messages,
    /// Nothing is queued; the task is woken when there is.
    Empty,
    /// Nothing is queued, and nothing more will come.
    Finished,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lifecycle {
    Open,
    /// There is no connection, and nothing is queued for the next one.
    Suspended,
    /// The socket closes: what is queued still goes out.
    Draining,
    /// Nobody reads the queue any more.
    Closed,
}

#[derive(Debug)]
struct State {
    limits: QueueLimits,
    batch: EncodedBatch,
    taken_messages: usize,
    taken_bytes: usize,
    /// The messages in front, taken or not, that are for this connection alone.
    greetings: usize,
    /// `None` while no connection takes commands: the next one starts from the whole state.
    commands: Option<Commands>,
    lifecycle: Lifecycle,
    /// Why messages are dropped when the queue ends.
    loss: DropReason,
    /// The connection task, whether or not it waits for messages.
    task: Option<Waker>,
    /// Whether the connection task sleeps until something is queued.
    reader: Waiting,
    /// Whether a sender found the queue full.
    senders: Waiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    No,
    Yes,
}

/// Tells whether senders wait for room that has just been made.
#[must_use = "waiting senders have to be woken"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Nobody waits.
    Unneeded,
    /// Wake the senders.
    Awaited,
}

/// The outgoing queue of one peer.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Takes the messages for a peer in this process, instead of the batch.
    pipe: Option<Arc<Pipe>>,
    tally: Arc<Tally>,
    /// Set by what may have filled the queue; lets publishers look without the lock of the state, under
    /// which alone it is stored, so that it does not stay `false` while the queue is full.
    ///
    /// Publishers fill the queue, and look here, under the lock of their subscription table, which is
    /// what orders the two. A greeting, a lower mark or what is put back may be seen late, or come after
    /// the look: [`Self::push_past_mark`] is for the message that finds no room then.
    may_be_full: AtomicBool,
}

impl Outbox {
    pub(crate) fn new(limits: QueueLimits, tally: Arc<Tally>) -> Self {
        Self::with(limits, None, tally)
    }

    /// The outbox of a peer in this process, which reads from `pipe`.
    pub(crate) fn in_process(limits: QueueLimits, pipe: Arc<Pipe>, tally: Arc<Tally>) -> Self {
        Self::with(limits, Some(pipe), tally)
    }

    fn with(limits: QueueLimits, pipe: Option<Arc<Pipe>>, tally: Arc<Tally>) -> Self {
        Self {
            pipe,
            tally,
            may_be_full: AtomicBool::new(false),
            state: Mutex::new(State {
                limits,
                batch: EncodedBatch::default(),
                taken_messages: 0,
                taken_bytes: 0,
                greetings: 0,
                commands: None,
                lifecycle: Lifecycle::Open,
                loss: DropReason::ConnectionLost,
                task: None,
                reader: Waiting::No,
                senders: Waiting::No,
            }),
        }
    }

    /// Takes messages up to `limits` from now on. What is queued stays.
    pub(crate) fn set_limits(&self, limits: QueueLimits) -> Room {
        let in_pipe = match &self.pipe {
            Some(pipe) => pipe.set_send_mark(limits.messages),
            None => Room::Unneeded,
        };
        let mut state = lock(&self.state);
        state.limits = limits;
        self.may_be_full.store(true, Ordering::Relaxed);
        if state.senders == Waiting::Yes && !state.is_full() {
            state.senders = Waiting::No;
            return Room::Awaited;
        }
        in_pipe
    }

    /// Queues `message`, behind the parts of `envelope`, and tells whether the next one finds room.
    #[inline]
    pub(crate) fn try_push(&self, envelope: &[Part], message: &Message) -> Result<Fill, PushError> {
        self.try_push_parts(envelope, message.parts())
    }

    /// As [`Self::try_push`], of a message of these parts.
    #[inline]
    pub(crate) fn try_push_parts(
        &self,
        envelope: &[Part],
        parts: &[Part],
    ) -> Result<Fill, PushError> {
        if let Some(pipe) = &self.pipe {
            return pipe.push(envelope, parts);
        }
        self.try_encode(parts, |batch| batch.push_parts(envelope, parts))
    }

    /// Queues `message`, which goes to others as well: the first that needs it encoded leaves it in
    /// `encoded`, which is otherwise empty. Tells whether the next one finds room.
    #[inline]
    pub(crate) fn try_push_shared(
        &self,
        message: &Message,
        encoded: &mut EncodedBatch,
    ) -> Result<Fill, PushError> {
        if let Some(pipe) = &self.pipe {
            return pipe.push(&[], message.parts());
        }
        if encoded.message_count() == 0 {
            encoded.push(&[], message);
        }
        self.try_encode(message.parts(), |batch| batch.append(encoded))
    }

    /// Queues `message` although the queue is full: it was not when that was asked, and the message must
    /// not be dropped.
    #[cold]
    pub(crate) fn push_past_mark(&self, message: &Message) {
        if let Some(pipe) = &self.pipe {
            return pipe.push_past_mark(message);
        }
        let state = lock(&self.state);
        if state.lifecycle == Lifecycle::Open {
            self.encode(state, |batch| batch.push(&[], message));
        }
    }

    /// Whether a message would be queued now; who is told that it would not is woken as a sender is.
    pub(crate) fn has_room(&self) -> bool {
        if let Some(pipe) = &self.pipe {
            return pipe.is_open() && !pipe.is_full();
        }
        let mut state = lock(&self.state);
        let is_full = state.is_full() && !state.limits.keep_last_message();
        if is_full {
            state.senders = Waiting::Yes;
        }
        state.lifecycle == Lifecycle::Open && !is_full
    }

    /// Queues `message` before all others; no mark holds it back. Called by the connection task,
    /// which will look for it. It is for this connection alone, and not put back for the next.
    pub(crate) fn push_first(&self, message: &Message) {
        if let Some(pipe) = &self.pipe {
            return pipe.push_first(message);
        }
        let mut first = EncodedBatch::default();
        first.push(&[], message);
        let mut state = lock(&self.state);
        if matches!(state.lifecycle, Lifecycle::Open | Lifecycle::Draining) {
            first.append(&state.batch);
            state.batch = first;
            state.greetings += 1;
            self.may_be_full.store(true, Ordering::Relaxed);
        }
    }

    /// The queue of a peer in this process.
    pub(crate) fn pipe(&self) -> Option<&Arc<Pipe>> {
        self.pipe.as_ref()
    }

    /// Whether a message finds no room now. Who asks waits for it from here on.
    pub(crate) fn is_full(&self) -> bool {
        if let Some(pipe) = &self.pipe {
            return pipe.is_full();
        }
        if !self.may_be_full.load(Ordering::Relaxed) {
            return false;
        }
        let mut state = lock(&self.state);
        if !state.is_full() {
            self.may_be_full.store(false, Ordering::Relaxed);
            return false;
        }
        if state.lifecycle != Lifecycle::Open || state.limits.keep_last_message() {
            return false;
        }
        state.senders = Waiting::Yes;
        true
    }

    /// Queues a command, which no high-water mark holds back, if there is a connection for it.
    pub(crate) fn push_command(&self, command: ConnectionCommand) {
        let mut state = lock(&self.state);
        let Some(commands) = &mut state.commands else {
            return;
        };
        commands.push(command);
        let task = state.task.clone();
        drop(state);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Takes the next command.
    ///
    /// # Errors
    ///
    /// As [`Self::check_commands`].
    pub(crate) fn pop_command(&self) -> Result<Option<ConnectionCommand>, DisconnectReason> {
        match &mut lock(&self.state).commands {
            Some(commands) => commands.pop(),
            None => Ok(None),
        }
    }

    /// Looks at the commands while the connection takes none.
    ///
    /// # Errors
    ///
    /// [`DisconnectReason::UnsentSubscriptions`] if there were too many; the next connection starts
    /// from the whole state.
    pub(crate) fn check_commands(&self) -> Result<(), DisconnectReason> {
        match &lock(&self.state).commands {
            Some(commands) => commands.check(),
            None => Ok(()),
        }
    }

    /// Begins to queue commands: a connection has taken the whole state.
    pub(crate) fn accept_commands(&self) {
        lock(&self.state).commands = Some(Commands::default());
    }

    /// Swaps everything queued into `batch`, which must be written out, and credits what the
    /// connection took the last time.
    pub(crate) fn take(&self, batch: &mut EncodedBatch) -> (Taken, Room) {
        batch.clear();
        let mut state = lock(&self.state);
        // Whoever asks for more has written what it had.
        self.tally.count_sent_messages(state.taken_messages);
        let room = state.credit();
        if state.batch.message_count() == 0 {
            state.reader = Waiting::Yes;
            state.batch.release();
            let taken = match state.lifecycle {
                Lifecycle::Open | Lifecycle::Suspended => Taken::Empty,
                Lifecycle::Draining | Lifecycle::Closed => Taken::Finished,
            };
            return (taken, room);
        }
        state.reader = Waiting::No;
        std::mem::swap(&mut state.batch, batch);
        state.taken_messages = batch.message_count();
        state.taken_bytes = batch.len();
        (Taken::Messages, room)
    }

    /// Puts back what a lost connection had taken and not begun to write, for the next one.
    pub(crate) fn put_back(&self, batch: &mut EncodedBatch) -> Room {
        let cut = batch.retain_unwritten();
        self.tally.count_sent_messages(cut.written);
        self.tally
            .count_dropped(DropReason::ConnectionLost, cut.torn);
        let mut state = lock(&self.state);
        let is_superseded = state.limits.keep_last_message() && state.batch.message_count() > 0;
        match state.lifecycle {
            Lifecycle::Open | Lifecycle::Draining if is_superseded => {
                let superseded = batch.message_count();
                self.tally.count_dropped(DropReason::Conflated, superseded);
            }
            Lifecycle::Open | Lifecycle::Draining if batch.message_count() > 0 => {
                batch.append(&state.batch);
                std::mem::swap(&mut state.batch, batch);
                self.may_be_full.store(true, Ordering::Relaxed);
            }
            Lifecycle::Open | Lifecycle::Draining => {}
            Lifecycle::Suspended | Lifecycle::Closed => {
                self.tally.count_dropped(state.loss, batch.message_count());
            }
        }
        batch.clear();
        let said = cut.written + cut.torn;
        let unsaid = std::mem::take(&mut state.greetings).saturating_sub(said);
        if !state.limits.keep_last_message() {
            state.batch.drop_first(unsaid);
        }
        state.commands = None;
        state.task = None;
        state.reader = Waiting::No;
        state.credit()
    }

    /// Forgets the connection and its commands.
    pub(crate) fn disconnect(&self) {
        if let Some(pipe) = &self.pipe {
            pipe.forget_greetings();
        }
        let mut state = lock(&self.state);
        state.commands = None;
        state.task = None;
    }

    /// Remembers the connection task, so that commands and the end of the socket wake it.
    pub(crate) fn register(&self, context: &Context<'_>) {
        let mut state = lock(&self.state);
        match &mut state.task {
            Some(task) => task.clone_from(context.waker()),
            None => state.task = Some(context.waker().clone()),
        }
    }

    /// Drops what is queued, and accepts nothing until [`Self::resume`].
    pub(crate) fn suspend(&self) {
        let mut state = lock(&self.state);
        if state.lifecycle == Lifecycle::Open {
            state.lifecycle = Lifecycle::Suspended;
            self.drop_batch(&mut state);
        }
        if let Some(pipe) = &self.pipe {
            self.tally
                .count_dropped(DropReason::ConnectionLost, pipe.suspend());
        }
    }

    /// Accepts messages again: there is a connection.
    pub(crate) fn resume(&self) {
        let mut state = lock(&self.state);
        if state.lifecycle == Lifecycle::Suspended {
            state.lifecycle = Lifecycle::Open;
        }
        if let Some(pipe) = &self.pipe {
            pipe.resume();
        }
    }

    /// Lets what is queued go out and accepts nothing more.
    pub(crate) fn drain(&self) {
        self.end(Lifecycle::Draining);
    }

    /// Drops what is queued and accepts nothing more.
    pub(crate) fn close(&self) {
        self.end(Lifecycle::Closed);
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_empty(&self) -> bool {
        if let Some(pipe) = &self.pipe {
            return pipe.is_empty();
        }
        let state = lock(&self.state);
        state.batch.message_count() == 0 && state.taken_messages == 0
    }

    /// Whether the socket lets go of the peer: it accepts nothing more.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(
            lock(&self.state).lifecycle,
            Lifecycle::Draining | Lifecycle::Closed
        )
    }

    /// Messages that wait, or are being written.
    pub(crate) fn queued(&self) -> usize {
        match &self.pipe {
            Some(pipe) => pipe.queued(),
            None => {
                let state = lock(&self.state);
                state.batch.message_count() + state.taken_messages
            }
        }
    }

    fn drop_batch(&self, state: &mut State) {
        state.greetings = 0;
        let batch = std::mem::take(&mut state.batch);
        self.tally.count_dropped(state.loss, batch.message_count());
    }

    /// Makes room for the last message, if that is all that the queue keeps.
    #[cold]
    fn make_room(&self, state: &mut State, parts: &[Part]) -> Result<(), PushError> {
        if !state.limits.keep_last_message() {
            state.senders = Waiting::Yes;
            return Err(PushError::Full);
        }
        if parts.len() > 1 {
            return Err(PushError::Multipart);
        }
        let before = state.batch.message_count();
        self.tally.count_dropped(DropReason::Conflated, before);
        state.batch.clear();
        Ok(())
    }

    #[inline]
    fn try_encode(
        &self,
        parts: &[Part],
        encode: impl FnOnce(&mut EncodedBatch),
    ) -> Result<Fill, PushError> {
        let mut state = lock(&self.state);
        if state.lifecycle != Lifecycle::Open {
            return Err(PushError::Closed);
        }
        if state.is_full() {
            self.make_room(&mut state, parts)?;
        }
        Ok(self.encode(state, encode))
    }

    #[inline]
    fn encode(
        &self,
        mut state: MutexGuard<'_, State>,
        encode: impl FnOnce(&mut EncodedBatch),
    ) -> Fill {
        encode(&mut state.batch);
        let fill = if state.is_full() && !state.limits.keep_last_message() {
            self.may_be_full.store(true, Ordering::Relaxed);
            Fill::Mark
        } else {
            Fill::Room
        };
        if state.reader == Waiting::Yes {
            state.reader = Waiting::No;
            let task = state.task.clone();
            drop(state);
            if let Some(task) = task {
                task.wake();
            }
        }
        fill
    }

    fn end(&self, lifecycle: Lifecycle) {
        let mut state = lock(&self.state);
        if state.lifecycle == Lifecycle::Draining {
            state.loss = DropReason::LingerExpired;
        }
        let loss = state.loss;
        if state.lifecycle != Lifecycle::Closed {
            state.lifecycle = lifecycle;
        }
        if lifecycle == Lifecycle::Closed {
            self.drop_batch(&mut state);
            state.commands = None;
        }
        let task = state.task.clone();
        drop(state);
        if let Some(pipe) = &self.pipe {
            match lifecycle {
                Lifecycle::Closed => self.tally.count_dropped(loss, pipe.close()),
                _ => pipe.drain(),
            }
        }
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl State {
    #[inline]
    fn is_full(&self) -> bool {
        self.batch.message_count() + self.taken_messages >= self.limits.messages
            || self.batch.len() + self.taken_bytes >= self.limits.bytes
    }

    fn credit(&mut self) -> Room {
        if self.taken_messages > 0 {
            // They were the first, and so are on their way.
            self.greetings = 0;
        }
        self.taken_messages = 0;
        self.taken_bytes = 0;
        match std::mem::replace(&mut self.senders, Waiting::No) {
            Waiting::Yes => Room::Awaited,
            Waiting::No => Room::Unneeded,
        }
    }
}

#[cfg(test)]
mod tests;
