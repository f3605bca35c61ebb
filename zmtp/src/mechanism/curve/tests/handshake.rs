//! Both sides of the handshake, and every command that is not as it has to be.

use std::time::Duration;

use super::party::{Party, client_keys, metadata, random_octets, server_keys, waiting};
use crate::curve::{KeyPair, PublicKey, SecretKey};
use crate::mechanism::curve::boxes::BoxKey;
use crate::mechanism::curve::nonce::{Nonce, prefix};
use crate::mechanism::{
    Authentication, Credentials, CurveClient, CurveCommand, CurveError, Handshake, HandshakeError,
    MechanismConfig, Next,
};
use crate::message::More;
use crate::wire::command::{CommandError, ErrorReason};
use crate::wire::frame::FrameKind;

/// Both sides, and what each of them has said.
struct Exchange {
    client: Party,
    server: Party,
    hello: Vec<u8>,
    welcome: Vec<u8>,
    initiate: Vec<u8>,
    ready: Vec<u8>,
}

impl Exchange {
    fn new() -> Self {
        let mut client = Party::client();
        let mut server = Party::server(Authentication::NotRequired);
        let expect_welcome = client.start();
        let expect_hello = server.start();
        let hello = client.said();
        let expect_initiate = waiting(server.handle(expect_hello, &hello).unwrap());
        let welcome = server.said();
        client.handle(expect_welcome, &welcome).unwrap();
        let initiate = client.said();
        let Next::Done(done) = server.handle(expect_initiate, &initiate).unwrap() else {
            panic!("handshake goes on");
        };
        done.finish(&mut server.out);
        let ready = server.said();
        Self {
            client,
            server,
            hello,
            welcome,
            initiate,
            ready,
        }
    }

    fn expect_hello(&mut self) -> Handshake {
        self.server.start()
    }

    fn expect_welcome(&mut self) -> Handshake {
        self.client.start()
    }

    fn expect_initiate(&mut self) -> Handshake {
        let state = self.server.start();
        waiting(self.server.handle(state, &self.hello).unwrap())
    }

    fn expect_ready(&mut self) -> Handshake {
        let state = self.client.start();
        waiting(self.client.handle(state, &self.welcome).unwrap())
    }

    /// What the party that waits for `command` makes of `body`.
    fn answer(&mut self, command: CurveCommand, body: &[u8]) -> Result<Next, HandshakeError> {
        let (state, party) = match command {
            CurveCommand::Hello => (self.expect_hello(), &mut self.server),
            CurveCommand::Welcome => (self.expect_welcome(), &mut self.client),
            CurveCommand::Initiate => (self.expect_initiate(), &mut self.server),
            _ => (self.expect_ready(), &mut self.client),
        };
        party.out.clear();
        let result = party.handle(state, body);
        assert!(result.is_ok() || party.out.is_empty(), "nothing is said");
        result
    }

    fn body(&self, command: CurveCommand) -> Vec<u8> {
        match command {
            CurveCommand::Hello => self.hello.clone(),
            CurveCommand::Welcome => self.welcome.clone(),
            CurveCommand::Initiate => self.initiate.clone(),
            _ => self.ready.clone(),
        }
    }
}

const COMMANDS: [CurveCommand; 4] = [
    CurveCommand::Hello,
    CurveCommand::Welcome,
    CurveCommand::Initiate,
    CurveCommand::Ready,
];

fn name_of(command: CurveCommand) -> &'static [u8] {
    match command {
        CurveCommand::Hello => b"\x05HELLO",
        CurveCommand::Welcome => b"\x07WELCOME",
        CurveCommand::Initiate => b"\x08INITIATE",
        _ => b"\x05READY",
    }
}

fn curve(result: Result<Next, HandshakeError>) -> CurveError {
    match result {
        Err(HandshakeError::Curve(error)) => error,
        result => panic!("{result:?}"),
    }
}

