//! One connection from its stream to its end: its states, its turns, and the read side (L3).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::BytesMut;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::readable::Readable;
use crate::driver::alarm::Alarm;
use crate::driver::counters::DropReason;
use crate::driver::encoded::EncodedBatch;
use crate::driver::half_open::Listed;
use crate::driver::hub::{Hub, Linger, Notice};
use crate::driver::inbox::{FrameBatch, InboxRoom, charge};
use crate::driver::inquiry::Inquiry;
use crate::driver::monitor::{DisconnectReason, SocketEvent};
use crate::driver::outbox::Room;
use crate::driver::peer::{Peer, Retention};
use crate::driver::read_buffer::ReadBuffer;
use crate::driver::ready_set::GivenWay;
use crate::driver::report::report_end;
use crate::driver::sealed::SealedChunk;
use crate::mechanism::wipe;
use crate::message::More;
use crate::session::{Event, Session};
use crate::transport::Stream;

/// Octets that are read before writing, timers and other tasks get their turn. So much fits into
/// the processor's cache, and is still there when the receiver looks at it.
const OCTETS_PER_TURN: usize = 128 * 1024;

/// As much is read from a peer while the authenticator decides about it. It is more than a peer has
/// to say then, and reading on tells whether it has gone.
const UNDECIDED_OCTETS: usize = 8 * 1024;

/// What a read costs beside its octets, in octets.
const READ_COST: usize = 8 * 1024;

/// One connection, over whatever stream; resolves with why it ended and how far it had come.
///
/// No async function: it would hold each of its arguments twice, and most connections are idle.
#[derive(Debug)]
pub(crate) struct RunningConnection {
    transport: Transport,
}

#[derive(Debug)]
enum Transport {
    Tcp(Connection<TcpStream>),
    #[cfg(unix)]
    Ipc(Connection<UnixStream>),
}

impl RunningConnection {
    pub(crate) fn new(stream: Stream, session: Session, peer: Arc<Peer>, hub: Arc<Hub>) -> Self {
        Self {
            transport: match stream {
                Stream::Tcp(stream) => Transport::Tcp(Connection::new(stream, session, peer, hub)),
                #[cfg(unix)]
                Stream::Ipc(stream) => Transport::Ipc(Connection::new(stream, session, peer, hub)),
            },
        }
    }
}

impl Future for RunningConnection {
    type Output = (DisconnectReason, Progress);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.transport {
            Transport::Tcp(connection) => connection.poll_end(context),
            #[cfg(unix)]
            Transport::Ipc(connection) => connection.poll_end(context),
        }
    }
}

/// Drives one connection until it ends; the output says why.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    pub(super) stream: S,
    pub(super) session: Session,
    pub(super) peer: Arc<Peer>,
    pub(super) hub: Arc<Hub>,
    pub(super) stage: Stage,
    pub(super) progress: Progress,
    pub(super) reader: ReadBuffer,
    pub(super) incoming: FrameBatch,
    decoded: Decoded,
    input: Input,
    room: InboxRoom,
    given_way: GivenWay,
    pub(super) outgoing: EncodedBatch,
    pub(super) control: BytesMut,
    /// What of `outgoing` is encrypted, if it has to be.
    pub(super) sealed: Option<Box<SealedChunk>>,
    /// What the authenticator was asked.
    inquiry: Option<Inquiry>,
    alarm: Alarm,
}

/// How far a connection has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
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
    /// It is over, and whoever waited for it knows why.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shutdown {
    Pending,
    Done,
}

