//! The task of one connection: the only one that touches its stream and its session (L3).
//!
//! Every poll goes once around:
//!
//! ```text
//!  read, decode, publish ─► timers ─► commands ─► control and queued messages, write ─► sleep
//! ```
//!
//! Reading stops while the inbox is full and writing while the kernel takes nothing; neither holds
//! up the other. Control octets (handshake, PING, PONG, subscriptions) go out between two messages,
//! before the next batch.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;

use super::encoded::{EncodedBatch, IDLE_CAPACITY, MAX_SLICES};
use super::half_open::Listed;
use super::hub::{Hub, Linger};
use super::inbox::{FrameBatch, InboxRoom, charge};
use super::monitor::{DisconnectReason, SocketEvent};
use super::outbox::{ConnectionCommand, Room, Taken};
use super::peer::{Peer, Retention};
use super::read_buffer::ReadBuffer;
use crate::message::More;
use crate::session::{Event, Session};
use crate::transport::Stream;

/// How long a closed connection waits for the other side to take note, so that an RST does not
/// overtake what was sent last.
const FAREWELL: Duration = Duration::from_secs(1);

/// Octets that are read before writing, timers and other tasks get their turn. So much fits into
/// the processor's cache, and is still there when the receiver looks at it.
const OCTETS_PER_TURN: usize = 128 * 1024;

/// What a read costs beside its octets, in octets.
const READ_COST: usize = 8 * 1024;

/// Drives one connection to its end; tells why it ended and how far it had come.
pub(crate) async fn run_connection(
    stream: Stream,
    session: Session,
    peer: Arc<Peer>,
    hub: Arc<Hub>,
) -> (DisconnectReason, Progress) {
    match stream {
        Stream::Tcp(stream) => Connection::new(stream, session, peer, hub).run().await,
        #[cfg(unix)]
        Stream::Ipc(stream) => Connection::new(stream, session, peer, hub).run().await,
    }
}

/// Drives one connection until it ends; the output says why.
#[derive(Debug)]
struct Connection<S> {
    stream: S,
    session: Session,
    peer: Arc<Peer>,
    hub: Arc<Hub>,
    stage: Stage,
    progress: Progress,
    reader: ReadBuffer,
    incoming: FrameBatch,
    decoded: Decoded,
    room: InboxRoom,
    outgoing: EncodedBatch,
    control: BytesMut,
    timer: Option<Pin<Box<Sleep>>>,
}