// CURVE-011, CURVE-020, CURVE-023, CURVE-028, CURVE-036, CURVE-040
#[test]
fn commands_have_the_layout_of_the_specification() {
    let exchange = Exchange::new();
    let hello = &exchange.hello;
    assert_eq!(hello.len(), 200);
    assert_eq!(hello[..8], *b"\x05HELLO\x01\0");
    assert_eq!(hello[8..80], [0; 72]);
    assert_eq!(hello[112..120], 1_u64.to_be_bytes());
    let welcome = &exchange.welcome;
    assert_eq!(welcome.len(), 168);
    assert_eq!(welcome[..8], *b"\x07WELCOME");
    let initiate = &exchange.initiate;
    let announced = metadata("DEALER", None).encoded_len();
    assert_eq!(initiate.len(), 257 + announced);
    assert_eq!(initiate[..9], *b"\x08INITIATE");
    assert_eq!(initiate[105..113], 2_u64.to_be_bytes());
    let ready = &exchange.ready;
    assert_eq!(ready.len(), 30 + announced);
    assert_eq!(ready[..6], *b"\x05READY");
    assert_eq!(ready[6..14], 1_u64.to_be_bytes());
    // CURVE-039
    let client_key = *client_keys().public_key().as_octets();
    for said in [hello, initiate] {
        assert!(!said.windows(32).any(|octets| octets == client_key));
    }
}

// CURVE-009, CURVE-042, CURVE-049, CURVE-054
#[test]
fn channels_of_both_sides_fit_together() {
    let mut exchange = Exchange::new();
    let (initiate, ready) = (exchange.initiate.clone(), exchange.ready.clone());
    let sides = [
        exchange.answer(CurveCommand::Initiate, &initiate),
        exchange.answer(CurveCommand::Ready, &ready),
    ];
    let [mut server, mut client] = sides.map(|next| match next {
        Ok(Next::Done(done)) => done.finish(&mut Vec::new()).unwrap(),
        next => panic!("{next:?}"),
    });
    let kind = FrameKind::Message(More::Last);
    for nonce in [2_u64, 3] {
        let mut frame = Vec::new();
        server.seal(kind, b"hello", &mut frame).unwrap();
        // READY was 1, and INITIATE 2.
        assert_eq!(frame[10..18], nonce.to_be_bytes());
        assert_eq!(client.open(&mut frame[2..]), Ok(kind));
        assert!(frame.ends_with(b"hello"));
        frame.clear();
        client.seal(kind, b"hello", &mut frame).unwrap();
        assert_eq!(frame[10..18], (nonce + 1).to_be_bytes());
        assert_eq!(server.open(&mut frame[2..]), Ok(kind));
    }
}

// CURVE-037, ZAP-016, ZAP-040
#[test]
fn authenticator_is_asked_about_a_key_that_is_proven_before_ready() {
    let mut exchange = Exchange::new();
    exchange.server = Party::server(Authentication::Required);
    let initiate = exchange.initiate.clone();
    let next = exchange.answer(CurveCommand::Initiate, &initiate).unwrap();
    let Next::Authenticate(undecided, request) = next else {
        panic!("nobody asked");
    };
    let public_key = client_keys().public_key();
    assert_eq!(request.credentials, Credentials::Curve { public_key });
    assert_eq!(request.metadata, metadata("DEALER", None));
    assert!(exchange.server.out.is_empty());
    let step = exchange.server.step();
    let Next::Done(done) = undecided.accept(step) else {
        panic!("handshake goes on");
    };
    done.finish(&mut exchange.server.out);
    assert_eq!(exchange.server.said(), exchange.ready);
}

// CURVE-004, CURVE-005
#[test]
fn client_of_a_weak_server_key_says_nothing() {
    let server_key = PublicKey::from_octets([0; 32]);
    let config = CurveClient::new(server_key, client_keys());
    let mut client = Party::new(MechanismConfig::CurveClient(config), "DEALER", 1);
    let command = CurveCommand::Hello;
    assert_eq!(curve(client.try_start()), CurveError::WeakKey { command });
    assert!(client.out.is_empty());
}

// CURVE-014, CURVE-022, CURVE-032, CURVE-041, CURVE-052
#[test]
fn command_of_any_other_length_is_refused() {
    let mut exchange = Exchange::new();
    for command in COMMANDS {
        let body = exchange.body(command);
        let least = match command {
            CurveCommand::Hello => 200,
            CurveCommand::Welcome => 168,
            CurveCommand::Initiate => 257,
            _ => 30,
        };
        for len in 0..body.len() {
            let result = exchange.answer(command, &body[..len]);
            if len < name_of(command).len() {
                assert!(matches!(result, Err(HandshakeError::Command(_))));
                continue;
            }
            let expected = match len {
                len if len < least => CurveError::Length { command, len },
                _ => CurveError::Box { command },
            };
            assert_eq!(curve(result), expected);
        }
        for more in [1, 2, 255, 256, 4096] {
            let longer = [&body[..], &vec![0; more]].concat();
            let len = longer.len();
            let expected = match command {
                CurveCommand::Hello | CurveCommand::Welcome => CurveError::Length { command, len },
                _ => CurveError::Box { command },
            };
            assert_eq!(curve(exchange.answer(command, &longer)), expected);
        }
    }
}

