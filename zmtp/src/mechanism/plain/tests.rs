//! The commands as octets, and each state with what it takes and refuses.

use std::time::Instant;

use crate::mechanism::{
    Credentials, Handshake, HandshakeError, MechanismConfig, Next, PlainCredentials, PlainError,
    Randomness, Step,
};
use crate::wire::command::{CommandError, ErrorReason};
use crate::wire::metadata::{Metadata, MetadataLimits};

const HELLO: &[u8] = b"\x05HELLO\x05admin\x06secret";
const WELCOME: &[u8] = b"\x07WELCOME";
const INITIATE: &[u8] = b"\x08INITIATE\x0bSocket-Type\0\0\0\x06DEALER";
const READY: &[u8] = b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER";

/// One side of a handshake, and what it has said.
struct Party {
    config: MechanismConfig,
    out: Vec<u8>,
}

impl Party {
    fn client(username: &str, password: &str) -> Self {
        let credentials = PlainCredentials::new(username, password).unwrap();
        Self::new(MechanismConfig::PlainClient(credentials))
    }

    fn server() -> Self {
        Self::new(MechanismConfig::PlainServer)
    }

    fn new(config: MechanismConfig) -> Self {
        let out = Vec::new();
        Self { config, out }
    }

    fn step(&mut self) -> Step<'_> {
        Step {
            config: &self.config,
            limits: MetadataLimits::DEFAULT,
            now: Instant::now(),
            out: &mut self.out,
        }
    }

    fn start(&mut self) -> Handshake {
        let next = Handshake::start(metadata(), Randomness::generate(|_| {}), self.step());
        waiting(next.unwrap())
    }

    fn handle(&mut self, state: Handshake, body: &[u8]) -> Result<Next, HandshakeError> {
        state.handle(body, self.step())
    }

    /// Returns the state that waits for the `index`th command of the peer.
    fn expect(&mut self, index: usize) -> Handshake {
        let mut state = self.start();
        if index == 0 {
            return state;
        }
        let first = match &self.config {
            MechanismConfig::PlainServer => HELLO,
            _ => WELCOME,
        };
        state = match self.handle(state, first).unwrap() {
            Next::Authenticate(undecided, _) => waiting(undecided.accept(self.step())),
            next => waiting(next),
        };
        self.out.clear();
        state
    }
}

fn waiting(next: Next) -> Handshake {
    match next {
        Next::Wait(state, None) => state,
        next => panic!("{next:?}"),
    }
}

fn metadata() -> Metadata {
    let mut metadata = Metadata::new();
    metadata.insert("Socket-Type", "DEALER").unwrap();
    metadata
}

fn unexpected(name: &str) -> HandshakeError {
    let name = name.to_owned();
    HandshakeError::UnexpectedCommand { name }
}

// PLAIN-001, PLAIN-003
#[test]
fn hello_has_the_octets_of_the_specification() {
    let mut client = Party::client("admin", "secret");
    client.start();
    assert_eq!(client.out, [b"\x04\x13", HELLO].concat());
    let mut client = Party::client("", "");
    client.start();
    assert_eq!(client.out, b"\x04\x08\x05HELLO\0\0");
    let longest = "x".repeat(255);
    let mut client = Party::client(&longest, &longest);
    client.start();
    assert_eq!(client.out[..9], [6, 0, 0, 0, 0, 0, 0, 2, 6]);
    assert_eq!(client.out.len(), 9 + 6 + 2 * 256);
}

// PLAIN-005, PLAIN-006, PLAIN-007, PLAIN-011
#[test]
fn golden_conversation() {
    let (mut client, mut server) = (Party::client("admin", "secret"), Party::server());
    let (expect_welcome, expect_hello) = (client.start(), server.start());
    // [ZCURVE-002] holds here as well: a server that was not spoken to says nothing.
    assert!(server.out.is_empty());

    let Next::Authenticate(undecided, request) = server.handle(expect_hello, HELLO).unwrap() else {
        panic!("nobody asked");
    };
    // [ZAP-016] [ZAP-039] WELCOME is withheld.
    assert!(server.out.is_empty());
    let Credentials::Plain(credentials) = request.credentials else {
        panic!("not PLAIN");
    };
    assert_eq!(credentials.expose_username(), b"admin");
    assert_eq!(credentials.expose_password(), b"secret");
    let expect_initiate = waiting(undecided.accept(server.step()));
    assert_eq!(server.out, [b"\x04\x08", WELCOME].concat());

    client.out.clear();
    let expect_ready = waiting(client.handle(expect_welcome, WELCOME).unwrap());
    assert_eq!(client.out, [b"\x04\x1f", INITIATE].concat());

    server.out.clear();
    let Next::Done(done) = server.handle(expect_initiate, INITIATE).unwrap() else {
        panic!("handshake goes on");
    };
    assert_eq!(done.metadata, metadata());
    // [PLAIN-017] Not before the metadata are judged.
    assert!(server.out.is_empty());
    done.finish(&mut server.out);
    assert_eq!(server.out, [b"\x04\x1c", READY].concat());

    let Next::Done(done) = client.handle(expect_ready, READY).unwrap() else {
        panic!("handshake goes on");
    };
    assert_eq!(done.metadata, metadata());
}

