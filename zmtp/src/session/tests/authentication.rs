//! Who is let in, and what happens until somebody has decided.

use std::time::Duration;

use crate::mechanism::{
    Authentication, Credentials, Decision, Denial, MechanismConfig, PlainCredentials,
};
use crate::message::Part;
use crate::pattern::SocketType;
use crate::session::tests::pair::Pair;
use crate::session::tests::peer::{
    Scripted, V3_1, command, frame, greeting, greeting_of, ready, ready_of,
};
use crate::session::{Event, SessionConfig, SessionError, SessionState, Side, Timeout, Violation};
use crate::wire::metadata::Metadata;

fn config(mechanism: MechanismConfig, socket_type: SocketType, side: Side) -> SessionConfig {
    let mut config = SessionConfig::new(socket_type, side);
    config.mechanism = mechanism;
    config
}

fn null(side: Side) -> SessionConfig {
    let mechanism = MechanismConfig::Null(Authentication::Required);
    config(mechanism, SocketType::Pull, side)
}

fn plain_server() -> SessionConfig {
    config(
        MechanismConfig::PlainServer,
        SocketType::Pull,
        Side::Listener,
    )
}

fn credentials() -> PlainCredentials {
    PlainCredentials::new("admin", "secret").unwrap()
}

/// What a PLAIN client says at first.
fn hello() -> Vec<u8> {
    let hello = command("HELLO", b"\x05admin\x06secret");
    [greeting_of(V3_1, b"PLAIN"), hello].concat()
}

fn initiate() -> Vec<u8> {
    command("INITIATE", b"\x0bSocket-Type\0\0\0\x04PUSH")
}

