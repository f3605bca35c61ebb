//! Handshakes of NULL, PLAIN and CURVE: nobody gets in who should not, whatever is sent.

use std::time::Instant;

use bytes::BytesMut;
use zmtp::curve::{KeyPair, SecretKey};
use zmtp::mechanism::{
    Authentication, CurveClient, CurveServer, Decision, Denial, MechanismConfig, PlainCredentials,
    Randomness,
};
use zmtp::pattern::SocketType;
use zmtp::session::{Event, Session, SessionConfig, SessionError, Side};
use zmtp::{Frame, More, Part};

use super::machines::Run;

/// A NULL session takes any octets, chosen as for [`plain`], with a decision or without one.
pub fn null(data: &[u8]) {
    let configs = [Authentication::Required, Authentication::NotRequired];
    run(data, configs.map(MechanismConfig::Null), [[0; 96]; 2]);
}

/// A PLAIN session takes any octets. The first one chooses role and decision, the second how octets
/// are cut.
pub fn plain(data: &[u8]) {
    run_plain(data);
}

fn run_plain(data: &[u8]) -> bool {
    let client = || {
        let credentials = PlainCredentials::new("admin", "secret").ok();
        credentials.map_or(MechanismConfig::PlainServer, MechanismConfig::PlainClient)
    };
    run(data, [MechanismConfig::PlainServer, client()], [[0; 96]; 2])
}

/// A CURVE session takes any octets, chosen likewise.
///
/// Keys and random octets are those of `tests/vectors`, so that what libzmq sent there is understood
/// to its end.
pub fn curve(data: &[u8]) {
    run_curve(data);
}

fn run_curve(data: &[u8]) -> bool {
    let (server_keys, client_keys) = (pair(SERVER), pair(CLIENT));
    let server_key = server_keys.public_key();
    let server = CurveServer::new(server_keys, Authentication::Required);
    let client = CurveClient::new(server_key, client_keys);
    let configs = [
        MechanismConfig::CurveServer(server),
        MechanismConfig::CurveClient(client),
    ];
    let mut of_server = [0; 96];
    of_server[..32].copy_from_slice(&SERVER_TRANSIENT);
    of_server[32..64].fill(b'K');
    of_server[64..80].copy_from_slice(b"WELCOMENONCE-16b");
    of_server[80..].copy_from_slice(b"COOKIENONCE-16by");
    let mut of_client = [0; 96];
    of_client[..32].copy_from_slice(&CLIENT_TRANSIENT);
    of_client[64..80].copy_from_slice(b"VOUCHNONCE-16-by");
    run(data, configs, [of_server, of_client])
}

/// Of a valid exchange one octet is changed: only what is unchanged gets through.
///
/// The input is the flight (client's and server's in turn), the place in it, and what it is
/// changed by.
///
/// # Panics
///
/// Panics if something else gets through.
pub fn curve_oracle(data: &[u8]) {
    let [flight, place @ .., change] = data else {
        return;
    };
    let place = place
        .iter()
        .fold(0, |sum, octet| sum * 256 % 65_536 + usize::from(*octet));
    let mut exchange = Exchange::new();
    exchange.run(usize::from(*flight) % FLIGHTS, place, *change);
    if *change == 0 {
        let whole = [Event::Established, Event::Frame(message())];
        assert_eq!(exchange.server.events, whole, "the truth gets through");
        assert_eq!(exchange.client.events, whole, "the truth gets through");
        return;
    }
    // Who was lied to does not go on; the other one may not know yet.
    let receiver = match flight % 2 {
        0 => &exchange.server,
        _ => &exchange.client,
    };
    let unharmed: &[Event] = match usize::from(*flight) % FLIGHTS {
        flight if flight < HANDSHAKE_FLIGHTS => &[],
        _ => &[Event::Established],
    };
    assert_eq!(receiver.events, unharmed, "a change gets through");
}

/// Says whether somebody was let in.
fn run(data: &[u8], configs: [MechanismConfig; 2], randomness: [[u8; 96]; 2]) -> bool {
    let [choice, step, data @ ..] = data else {
        return false;
    };
    let decision = match choice >> 1 & 3 {
        0 => Some(Decision::allowed()),
        1 => Some(Decision::Deny(Denial::Refused)),
        2 => Some(Decision::Deny(Denial::Temporary)),
        _ => None,
    };
    let role = usize::from(choice & 1);
    let mut config = SessionConfig::new(SocketType::Dealer, Side::Listener);
    config.mechanism = configs[role].clone();
    let talk = |step| {
        let randomness = Randomness::generate(|octets| *octets = randomness[role]);
        let mut run = Run::with_config(config.clone(), randomness, decision.clone());
        data.chunks(step).all(|chunk| run.feed(chunk));
        run.outcome()
    };
    let whole = talk(data.len().max(1));
    assert_eq!(
        talk(usize::from(*step).max(1)),
        whole,
        "cut every {step} octets"
    );
    whole.is_open
}

/// HELLO, WELCOME, INITIATE, READY, and a message of either side.
const FLIGHTS: usize = 6;
const HANDSHAKE_FLIGHTS: usize = 4;

struct Exchange {
    client: End,
    server: End,
    now: Instant,
}

struct End {
    session: Session,
    input: BytesMut,
    events: Vec<Event>,
    error: Option<SessionError>,
}

impl Exchange {
    fn new() -> Self {
        let (server_keys, client_keys) = (pair(SERVER), pair(CLIENT));
        let client = CurveClient::new(server_keys.public_key(), client_keys);
        let server = CurveServer::new(server_keys, Authentication::NotRequired);
        // Any fixed point will do: sessions see differences only.
        let now = Instant::now();
        Self {
            client: End::new(MechanismConfig::CurveClient(client), CLIENT_TRANSIENT, now),
            server: End::new(MechanismConfig::CurveServer(server), SERVER_TRANSIENT, now),
            now,
        }
    }

