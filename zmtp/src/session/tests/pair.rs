//! Two sessions that talk to each other.

use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::message::Message;
use crate::pattern::SocketType;
use crate::session::tests::peer::{messages, randomness};
use crate::session::{Event, Heartbeat, Session, SessionConfig, SessionError, Side, Timeout};
use crate::wire::frame::encode_message;

/// Two sessions, the octets between them, and one clock.
pub(super) struct Pair {
    pub(super) connector: End,
    pub(super) listener: End,
    pub(super) now: Instant,
}

/// One side of a [`Pair`].
pub(super) struct End {
    pub(super) session: Session,
    pub(super) events: Vec<Event>,
    pub(super) error: Option<SessionError>,
    input: BytesMut,
    output: BytesMut,
}

impl Pair {
    pub(super) fn new(connector: SocketType, listener: SocketType) -> Self {
        Self::with_configs(
            SessionConfig::new(connector, Side::Connector),
            SessionConfig::new(listener, Side::Listener),
        )
    }

    pub(super) fn with_configs(connector: SessionConfig, listener: SessionConfig) -> Self {
        let now = Instant::now();
        Self {
            connector: End::new(connector, now),
            listener: End::new(listener, now),
            now,
        }
    }

    /// Carries octets both ways until nothing moves any more.
    pub(super) fn drive(&mut self) {
        loop {
            self.connector.transmit();
            self.listener.transmit();
            if self.connector.output.is_empty() && self.listener.output.is_empty() {
                return;
            }
            self.listener.input.unsplit(self.connector.output.split());
            self.connector.input.unsplit(self.listener.output.split());
            self.connector.receive(self.now);
            self.listener.receive(self.now);
        }
    }

    /// Lets time pass, with everything that happens in it.
    pub(super) fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.drive();
        loop {
            let sessions = [&self.connector.session, &self.listener.session];
            let next = sessions.into_iter().filter_map(Session::poll_timeout).min();
            let Some(deadline) = next.filter(|deadline| *deadline <= end) else {
                break;
            };
            self.now = self.now.max(deadline);
            for side in [&mut self.connector, &mut self.listener] {
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
    fn new(config: SessionConfig, now: Instant) -> Self {
        Self {
            session: Session::new(config, now, randomness()),
            events: Vec::new(),
            error: None,
            input: BytesMut::new(),
            output: BytesMut::new(),
        }
    }

    pub(super) fn send(&mut self, message: &Message) {
        assert!(self.session.is_open());
        self.transmit();
        encode_message(&mut self.output, message);
    }

    fn transmit(&mut self) {
        self.session.poll_transmit(&mut self.output);
    }

    fn receive(&mut self, now: Instant) {
        while self.error.is_none() {
            match self.session.handle_input(now, &mut self.input) {
                Ok(Some(event)) => self.events.push(event),
                Ok(None) => return,
                Err(error) => self.error = Some(error),
            }
        }
        self.input.clear();
    }
}

#[test]
fn messages_of_both_sides_arrive_in_order() {
    const COUNT: u8 = if cfg!(miri) { 4 } else { 100 };
    let mut pair = Pair::new(SocketType::Dealer, SocketType::Router);
    pair.drive();
    assert_eq!(pair.connector.events, [Event::Established]);
    assert_eq!(pair.listener.events, [Event::Established]);
    let sent: Vec<Message> = (0..COUNT)
        .map(|n| vec![vec![n; usize::from(n)], vec![], vec![n; 300]])
        .map(Message::from_iter)
        .collect();
    for message in &sent {
        pair.connector.send(message);
        pair.listener.send(message);
    }
    pair.drive();
    assert_eq!(messages(&pair.listener.events), sent);
    assert_eq!(messages(&pair.connector.events), sent);
}

#[test]
fn heartbeats_of_both_sides_keep_a_silent_connection() {
    let config = |side, heartbeat| {
        let mut config = SessionConfig::new(SocketType::Pair, side);
        config.heartbeat = Some(heartbeat);
        config
    };
    let second = Duration::from_secs(1);
    let heartbeat = Heartbeat::new(second).with_ttl(3 * second).unwrap();
    let mut pair = Pair::with_configs(
        config(Side::Connector, heartbeat),
        config(Side::Listener, Heartbeat::new(7 * second)),
    );
    pair.advance(3600 * second);
    assert!(pair.connector.session.is_open() && pair.listener.session.is_open());
}

// ZMTP31-139, ZMTP31-141
#[test]
fn peer_that_stops_reading_and_writing_is_lost() {
    let second = Duration::from_secs(1);
    let mut config = SessionConfig::new(SocketType::Pair, Side::Connector);
    config.heartbeat = Some(Heartbeat::new(second));
    let listener = SessionConfig::new(SocketType::Pair, Side::Listener);
    let mut pair = Pair::with_configs(config, listener);
    pair.advance(10 * second);
    assert!(pair.connector.session.is_open());
    pair.listener.error = Some(SessionError::Closed);
    pair.advance(3 * second);
    assert_eq!(
        pair.connector.error,
        Some(SessionError::TimedOut(Timeout::Heartbeat))
    );
}