// PLAIN-002, PLAIN-010
#[test]
fn hello_is_two_fields_and_nothing_else() {
    let data: [&[u8]; 7] = [
        b"",
        b"\x05admi",
        b"\x05admin",
        b"\x05admin\x06secre",
        b"\x05admin\x06secret!",
        b"\xffadmin\x06secret",
        b"\0",
    ];
    for data in data {
        let mut server = Party::server();
        let state = server.start();
        let result = server.handle(state, &[b"\x05HELLO", data].concat());
        assert_eq!(
            result.unwrap_err(),
            HandshakeError::Plain(PlainError::Hello)
        );
    }
    let mut server = Party::server();
    let state = server.start();
    let padded = server.handle(state, b"\x08HELLO   \0\0").unwrap_err();
    let octet = b' ';
    assert_eq!(
        padded,
        HandshakeError::Command(CommandError::InvalidName { octet })
    );
}

// PLAIN-003, PLAIN-004
#[test]
fn credentials_of_any_octets_are_for_the_authenticator() {
    for (username, password) in [
        (&b""[..], &b""[..]),
        (b"\xff\xfe", b"\0 "),
        (&[1; 255], b""),
    ] {
        let mut server = Party::server();
        let state = server.start();
        let mut hello = b"\x05HELLO".to_vec();
        for field in [username, password] {
            hello.push(u8::try_from(field.len()).unwrap());
            hello.extend(field);
        }
        let Next::Authenticate(_, request) = server.handle(state, &hello).unwrap() else {
            panic!("nobody asked");
        };
        let expected = PlainCredentials::from_octets(username, password).unwrap();
        assert_eq!(request.credentials, Credentials::Plain(expected));
    }
}

// PLAIN-010
#[test]
fn welcome_carries_nothing() {
    let mut client = Party::client("", "");
    let state = client.start();
    let error = client.handle(state, b"\x07WELCOME\0").unwrap_err();
    assert_eq!(error, HandshakeError::Plain(PlainError::Welcome { len: 1 }));
}

// PLAIN-011, PLAIN-012, PLAIN-019, PLAIN-026
#[test]
fn no_command_is_taken_out_of_turn() {
    let ping: &[u8] = b"\x04PING\0\0";
    let commands = [HELLO, WELCOME, INITIATE, READY, ping];
    let names = ["HELLO", "WELCOME", "INITIATE", "READY", "PING"];
    for (index, (awaited_by_server, awaited_by_client)) in [(HELLO, WELCOME), (INITIATE, READY)]
        .into_iter()
        .enumerate()
    {
        for (party, awaited) in [
            (Party::server(), awaited_by_server),
            (Party::client("", ""), awaited_by_client),
        ] {
            for (command, name) in commands.into_iter().zip(names) {
                if command == awaited {
                    continue;
                }
                let mut party = Party::new(party.config.clone());
                let state = party.expect(index);
                let error = party.handle(state, command).unwrap_err();
                assert_eq!(error, unexpected(name), "{:?} {index}", party.config);
                assert!(index == 0 || party.out.is_empty());
            }
        }
    }
}

// PLAIN-008, PLAIN-009, PLAIN-018, INT-008
#[test]
fn both_spellings_of_an_error_refuse_the_client_at_either_point() {
    for index in 0..2 {
        for body in [&b"\x05ERROR\x03400"[..], b"\x5eRROR\x03400"] {
            let mut client = Party::client("", "");
            let state = client.expect(index);
            let error = client.handle(state, body).unwrap_err();
            let reason = ErrorReason::new("400");
            assert_eq!(error, HandshakeError::Refused { reason });
        }
        for body in [
            &b"\x05ERROR"[..],
            b"\x5eRROR",
            b"\x05ERROR\x03",
            b"\x5eRROR\x0340",
        ] {
            let mut client = Party::client("", "");
            let state = client.expect(index);
            let error = client.handle(state, body).unwrap_err();
            let expected = HandshakeError::Command(CommandError::ErrorReasonLength);
            assert_eq!(error, expected);
        }
    }
}

// PLAIN-008
#[test]
fn server_takes_no_error() {
    for index in 0..2 {
        for body in [&b"\x05ERROR\x03400"[..], b"\x5eRROR\x03400"] {
            let mut server = Party::server();
            let state = server.expect(index);
            assert!(server.handle(state, body).is_err());
        }
    }
}

#[test]
fn commands_cut_or_changed_anywhere_do_no_harm() {
    /// An interpreter takes its time for each.
    const CHANGES: usize = if cfg!(miri) { 120 } else { 1 };
    for (index, hello, party) in [
        (0, HELLO, Party::server()),
        (1, INITIATE, Party::server()),
        (0, WELCOME, Party::client("", "")),
        (1, READY, Party::client("", "")),
    ] {
        for len in 0..hello.len() {
            let mut party = Party::new(party.config.clone());
            let state = party.expect(index);
            let result = party.handle(state, &hello[..len]);
            // Properties may end anywhere between two of them.
            let is_whole = matches!(&hello[..len], b"\x08INITIATE" | b"\x05READY");
            assert_eq!(result.is_ok(), is_whole, "{}", hello[..len].escape_ascii());
        }
        for at in 0..hello.len() {
            for change in (1..=u8::MAX).step_by(CHANGES) {
                let mut party = Party::new(party.config.clone());
                let state = party.expect(index);
                let mut body = hello.to_vec();
                body[at] ^= change;
                let result = party.handle(state, &body);
                assert!(result.is_err() || at > 5, "{}", body.escape_ascii());
            }
        }
    }
}
