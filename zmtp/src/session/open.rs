//! Traffic: what the frames of an open session mean.

use std::time::Instant;

use crate::mechanism::Channel;
use crate::message::{Frame, More, Part};
use crate::pattern::SocketType;
use crate::session::control::ControlQueue;
use crate::session::liveness::Liveness;
use crate::session::{Event, Limits, PeerInfo, SessionConfig, SessionError, Violation};
use crate::wire::command::Command;
use crate::wire::frame::{FrameError, FrameKind, FrameLimits};
use crate::wire::greeting::Version;
use crate::wire::subscription::Subscription;

/// The state of an open session.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) peer: PeerInfo,
    pub(super) liveness: Liveness,
    traffic: Traffic,
    message: Assembly,
    lead: Lead,
    /// Messages that were nobody's.
    pub(super) discarded: usize,
    /// How many octets were there when more were needed.
    incomplete: usize,
    limits: Limits,
}

/// How frames go over the wire.
#[derive(Debug)]
enum Traffic {
    Plain(Role),
    Sealed(Box<Sealed>),
}

/// What frames are sealed and opened with, and what is made of those that come in.
#[derive(Debug)]
struct Sealed {
    role: Role,
    channel: Channel,
}

/// What the type of our socket makes of messages that come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Every message is for the application.
    Messages,
    /// Some messages are subscriptions, and the others are nobody's (PUB).
    Subscriptions,
    /// Some messages are subscriptions, and the others are for the application (XPUB).
    Both,
    /// No message is for anybody (PUSH).
    Nothing,
}

/// How much of a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Assembly {
    /// Nothing: the next frame begins a message.
    Idle,
    /// This many parts, charged with this many octets, and not the last one.
    Parts { count: usize, charged: u64 },
}

/// What the parts of a message to a publisher have been so far.
///
/// [PUBSUB-027] Each part may be a subscription, up to the first one that is none: with it begins a
/// message of the application, in which nothing is mistaken for a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    Subscriptions,
    Message,
}

impl Open {
    pub(super) fn new(
        config: &SessionConfig,
        peer: PeerInfo,
        channel: Option<Channel>,
        now: Instant,
    ) -> Self {
        let role = match config.socket_type {
            SocketType::Pub => Role::Subscriptions,
            SocketType::XPub => Role::Both,
            SocketType::Push | SocketType::Scatter => Role::Nothing,
            _ => Role::Messages,
        };
        Self {
            peer,
            liveness: Liveness::new(config.heartbeat, now),
            traffic: match channel {
                None => Traffic::Plain(role),
                Some(channel) => Traffic::Sealed(Box::new(Sealed { role, channel })),
            },
            message: Assembly::Idle,
            lead: Lead::Subscriptions,
            discarded: 0,
            incomplete: 0,
            limits: config.limits,
        }
    }

    /// Looks at the input, of which there are `len` octets.
    ///
    /// Those that were there before are no sign of life: with a frame that it never finishes, a
    /// peer would be alive whenever somebody looks.
    pub(super) fn look_at_input(&mut self, now: Instant, len: usize) {
        if len != self.incomplete {
            self.liveness.recv_answer(now);
        }
    }

    /// More input is needed than these octets.
    pub(super) const fn needs_more(&mut self, len: usize) {
        self.incomplete = len;
    }

    /// The limits of the frames that may come, as they are on the wire.
    pub(super) fn frame_limits(&self) -> FrameLimits {
        let limits = self.body_limits();
        match self.traffic {
            Traffic::Plain(_) => limits,
            // [CURVE-056] What is inside shows when the frame is open; before that it may be
            // either.
            Traffic::Sealed(_) => {
                let largest = limits.max_message_frame.max(limits.max_command);
                let largest = largest.saturating_add(Channel::OVERHEAD as u64);
                FrameLimits {
                    max_message_frame: largest,
                    max_command: largest,
                }
            }
        }
    }

    /// What frames are sealed and opened with, if they are.
    pub(super) fn channel(&mut self) -> Option<&mut Channel> {
        match &mut self.traffic {
            Traffic::Plain(_) => None,
            Traffic::Sealed(sealed) => Some(&mut sealed.channel),
        }
    }

    #[inline]
    pub(super) const fn is_sealed(&self) -> bool {
        matches!(self.traffic, Traffic::Sealed(_))
    }

    /// Checks the size of what was in a sealed frame `[CURVE-056]`.
    pub(super) fn check_len(&self, kind: FrameKind, len: usize) -> Result<(), FrameError> {
        let size = len as u64;
        let limits = self.body_limits();
        let (max_message_frame, max_command) = (limits.max_message_frame, limits.max_command);
        match kind {
            FrameKind::Message(_) if size > max_message_frame => {
                let limit = max_message_frame;
                Err(FrameError::MessageFrameTooLarge { size, limit })
            }
            FrameKind::Command if size > max_command => {
                let limit = max_command;
                Err(FrameError::CommandTooLarge { size, limit })
            }
            _ => Ok(()),
        }
    }

    /// Whether `frame` is a whole message for the application, as nearly all of them are.
    ///
    /// The limits of frames see to its size.
    #[inline]
    pub(super) fn is_plain_message(&self, frame: &Frame) -> bool {
        frame.more == More::Last && self.expects_plain_message()
    }

    #[inline]
    pub(super) fn expects_plain_message(&self) -> bool {
        self.message == Assembly::Idle && matches!(self.traffic, Traffic::Plain(Role::Messages))
    }