// CURVE-015, CURVE-016, CURVE-017, CURVE-022, CURVE-031, CURVE-032, CURVE-041
#[test]
fn command_with_one_bit_changed_anywhere_is_refused() {
    let mut exchange = Exchange::new();
    for command in COMMANDS {
        let body = exchange.body(command);
        for at in 0..body.len() {
            let mut body = body.clone();
            // Not the topmost bit of a key, to which curves are blind.
            body[at] ^= 1 << (at % 7);
            let result = exchange.answer(command, &body);
            if at < name_of(command).len() {
                assert!(result.is_err(), "{command} {at}");
                continue;
            }
            let error = curve(result);
            let expected = match (command, at) {
                (CurveCommand::Hello, 6..8) => {
                    let (major, minor) = (body[6], body[7]);
                    CurveError::Version { major, minor }
                }
                (CurveCommand::Hello, 8..80) => CurveError::Padding,
                // The nonce of a cookie, its tag, and what it holds.
                (CurveCommand::Initiate, 9..105) => CurveError::Cookie,
                _ => CurveError::Box { command },
            };
            assert_eq!(error, expected, "{command} {at}");
        }
    }
}

// CURVE-018, CURVE-058, CURVE-060
#[test]
fn no_command_is_taken_out_of_turn() {
    let mut exchange = Exchange::new();
    for awaited in COMMANDS {
        for command in COMMANDS.into_iter().filter(|command| *command != awaited) {
            let body = exchange.body(command);
            let error = exchange.answer(awaited, &body).unwrap_err();
            let name = command.to_string();
            assert_eq!(error, HandshakeError::UnexpectedCommand { name });
        }
        for name in ["MESSAGE", "PING", "SUBSCRIBE", "HELLX"] {
            let length = u8::try_from(name.len()).unwrap();
            let body = [&[length], name.as_bytes(), &[0; 250]].concat();
            let error = exchange.answer(awaited, &body).unwrap_err();
            let name = name.to_owned();
            assert_eq!(error, HandshakeError::UnexpectedCommand { name });
        }
        // [ZCURVE-004] No names that are padded with spaces.
        let error = exchange.answer(awaited, b"\x08HELLO   ").unwrap_err();
        assert!(matches!(error, HandshakeError::Command(_)));
    }
}

// CURVE-057, CURVE-058, CURVE-059, CURVE-063
#[test]
fn error_refuses_a_client_and_is_nothing_that_a_server_takes() {
    let mut exchange = Exchange::new();
    for reason in ["400", "nope", ""] {
        let length = u8::try_from(reason.len()).unwrap();
        let body = [b"\x05ERROR", &[length][..], reason.as_bytes()].concat();
        for command in COMMANDS {
            let error = exchange.answer(command, &body).unwrap_err();
            let expected = match command {
                CurveCommand::Welcome | CurveCommand::Ready => HandshakeError::Refused {
                    reason: ErrorReason::new(reason),
                },
                _ => HandshakeError::UnexpectedCommand {
                    name: "ERROR".to_owned(),
                },
            };
            assert_eq!(error, expected);
        }
    }
    for body in [
        &b"\x05ERROR"[..],
        b"\x05ERROR\x03",
        b"\x05ERROR\x0340",
        b"\x05ERROR\x01xy",
    ] {
        for command in [CurveCommand::Welcome, CurveCommand::Ready] {
            let error = exchange.answer(command, body).unwrap_err();
            let expected = HandshakeError::Command(CommandError::ErrorReasonLength);
            assert_eq!(error, expected);
        }
    }
}

