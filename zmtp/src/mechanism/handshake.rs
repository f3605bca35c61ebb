//! A handshake of whichever mechanism.

use std::time::{Duration, Instant};

use crate::mechanism::{
    Authentication, AuthenticationRequest, Channel, Credentials, HandshakeError, MechanismConfig,
    Randomness, null, plain,
};
use crate::wire::command::Command;
use crate::wire::metadata::{Metadata, MetadataLimits};

/// A handshake that waits for a command of the peer.
#[derive(Debug)]
pub(crate) enum Handshake {
    Null(null::ExpectReady),
    PlainExpectHello(plain::ExpectHello),
    PlainExpectWelcome(plain::ExpectWelcome),
    PlainExpectInitiate(plain::ExpectInitiate),
    PlainExpectReady(plain::ExpectReady),
}

/// A handshake that waits for a decision about the peer.
#[derive(Debug)]
pub(crate) enum Undecided {
    Null(null::Undecided),
    Plain(plain::Undecided),
}

/// What a handshake does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// It waits for the peer, for this long at most.
    Wait(Handshake, Option<Duration>),
    /// It waits for somebody to decide.
    Authenticate(Undecided, Box<AuthenticationRequest>),
    /// It ends, if what the peer announced is acceptable.
    Done(Done),
}

/// A handshake that may end.
#[derive(Debug)]
pub(crate) struct Done {
    /// What the peer announced.
    pub(crate) metadata: Metadata,
    last: LastCommand,
}

/// What is still to be said when the peer is acceptable.
#[derive(Debug)]
enum LastCommand {
    Nothing,
    Ready(Metadata),
}

/// What a step of a handshake works with.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    /// How the connection is secured.
    pub(crate) config: &'a MechanismConfig,
    /// What the peer may announce.
    pub(crate) limits: MetadataLimits,
    /// When it happens.
    #[expect(dead_code, reason = "only cookies have a lifetime of their own")]
    pub(crate) now: Instant,
    /// Where our commands are appended.
    pub(crate) out: &'a mut Vec<u8>,
}

impl Handshake {
    /// Begins the handshake once the greetings agree.
    pub(crate) fn start(metadata: Metadata, _randomness: Randomness, step: Step<'_>) -> Next {
        let Step { config, out, .. } = step;
        match config {
            MechanismConfig::Null(Authentication::NotRequired) => {
                Self::Null(null::start(metadata, out)).into()
            }
            // [ZAP-038] READY is withheld until the peer is let in.
            MechanismConfig::Null(Authentication::Required) => {
                let request = AuthenticationRequest {
                    credentials: Credentials::Null,
                    metadata: Metadata::new(),
                };
                let undecided = null::Undecided::new(metadata);
                Next::Authenticate(Undecided::Null(undecided), Box::new(request))
            }
            MechanismConfig::PlainClient(credentials) => {
                Self::PlainExpectWelcome(plain::start_client(credentials, metadata, out)).into()
            }
            MechanismConfig::PlainServer => {
                Self::PlainExpectHello(plain::ExpectHello::new(metadata)).into()
            }
        }
    }

    /// Takes the next command of the peer, whose octets the caller wipes.
    pub(crate) fn handle(self, body: &[u8], step: Step<'_>) -> Result<Next, HandshakeError> {
        let limits = &step.limits;
        match self {
            Self::Null(state) => state.handle(Command::decode(body.into(), limits)?),
            Self::PlainExpectHello(state) => state.handle(body),
            Self::PlainExpectWelcome(state) => state.handle(body, step.out),
            Self::PlainExpectInitiate(state) => state.handle(body, limits),
            Self::PlainExpectReady(state) => state.handle(body, limits),
        }
    }
}

impl Undecided {
    /// Goes on with a peer that is let in.
    pub(crate) fn accept(self, step: Step<'_>) -> Next {
        match self {
            Self::Null(state) => Handshake::Null(state.accept(step.out)).into(),
            Self::Plain(state) => state.accept(step.out),
        }
    }
}

impl Done {
    /// The peer has said the last word.
    pub(super) const fn silent(metadata: Metadata) -> Self {
        Self {
            metadata,
            last: LastCommand::Nothing,
        }
    }

    /// We have, with `ours`.
    pub(super) const fn with_ready(metadata: Metadata, ours: Metadata) -> Self {
        Self {
            metadata,
            last: LastCommand::Ready(ours),
        }
    }

    /// Says what is left to say; returns what the traffic goes through, if it is encrypted.
    pub(crate) fn finish(self, out: &mut Vec<u8>) -> Option<Channel> {
        match self.last {
            LastCommand::Nothing => None,
            LastCommand::Ready(metadata) => {
                Command::Ready(metadata).encode(out);
                None
            }
        }
    }
}

impl From<Handshake> for Next {
    fn from(handshake: Handshake) -> Self {
        Self::Wait(handshake, None)
    }
}

impl From<plain::Undecided> for Undecided {
    fn from(state: plain::Undecided) -> Self {
        Self::Plain(state)
    }
}