/// How far a connection has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Greeting and handshake.
    Handshake,
    /// The peer is part of the socket.
    Attached,
    /// The last octets, then the end of our side, then whatever the peer still sends.
    Farewell {
        reason: DisconnectReason,
        shutdown: Shutdown,
        deadline: Instant,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shutdown {
    Pending,
    Done,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(stream: S, session: Session, peer: Arc<Peer>, hub: Arc<Hub>) -> Self {
        Self {
            stream,
            session,
            peer,
            hub,
            stage: Stage::Handshake,
            progress: Progress::Handshake,
            reader: ReadBuffer::new(),
            incoming: FrameBatch::default(),
            decoded: Decoded::NeedsMore,
            room: InboxRoom::NONE,
            outgoing: EncodedBatch::default(),
            control: BytesMut::new(),
            timer: None,
        }
    }

    /// Runs the connection to its end; tells why it ended and how far it had come.
    async fn run(mut self) -> (DisconnectReason, Progress) {
        let reason = (&mut self).await;
        (reason, self.progress)
    }

    /// Goes once around; an error is the reason for which the connection is to end.
    fn drive(&mut self, context: &mut Context<'_>) -> Result<(), DisconnectReason> {
        let now = now();
        // First what has come: a peer is not silent because this task slept.
        let turn = self.read(context, now)?;
        self.check_time(now)?;
        self.run_commands();
        self.write(context)?;
        if turn == Turn::Over {
            context.waker().wake_by_ref();
        }
        Ok(())
    }

    /// How long the connection may still send.
    fn linger(&self) -> Linger {
        self.hub.linger().or_sooner(self.peer.linger())
    }

    fn check_time(&mut self, now: Instant) -> Result<(), DisconnectReason> {
        if self.session_timeout().is_some_and(|at| at <= now) {
            self.session.handle_timeout(now)?;
        }
        if self.stage == Stage::Handshake {
            let is_closing = self.linger() != Linger::Open;
            if is_closing && self.peer.outbox.is_empty() {
                return Err(self.hub.own_end());
            }
            if self.peer.outbox.is_closed() {
                return Err(DisconnectReason::Evicted);
            }
        }
        if let Some(reason) = self.peer.dismissal() {
            return Err(reason.clone());
        }
        match self.linger() {
            Linger::Until(deadline) if deadline <= now => Err(self.hub.own_end()),
            _ => Ok(()),
        }
    }

    fn read(&mut self, context: &mut Context<'_>, now: Instant) -> Result<Turn, DisconnectReason> {
        let mut budget = OCTETS_PER_TURN;
        loop {
            self.incoming.prepare();
            let decoded = self.decode(context, now);
            self.publish();
            self.decoded = decoded?;
            if self.decoded == Decoded::InboxFull {
                return Ok(Turn::Done);
            }
            if budget == 0 {
                return Ok(Turn::Over);
            }
            let missing = self.session.read_hint();
            let read = self
                .reader
                .poll_read(context, &mut self.stream, missing, &self.hub.read_pool)
                .map_err(|error| DisconnectReason::Io(error.kind()))?;
            match read {
                Poll::Pending => {
                    self.incoming.release();
                    return Ok(Turn::Done);
                }
                Poll::Ready(0) => {
                    self.session.handle_eof()?;
                    return Err(DisconnectReason::PeerClosed);
                }
                Poll::Ready(octets) => budget = budget.saturating_sub(octets + READ_COST),
            }
        }
    }

    /// Hands what was decoded to the receiver, or drops it when no receiver is left: a peer that is
    /// not read from may never read what this side still has to say.
    fn publish(&mut self) {
        if self.linger() == Linger::Open {
            self.peer
                .inbox
                .publish(&mut self.incoming, &self.peer, &self.hub.ready);
        } else {
            self.incoming.discard();
            self.room = InboxRoom::UNLIMITED;
        }
    }

    /// Decodes what has been read, as far as the inbox has room.
    fn decode(&mut self, context: &Context<'_>, now: Instant) -> Result<Decoded, DisconnectReason> {
        loop {
            if self.room.is_none() {
                self.publish();
                if self.linger() == Linger::Open {
                    self.room = self.peer.inbox.room(context);
                }
                if self.room.is_none() {
                    return Ok(Decoded::InboxFull);
                }
            }
            if let Some(body) = self.session.take_small_message(now, &mut self.reader.bytes) {
                self.room.bytes = self.room.bytes.saturating_sub(charge(&body));
                self.room.messages -= 1;
                self.incoming.push_message(body);
                continue;
            }
            if let Some(body) = self.session.take_message(now, &mut self.reader.bytes) {
                self.room.bytes = self.room.bytes.saturating_sub(charge(&body));
                self.room.messages -= 1;
                self.incoming.push_message(body);
                continue;
            }
            match self.session.handle_input(now, &mut self.reader.bytes)? {
                Some(Event::Frame(frame)) => {
                    self.room.bytes = self.room.bytes.saturating_sub(charge(&frame.body));
                    if frame.more == More::Last {
                        self.room.messages -= 1;
                    }
                    self.incoming.push(frame);
                }
                Some(event) => self.handle_event(event)?,
                None => return Ok(Decoded::NeedsMore),
            }
        }
    }

    #[cold]
    fn handle_event(&mut self, event: Event) -> Result<(), DisconnectReason> {
        match event {
            Event::Established => self.attach(),
            Event::Subscribe(topic) => self.hub.pattern.subscribe(&self.peer, &topic),
            Event::Cancel(topic) => {
                self.hub.pattern.cancel(&self.peer, &topic);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The handshake is done: makes the peer part of the socket.
    fn attach(&mut self) -> Result<(), DisconnectReason> {
        let Some(info) = self.session.peer().cloned().map(Arc::new) else {
            return Ok(());
        };
        let listed = self.hub.half_open.remove(self.peer.id);
        if self.peer.retention == Retention::Connection && listed == Listed::No {
            return Err(DisconnectReason::Evicted);
        }
        self.peer.outbox.resume();
        if let Some(hello) = &self.hub.options.notices.hello {
            self.peer.outbox.push_first(hello);
        }
        // Among the peers first: from here on a subscription reaches it one way or the other.
        self.hub.insert_peer(&self.peer);
        for topic in self.hub.pattern.attach(&self.peer, &info)? {
            self.session.subscribe(&topic);
        }
        if let Some(arrival) = &self.hub.options.notices.arrival {
            self.incoming.push_whole(arrival);
        }
        self.stage = Stage::Attached;
        self.progress = Progress::Attached;
        self.peer.set_info(Some(Arc::clone(&info)));
        tracing::debug!(peer = %self.peer.id, socket_type = %info.socket_type, "peer attached");
        self.hub.monitor.send(SocketEvent::HandshakeSucceeded {
            peer: self.peer.id,
            info,
        });
        Ok(())
    }

    fn run_commands(&mut self) {
        // What the kernel does not take stays where it is bounded by what the application does.
        if self.stage != Stage::Attached || self.control.has_remaining() {
            return;
        }
        while let Some(command) = self.peer.outbox.pop_command() {
            match command {
                ConnectionCommand::Subscribe(topic) => self.session.subscribe(&topic),
                ConnectionCommand::Cancel(topic) => self.session.cancel(&topic),
            }
        }
    }

    fn write(&mut self, context: &mut Context<'_>) -> Result<(), DisconnectReason> {
        loop {
            if !self.outgoing.is_written() {
                match self.poll_write_messages(context) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(result) => result.map_err(io_reason)?,
                }
            } else if self.control.has_remaining() || self.session.has_transmit() {
                match self.poll_write_control(context) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(result) => result.map_err(io_reason)?,
                }
            } else if self.stage == Stage::Attached {
                let (taken, room) = self.peer.outbox.take(&mut self.outgoing);
                if room == Room::Awaited {
                    self.hub.writable.notify_waiters();
                }
                match taken {
                    Taken::Messages => {}
                    Taken::Empty => {
                        self.outgoing.release();
                        return Ok(());
                    }
                    Taken::Finished => return Err(self.hub.own_end()),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn poll_write_messages(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = Pin::new(&mut self.stream);
        let written = if let Some(slice) = self.outgoing.as_single_slice() {
            ready!(stream.poll_write(context, slice))?
        } else {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let used = self.outgoing.fill_slices(&mut slices);
            ready!(stream.poll_write_vectored(context, &slices[..used]))?
        };
        self.outgoing.advance(written);
        Poll::Ready(nonzero(written))
    }

    fn poll_write_control(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Only what the kernel takes is fetched, so that the session sees how much piles up.
        if self.control.is_empty() {
            self.session.poll_transmit(&mut self.control);
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.control))?;
        self.control.advance(written);
        if self.control.is_empty() && self.control.capacity() > IDLE_CAPACITY {
            self.control = BytesMut::new();
        }
        Poll::Ready(nonzero(written))
    }

    /// Takes the peer from the socket and decides what still has to go out.
    fn begin_farewell(&mut self, reason: DisconnectReason) {
        self.incoming.drop_unfinished_message();
        let notices = &self.hub.options.notices;
        if self.stage == Stage::Attached
            && let Some(notice) = notices.parting(self.peer.retention, &reason)
        {
            self.incoming.push_whole(notice);
        }
        self.publish();
        if self.stage == Stage::Attached {
            self.hub.pattern.detach(&self.peer);
        }
        self.hub.half_open.remove(self.peer.id);
        self.peer.set_info(None);
        // At once: senders shall not find a peer that is as good as gone.
        match self.peer.retention {
            Retention::Connection => {
                self.hub.remove_peer(&self.peer);
                self.peer.outbox.close();
            }
            Retention::Endpoint => {
                self.hub.remove_peer(&self.peer);
                self.peer.outbox.suspend();
            }
            Retention::Queue => {}
        }
        let shutdown = match reason {
            // There is nobody left to say anything to.
            DisconnectReason::PeerClosed | DisconnectReason::Io(_) => Shutdown::Done,
            _ => Shutdown::Pending,
        };
        let farewell = now() + FAREWELL;
        let deadline = match self.linger() {
            Linger::Until(deadline) => deadline.min(farewell),
            Linger::Open | Linger::Unlimited => farewell,
        };
        self.stage = Stage::Farewell {
            reason,
            shutdown,
            deadline,
        };
    }

    /// Sends what the session has left to say (an ERROR, say), closes our side and reads the other
    /// side to its end.
    fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<DisconnectReason> {
        loop {
            let Stage::Farewell {
                reason,
                shutdown,
                deadline,
            } = &mut self.stage
            else {
                return Poll::Ready(DisconnectReason::SocketClosed);
            };
            let reason = reason.clone();
            if *deadline <= now() {
                return Poll::Ready(reason);
            }
            if *shutdown == Shutdown::Done
                && matches!(
                    reason,
                    DisconnectReason::PeerClosed | DisconnectReason::Io(_)
                )
            {
                return Poll::Ready(reason);
            }
            if *shutdown == Shutdown::Pending {
                let between_messages = self.outgoing.is_written();
                if between_messages && (self.control.has_remaining() || self.session.has_transmit())
                {
                    match self.poll_write_control(context) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Ok(())) => continue,
                        Poll::Ready(Err(_)) => return Poll::Ready(reason),
                    }
                }
                match ready!(Pin::new(&mut self.stream).poll_shutdown(context)) {
                    Ok(()) => *shutdown = Shutdown::Done,
                    Err(_) => return Poll::Ready(reason),
                }
                continue;
            }
            self.reader.bytes.clear();
            let pool = &self.hub.read_pool;
            match ready!(self.reader.poll_read(context, &mut self.stream, 0, pool)) {
                Ok(0) | Err(_) => return Poll::Ready(reason),
                Ok(_) => {}
            }
        }
    }

    /// When the session wants to be called. A peer that is not read from, because the inbox is
    /// full, is not late.
    fn session_timeout(&self) -> Option<Instant> {
        match (&self.stage, self.decoded) {
            (Stage::Attached, Decoded::InboxFull) => None,
            _ => self.session.poll_timeout(),
        }
    }

    /// Sleeps until the next deadline, if there is one; an idle connection has none.
    fn arm_timer(&mut self, context: &mut Context<'_>) {
        let deadline = match &self.stage {
            Stage::Farewell { deadline, .. } => Some(*deadline),
            Stage::Handshake | Stage::Attached => {
                let linger = match self.linger() {
                    Linger::Until(deadline) => Some(deadline),
                    Linger::Open | Linger::Unlimited => None,
                };
                [self.session_timeout(), linger].into_iter().flatten().min()
            }
        };
        let Some(deadline) = deadline.map(tokio::time::Instant::from_std) else {
            self.timer = None;
            return;
        };
        let timer = match &mut self.timer {
            Some(timer) => {
                if timer.deadline() != deadline {
                    timer.as_mut().reset(deadline);
                }
                timer
            }
            None => self
                .timer
                .insert(Box::pin(tokio::time::sleep_until(deadline))),
        };
        if timer.as_mut().poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Connection<S> {
    type Output = DisconnectReason;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !matches!(this.stage, Stage::Farewell { .. }) {
            this.peer.outbox.register(context);
            if let Err(reason) = this.drive(context) {
                this.begin_farewell(reason);
            }
        }
        if matches!(this.stage, Stage::Farewell { .. })
            && let Poll::Ready(reason) = this.poll_farewell(context)
        {
            return Poll::Ready(reason);
        }
        this.arm_timer(context);
        Poll::Pending
    }
}

impl<S> Drop for Connection<S> {
    /// What was taken from the queue and not begun to be written goes back, for the connector that
    /// connects again.
    fn drop(&mut self) {
        if self.stage == Stage::Attached {
            self.hub.pattern.detach(&self.peer);
        }
        if self.peer.outbox.put_back(&mut self.outgoing) == Room::Awaited {
            self.hub.writable.notify_waiters();
        }
    }
}

/// How far a connection had come when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The handshake was not done.
    Handshake,
    /// The peer was part of the socket.
    Attached,
}

/// Whether a task has done what there was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It has.
    Done,
    /// It has not, but it is the turn of others.
    Over,
}

/// How far what was read has been decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decoded {
    /// To the end.
    NeedsMore,
    /// As far as the inbox had room.
    InboxFull,
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn io_reason(error: io::Error) -> DisconnectReason {
    DisconnectReason::Io(error.kind())
}

/// A stream that takes nothing will never take more.
fn nonzero(written: usize) -> io::Result<()> {
    if written == 0 {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(())
}