impl<S: Readable + AsyncWrite + Unpin> Connection<S> {
    pub(crate) fn new(stream: S, session: Session, peer: Arc<Peer>, hub: Arc<Hub>) -> Self {
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
            input: Input::Open,
            room: InboxRoom::NONE,
            given_way: GivenWay::default(),
            outgoing: EncodedBatch::default(),
            control: BytesMut::new(),
            sealed: None,
            inquiry: None,
            alarm: Alarm::default(),
        }
    }

    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<(DisconnectReason, Progress)> {
        let reason = ready!(Pin::new(&mut *self).poll(context));
        Poll::Ready((reason, self.progress))
    }

    /// Goes once around; an error is the reason for which the connection is to end.
    fn drive(&mut self, context: &mut Context<'_>) -> Result<(), DisconnectReason> {
        let now = now();
        // First what has come: a peer is not silent because this task slept.
        let turn = self.read(context, now);
        let discarded = self.session.take_discarded();
        let tally = &self.peer.tally;
        tally.count_dropped(DropReason::Unexpected, discarded);
        let turn = turn?;
        self.decide(context, now)?;
        self.check_time(now)?;
        self.run_commands()?;
        self.write(context)?;
        if turn == Turn::Over {
            context.waker().wake_by_ref();
        }
        Ok(())
    }

    /// How long the connection may still send.
    pub(super) fn linger(&self) -> Linger {
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
        if self.input == Input::Ended {
            return Ok(Turn::Done);
        }
        if self.hub.ready.is_behind() && self.gives_way(context, now) {
            return Ok(Turn::Over);
        }
        self.given_way = GivenWay::default();
        let mut budget = OCTETS_PER_TURN;
        loop {
            if self.peer.inbox.take_new_limits() {
                self.room = InboxRoom::NONE;
            }
            if !self.is_all_decoded() {
                self.incoming.prepare();
                let decoded = self.decode(context, now);
                self.publish();
                self.decoded = decoded?;
                if self.decoded == Decoded::InboxFull {
                    self.reader.settle(&self.hub.read_pool);
                    return Ok(Turn::Done);
                }
            }
            if budget == 0 {
                return Ok(Turn::Over);
            }
            if self.inquiry.is_some() && self.reader.bytes.len() >= UNDECIDED_OCTETS {
                return Ok(Turn::Done);
            }
            let missing = self.session.read_hint();
            // What woke the task was perhaps a message to be sent: then there is no need to get ready for
            // what does not come.
            if missing == 0 && self.stream.poll_readable(context).is_pending() {
                self.reader.rest(&self.hub.read_pool);
                self.incoming.release();
                return Ok(Turn::Done);
            }
            let read = self
                .reader
                .poll_read(context, &mut self.stream, missing, &self.hub.read_pool)
                .map_err(|error| DisconnectReason::Io(error.kind()))?;
            match read {
                Poll::Pending => {
                    self.incoming.release();
                    return Ok(Turn::Done);
                }
                Poll::Ready(0) if self.is_draining() => {
                    self.input = Input::Ended;
                    return Ok(Turn::Done);
                }
                Poll::Ready(0) => {
                    self.session.handle_eof(&self.reader.bytes)?;
                    return Err(DisconnectReason::PeerClosed);
                }
                Poll::Ready(octets) => {
                    self.peer.tally.count_received_octets(octets);
                    budget = budget.saturating_sub(octets + READ_COST);
                }
            }
        }
    }

    /// Whether what was read before is decoded, and nothing has come since.
    fn is_all_decoded(&self) -> bool {
        self.stage == Stage::Attached
            && self.decoded == Decoded::NeedsMore
            && self.reader.bytes.is_empty()
    }

    /// Whether the receiver goes first, instead of what has come. A peer that would count as silent
    /// is read from at once.
    #[cold]
    fn gives_way(&mut self, context: &mut Context<'_>, now: Instant) -> bool {
        self.stage == Stage::Attached
            && self.session_timeout().is_none_or(|at| at > now)
            && self.stream.poll_readable(context).is_ready()
            && self.hub.ready.goes_first(&mut self.given_way, now)
    }

    /// Whether the socket closes and still has something for this peer. A peer that sends nothing
    /// more may be closing as well, and then reads until it has everything.
    fn is_draining(&self) -> bool {
        self.stage == Stage::Attached
            && self.linger() != Linger::Open
            && !self.peer.outbox.is_empty()
    }

    /// Hands what was decoded to the receiver, or drops it when no receiver is left: a peer that is
    /// not read from may never read what this side still has to say.
    pub(super) fn publish(&mut self) {
        let messages = self.incoming.message_count();
        if self.linger() == Linger::Open {
            self.peer.tally.count_received_messages(messages);
            self.peer
                .inbox
                .publish(&mut self.incoming, &self.peer, &self.hub.ready);
        } else {
            let tally = &self.peer.tally;
            tally.count_dropped(DropReason::SocketClosed, messages);
            self.incoming.discard();
            self.room = InboxRoom::UNLIMITED;
        }
    }

    /// Decodes what has been read, as far as the inbox has room.
    fn decode(&mut self, context: &Context<'_>, now: Instant) -> Result<Decoded, DisconnectReason> {
        loop {
            // A handshake brings no messages: it is not to wait for a receiver that has not taken
            // those of the connection before.
            if self.room.is_none() && self.stage == Stage::Attached {
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
            Event::Authenticate(request) => {
                let security = &self.hub.options.security;
                let inquiry = Inquiry::begin(security, self.peer.address(), *request);
                self.inquiry = Some(inquiry);
                Ok(())
            }
            Event::Established => self.attach(),
            Event::Subscribe(topic) => {
                let notice = self.hub.pattern.subscribe(&self.peer, &topic)?;
                self.announce(notice);
                Ok(())
            }
            Event::Cancel(topic) => {
                let notice = self.hub.pattern.cancel(&self.peer, &topic)?;
                self.announce(notice);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Goes on with the handshake when the authenticator has answered.
    fn decide(&mut self, context: &mut Context<'_>, now: Instant) -> Result<(), DisconnectReason> {
        let Some(inquiry) = &mut self.inquiry else {
            return Ok(());
        };
        let Poll::Ready(decision) = inquiry.poll(context) else {
            return Ok(());
        };
        self.inquiry = None;
        if let Some(event) = self.session.authenticate(now, decision)? {
            self.handle_event(event)?;
            // The notice of a peer that came just now does not wait for what that peer sends.
            self.publish();
        }
        // Octets may have come meanwhile.
        context.waker().wake_by_ref();
        Ok(())
    }

    /// The handshake is done: makes the peer part of the socket.
    fn attach(&mut self) -> Result<(), DisconnectReason> {
        let Some(info) = self.session.peer() else {
            return Ok(());
        };
        let info = Arc::new(info.at(self.peer.address()));
        let listed = self.hub.half_open.find(self.peer.id);
        if self.peer.retention == Retention::Connection && listed == Listed::No {
            return Err(DisconnectReason::Evicted);
        }
        self.peer.inbox.introduce(&info);
        self.peer.outbox.resume();
        // Among the peers first: from here on a subscription reaches it one way or the other.
        self.hub.insert_peer(&self.peer);
        let topics = self.hub.pattern.attach(&self.peer, &info)?;
        // Not before: where the socket has no use for the peer, its place is given away first. One
        // that had to go just now, which `dismissal` tells, goes as a peer of the socket.
        self.hub.half_open.remove(self.peer.id);
        for topic in topics {
            self.session.subscribe(&topic);
        }
        for greeting in self.hub.options.notices.greetings().rev() {
            self.peer.outbox.push_first(greeting);
        }
        if let Some(arrival) = &self.hub.options.notices.arrival {
            self.incoming.push_whole(arrival);
        }
        if self.session.needs_sealing() {
            self.sealed = Some(Box::default());
        }
        self.hub.refresh_senders();
        self.stage = Stage::Attached;
        self.progress = Progress::Attached;
        self.reader.begin_traffic();
        self.peer.set_info(Some(Arc::clone(&info)));
        self.peer.tally.count_handshake();
        tracing::debug!(peer = %self.peer.id, socket_type = %info.socket_type, "peer attached");
        self.hub.monitor.send(SocketEvent::HandshakeSucceeded {
            peer: self.peer.id,
            info,
        });
        Ok(())
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
            Stage::Handshake | Stage::Attached | Stage::Ended => {
                let linger = match self.linger() {
                    Linger::Until(deadline) => Some(deadline),
                    Linger::Open | Linger::Unlimited => None,
                };
                [self.session_timeout(), linger].into_iter().flatten().min()
            }
        };
        self.alarm.set(context, deadline);
    }
}

impl<S: Readable + AsyncWrite + Unpin> Future for Connection<S> {
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
            this.stage = Stage::Ended;
            return Poll::Ready(reason);
        }
        this.arm_timer(context);
        Poll::Pending
    }
}