    fn run(&mut self, changed: usize, place: usize, change: u8) {
        let greetings = [self.client.transmit(), self.server.transmit()];
        self.server.receive(self.now, &greetings[0]);
        self.client.receive(self.now, &greetings[1]);
        for flight in 0..FLIGHTS {
            let (from, to) = match flight % 2 {
                0 => (&mut self.client, &mut self.server),
                _ => (&mut self.server, &mut self.client),
            };
            let mut octets = from.transmit();
            if flight >= HANDSHAKE_FLIGHTS {
                octets.extend(from.seal());
            }
            // What a frame is like from outside is not protected; that it is one is.
            let head_len = match octets.first() {
                Some(flags) if flags & 2 != 0 => 9,
                _ => 2,
            };
            if flight == changed && octets.len() > head_len {
                let body_len = octets.len() - head_len;
                octets[head_len + place % body_len] ^= change;
            }
            to.receive(self.now, &octets);
        }
    }
}

impl End {
    fn new(mechanism: MechanismConfig, transient: [u8; 32], now: Instant) -> Self {
        let mut config = SessionConfig::new(SocketType::Dealer, Side::Listener);
        config.mechanism = mechanism;
        let randomness = Randomness::generate(|octets| {
            octets.fill(0x5a);
            octets[..32].copy_from_slice(&transient);
        });
        Self {
            session: Session::new(config, now, randomness),
            input: BytesMut::new(),
            events: Vec::new(),
            error: None,
        }
    }

    fn transmit(&mut self) -> Vec<u8> {
        let mut out = BytesMut::new();
        self.session.poll_transmit(&mut out);
        out.to_vec()
    }

    fn seal(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let sealed = self.session.seal(More::Last, MESSAGE, &mut out);
        assert_eq!(sealed.is_ok(), self.session.is_open());
        out
    }

    fn receive(&mut self, now: Instant, octets: &[u8]) {
        self.input.extend_from_slice(octets);
        while self.error.is_none() {
            match self.session.handle_input(now, &mut self.input) {
                Ok(Some(event)) => self.events.push(event),
                Ok(None) => return,
                Err(error) => self.error = Some(error),
            }
        }
    }
}

fn message() -> Frame {
    Frame::last(Part::from(MESSAGE))
}

fn pair(secret: [u8; 32]) -> KeyPair {
    KeyPair::new(SecretKey::from_octets(secret))
}

const MESSAGE: &[u8] = b"hello";

/// The long-term secret of the server.
const SERVER: [u8; 32] = [
    0x6c, 0xb3, 0xb6, 0xb4, 0x1c, 0xce, 0x78, 0xb5, 0xac, 0x32, 0x58, 0xe2, 0x9e, 0xc3, 0x07, 0x8e,
    0xe8, 0x10, 0x86, 0x2c, 0xa4, 0x20, 0xb4, 0xa5, 0xe0, 0x77, 0x80, 0xc3, 0xa5, 0x8c, 0xa7, 0x06,
];

/// The long-term secret of the client.
const CLIENT: [u8; 32] = [
    0xf8, 0x6a, 0x8e, 0x52, 0xfa, 0xcb, 0xb2, 0x84, 0xbd, 0xe8, 0xb7, 0xf7, 0xd4, 0x3b, 0x95, 0xd9,
    0xb3, 0xd1, 0x1e, 0xe6, 0x7c, 0x56, 0xf1, 0xac, 0x37, 0xa9, 0xe8, 0x32, 0x0c, 0xb6, 0xbc, 0x82,
];

/// The transient secret of the server.
const SERVER_TRANSIENT: [u8; 32] = [
    0x87, 0x06, 0x6c, 0x60, 0x08, 0x19, 0x33, 0x19, 0xdb, 0xb1, 0x18, 0xf6, 0xff, 0x1a, 0x78, 0x9e,
    0x72, 0x59, 0x5e, 0xb8, 0x5b, 0xba, 0x5f, 0xca, 0x26, 0x9f, 0xbe, 0x06, 0xe7, 0xfb, 0x0a, 0x20,
];

/// The transient secret of the client.
const CLIENT_TRANSIENT: [u8; 32] = [
    0xe4, 0xa9, 0x62, 0x36, 0x70, 0x48, 0x78, 0x50, 0xfa, 0xcc, 0xc7, 0x6a, 0xba, 0xa6, 0xb4, 0xdb,
    0xc5, 0xaf, 0x04, 0x9d, 0x0f, 0xbf, 0xcd, 0xfa, 0x9d, 0xf6, 0x40, 0x12, 0x8b, 0x97, 0xcc, 0x47,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Without this, a target could refuse all of its seeds at their first octet.
    #[test]
    fn seeds_that_are_whole_conversations_are_understood_to_their_end() {
        let plain = include_bytes!("../../../fuzz/seeds/plain/libzmq-client-let-in.in");
        assert!(run_plain(plain));
        assert!(run_plain(include_bytes!(
            "../../../fuzz/seeds/plain/server.in"
        )));
        let denied = include_bytes!("../../../fuzz/seeds/plain/libzmq-client-denied.in");
        assert!(!run_plain(denied));
        let client = include_bytes!("../../../fuzz/seeds/curve/libzmq-client-let-in.in");
        assert!(run_curve(client));
        assert!(run_curve(include_bytes!(
            "../../../fuzz/seeds/curve/libzmq-server.in"
        )));
        let denied = include_bytes!("../../../fuzz/seeds/curve/libzmq-client-denied.in");
        assert!(!run_curve(denied));
    }
}
