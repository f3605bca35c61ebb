//! From the greeting of the peer to traffic, and who is let in.

use std::time::Instant;

use bytes::{Buf, BytesMut};

use crate::mechanism::{Decision, Denial, Done, Handshake, Next, Step, wipe};
use crate::session::machine::{Progress, State};
use crate::session::open::Open;
use crate::session::peer::{Announced, Authorization};
use crate::session::{Event, Incompatible, PeerInfo, Session, SessionError, Violation};
use crate::wire::command::{Command, ErrorReason};
use crate::wire::frame::FrameKind;
use crate::wire::greeting::Greeting;

impl Session {
    /// Answers an [`Event::Authenticate`]; returns [`Event::Established`] if the handshake is done
    /// with that.
    ///
    /// Afterwards there may be something to send, and octets that came meanwhile can be given to
    /// [`handle_input`](Self::handle_input). Without a question, nothing happens: it may have come
    /// too late.
    ///
    /// # Errors
    ///
    /// Returns [`SessionError::Denied`] for a denial, and any other [`SessionError`] if the peer
    /// turns out not to fit. The session is closed then; what it has to send, such as an ERROR,
    /// should still be sent.
    pub fn authenticate(
        &mut self,
        now: Instant,
        decision: Decision,
    ) -> Result<Option<Event>, SessionError> {
        if !self.is_undecided() {
            return Ok(None);
        }
        let State::ExpectDecision {
            deadline,
            mut announced,
            undecided,
        } = std::mem::replace(&mut self.state, State::Closed)
        else {
            return Ok(None);
        };
        match decision {
            Decision::Allow { user_id, metadata } => {
                announced.authorization = Authorization { user_id, metadata };
            }
            Decision::Deny(denial) => {
                self.tell_denial(denial);
                return Err(SessionError::Denied { denial });
            }
        }
        let next = undecided.accept(Step {
            config: &self.config.mechanism,
            limits: self.config.limits.metadata(),
            now,
            out: self.control.writer(),
        });
        match self.go_on(now, next, deadline, announced)? {
            Progress::Event(event) => Ok(Some(event)),
            Progress::Taken | Progress::NeedsMore => Ok(None),
        }
    }

    /// Returns true while an [`Event::Authenticate`] waits for its answer.
    pub const fn is_undecided(&self) -> bool {
        matches!(self.state, State::ExpectDecision { .. })
    }

    pub(super) fn recv_greeting(
        &mut self,
        now: Instant,
        greeting: &Greeting,
    ) -> Result<Progress, SessionError> {
        let State::ExpectGreeting {
            deadline,
            randomness,
        } = std::mem::replace(&mut self.state, State::Closed)
        else {
            return Err(SessionError::Closed);
        };
        // [ZMTP31-008] The mechanisms must be identical. [ZMTP31-009] Our own greeting was queued
        // at the start, so that the peer can see why the connection ends.
        let mechanism = self.config.mechanism.name();
        if greeting.mechanism != mechanism {
            let theirs = greeting.mechanism;
            return Err(Incompatible::Mechanism { theirs }.into());
        }
        let announced = Announced {
            version: greeting.version,
            // [ZMTP31-014] No more than a remark: libzmq says 0 as a server too.
            role: greeting.role,
            mechanism,
            authorization: Authorization::default(),
        };
        let metadata = self.config.announced_metadata();
        let step = Step {
            config: &self.config.mechanism,
            limits: self.config.limits.metadata(),
            now,
            out: self.control.writer(),
        };
        let next = Handshake::start(metadata, randomness, step)?;
        self.go_on(now, next, deadline, announced)
    }

    /// Takes a frame of the handshake.
    pub(super) fn take_handshake(
        &mut self,
        now: Instant,
        input: &mut BytesMut,
    ) -> Result<Progress, SessionError> {
        if self.is_undecided() {
            return Ok(Progress::NeedsMore);
        }
        let Some((kind, len)) = self.frames.decode_head(input)? else {
            return Ok(Progress::NeedsMore);
        };
        if kind != FrameKind::Command {
            return Err(Violation::UnexpectedMessage.into());
        }
        let body = input.get_mut(..len).unwrap_or_default();
        let progress = self.recv_handshake(now, body);
        // It may have been a password.
        wipe(body);
        input.advance(len);
        progress
    }

    fn recv_handshake(&mut self, now: Instant, body: &[u8]) -> Result<Progress, SessionError> {
        let State::ExpectHandshake {
            deadline,
            announced,
            handshake,
            ..
        } = std::mem::replace(&mut self.state, State::Closed)
        else {
            return Err(SessionError::Closed);
        };
        let step = Step {
            config: &self.config.mechanism,
            limits: self.config.limits.metadata(),
            now,
            out: self.control.writer(),
        };
        let next = handshake.handle(body, step)?;
        self.go_on(now, next, deadline, announced)
    }

    fn go_on(
        &mut self,
        now: Instant,
        next: Next,
        deadline: Option<Instant>,
        announced: Announced,
    ) -> Result<Progress, SessionError> {
        match next {
            Next::Wait(handshake, within) => {
                self.state = State::ExpectHandshake {
                    deadline,
                    expires: within.and_then(|within| now.checked_add(within)),
                    announced,
                    handshake,
                };
                Ok(Progress::Taken)
            }
            Next::Authenticate(undecided, request) => {
                self.state = State::ExpectDecision {
                    deadline,
                    announced,
                    undecided,
                };
                Ok(Progress::Event(Event::Authenticate(request)))
            }
            Next::Done(done) => self.establish(now, done, announced),
        }
    }

    fn establish(
        &mut self,
        now: Instant,
        mut done: Done,
        announced: Announced,
    ) -> Result<Progress, SessionError> {
        let metadata = std::mem::take(&mut done.metadata);
        let peer = PeerInfo::new(self.config.socket_type, announced, metadata)
            .inspect_err(|error| self.tell(error))?;
        let channel = done.finish(self.control.writer());
        self.control.begin_traffic();
        let open = Open::new(&self.config, peer, channel, now);
        self.frames.set_limits(open.frame_limits());
        self.state = State::Open(open);
        Ok(Progress::Event(Event::Established))
    }

    /// Tells the peer what it may know about why it is refused.
    fn tell(&mut self, error: &SessionError) {
        // [ZMTP31-080] An illegal combination of sockets is an ERROR. [ZMTP31-092] Everything else
        // that is not about authentication is told by closing. [CURVE-058] Clients never send one.
        if let SessionError::Incompatible(
            Incompatible::SocketType { .. } | Incompatible::UnknownSocketType,
        ) = error
            && self.config.mechanism.may_refuse()
        {
            let reason = ErrorReason::new(INVALID_SOCKET_TYPE);
            Command::Error(reason).encode(self.control.writer());
        }
    }

    fn tell_denial(&mut self, denial: Denial) {
        match denial {
            // [ZAP-024] The peer shall try again, which it would not do after an ERROR.
            Denial::Temporary => {}
            // [ZAP-025] [ZAP-026] The code and nothing else.
            Denial::Refused | Denial::InternalError => {
                let reason = ErrorReason::new(denial.code());
                Command::Error(reason).encode(self.control.writer());
            }
        }
    }
}

/// What a peer with the wrong type of socket is told.
const INVALID_SOCKET_TYPE: &str = "Invalid-socket-type";
