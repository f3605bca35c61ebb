//! Machines: no input makes them panic, loop for ever, or break their promises.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use proto::{Body, ChannelEvent, ChannelId, ChannelOptions, IdSource, Request};
use zmtp::More;
use zmtp::mechanism::{Decision, Randomness};
use zmtp::pattern::SocketType;
use zmtp::session::{Event, Session, SessionConfig, SessionError, Side};

/// The peers of a multiplexer under test.
const PEERS: usize = 3;

/// More outputs than this without an input in between is a machine that feeds itself.
const MAX_OUTPUTS: usize = 10_000;

/// A session takes any octets: in the handshake, and, after a good handshake, in traffic.
///
/// The first octet chooses socket type, side and phase, the second how octets are cut, which makes
/// no difference.
///
/// # Panics
///
/// Panics if a property does not hold.
pub fn session(data: &[u8]) {
    let [choice, step, data @ ..] = data else {
        return;
    };
    let ours = SocketType::ALL[usize::from(choice >> 2) % SocketType::ALL.len()];
    let side = match choice & 1 {
        0 => Side::Listener,
        _ => Side::Connector,
    };
    let talk = |step| {
        let mut run = Run::new(ours, side);
        if choice & 2 != 0 {
            run.shake_hands(ours);
        }
        if data.chunks(step).all(|chunk| run.feed(chunk)) {
            // The end comes as well, at whatever point this is.
            run.error = run.session.handle_eof(&run.input).err();
        }
        run.outcome()
    };
    let whole = talk(data.len().max(1));
    let cut = talk(usize::from(*step).max(1));
    assert_eq!(cut, whole, "cut every {step} octets");
}

/// A session under test, and what it has done so far.
pub(super) struct Run {
    session: Session,
    now: Instant,
    input: BytesMut,
    /// What is held of an unfinished message.
    parts: usize,
    open: bool,
    /// What is answered to the question who the peer is.
    decision: Option<Decision>,
    events: Vec<Event>,
    sent: BytesMut,
    error: Option<SessionError>,
}

/// All that can be seen of a session.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    /// Whether the session was established, also if it has ended since.
    pub(super) is_open: bool,
    events: Vec<Event>,
    sent: BytesMut,
    error: Option<SessionError>,
}

impl Run {
    fn new(ours: SocketType, side: Side) -> Self {
        let config = SessionConfig::new(ours, side);
        Self::with_config(config, Randomness::generate(|_| {}), None)
    }

    pub(super) fn with_config(
        mut config: SessionConfig,
        randomness: Randomness,
        decision: Option<Decision>,
    ) -> Self {
        config.limits.max_frame_size = 4096;
        config.limits.max_message_size = 16_384;
        config.limits.max_parts_per_message = 16;
        // How many answers wait depends on how much is read at once.
        config.limits.max_pending_pongs = usize::MAX;
        // Any fixed point will do: the session sees differences only.
        let now = Instant::now();
        Self {
            session: Session::new(config, now, randomness),
            now,
            input: BytesMut::new(),
            parts: 0,
            open: false,
            decision,
            events: Vec::new(),
            sent: BytesMut::new(),
            error: None,
        }
    }

    fn shake_hands(&mut self, ours: SocketType) {
        let fits = |theirs: &SocketType| ours.is_compatible(*theirs);
        let theirs = SocketType::ALL.into_iter().find(fits);
        let name = theirs.map_or("", SocketType::as_str);
        let octets = [crate::bytes::greeting(3, 1), crate::bytes::ready(name)].concat();
        self.feed(&octets);
        assert!(self.open, "{ours} and {name} fit");
    }

    /// Feeds octets and checks what comes out; false when nothing more is taken.
    pub(super) fn feed(&mut self, octets: &[u8]) -> bool {
        self.input.extend_from_slice(octets);
        let goes_on = self.take_input();
        self.transmit();
        assert!(
            self.session.read_hint() <= 1 << 20,
            "a claim is not believed"
        );
        goes_on
    }

    pub(super) fn outcome(self) -> Outcome {
        Outcome {
            is_open: self.open,
            events: self.events,
            sent: self.sent,
            error: self.error,
        }
    }