// CURVE-025
#[test]
fn cookie_is_good_for_a_minute() {
    let mut exchange = Exchange::new();
    let initiate = exchange.initiate.clone();
    for (age, is_good) in [(0, true), (59, true), (60, false), (61, false)] {
        let expect_initiate = exchange.expect_initiate();
        exchange.server.now += Duration::from_secs(age);
        let result = exchange.server.handle(expect_initiate, &initiate);
        if is_good {
            assert!(result.is_ok());
        } else {
            assert_eq!(curve(result), CurveError::Cookie);
        }
    }
    let state = exchange.expect_hello();
    let Ok(Next::Wait(_, within)) = exchange.server.handle(state, &exchange.hello) else {
        panic!("not WELCOME");
    };
    assert_eq!(within, Some(Duration::from_secs(60)));
}

// CURVE-007, CURVE-008, CURVE-021, CURVE-026, CURVE-064, CURVE-002, LZ-052
#[test]
fn nothing_is_said_twice_on_two_connections() {
    let one = Exchange::new();
    let mut other = Exchange::new();
    let config = other.server.config.clone();
    other.server = Party::new(config, "ROUTER", 3);
    let config = other.client.config.clone();
    other.client = Party::new(config, "DEALER", 4);
    // [CURVE-064] The server has another transient key, and no cookie opens.
    let replayed = other.answer(CurveCommand::Initiate, &one.initiate);
    assert_eq!(curve(replayed), CurveError::Cookie);
    let state = other.expect_hello();
    other.server.handle(state, &one.hello).unwrap();
    let welcome = other.server.said();
    assert_ne!(welcome[8..24], one.welcome[8..24]);
    assert_ne!(welcome[24..], one.welcome[24..]);
    other.client.start();
    let hello = other.client.said();
    assert_ne!(hello[80..112], one.hello[80..112]);
    // What was meant for another transient key says nothing.
    let command = CurveCommand::Welcome;
    let replayed = other.answer(command, &one.welcome);
    assert_eq!(curve(replayed), CurveError::Box { command });
}

// CURVE-030
#[test]
fn each_vouch_has_a_nonce_of_its_own() {
    let nonce_of_vouch = |client_seed: u8| {
        let mut exchange = Exchange::new();
        let config = exchange.client.config.clone();
        exchange.client = Party::new(config, "DEALER", client_seed);
        let state = exchange.client.start();
        let server = exchange.expect_hello();
        exchange
            .server
            .handle(server, &exchange.client.said())
            .unwrap();
        let welcome = exchange.server.said();
        exchange.client.handle(state, &welcome).unwrap();
        let initiate = exchange.client.said();
        let transient = |seed| SecretKey::from_octets(*random_octets(seed).first_chunk().unwrap());
        let theirs = KeyPair::new(transient(2));
        let key = BoxKey::agree(&transient(client_seed), &theirs.public_key()).unwrap();
        // A name, the cookie, a nonce and a tag; then the key of the client, and the vouch.
        let (head, plain) = initiate.split_at(9 + 96 + 8 + 16);
        let nonce = u64::from_be_bytes(head[105..113].try_into().unwrap());
        let mut plain = plain.to_vec();
        let tag = head[113..].try_into().unwrap();
        let nonce = Nonce::short(prefix::INITIATE, nonce);
        key.open(&nonce, tag, &mut plain).unwrap();
        assert_eq!(plain[..32], *client_keys().public_key().as_octets());
        plain[32..48].to_vec()
    };
    // It is random, as the transient key is.
    let (one, other) = (nonce_of_vouch(1), nonce_of_vouch(4));
    assert_eq!(one, random_octets(1)[64..80]);
    assert_ne!(one, other);
}

// CURVE-007, CURVE-062
#[test]
fn nothing_secret_shows() {
    let mut exchange = Exchange::new();
    let states = [
        exchange.expect_hello(),
        exchange.expect_welcome(),
        exchange.expect_initiate(),
        exchange.expect_ready(),
    ];
    let (client_keys, server_keys) = (client_keys(), server_keys());
    let secrets: [&[u8]; 4] = [
        client_keys.secret_key().expose_octets(),
        server_keys.secret_key().expose_octets(),
        &random_octets(1)[..64],
        &random_octets(2)[..64],
    ];
    let configs = [&exchange.client.config, &exchange.server.config];
    for shown in [format!("{states:?}"), format!("{configs:#?}")] {
        for secret in secrets {
            for part in secret.chunks(8) {
                let list = format!("{part:?}");
                assert!(!shown.contains(list.trim_matches(['[', ']'])), "{shown}");
            }
        }
    }
}