/// Sessions that wait for a decision, with what they have sent before.
fn undecided() -> [Scripted; 3] {
    let [mut listener, mut connector] =
        [Side::Listener, Side::Connector].map(|side| Scripted::with_config(null(side)));
    for null in [&mut listener, &mut connector] {
        let events = null.feed(&greeting(V3_1)).unwrap();
        let [Event::Authenticate(request)] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(request.credentials, Credentials::Null);
    }
    let mut plain = Scripted::with_config(plain_server());
    let events = plain.feed(&hello()).unwrap();
    let [Event::Authenticate(request)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(request.credentials, Credentials::Plain(credentials()));
    let sessions = [listener, connector, plain];
    sessions.map(|mut scripted| {
        // [ZAP-038] [ZAP-039] The greeting and nothing else.
        assert_eq!(scripted.sent().len(), 64);
        assert!(scripted.session.is_undecided());
        assert_eq!(scripted.session.state(), SessionState::Handshake);
        scripted
    })
}

/// What the peer of each of [`undecided`] says next.
fn rest() -> [Vec<u8>; 3] {
    let ready = ready(SocketType::Push, &[]);
    [ready.clone(), ready, initiate()]
}

// ZAP-038, ZAP-039, ZAP-043, PLAIN-013
#[test]
fn nothing_is_taken_or_sent_before_the_decision() {
    for (mut scripted, rest) in undecided().into_iter().zip(rest()) {
        let octets = [rest, frame(0, b"hello")].concat();
        let mut input = scripted.take_input(&octets);
        let result = scripted.session.handle_input(scripted.now, &mut input);
        assert_eq!(result, Ok(None));
        assert_eq!(&input[..], octets);
        assert!(!scripted.session.has_transmit());
        scripted.put_back(input);

        let decision = Decision::allowed();
        let event = scripted.session.authenticate(scripted.now, decision);
        assert_eq!(event, Ok(None));
        assert!(scripted.session.has_transmit());
        let events = scripted.feed(b"").unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!(events[0], Event::Established);
    }
}

// ZAP-007, INT-016
#[test]
fn the_deadline_of_the_handshake_goes_on() {
    for mut scripted in undecided() {
        scripted.advance(Duration::from_secs(29)).unwrap();
        assert!(scripted.session.is_undecided());
        let error = scripted.advance(Duration::from_secs(1)).unwrap_err();
        assert_eq!(error, SessionError::TimedOut(Timeout::Handshake));
        // [ZAP-007] [ZAP-042] A late answer changes nothing.
        let late = scripted
            .session
            .authenticate(scripted.now, Decision::allowed());
        assert_eq!(late, Ok(None));
        assert_eq!(scripted.session.state(), SessionState::Closed);
        assert!(scripted.sent().is_empty());
    }
}

// ZAP-024, ZAP-025, ZAP-026, PLAIN-016
#[test]
fn a_denial_ends_the_session_with_the_code_or_in_silence() {
    for (denial, said, is_retryable) in [
        (Denial::Temporary, &b""[..], true),
        (Denial::Refused, b"\x04\x0a\x05ERROR\x03400", false),
        (Denial::InternalError, b"\x04\x0a\x05ERROR\x03500", false),
    ] {
        for mut scripted in undecided() {
            let decision = Decision::Deny(denial);
            let result = scripted.session.authenticate(scripted.now, decision);
            let error = result.unwrap_err();
            assert_eq!(error, SessionError::Denied { denial });
            assert_eq!(error.is_retryable(), is_retryable);
            assert_eq!(scripted.session.state(), SessionState::Closed);
            assert_eq!(scripted.sent(), said);
        }
    }
}

// ZAP-006
#[test]
fn a_second_decision_changes_nothing() {
    for (mut scripted, rest) in undecided().into_iter().zip(rest()) {
        let now = scripted.now;
        assert_eq!(
            scripted.session.authenticate(now, Decision::allowed()),
            Ok(None)
        );
        let deny = Decision::Deny(Denial::Refused);
        assert_eq!(scripted.session.authenticate(now, deny), Ok(None));
        assert_eq!(scripted.feed(&rest), Ok(vec![Event::Established]));
    }
}

// ZAP-029, ZAP-030
#[test]
fn what_was_decided_about_the_peer_cannot_be_overridden_by_it() {
    for (mut scripted, index) in undecided().into_iter().zip(0..) {
        let mut metadata = Metadata::new();
        metadata.insert("Role", "guest").unwrap();
        let user_id = Some(Part::from("joe"));
        let decision = Decision::Allow { user_id, metadata };
        scripted
            .session
            .authenticate(scripted.now, decision)
            .unwrap();
        let announced: [(&str, &[u8]); 5] = [
            ("Socket-Type", b"PUSH"),
            ("role", b"root"),
            ("User-Id", b"root"),
            ("peer-address", b"10.0.0.1"),
            ("X-key", b"value"),
        ];
        let mut octets = ready_of(&announced);
        if index == 2 {
            octets = command(
                "INITIATE",
                &octets[octets.len() - usize::from(octets[1]) + 6..],
            );
        }
        assert_eq!(scripted.feed(&octets), Ok(vec![Event::Established]));
        let peer = scripted.session.peer().unwrap();
        assert_eq!(peer.user_id, Some(Part::from("joe")));
        assert_eq!(peer.granted.get("Role"), Some(&b"guest".into()));
        assert_eq!(peer.granted.get("X-key"), None);
        assert_eq!(peer.metadata.get("Role"), Some(&b"root".into()));
        assert_eq!(peer.metadata.get("X-key"), Some(&b"value".into()));
        assert_eq!(peer.metadata.get("User-Id"), None);
        assert_eq!(peer.metadata.get("Peer-Address"), None);
    }
}

#[test]
fn without_an_authenticator_nobody_is_asked() {
    let mut scripted = Scripted::new(SocketType::Pull);
    assert_eq!(scripted.feed(&greeting(V3_1)), Ok(vec![]));
    assert!(!scripted.session.is_undecided());
    let late = scripted
        .session
        .authenticate(scripted.now, Decision::allowed());
    assert_eq!(late, Ok(None));
    let octets = ready(SocketType::Push, &[]);
    assert_eq!(scripted.feed(&octets), Ok(vec![Event::Established]));
    assert_eq!(scripted.session.peer().unwrap().user_id, None);
}

// PLAIN-008, PLAIN-017
#[test]
fn only_a_plain_server_tells_that_the_socket_does_not_fit() {
    let mut server = Scripted::with_config(plain_server());
    server.feed(&hello()).unwrap();
    server
        .session
        .authenticate(server.now, Decision::allowed())
        .unwrap();
    server.sent();
    let initiate = command("INITIATE", b"\x0bSocket-Type\0\0\0\x03PUB");
    let error = server.feed(&initiate).unwrap_err();
    assert!(matches!(error, SessionError::Incompatible(_)));
    assert!(server.sent().starts_with(b"\x04\x1a\x05ERROR"));

    let mechanism = MechanismConfig::PlainClient(credentials());
    let client = config(mechanism, SocketType::Pull, Side::Connector);
    let mut client = Scripted::with_config(client);
    let welcome = [greeting_of(V3_1, b"PLAIN"), command("WELCOME", b"")].concat();
    assert_eq!(client.feed(&welcome), Ok(vec![]));
    client.sent();
    let error = client.feed(&ready(SocketType::Pub, &[])).unwrap_err();
    assert!(matches!(error, SessionError::Incompatible(_)));
    assert!(client.sent().is_empty());
}

// PLAIN-020, ZMTP31-008
#[test]
fn credentials_are_shown_to_nobody_who_speaks_another_mechanism() {
    for theirs in [&b"NULL"[..], b"CURVE", b"PLAIN\0x", b"plain"] {
        let mechanism = MechanismConfig::PlainClient(credentials());
        let client = config(mechanism, SocketType::Pull, Side::Connector);
        let mut client = Scripted::with_config(client);
        assert!(client.feed(&greeting_of(V3_1, theirs)).is_err());
        assert_eq!(client.sent(), greeting_of(V3_1, b"PLAIN"));
    }
}

// ZMTP31-013, ZMTP31-014
#[test]
fn the_server_says_that_it_is_one_and_nobody_relies_on_it() {
    for side in [Side::Connector, Side::Listener] {
        let server = config(MechanismConfig::PlainServer, SocketType::Pull, side);
        assert_eq!(Scripted::with_config(server).sent()[32], 1);
        let mechanism = MechanismConfig::PlainClient(credentials());
        let client = config(mechanism, SocketType::Pull, side);
        assert_eq!(Scripted::with_config(client.clone()).sent()[32], 0);
        for as_server in [0, 1, 7] {
            let mut greeting = greeting_of(V3_1, b"PLAIN");
            greeting[32] = as_server;
            let mut client = Scripted::with_config(client.clone());
            let octets = [greeting, command("WELCOME", b"")].concat();
            assert_eq!(client.feed(&octets), Ok(vec![]));
        }
    }
}

// PLAIN-011, PLAIN-014, PLAIN-015, PLAIN-025
#[test]
fn plain_sessions_agree_whoever_connects() {
    for client_connects in [true, false] {
        let client = MechanismConfig::PlainClient(credentials());
        let (connector, listener) = match client_connects {
            true => (client, MechanismConfig::PlainServer),
            false => (MechanismConfig::PlainServer, client),
        };
        let mut pair = Pair::with_configs(
            config(connector, SocketType::Push, Side::Connector),
            config(listener, SocketType::Pull, Side::Listener),
        );
        pair.drive();
        let now = pair.now;
        let server = match client_connects {
            true => &mut pair.listener,
            false => &mut pair.connector,
        };
        assert!(server.session.is_undecided());
        server
            .session
            .authenticate(now, Decision::allowed())
            .unwrap();
        pair.drive();
        for end in [&pair.connector, &pair.listener] {
            assert!(end.session.is_open() && !end.session.needs_sealing());
            assert_eq!(end.events.last(), Some(&Event::Established));
            assert_eq!(end.error, None);
        }
    }
}

// PLAIN-019
#[test]
fn two_clients_and_two_servers_never_agree() {
    let client = MechanismConfig::PlainClient(credentials());
    for mechanism in [client, MechanismConfig::PlainServer] {
        let mut pair = Pair::with_configs(
            config(mechanism.clone(), SocketType::Push, Side::Connector),
            config(mechanism, SocketType::Pull, Side::Listener),
        );
        pair.advance(Duration::from_secs(30));
        for end in [&pair.connector, &pair.listener] {
            assert_eq!(end.session.state(), SessionState::Closed);
            assert!(end.events.is_empty());
        }
    }
}

#[test]
fn message_before_the_end_of_the_handshake_is_refused() {
    for (mut scripted, rest) in undecided().into_iter().zip(rest()) {
        scripted
            .session
            .authenticate(scripted.now, Decision::allowed())
            .unwrap();
        // PLAIN-012
        let error = scripted.feed(&frame(0, &rest[2..])).unwrap_err();
        assert_eq!(error, SessionError::Violation(Violation::UnexpectedMessage));
    }
}