    fn take_input(&mut self) -> bool {
        loop {
            match self.session.handle_input(self.now, &mut self.input) {
                Ok(Some(Event::Authenticate(_))) => {
                    if !self.decide() {
                        return false;
                    }
                }
                Ok(Some(event)) => self.check(event),
                Ok(None) => return true,
                Err(error) => {
                    self.error = Some(error);
                    return false;
                }
            }
        }
    }

    fn transmit(&mut self) {
        let before = self.sent.len();
        let count = self.session.poll_transmit(&mut self.sent);
        assert_eq!(before + count, self.sent.len(), "it says how much it wrote");
    }

    /// Answers the question who the peer is; false when the session has ended.
    fn decide(&mut self) -> bool {
        assert!(!self.open && self.session.is_undecided());
        self.transmit();
        // Nothing moves before somebody has decided.
        let before = self.input.len();
        let result = self.session.handle_input(self.now, &mut self.input);
        assert_eq!(result, Ok(None));
        assert_eq!(self.input.len(), before);
        assert!(!self.session.has_transmit());
        let Some(decision) = self.decision.clone() else {
            return false;
        };
        let denied = matches!(decision, Decision::Deny(_));
        match self.session.authenticate(self.now, decision) {
            Ok(event) => {
                assert!(!denied, "who is denied is not let in");
                event.into_iter().for_each(|event| self.check(event));
                true
            }
            Err(error) => {
                self.error = Some(error);
                false
            }
        }
    }

    fn check(&mut self, event: Event) {
        match &event {
            Event::Established => {
                assert!(!self.open, "a handshake ends once");
                assert!(self.session.peer().is_some());
                self.open = true;
            }
            Event::Frame(frame) => {
                assert!(self.open, "no message before the handshake");
                assert!(frame.body.len() <= 4096);
                self.parts = match frame.more {
                    More::More => self.parts + 1,
                    More::Last => 0,
                };
                assert!(self.parts <= 16);
            }
            _ => assert!(self.open, "no subscription before the handshake"),
        }
        self.events.push(event);
    }
}

/// A client and a server take any sequence of operations and any payloads in between.
///
/// Each operation is two octets and, for a payload, what follows them.
pub fn multiplexer(data: &[u8]) {
    let mut pair = Pair::new();
    let mut rest = data;
    while let [operation, value, after @ ..] = rest {
        rest = after;
        if operation % 16 == 0 {
            let (payload, after) = rest.split_at(usize::from(*value).min(rest.len()));
            rest = after;
            pair.inject(operation / 16, payload);
        } else {
            pair.operate(*operation, *value);
        }
    }
    pair.end();
}

type Multiplexer = proto::Multiplexer<usize>;

struct Pair {
    client: Multiplexer,
    server: Multiplexer,
    now: Instant,
    calls: Vec<ChannelId>,
    requests: Vec<ChannelId>,
    ended: usize,
    closed: usize,
}

impl Pair {
    fn new() -> Self {
        let mut limits = proto::Limits::default();
        limits.channels_per_peer = 8;
        limits.queued_bytes_per_peer = 256;
        let client = proto::Config::client().with_limits(limits.clone());
        let server = proto::Config::server().with_limits(limits);
        Self {
            client: Multiplexer::new(client, IdSource::new([1; 12])),
            server: Multiplexer::new(server, IdSource::new([2; 12])),
            now: Instant::now(),
            calls: Vec::new(),
            requests: Vec::new(),
            ended: 0,
            closed: 0,
        }
    }

    /// Lets a stranger send a payload to one of the two.
    fn inject(&mut self, selector: u8, payload: &[u8]) {
        let peer = usize::from(selector) % PEERS;
        let target = match selector % 2 {
            0 => &mut self.server,
            _ => &mut self.client,
        };
        // What is no event is refused and must have changed nothing.
        let _ = target.handle_event(self.now, &peer, Bytes::copy_from_slice(payload));
    }

