//! Greetings: both sides at once, in any pieces, of any 3.x.

use crate::pattern::SocketType;
use crate::session::tests::peer::{
    STEP, Scripted, V3_1, command, frame, greeting, greeting_of, messages, ready,
};
use crate::session::{Event, Incompatible, Malformed, SessionError, SessionState};
use crate::wire::greeting::{GreetingError, MechanismName, SecurityRole, Version};

/// What a PUSH sends to have one message delivered.
fn conversation() -> Vec<u8> {
    let parts = [
        greeting(V3_1),
        ready(SocketType::Push, &[]),
        frame(0, b"hello"),
    ];
    parts.concat()
}

fn delivered() -> Vec<Event> {
    let frame = crate::message::Frame::last("hello");
    vec![Event::Established, Event::Frame(frame)]
}

// ZMTP31-001, ZMTP31-002, ZMTP31-005, ZMTP31-007, ZMTP31-010, ZMTP31-011, ZMTP31-020
#[test]
fn our_greeting_goes_out_at_once_and_whole() {
    let mut scripted = Scripted::new(SocketType::Pull);
    assert_eq!(scripted.sent(), greeting(V3_1));
    assert_eq!(scripted.sent(), b"");
    assert_eq!(scripted.session.state(), SessionState::Greeting);
}

// ZMTP31-021, ZMTP31-022, D33
#[test]
fn any_two_pieces_are_as_good_as_one() {
    let octets = conversation();
    for cut in (0..=octets.len()).step_by(STEP) {
        let mut scripted = Scripted::new(SocketType::Pull);
        let (first, second) = octets.split_at(cut);
        let mut events = scripted.feed(first).unwrap();
        events.extend(scripted.feed(second).unwrap());
        assert_eq!(events, delivered(), "cut at {cut}");
    }
}

// ZMTP31-021
#[test]
fn single_octets_are_as_good_as_one_piece() {
    let mut scripted = Scripted::new(SocketType::Pull);
    let mut events = Vec::new();
    for octet in conversation() {
        events.extend(scripted.feed(&[octet]).unwrap());
    }
    assert_eq!(events, delivered());
}

// ZMTP31-004, ZMTP31-005, ZMTP31-012, ZMTP31-015, ZMTP31-016: cases D15 to D22
#[test]
fn what_has_no_meaning_in_a_greeting_is_not_looked_at() {
    let with = |at: usize, octets: &[u8]| {
        let mut greeting = greeting(V3_1);
        greeting[at..at + octets.len()].copy_from_slice(octets);
        greeting
    };
    for (case, theirs) in [
        ("D15", with(10, &[4, 0])),
        ("D16", with(10, &[3, 9])),
        ("D17", with(10, &[0xff, 0xff])),
        ("D18", with(1, &[0, 1, 2, 3, 4, 5, 6, 7])),
        ("D19", with(9, &[0x01])),
        ("D20", with(9, &[0xff])),
        ("D21", with(33, &[0xaa; 31])),
        ("D22", with(32, &[1])),
        ("D22", with(32, &[7])),
    ] {
        let mut scripted = Scripted::new(SocketType::Pull);
        let rest = [ready(SocketType::Push, &[]), frame(0, b"hello")].concat();
        let events = scripted.feed(&[theirs.clone(), rest].concat());
        assert_eq!(events, Ok(delivered()), "{case}");
        let peer = scripted.session.peer().unwrap();
        let [major, minor] = [theirs[10], theirs[11]];
        assert_eq!(peer.version, Version { major, minor }, "{case}");
        let is_server = theirs[32] != 0;
        assert_eq!(peer.role == SecurityRole::Server, is_server, "{case}");
        assert_eq!(scripted.sent()[10..12], [3, 1], "{case}");
    }
}

// ZMTP31-007, ZMTP31-008, ZMTP31-009, ZMTP31-082: cases D23 to D25
#[test]
fn another_mechanism_gets_our_whole_greeting_and_the_end() {
    for name in [&b"CURVE"[..], b"PLAIN", b"null", b"NULL\0x", b"NULL ", b""] {
        let mut scripted = Scripted::new(SocketType::Pull);
        let error = scripted.feed(&greeting_of(V3_1, name)).unwrap_err();
        let mut field = [0; MechanismName::LEN];
        field[..name.len()].copy_from_slice(name);
        let theirs = MechanismName::from_octets(field);
        assert_eq!(
            error,
            SessionError::Incompatible(Incompatible::Mechanism { theirs })
        );
        assert!(!error.is_retryable());
        assert_eq!(scripted.sent(), greeting(V3_1));
        assert_eq!(scripted.session.state(), SessionState::Closed);
    }
}

// ZMTP31-018, ZMTP31-024, ZMTP31-148, ZMTP31-156, ZMTP30-020: cases D1, D2, D8, D9, D10, D29
#[test]
fn older_protocols_and_others_are_refused_as_soon_as_they_show() {
    let signature = [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f];
    let refuse = |octets: &[u8]| {
        let mut scripted = Scripted::new(SocketType::Pull);
        let before = scripted.feed(&octets[..octets.len() - 1]);
        assert_eq!(before, Ok(vec![]));
        let error = scripted.feed(&octets[octets.len() - 1..]).unwrap_err();
        assert!(!error.is_retryable());
        error
    };
    for first_octet in [0x01, b'G'] {
        let error = GreetingError::NoSignature { first_octet };
        let expected = SessionError::Incompatible(Incompatible::Greeting(error));
        assert_eq!(refuse(&[first_octet]), expected);
    }
    let unsupported = |version| {
        let error = GreetingError::UnsupportedVersion { version };
        SessionError::Incompatible(Incompatible::Greeting(error))
    };
    assert_eq!(
        refuse(&[0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
        unsupported(Version::V1_0)
    );
    for revision in [1, 2] {
        let octets = [&signature[..], &[revision]].concat();
        assert_eq!(refuse(&octets), unsupported(Version::V2_0));
    }
    assert_eq!(
        refuse(&[&signature[..], &[0]].concat()),
        SessionError::Malformed(Malformed::Greeting(GreetingError::UndefinedVersion))
    );
}

// ZMTP31-025, ZMTP31-093: case D34
#[test]
fn end_inside_greeting_or_handshake_is_worth_another_try() {
    let hello = [greeting(V3_1), command("READY", b"")].concat();
    for len in (0..hello.len()).step_by(STEP) {
        let mut scripted = Scripted::new(SocketType::Pull);
        assert_eq!(scripted.feed(&hello[..len]), Ok(vec![]));
        let state = scripted.session.state();
        let expected = match len {
            0..64 => SessionState::Greeting,
            _ => SessionState::Handshake,
        };
        assert_eq!(state, expected);
        let error = scripted.feed_eof().unwrap_err();
        assert_eq!(error, SessionError::Disconnected { state });
        assert!(error.is_retryable());
    }
}

// ZMTP31-023
#[test]
fn peer_that_sends_its_greeting_in_stages_gets_ours_at_each_of_them() {
    for stages in [&[64][..], &[10, 1, 53], &[11, 53]] {
        let mut scripted = Scripted::new(SocketType::Pull);
        assert_eq!(scripted.sent().len(), 64);
        let octets = conversation();
        let mut rest = &octets[..];
        for &len in stages {
            let (stage, tail) = rest.split_at(len);
            assert_eq!(scripted.feed(stage), Ok(vec![]));
            rest = tail;
        }
        assert_eq!(messages(&scripted.feed(rest).unwrap()).len(), 1);
    }
}
