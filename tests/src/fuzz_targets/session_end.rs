//! One of two sessions, and what it may rely on.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use zmtp::More;
use zmtp::curve::{KeyPair, SecretKey};
use zmtp::mechanism::{
    Authentication, CurveClient, CurveServer, Decision, MechanismConfig, PlainCredentials,
    Randomness,
};
use zmtp::pattern::SocketType;
use zmtp::session::{
    Event, Heartbeat, Limits, Session, SessionConfig, SessionError, Side, Timeout,
};

/// Small, so that they are met often.
const MAX_FRAME: usize = 1500;
const MAX_MESSAGE: usize = 3000;
const MAX_PARTS: usize = 5;

/// What a part is charged beside its octets.
const OVERHEAD: usize = 64;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(2);
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(100);
const HEARTBEAT_TIMEOUT: Duration = Duration::from_millis(150);
const HEARTBEAT_TTL: Duration = Duration::from_millis(300);

/// The patterns: the type that connects and the one that listens.
const PATTERNS: [[SocketType; 2]; 4] = [
    [SocketType::Dealer, SocketType::Router],
    [SocketType::Push, SocketType::Pull],
    [SocketType::XSub, SocketType::XPub],
    [SocketType::Pair, SocketType::Pair],
];

/// Who talks, and how.
pub(super) struct Scene {
    configs: [SessionConfig; 2],
}

impl Scene {
    /// Two bits for the pattern, two for the mechanism, and one for the heartbeat of each end.
    pub(super) fn from_choice(choice: u8) -> Self {
        let pattern = PATTERNS[usize::from(choice) % PATTERNS.len()];
        let mechanisms = mechanisms(choice >> 2 & 3);
        let sides = [Side::Connector, Side::Listener];
        let mut at = 0;
        let configs = mechanisms.map(|mechanism| {
            let mut config = SessionConfig::new(pattern[at], sides[at]);
            config.mechanism = mechanism;
            config.limits = limits();
            config.handshake_timeout = Some(HANDSHAKE_TIMEOUT);
            config.heartbeat = (choice & 16 << at != 0).then(heartbeat);
            at += 1;
            config
        });
        Self { configs }
    }

    pub(super) fn ends(&self, now: Instant) -> [End; 2] {
        let [connector, listener] = &self.configs;
        [End::new(connector, 1, now), End::new(listener, 2, now)]
    }
}

fn mechanisms(choice: u8) -> [MechanismConfig; 2] {
    let null = MechanismConfig::Null;
    match choice {
        0 => [Authentication::NotRequired; 2].map(null),
        1 => [
            null(Authentication::NotRequired),
            null(Authentication::Required),
        ],
        2 => match PlainCredentials::new("admin", "secret") {
            Ok(credentials) => [
                MechanismConfig::PlainClient(credentials),
                MechanismConfig::PlainServer,
            ],
            Err(error) => panic!("{error}"),
        },
        _ => {
            let [client, server] =
                [5, 6].map(|octet| KeyPair::new(SecretKey::from_octets([octet; 32])));
            let client = CurveClient::new(server.public_key(), client);
            let server = CurveServer::new(server, Authentication::Required);
            [
                MechanismConfig::CurveClient(client),
                MechanismConfig::CurveServer(server),
            ]
        }
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_frame_size = MAX_FRAME as u64;
    limits.max_message_size = MAX_MESSAGE as u64;
    limits.max_parts_per_message = MAX_PARTS;
    limits
}

fn heartbeat() -> Heartbeat {
    let heartbeat = Heartbeat::new(HEARTBEAT_INTERVAL).with_timeout(HEARTBEAT_TIMEOUT);
    heartbeat.with_ttl(HEARTBEAT_TTL).unwrap_or(heartbeat)
}

/// What has become of what was on its way to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    Whole,
    Lossy,
    Cut,
}

type Message = Vec<Vec<u8>>;

/// A change of subscriptions.
#[derive(Debug, PartialEq)]
enum Change {
    Subscribe(Vec<u8>),
    Cancel(Vec<u8>),
}

/// A session, what it said, and what it was told.
pub(super) struct End {
    session: Session,
    start: Instant,
    input: BytesMut,
    /// What is on its way to the other end.
    wire: Vec<u8>,
    /// How much was ever put there, and how much of the other's arrived here.
    written: usize,
    arrived: usize,
    /// Where in the stream messages begin and end.
    spans: Vec<(usize, usize)>,
    sent: Vec<Message>,
    received: Vec<Message>,
    partial: Message,
    changes_sent: Vec<Change>,
    changes_received: Vec<Change>,
    is_established: bool,
    /// When octets came last.
    heard_at: Instant,
    network: Network,
    error: Option<SessionError>,
}