    fn operate(&mut self, operation: u8, value: u8) {
        let peer = usize::from(value) % PEERS;
        match operation % 16 {
            1 => self.open(peer, value),
            2 => self.deliver(),
            3 => self.now += Duration::from_millis(100) * u32::from(value),
            4 => {
                // Timeouts may be handled late, early or twice.
                self.client.handle_timeout(self.now);
                self.server.handle_timeout(self.now);
            }
            5..=9 => self.answer(operation % 16, value),
            10 => self.with_call(value, |client, call| {
                let _ = client.consume(call, usize::from(value));
            }),
            11 => self.give_up(value),
            12 => {
                if let Some(transmit) = self.server.poll_transmit(self.now) {
                    self.server.handle_blocked(transmit);
                }
            }
            13 => self.server.handle_unblocked(&peer),
            14 => self.client.handle_peer_lost(&peer),
            _ => self.server.handle_peers_lost(|other| *other == peer),
        }
        self.collect();
    }

    fn open(&mut self, peer: usize, value: u8) {
        let Ok(args) = Body::args(&(value,)) else {
            return;
        };
        let options = ChannelOptions::default().with_slots(u32::from(value));
        let request = Request::new("method", args);
        if let Ok(call) = self.client.open(self.now, &peer, request, &options) {
            self.calls.push(call);
        }
    }

    fn answer(&mut self, operation: u8, value: u8) {
        let Some(request) = pick(&self.requests, value) else {
            return;
        };
        let Ok(body) = Body::value(&value) else {
            return;
        };
        let server = &mut self.server;
        // A request may have ended meanwhile; the answer is then refused.
        let _ = match operation {
            5 => server.reply(request, body).is_ok(),
            6 => server.stream_done(request, proto::Extra::new()).is_ok(),
            7 => server.close(request).is_ok(),
            _ => {
                let writable = server.is_writable(request);
                let sent = server.stream_item(request, body).is_ok();
                assert!(sent || !writable, "what is writable takes an item");
                sent
            }
        };
    }

    fn give_up(&mut self, value: u8) {
        let Some(call) = pick(&self.calls, value) else {
            return;
        };
        if self.client.close(call).is_ok() {
            self.closed += 1;
        }
    }

    fn with_call(&mut self, value: u8, run: impl FnOnce(&mut Multiplexer, ChannelId)) {
        if let Some(call) = pick(&self.calls, value) {
            run(&mut self.client, call);
        }
    }

    /// Carries everything that waits to the other side.
    fn deliver(&mut self) {
        for _ in 0..MAX_OUTPUTS {
            let to_server = self.client.poll_transmit(self.now);
            let to_client = self.server.poll_transmit(self.now);
            if to_server.is_none() && to_client.is_none() {
                return;
            }
            if let Some(transmit) = to_server {
                let handled = self
                    .server
                    .handle_event(self.now, &transmit.peer, transmit.payload);
                assert!(handled.is_ok(), "our own event is refused: {handled:?}");
            }
            if let Some(transmit) = to_client {
                let handled = self
                    .client
                    .handle_event(self.now, &transmit.peer, transmit.payload);
                assert!(handled.is_ok(), "our own event is refused: {handled:?}");
            }
        }
        panic!("two multiplexers talk for ever");
    }

    fn collect(&mut self) {
        while let Some(event) = self.server.poll_event() {
            if let ChannelEvent::Request { channel, .. } = event {
                self.requests.push(channel);
            }
        }
        while let Some(event) = self.client.poll_event() {
            let known = self.calls.contains(&event.channel());
            assert!(known, "an event of a channel that nobody opened");
            if event.is_final() {
                self.ended += 1;
            }
        }
    }

    /// Loses all peers: every call has ended exactly once.
    fn end(mut self) {
        self.client.handle_peers_lost(|_| true);
        self.collect();
        assert_eq!(
            self.client.channel_count(),
            0,
            "channels of peers that are gone"
        );
        assert_eq!(
            self.ended + self.closed,
            self.calls.len(),
            "one end for each call"
        );
    }
}

fn pick(channels: &[ChannelId], value: u8) -> Option<ChannelId> {
    let count = channels.len().max(1);
    channels.get(usize::from(value) % count).copied()
}
