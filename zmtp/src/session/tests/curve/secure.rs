//! A client, a server, and one clock.

use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::curve::{KeyPair, SecretKey};
use crate::mechanism::{Authentication, CurveClient, CurveServer, MechanismConfig, Randomness};
use crate::message::{Message, More};
use crate::pattern::SocketType;
use crate::session::{Event, Session, SessionConfig, SessionError, Side};

/// A client and a server, and the octets between them.
pub(super) struct Secure {
    pub(super) client: End,
    pub(super) server: End,
    pub(super) now: Instant,
}

pub(super) struct End {
    pub(super) session: Session,
    pub(super) input: BytesMut,
    /// What is on its way to the other side.
    pub(super) output: BytesMut,
    pub(super) events: Vec<Event>,
    pub(super) error: Option<SessionError>,
}

pub(super) fn keys(seed: u8) -> KeyPair {
    KeyPair::new(SecretKey::from_octets([seed; 32]))
}

pub(super) fn client_config(socket_type: SocketType, side: Side) -> SessionConfig {
    let mut config = SessionConfig::new(socket_type, side);
    let client = CurveClient::new(keys(0x50).public_key(), keys(0xc0));
    config.mechanism = MechanismConfig::CurveClient(client);
    config
}

pub(super) fn server_config(
    socket_type: SocketType,
    side: Side,
    authentication: Authentication,
) -> SessionConfig {
    let mut config = SessionConfig::new(socket_type, side);
    let server = CurveServer::new(keys(0x50), authentication);
    config.mechanism = MechanismConfig::CurveServer(server);
    config
}

impl Secure {
    pub(super) fn new(client: SessionConfig, server: SessionConfig) -> Self {
        let now = Instant::now();
        Self {
            client: End::new(client, now, 1),
            server: End::new(server, now, 2),
            now,
        }
    }

    pub(super) fn of(client: SocketType, server: SocketType) -> Self {
        let authentication = Authentication::NotRequired;
        Self::new(
            client_config(client, Side::Connector),
            server_config(server, Side::Listener, authentication),
        )
    }

    pub(super) fn open(client: SocketType, server: SocketType) -> Self {
        let mut secure = Self::of(client, server);
        secure.drive();
        for end in [&mut secure.client, &mut secure.server] {
            assert_eq!(end.error, None);
            assert_eq!(end.events, [Event::Established]);
            assert!(end.session.needs_sealing());
            end.events.clear();
        }
        secure
    }

    /// Carries octets both ways until nothing moves any more.
    pub(super) fn drive(&mut self) {
        loop {
            self.client.transmit();
            self.server.transmit();
            if self.client.output.is_empty() && self.server.output.is_empty() {
                return;
            }
            self.server.input.unsplit(self.client.output.split());
            self.client.input.unsplit(self.server.output.split());
            self.client.receive(self.now);
            self.server.receive(self.now);
        }
    }

    /// Carries the greetings and HELLO.
    pub(super) fn say_hello(&mut self) {
        for _ in 0..2 {
            self.client.transmit();
            self.server.transmit();
            self.server.input.unsplit(self.client.output.split());
            self.client.input.unsplit(self.server.output.split());
            self.client.receive(self.now);
            self.server.receive(self.now);
        }
        assert!(self.server.session.has_transmit());
    }

    pub(super) fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.drive();
        loop {
            let sessions = [&self.client.session, &self.server.session];
            let next = sessions.into_iter().filter_map(Session::poll_timeout).min();
            let Some(deadline) = next.filter(|deadline| *deadline <= end) else {
                break;
            };
            self.now = self.now.max(deadline);
            for side in [&mut self.client, &mut self.server] {
                if let Err(error) = side.session.handle_timeout(self.now) {
                    side.error = Some(error);
                }
            }
            self.drive();
        }
        self.now = end;
    }
}

impl End {
    pub(super) fn new(config: SessionConfig, now: Instant, seed: u8) -> Self {
        let randomness = Randomness::generate(|octets| octets.fill(seed));
        Self {
            session: Session::new(config, now, randomness),
            input: BytesMut::new(),
            output: BytesMut::new(),
            events: Vec::new(),
            error: None,
        }
    }

    pub(super) fn transmit(&mut self) {
        self.session.poll_transmit(&mut self.output);
    }

    pub(super) fn receive(&mut self, now: Instant) {
        while self.error.is_none() {
            match self.session.handle_input(now, &mut self.input) {
                Ok(Some(event)) => self.events.push(event),
                Ok(None) => return,
                Err(error) => self.error = Some(error),
            }
        }
        self.input.clear();
    }

    pub(super) fn send(&mut self, message: &Message) {
        let (last, others) = message.parts().split_last().unwrap();
        for part in others {
            self.seal(More::More, part);
        }
        self.seal(More::Last, last);
    }

    pub(super) fn seal(&mut self, more: More, body: &[u8]) {
        self.transmit();
        let mut out = Vec::new();
        self.session.seal(more, body, &mut out).unwrap();
        self.output.extend_from_slice(&out);
    }

    /// Gives octets to the session as if the peer had sent them.
    pub(super) fn feed(&mut self, now: Instant, octets: &[u8]) -> Result<Vec<Event>, SessionError> {
        self.input.extend_from_slice(octets);
        self.receive(now);
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut self.events)),
        }
    }
}

/// Carries no more than `len` octets.
pub(super) fn carry(from: &mut End, to: &mut End, len: usize, now: Instant) {
    let piece = from.output.split_to(len.min(from.output.len()));
    to.input.extend_from_slice(&piece);
    to.receive(now);
}