impl End {
    fn new(config: &SessionConfig, seed: u8, now: Instant) -> Self {
        let randomness = Randomness::generate(|octets| octets.fill(seed));
        let mut end = Self {
            session: Session::new(config.clone(), now, randomness),
            start: now,
            input: BytesMut::new(),
            wire: Vec::new(),
            written: 0,
            arrived: 0,
            spans: Vec::new(),
            sent: Vec::new(),
            received: Vec::new(),
            partial: Vec::new(),
            changes_sent: Vec::new(),
            changes_received: Vec::new(),
            is_established: false,
            heard_at: now,
            network: Network::Whole,
            error: None,
        };
        end.transmit();
        end
    }

    pub(super) fn send(&mut self, lens: &[usize]) {
        let is_sender = !matches!(self.socket_type(), SocketType::Pull | SocketType::XSub);
        if !self.session.is_open() || lens.is_empty() || !is_sender {
            return;
        }
        // Of the parts of all messages no two are alike, unless they are very short.
        let number = self.sent.len();
        let part = |(at, len): (usize, &usize)| {
            let mut part = format!("{number}.{at} ").into_bytes();
            part.resize(*len, b'.');
            part
        };
        let message: Message = lens.iter().enumerate().map(part).collect();
        let begin = self.written;
        let last = message.len() - 1;
        for (at, part) in message.iter().enumerate() {
            let more = if at < last { More::More } else { More::Last };
            let before = self.wire.len();
            let sealed = self.session.seal(more, part, &mut self.wire);
            assert_eq!(sealed, Ok(()), "the session is open");
            self.written += self.wire.len() - before;
            if more == More::More {
                // Commands may go between two parts.
                self.transmit();
            }
        }
        self.spans.push((begin, self.written));
        self.sent.push(message);
    }

    pub(super) fn subscribe(&mut self, topic: u8) {
        if self.session.is_open() && self.socket_type() == SocketType::XSub {
            let topic = vec![topic; usize::from(topic % 3)];
            self.session.subscribe(&topic);
            self.changes_sent.push(Change::Subscribe(topic));
            self.transmit();
        }
    }

    pub(super) fn cancel(&mut self, topic: u8) {
        if self.session.is_open() && self.socket_type() == SocketType::XSub {
            let topic = vec![topic; usize::from(topic % 3)];
            self.session.cancel(&topic);
            self.changes_sent.push(Change::Cancel(topic));
            self.transmit();
        }
    }

    /// Takes octets that are on their way to the other end.
    pub(super) fn take_wire(&mut self, count: usize) -> Vec<u8> {
        let count = count.min(self.wire.len());
        self.wire.drain(..count).collect()
    }

    pub(super) fn receive(&mut self, now: Instant, octets: &[u8], sender: &Self) {
        if octets.is_empty() || self.is_ended() || self.network == Network::Cut {
            return;
        }
        self.arrived += octets.len();
        self.heard_at = now;
        self.input.extend_from_slice(octets);
        self.take_input(now, sender);
    }

    pub(super) fn decide(&mut self, now: Instant, sender: &Self) {
        if !self.session.is_undecided() {
            return;
        }
        match self.session.authenticate(now, Decision::allowed()) {
            Ok(event) => {
                self.heard_at = now;
                event.into_iter().for_each(|event| self.note(event));
                self.transmit();
                self.take_input(now, sender);
            }
            Err(error) => self.end(error, sender),
        }
    }

    pub(super) fn lose(&mut self, count: usize) {
        if count > 0 && self.network == Network::Whole {
            self.network = Network::Lossy;
        }
    }

    /// The connection ends here, after so many octets that do not arrive.
    pub(super) fn cut(&mut self, lost: usize, sender: &Self) {
        if self.is_ended() || self.network == Network::Cut {
            return;
        }
        let was_open = self.session.is_open();
        let result = self.session.handle_eof(&self.input);
        let arrived = self.arrived;
        let in_message = |span: &(usize, usize)| span.0 < arrived && arrived < span.1;
        if self.network == Network::Whole {
            if !was_open || sender.spans.iter().any(in_message) {
                assert!(result.is_err(), "something is missing");
            } else if lost == 0 {
                assert_eq!(result, Ok(()), "nothing is missing");
            }
        }
        self.network = Network::Cut;
        self.error = Some(SessionError::Closed);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.is_ended() {
            return;
        }
        let result = self.session.handle_timeout(now);
        self.transmit();
        let Err(error) = result else {
            let next = self.session.poll_timeout();
            assert!(next.is_none_or(|next| next > now), "a timer that spins");
            return;
        };
        // Nobody gives up too early.
        let silence = now - self.heard_at;
        let is_justified = match &error {
            SessionError::TimedOut(Timeout::Handshake) => {
                !self.is_established && now - self.start >= HANDSHAKE_TIMEOUT
            }
            SessionError::TimedOut(Timeout::Heartbeat) => silence >= HEARTBEAT_TIMEOUT,
            // Octets that are lost may make a PING of others, which allows less.
            SessionError::TimedOut(Timeout::TimeToLive) => {
                silence >= HEARTBEAT_TTL || !self.hears_the_truth()
            }
            _ => false,
        };
        assert!(is_justified, "{error} after {silence:?}");
        self.error = Some(error);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.session.poll_timeout().filter(|_| !self.is_ended())
    }