impl<S> Connection<S> {
    /// Wakes the receiver for a notice, which takes room as a message does: a peer shall not
    /// subscribe and cancel faster than it is listened to.
    pub(super) fn announce(&mut self, notice: Notice) {
        if let Notice::Queued { bytes } = notice {
            self.room.messages = self.room.messages.saturating_sub(1);
            self.room.bytes = self.room.bytes.saturating_sub(bytes);
        }
        self.hub.tell(notice);
    }
}

impl<S> Drop for Connection<S> {
    /// What was taken from the queue and not begun to be written goes back, for the connector that
    /// connects again. A connection that has not ended does so now, as its runtime goes away.
    fn drop(&mut self) {
        let reason = match &self.stage {
            Stage::Handshake | Stage::Attached => {
                self.leave();
                Some(DisconnectReason::SocketClosed)
            }
            Stage::Farewell { reason, .. } => Some(reason.clone()),
            Stage::Ended => None,
        };
        if self.progress == Progress::Handshake {
            self.hub.half_open.remove(self.peer.id);
            // It may have been a password.
            wipe(&mut self.control);
        }
        if let Some(reason) = reason {
            report_end(&self.hub, &self.peer, &reason, self.progress);
        }
        if let Some(sealed) = &mut self.sealed {
            sealed.rewind(&mut self.outgoing);
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

/// Whether the peer may still send something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Open,
    /// It has sent everything, and we go on sending.
    Ended,
}

/// How far what was read has been decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decoded {
    /// To the end.
    NeedsMore,
    /// As far as the inbox had room.
    InboxFull,
}

pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
