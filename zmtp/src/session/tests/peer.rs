//! A session under test, with a peer whose octets are written by hand.

use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::mechanism::Randomness;
use crate::message::{Frame, Message};
use crate::pattern::SocketType;
use crate::session::{Event, Session, SessionConfig, SessionError, Side};

/// How far apart the places are where tests cut what comes in: an interpreter takes its time for each.
pub(super) const STEP: usize = if cfg!(miri) { 17 } else { 1 };

/// A session, what it was given and what it said.
pub(super) struct Scripted {
    pub(super) session: Session,
    pub(super) start: Instant,
    pub(super) now: Instant,
    input: BytesMut,
}

impl Scripted {
    pub(super) fn new(socket_type: SocketType) -> Self {
        Self::with_config(SessionConfig::new(socket_type, Side::Listener))
    }

    pub(super) fn with_config(config: SessionConfig) -> Self {
        let now = Instant::now();
        Self {
            session: Session::new(config, now, randomness()),
            start: now,
            now,
            input: BytesMut::new(),
        }
    }

    /// An open session whose peer, of type `theirs`, speaks `version`; its own octets are gone.
    pub(super) fn open(config: SessionConfig, version: [u8; 2], theirs: SocketType) -> Self {
        let mut scripted = Self::with_config(config);
        let hello = [greeting(version), ready(theirs, &[])].concat();
        assert_eq!(scripted.feed(&hello), Ok(vec![Event::Established]));
        scripted.sent();
        scripted
    }

    pub(super) fn feed(&mut self, octets: &[u8]) -> Result<Vec<Event>, SessionError> {
        self.input.extend_from_slice(octets);
        let mut events = Vec::new();
        while let Some(event) = self.session.handle_input(self.now, &mut self.input)? {
            events.push(event);
        }
        Ok(events)
    }

    /// The peer sends nothing any more.
    pub(super) fn feed_eof(&mut self) -> Result<(), SessionError> {
        self.session.handle_eof(&self.input)
    }

    /// The octets that were not understood yet, and `more`.
    pub(super) fn take_input(&mut self, more: &[u8]) -> BytesMut {
        self.input.extend_from_slice(more);
        std::mem::take(&mut self.input)
    }

    pub(super) fn put_back(&mut self, input: BytesMut) {
        self.input = input;
    }

    /// Everything that the session sends since the last call.
    pub(super) fn sent(&mut self) -> Vec<u8> {
        let mut out = BytesMut::new();
        let has_transmit = self.session.has_transmit();
        let len = self.session.poll_transmit(&mut out);
        assert_eq!(len, out.len());
        assert_eq!(has_transmit, len > 0);
        assert!(!self.session.has_transmit());
        out.to_vec()
    }

    /// Lets time pass, and the session act on each of its deadlines in between.
    pub(super) fn advance(&mut self, duration: Duration) -> Result<(), SessionError> {
        let end = self.now + duration;
        while let Some(deadline) = self.session.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(deadline);
            self.session.handle_timeout(self.now)?;
            let next = self.session.poll_timeout();
            assert_ne!(next, Some(deadline), "what was due is done or put off");
        }
        self.now = end;
        Ok(())
    }
}

/// Octets for a session that needs none that are random.
pub(super) fn randomness() -> Randomness {
    Randomness::generate(|octets| octets.fill(7))
}

/// A greeting of NULL, as 3.x has it.
pub(super) fn greeting(version: [u8; 2]) -> Vec<u8> {
    greeting_of(version, b"NULL")
}

pub(super) fn greeting_of(version: [u8; 2], mechanism: &[u8]) -> Vec<u8> {
    let mut octets = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f];
    octets.extend(version);
    octets.extend(mechanism);
    octets.resize(64, 0);
    octets
}

pub(super) const V3_0: [u8; 2] = [3, 0];
pub(super) const V3_1: [u8; 2] = [3, 1];

/// A READY with the socket type and further properties.
pub(super) fn ready(socket_type: SocketType, others: &[(&str, &[u8])]) -> Vec<u8> {
    let mut properties = vec![("Socket-Type", socket_type.as_str().as_bytes())];
    properties.extend(others);
    ready_of(&properties)
}

pub(super) fn ready_of(properties: &[(&str, &[u8])]) -> Vec<u8> {
    let mut data = Vec::new();
    for (name, value) in properties {
        data.push(u8::try_from(name.len()).unwrap());
        data.extend(name.as_bytes());
        data.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
        data.extend(*value);
    }
    command("READY", &data)
}

/// A command frame.
pub(super) fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let mut body = vec![u8::try_from(name.len()).unwrap()];
    body.extend(name.as_bytes());
    body.extend(data);
    frame(4, &body)
}

/// A frame in the form that its body needs; `flags` without LONG.
pub(super) fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = match u8::try_from(body.len()) {
        Ok(len) => vec![flags, len],
        Err(_) => {
            let mut head = vec![flags | 2];
            head.extend((body.len() as u64).to_be_bytes());
            head
        }
    };
    octets.extend(body);
    octets
}

pub(super) fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.bytes().filter(|octet| *octet != b' ').collect();
    let octets = digits.chunks(2);
    let octet = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    octets.map(octet).collect()
}

/// The whole messages among `events`.
pub(super) fn messages(events: &[Event]) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut parts = Vec::new();
    for event in events {
        if let Event::Frame(Frame { body, more }) = event {
            parts.push(body.clone());
            if more.is_last() {
                messages.push(parts.drain(..).collect());
            }
        }
    }
    messages
}
