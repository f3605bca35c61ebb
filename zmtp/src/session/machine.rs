//! The life of one connection.

use std::fmt;
use std::time::Instant;

use bytes::BytesMut;

use crate::mechanism::{Handshake, Randomness, Undecided};
use crate::message::{Frame, Part};
use crate::session::control::ControlQueue;
use crate::session::liveness::Due;
use crate::session::open::Open;
use crate::session::peer::Announced;
use crate::session::{Event, PeerInfo, SessionConfig, SessionError, Timeout};
use crate::wire::command::{Command, ErrorReason};
use crate::wire::frame::{FrameDecoder, RawFrame};
use crate::wire::greeting::Greeting;
use crate::wire::subscription::Subscription;

/// One connection, from the greeting to its end, without any I/O.
///
/// ```text
/// Greeting ─ greeting ─► Handshake ─ last command ─► Open
///     └──────────────────────┴─ error, EOF ────────────┴──► Closed
/// ```
///
/// The last command that comes is READY, or INITIATE at a server of PLAIN or CURVE.
///
/// Where a decision about the peer is required, the handshake stops with an
/// [`Event::Authenticate`] until [`authenticate`](Self::authenticate) is called.
///
/// A driver calls
///
/// 1. [`handle_input`](Self::handle_input) after each read, until it returns `Ok(None)`;
/// 2. [`poll_transmit`](Self::poll_transmit) whenever what it wrote before is gone, between two
///    messages of its own, which it may send while the session [is open](Self::is_open);
/// 3. [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) has
///    passed. While it does not read, because nobody takes what came, it must not call it: the
///    peer is not silent then, nobody listens.
///
/// After an error the session is closed. What is left to transmit then, such as an ERROR for the
/// peer, should still be sent before the connection is closed. A new connection needs a new
/// session: nothing is carried over `[ZMTP31-097]`.
pub struct Session {
    pub(super) state: State,
    pub(super) frames: FrameDecoder,
    pub(super) control: ControlQueue,
    pub(super) config: SessionConfig,
}

/// How far a session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionState {
    /// The greeting of the peer is awaited.
    Greeting,
    /// The security handshake goes on.
    Handshake,
    /// Messages may be exchanged.
    Open,
    /// The session has ended.
    Closed,
}

#[expect(
    clippy::large_enum_variant,
    reason = "a session is nearly always open, and messages should not go through a pointer"
)]
pub(super) enum State {
    ExpectGreeting {
        deadline: Option<Instant>,
        randomness: Randomness,
    },
    ExpectHandshake {
        deadline: Option<Instant>,
        /// Until when the next command makes sense, which says nothing about later ones.
        expires: Option<Instant>,
        announced: Announced,
        handshake: Handshake,
    },
    ExpectDecision {
        deadline: Option<Instant>,
        announced: Announced,
        undecided: Undecided,
    },
    Open(Open),
    Closed,
}

/// What became of the input.
pub(super) enum Progress {
    Event(Event),
    /// Something was taken that is no event.
    Taken,
    NeedsMore,
}

impl Session {
    /// Returns the session of a connection that was made at `now`; our greeting waits to be sent.
    ///
    /// The random octets must be those of no other session.
    pub fn new(config: SessionConfig, now: Instant, randomness: Randomness) -> Self {
        let mut control = ControlQueue::new();
        // [ZMTP31-002] [ZMTP31-020] The whole greeting goes out without waiting for the peer.
        let mut greeting = Greeting::new(config.mechanism.name());
        greeting.role = config.mechanism.role();
        greeting.encode(control.writer());
        let timeout = config.handshake_timeout;
        Self {
            state: State::ExpectGreeting {
                // [INT-016] [INT-017] One deadline for all of it, whatever comes in between.
                deadline: timeout.and_then(|timeout| now.checked_add(timeout)),
                randomness,
            },
            frames: FrameDecoder::new(config.limits.handshake_frames()),
            control,
            config,
        }
    }