    /// Takes a part of a message; not every one is an event.
    pub(super) fn recv_frame(&mut self, frame: Frame) -> Result<Option<Event>, SessionError> {
        if self.message == Assembly::Idle {
            self.lead = Lead::Subscriptions;
        }
        self.charge(&frame)?;
        match self.role() {
            Role::Messages => Ok(Some(Event::Frame(frame))),
            Role::Nothing => {
                self.discard(frame.more);
                Ok(None)
            }
            Role::Subscriptions | Role::Both => self.recv_upstream(frame),
        }
    }

    /// Takes a command; not every one is an event.
    pub(super) fn recv_command(
        &mut self,
        body: Part,
        control: &mut ControlQueue,
    ) -> Result<Option<Event>, SessionError> {
        match Command::decode(body, &self.limits.metadata())? {
            Command::Ping { ttl, context } => {
                self.liveness.recv_ping(ttl.duration());
                control.push_pong(context, self.limits.max_pending_pongs)?;
                Ok(None)
            }
            // [ZMTP31-109] Publishers accept both forms from any peer.
            Command::Subscribe(topic) if self.is_publisher() => Ok(Some(Event::Subscribe(topic))),
            Command::Cancel(topic) if self.is_publisher() => Ok(Some(Event::Cancel(topic))),
            // [ZMTP31-137] A PONG is traffic and nothing else. [ZMTP31-046] Later versions of the
            // protocol may have commands that we do not know; nor do other sockets know topics.
            Command::Pong(_)
            | Command::Subscribe(_)
            | Command::Cancel(_)
            | Command::Join(_)
            | Command::Leave(_)
            | Command::Unknown { .. } => Ok(None),
            Command::Error(reason) => Err(SessionError::Refused { reason }),
            // [ZMTP31-064] A second READY must not restart anything.
            Command::Ready(_) => Err(Violation::UnexpectedCommand {
                name: "READY".to_owned(),
            }
            .into()),
        }
    }

    /// Encodes a change of our subscriptions in the form that the peer knows.
    pub(super) fn encode_subscription(&self, change: Subscription, control: &mut ControlQueue) {
        // [ZMTP31-108] The choice is by the version of the peer alone.
        if self.peer.version < Version::V3_1 {
            change.encode(control.writer());
            return;
        }
        let command = match change {
            Subscription::Subscribe(topic) => Command::Subscribe(topic),
            Subscription::Cancel(topic) => Command::Cancel(topic),
        };
        command.encode(control.writer());
    }

    /// Whether no message has been begun.
    pub(super) fn is_between_messages(&self) -> bool {
        self.message == Assembly::Idle
    }

    fn recv_upstream(&mut self, frame: Frame) -> Result<Option<Event>, SessionError> {
        let Frame { mut body, more } = frame;
        if self.lead == Lead::Subscriptions {
            let size = body.len() as u64;
            match Subscription::decode(body) {
                Ok(change) => {
                    self.check_subscription(size)?;
                    return Ok(Some(match change {
                        Subscription::Subscribe(topic) => Event::Subscribe(topic),
                        Subscription::Cancel(topic) => Event::Cancel(topic),
                    }));
                }
                Err(other) => body = other,
            }
            self.lead = Lead::Message;
        }
        // [ZMTP30-011] PUB discards what is no subscription, XPUB delivers it.
        if self.role() == Role::Both {
            return Ok(Some(Event::Frame(Frame { body, more })));
        }
        self.discard(more);
        Ok(None)
    }

    /// Checks the size of a subscription in the form of a message: it may be as large as one in the
    /// form of a command, however large messages of the application may be.
    fn check_subscription(&self, size: u64) -> Result<(), FrameError> {
        let limit = self.limits.max_command_size;
        if size > limit {
            return Err(FrameError::MessageFrameTooLarge { size, limit });
        }
        Ok(())
    }

    /// Counts a message that is nobody's, with its last part.
    fn discard(&mut self, more: More) {
        self.discarded += usize::from(more == More::Last);
    }

    /// Counts a part against the limits of its message `[ZMTP31-054]`.
    fn charge(&mut self, frame: &Frame) -> Result<(), Violation> {
        let (count, charged) = match self.message {
            Assembly::Idle => (0, 0),
            Assembly::Parts { count, charged } => (count, charged),
        };
        let limit = self.limits.max_parts_per_message;
        if count >= limit {
            return Err(Violation::TooManyParts { limit });
        }
        let limit = self.limits.max_message_size;
        let part = (frame.body.len() as u64).saturating_add(Limits::PART_OVERHEAD);
        let charged = part.saturating_add(charged);
        if charged > limit {
            return Err(Violation::MessageTooLarge { limit });
        }
        self.message = match frame.more {
            More::Last => Assembly::Idle,
            More::More => Assembly::Parts {
                count: count + 1,
                charged,
            },
        };
        Ok(())
    }

    fn is_publisher(&self) -> bool {
        matches!(self.role(), Role::Subscriptions | Role::Both)
    }

    const fn role(&self) -> Role {
        match &self.traffic {
            Traffic::Plain(role) => *role,
            Traffic::Sealed(sealed) => sealed.role,
        }
    }

    /// The limits of what frames carry.
    fn body_limits(&self) -> FrameLimits {
        let mut limits = self.limits.traffic_frames();
        if matches!(self.role(), Role::Subscriptions | Role::Nothing) {
            limits.max_message_frame = limits.max_message_frame.min(limits.max_command);
        }
        limits
    }
}
