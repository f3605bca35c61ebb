//! A handshake of whichever mechanism.

use std::time::{Duration, Instant};

#[cfg(feature = "curve")]
use crate::mechanism::curve;
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
    #[cfg(feature = "curve")]
    CurveExpectHello(Box<curve::ExpectHello>),
    #[cfg(feature = "curve")]
    CurveExpectWelcome(Box<curve::ExpectWelcome>),
    #[cfg(feature = "curve")]
    CurveExpectInitiate(Box<curve::ExpectInitiate>),
    #[cfg(feature = "curve")]
    CurveExpectReady(Box<curve::ExpectReady>),
}

/// A handshake that waits for a decision about the peer.
#[derive(Debug)]
pub(crate) enum Undecided {
    Null(null::Undecided),
    Plain(plain::Undecided),
    #[cfg(feature = "curve")]
    Curve(Box<Done>),
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
    channel: Option<Channel>,
}

/// What is still to be said when the peer is acceptable.
#[derive(Debug)]
enum LastCommand {
    Nothing,
    Ready(Metadata),
    #[cfg(feature = "curve")]
    SealedReady(Box<curve::Ready>),
}

/// What a step of a handshake works with.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    /// How the connection is secured.
    pub(crate) config: &'a MechanismConfig,
    /// What the peer may announce.
    pub(crate) limits: MetadataLimits,
    /// When it happens.
    #[cfg_attr(
        not(feature = "curve"),
        expect(dead_code, reason = "only cookies have a lifetime of their own")
    )]
    pub(crate) now: Instant,
    /// Where our commands are appended.
    pub(crate) out: &'a mut Vec<u8>,
}

impl Handshake {
    /// Begins the handshake once the greetings agree.
    #[cfg_attr(
        not(feature = "curve"),
        expect(unused_variables, reason = "only keys are random")
    )]
    pub(crate) fn start(
        metadata: Metadata,
        randomness: Randomness,
        step: Step<'_>,
    ) -> Result<Next, HandshakeError> {
        let Step { config, out, .. } = step;
        Ok(match config {
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
            #[cfg(feature = "curve")]
            MechanismConfig::CurveClient(config) => {
                return curve::start_client(config, metadata, &randomness, out);
            }
            #[cfg(feature = "curve")]
            MechanismConfig::CurveServer(config) => {
                let state = curve::ExpectHello::new(config, metadata, randomness);
                Self::CurveExpectHello(Box::new(state)).into()
            }
        })
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
            #[cfg(feature = "curve")]
            Self::CurveExpectHello(state) => state.handle(body, step.now, step.out),
            #[cfg(feature = "curve")]
            Self::CurveExpectWelcome(state) => state.handle(body, step.out),
            #[cfg(feature = "curve")]
            Self::CurveExpectInitiate(state) => state.handle(body, step.now, limits),
            #[cfg(feature = "curve")]
            Self::CurveExpectReady(state) => state.handle(body, limits),
        }
    }
}

impl Undecided {
    /// Goes on with a peer that is let in.
    pub(crate) fn accept(self, step: Step<'_>) -> Next {
        match self {
            Self::Null(state) => Handshake::Null(state.accept(step.out)).into(),
            Self::Plain(state) => state.accept(step.out),
            #[cfg(feature = "curve")]
            Self::Curve(done) => Next::Done(*done),
        }
    }
}

impl Done {
    /// The peer has said the last word.
    pub(super) const fn silent(metadata: Metadata) -> Self {
        Self {
            metadata,
            last: LastCommand::Nothing,
            channel: None,
        }
    }

    /// We have, with `ours`.
    pub(super) const fn with_ready(metadata: Metadata, ours: Metadata) -> Self {
        Self {
            metadata,
            last: LastCommand::Ready(ours),
            channel: None,
        }
    }

    /// The peer has said the last word, and traffic goes through `channel`.
    #[cfg(feature = "curve")]
    pub(super) const fn sealed(metadata: Metadata, channel: Channel) -> Self {
        Self {
            metadata,
            last: LastCommand::Nothing,
            channel: Some(channel),
        }
    }

    /// We have, and traffic goes through `channel`.
    #[cfg(feature = "curve")]
    pub(super) fn with_sealed_ready(
        metadata: Metadata,
        ready: curve::Ready,
        channel: Channel,
    ) -> Self {
        Self {
            metadata,
            last: LastCommand::SealedReady(Box::new(ready)),
            channel: Some(channel),
        }
    }

    /// Says what is left to say; returns what the traffic goes through, if it is encrypted.
    pub(crate) fn finish(self, out: &mut Vec<u8>) -> Option<Channel> {
        match self.last {
            LastCommand::Nothing => {}
            LastCommand::Ready(metadata) => Command::Ready(metadata).encode(out),
            #[cfg(feature = "curve")]
            LastCommand::SealedReady(ready) => ready.encode(out),
        }
        self.channel
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