    /// Takes octets of the peer from the front of `input` and returns the next event.
    ///
    /// `Ok(None)` means that all of the input was understood and more is needed, or that the session
    /// [is undecided](Self::is_undecided), and takes nothing. How the octets are cut makes no
    /// difference. What is left in `input` has to be there again, with more
    /// behind it, in the next call.
    ///
    /// # Errors
    ///
    /// Returns a [`SessionError`] if the peer does not keep to the protocol or to the limits, does
    /// not fit, or refuses us. The session is closed then.
    #[inline]
    pub fn handle_input(
        &mut self,
        now: Instant,
        input: &mut BytesMut,
    ) -> Result<Option<Event>, SessionError> {
        if let Some(body) = self.take_small_message(now, input) {
            return Ok(Some(Event::Frame(Frame::last(body))));
        }
        let State::Open(open) = &mut self.state else {
            return self.handle_rest(now, input);
        };
        if input.is_empty() {
            open.needs_more(0);
            return Ok(None);
        }
        open.look_at_input(now, input.len());
        if open.is_sealed() {
            return self.handle_sealed(now, input);
        }
        match self.frames.decode(input) {
            Ok(Some(RawFrame::Message(frame))) if open.is_plain_message(&frame) => {
                Ok(Some(Event::Frame(frame)))
            }
            Ok(decoded) => self.handle_decoded(now, decoded, input),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// The hot path of [`handle_input`](Self::handle_input): takes a message of one small part.
    ///
    /// `None` if something else comes next, or not all of it is there. Who calls this first spares
    /// each body the way through an event in a result.
    #[inline]
    pub(crate) fn take_small_message(
        &mut self,
        now: Instant,
        input: &mut BytesMut,
    ) -> Option<Part> {
        let State::Open(open) = &mut self.state else {
            return None;
        };
        if !open.expects_plain_message() {
            return None;
        }
        let body = self.frames.decode_small_message(input)?;
        open.liveness.recv(now);
        Some(body)
    }

    /// As [`take_small_message`](Self::take_small_message), for a part of any size.
    // Left to the compiler, whether it is inlined changes with what is around the call; a call costs 75
    // instructions for each message.
    #[cfg(feature = "socket")]
    #[inline(always)]
    pub(crate) fn take_message(&mut self, now: Instant, input: &mut BytesMut) -> Option<Part> {
        let State::Open(open) = &mut self.state else {
            return None;
        };
        if !open.expects_plain_message() {
            return None;
        }
        let body = self.frames.decode_message(input)?;
        open.liveness.recv(now);
        Some(body)
    }

    /// Acts on the time: closes a session that is late, and asks a silent peer for signs of life.
    ///
    /// Calling it early does nothing.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::TimedOut`] if the handshake is not done in time, or if nothing comes
    /// from the peer for too long. The session is closed then.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), SessionError> {
        let State::Open(open) = &mut self.state else {
            // What is closed has no deadline.
            if self.poll_timeout().is_some_and(|deadline| deadline <= now) {
                return Err(self.fail(Timeout::Handshake));
            }
            return Ok(());
        };
        match open.liveness.handle_timeout(now, self.control.last_ping()) {
            Ok(Due::Nothing) => Ok(()),
            Ok(Due::Ping(heartbeat)) => {
                self.control.push_ping(&heartbeat);
                Ok(())
            }
            Err(timeout) => Err(self.fail(timeout)),
        }
    }

    /// Acts on the end of the input: the peer sends nothing any more. The session is closed.
    ///
    /// `input` is what [`handle_input`](Self::handle_input) has left, which may be a part of the
    /// head of a frame.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::Disconnected`] if the peer stopped before traffic, or inside a frame
    /// or message, of which nothing must be delivered `[ZMTP31-025]` `[ZMTP31-039]`.
    pub fn handle_eof(&mut self, input: &[u8]) -> Result<(), SessionError> {
        let state = self.state();
        let is_clean = match &self.state {
            State::ExpectGreeting { .. }
            | State::ExpectHandshake { .. }
            | State::ExpectDecision { .. } => false,
            State::Open(open) => {
                input.is_empty() && open.is_between_messages() && self.frames.is_at_boundary()
            }
            State::Closed => true,
        };
        self.close();
        if is_clean {
            Ok(())
        } else {
            Err(SessionError::Disconnected { state })
        }
    }

    /// Tells a publisher that we want messages that begin with `topic`.
    ///
    /// Subscriptions belong to the connection: the caller sends each distinct topic once the
    /// session is open, and then its first subscription to a topic and its last cancellation (see
    /// [`TopicCounts`](crate::pattern::TopicCounts)). Before that, nothing happens.
    pub fn subscribe(&mut self, topic: &[u8]) {
        self.change_subscription(Subscription::Subscribe(Part::copy_from_slice(topic)));
    }

    /// Tells a publisher that we no longer want messages that begin with `topic`.
    ///
    /// Nothing happens before the session is open.
    pub fn cancel(&mut self, topic: &[u8]) {
        self.change_subscription(Subscription::Cancel(Part::copy_from_slice(topic)));
    }

    /// Refuses the peer and closes the session.
    ///
    /// The peer gets the reason if the handshake is still going on; otherwise the protocol has no
    /// place for it. Keep it general: whoever is there is not known yet.
    pub fn reject(&mut self, reason: ErrorReason) {
        if self.state() == SessionState::Handshake && self.config.mechanism.may_refuse() {
            Command::Error(reason).encode(self.control.writer());
        }
        self.close();
    }

    /// Appends everything that the session has to send to `out`, and returns its length.
    ///
    /// These are whole frames, which may go between two messages or two parts of one. Call it
    /// only when what it gave before is written: the limit on what waits counts here alone.
    ///
    /// A session that has no nonce left for it closes.
    pub fn poll_transmit(&mut self, out: &mut BytesMut) -> usize {
        let State::Open(open) = &mut self.state else {
            return self.control.drain_to(out);
        };
        let Some(channel) = open.channel() else {
            return self.control.drain_to(out);
        };
        self.control.seal_to(channel, out).unwrap_or_else(|_| {
            self.close();
            0
        })
    }

    /// Returns true if [`poll_transmit`](Self::poll_transmit) has something to send.
    pub fn has_transmit(&self) -> bool {
        !self.control.is_empty()
    }

    /// Returns when [`handle_timeout`](Self::handle_timeout) has something to do, if ever.
    ///
    /// Input can put it off. Nobody needs to look after each message: to find out when the time
    /// has come is enough.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::ExpectGreeting { deadline, .. } | State::ExpectDecision { deadline, .. } => {
                *deadline
            }
            State::ExpectHandshake {
                deadline, expires, ..
            } => [*deadline, *expires].into_iter().flatten().min(),
            State::Open(open) => open.liveness.poll_timeout(),
            State::Closed => None,
        }
    }

    /// Returns how many octets it makes sense to have room for in the next read; zero for no
    /// opinion.
    ///
    /// Inside a large frame it grows with what has come of it, and never follows from what was
    /// announced alone `[ZMTP31-036]`.
    pub fn read_hint(&self) -> usize {
        self.frames.read_hint()
    }

    /// Returns how many messages have come since the last call that a socket of our type has no
    /// use for, like any message for a PUSH. They were no events.
    pub fn take_discarded(&mut self) -> usize {
        match &mut self.state {
            State::Open(open) => std::mem::take(&mut open.discarded),
            _ => 0,
        }
    }

    /// Returns how far the session has come.
    pub const fn state(&self) -> SessionState {
        match self.state {
            State::ExpectGreeting { .. } => SessionState::Greeting,
            State::ExpectHandshake { .. } | State::ExpectDecision { .. } => SessionState::Handshake,
            State::Open(_) => SessionState::Open,
            State::Closed => SessionState::Closed,
        }
    }

    /// Returns true while messages may be sent `[ZMTP31-057]`.
    #[inline]
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Returns what the peer said about itself, while the session is open.
    pub const fn peer(&self) -> Option<&PeerInfo> {
        match &self.state {
            State::Open(open) => Some(&open.peer),
            _ => None,
        }
    }

    /// Returns what the session was configured with.
    pub const fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// Everything but whole messages of one part.
    #[cold]
    #[inline(never)]
    fn handle_rest(
        &mut self,
        now: Instant,
        input: &mut BytesMut,
    ) -> Result<Option<Event>, SessionError> {
        loop {
            match self.take_next(now, input) {
                Ok(Progress::Event(event)) => return Ok(Some(event)),
                Ok(Progress::Taken) => {}
                Ok(Progress::NeedsMore) => return Ok(self.wait_for_more(input)),
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// All of encrypted traffic.
    #[inline(never)]
    fn handle_sealed(
        &mut self,
        now: Instant,
        input: &mut BytesMut,
    ) -> Result<Option<Event>, SessionError> {
        loop {
            match self.take_sealed(now, input) {
                Ok(Progress::Event(event)) => return Ok(Some(event)),
                Ok(Progress::Taken) => {}
                Ok(Progress::NeedsMore) => return Ok(self.wait_for_more(input)),
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Remembers what is there already when the next octets come.
    fn wait_for_more(&mut self, input: &BytesMut) -> Option<Event> {
        if let State::Open(open) = &mut self.state {
            open.needs_more(input.len());
        }
        None
    }

    /// Goes on with a frame that the fast path has decoded and does not know.
    #[inline(never)]
    fn handle_decoded(
        &mut self,
        now: Instant,
        decoded: Option<RawFrame>,
        input: &mut BytesMut,
    ) -> Result<Option<Event>, SessionError> {
        match self.recv_traffic(now, decoded) {
            Ok(Progress::Event(event)) => Ok(Some(event)),
            Ok(Progress::Taken) => self.handle_rest(now, input),
            Ok(Progress::NeedsMore) => Ok(self.wait_for_more(input)),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn take_next(&mut self, now: Instant, input: &mut BytesMut) -> Result<Progress, SessionError> {
        match self.state() {
            SessionState::Greeting => match Greeting::decode(input)? {
                Some(greeting) => self.recv_greeting(now, &greeting),
                None => Ok(Progress::NeedsMore),
            },
            SessionState::Handshake => self.take_handshake(now, input),
            SessionState::Open if self.needs_sealing() => self.take_sealed(now, input),
            SessionState::Open => {
                let decoded = self.frames.decode(input)?;
                self.recv_traffic(now, decoded)
            }
            SessionState::Closed => Err(SessionError::Closed),
        }
    }

    fn recv_traffic(
        &mut self,
        now: Instant,
        decoded: Option<RawFrame>,
    ) -> Result<Progress, SessionError> {
        let State::Open(open) = &mut self.state else {
            return Err(SessionError::Closed);
        };
        let Some(decoded) = decoded else {
            return Ok(Progress::NeedsMore);
        };
        open.liveness.recv_answer(now);
        let event = match decoded {
            RawFrame::Message(frame) => open.recv_frame(frame)?,
            RawFrame::Command(body) => open.recv_command(body, &mut self.control)?,
        };
        Ok(event.map_or(Progress::Taken, Progress::Event))
    }

    fn change_subscription(&mut self, change: Subscription) {
        if let State::Open(open) = &self.state {
            open.encode_subscription(change, &mut self.control);
        }
    }

    /// Ends the session. What was to be sealed and is not yet must never go out in the clear.
    fn close(&mut self) {
        if self.needs_sealing() {
            self.control.drop_traffic();
        }
        self.state = State::Closed;
    }

    #[cold]
    fn fail(&mut self, error: impl Into<SessionError>) -> SessionError {
        self.close();
        error.into()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("state", &self.state())
            .field("socket_type", &self.config.socket_type)
            .field("side", &self.config.side)
            .field("peer", &self.peer())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Greeting => "greeting",
            Self::Handshake => "handshake",
            Self::Open => "open",
            Self::Closed => "closed",
        })
    }
}