    pub(super) fn socket_type(&self) -> SocketType {
        self.session.config().socket_type
    }

    pub(super) fn wire_len(&self) -> usize {
        self.wire.len()
    }

    pub(super) fn network(&self) -> Network {
        self.network
    }

    pub(super) fn is_ended(&self) -> bool {
        self.error.is_some()
    }

    /// What holds at any time.
    pub(super) fn check(&self) {
        assert!(!self.session.has_transmit(), "all was taken");
        assert!(!(self.is_ended() && self.session.is_open()));
        assert_eq!(
            self.is_established && !self.is_ended(),
            self.session.is_open()
        );
        assert!(
            self.session.read_hint() <= 1 << 16,
            "a claim is not believed"
        );
    }

    /// Everything that the other end sent is here.
    pub(super) fn check_complete(&self, sender: &Self) {
        assert!(self.is_established, "nothing was lost");
        assert_eq!(self.received, sender.sent);
        assert_eq!(self.changes_received, sender.changes_sent);
        assert!(self.partial.is_empty() && self.input.is_empty());
    }

    fn take_input(&mut self, now: Instant, sender: &Self) {
        loop {
            match self.session.handle_input(now, &mut self.input) {
                Ok(Some(Event::Authenticate(_))) => assert!(self.session.is_undecided()),
                Ok(Some(event)) => self.note(event),
                Ok(None) => break,
                Err(error) => {
                    self.end(error, sender);
                    break;
                }
            }
        }
        self.transmit();
        self.check_order(sender);
    }

    fn note(&mut self, event: Event) {
        if event == Event::Established {
            assert!(!self.is_established, "a handshake ends once");
            self.is_established = true;
            return;
        }
        assert!(self.is_established, "nothing before the handshake");
        match event {
            Event::Frame(frame) => {
                self.partial.push(frame.body.to_vec());
                assert!(self.partial.len() <= MAX_PARTS);
                if frame.more == More::Last {
                    self.received.push(std::mem::take(&mut self.partial));
                }
            }
            Event::Subscribe(topic) => {
                self.changes_received
                    .push(Change::Subscribe(topic.to_vec()));
            }
            Event::Cancel(topic) => self.changes_received.push(Change::Cancel(topic.to_vec())),
            event => panic!("{event:?}"),
        }
    }

    /// The session has ended by what came, which it must not unless something is wrong with it.
    fn end(&mut self, error: SessionError, sender: &Self) {
        let next = sender.sent.get(self.received.len());
        let is_refused = next.is_some_and(|next| !fits(next));
        let is_violation = matches!(
            error,
            SessionError::Violation(_) | SessionError::Malformed(_)
        );
        // Whoever got something else than was sent may have said so.
        let is_told =
            matches!(error, SessionError::Refused { .. }) && sender.network != Network::Whole;
        if self.network == Network::Whole && !is_told {
            assert!(is_refused && is_violation, "{error} without a reason");
        }
        self.error = Some(error);
    }

    /// What arrived is what was sent, in its order and without gaps, as far as nothing was lost;
    /// what is encrypted does not change either way.
    fn check_order(&self, sender: &Self) {
        match self.network {
            Network::Whole => {
                assert!(sender.sent.starts_with(&self.received), "other messages");
                let fitting = self.received.iter().all(fits);
                assert!(fitting, "a message above the limits");
                let next = sender.sent.get(self.received.len());
                let is_begun = next.is_some_and(|next| next.starts_with(&self.partial));
                assert!(self.partial.is_empty() || is_begun, "another part");
                assert!(sender.changes_sent.starts_with(&self.changes_received));
            }
            Network::Lossy if self.hears_the_truth() => {
                let mut sent = sender.sent.iter().flatten();
                let mut received = self.received.iter().flatten().chain(&self.partial);
                let is_subsequence = received.all(|part| sent.any(|other| other == part));
                assert!(is_subsequence, "something that was not sent");
            }
            Network::Lossy | Network::Cut => {}
        }
    }

    /// Whether what comes is what was sent, as far as it does: nothing is lost, or would be noticed.
    fn hears_the_truth(&self) -> bool {
        let mechanism = self.session.config().mechanism.name();
        self.network == Network::Whole || mechanism.name() == b"CURVE"
    }

    fn transmit(&mut self) {
        let mut out = BytesMut::new();
        let count = self.session.poll_transmit(&mut out);
        assert_eq!(count, out.len(), "it says how much it wrote");
        self.written += count;
        self.wire.extend_from_slice(&out);
    }
}

/// Whether a message is within the limits of its receiver.
fn fits(message: &Message) -> bool {
    let total: usize = message.iter().map(|part| part.len() + OVERHEAD).sum();
    message.len() <= MAX_PARTS
        && total <= MAX_MESSAGE
        && message.iter().all(|part| part.len() <= MAX_FRAME)
}
