//! The NULL handshake: who may talk to whom, in any order, and in time.

use std::time::Duration;

#[cfg(feature = "socket")]
use crate::endpoint::PeerAddress;
use crate::message::Frame;
use crate::pattern::{RoutingId, SocketType};
use crate::session::tests::pair::Pair;
use crate::session::tests::peer::{
    STEP, Scripted, V3_0, V3_1, command, frame, greeting, ready, ready_of, unhex,
};
use crate::session::{
    Event, Incompatible, SessionConfig, SessionError, SessionState, Side, Timeout,
};
use crate::wire::command::ErrorReason;

const ERROR_INVALID_SOCKET_TYPE: &[u8] = b"\x04\x1a\x05ERROR\x13Invalid-socket-type";

// ZMTP31-055, ZMTP31-056, ZMTP31-076, ZMTP30-004
#[test]
fn ready_goes_out_after_the_greeting_of_the_peer_without_waiting_for_its_ready() {
    for side in [Side::Connector, Side::Listener] {
        for version in [V3_0, V3_1] {
            let mut scripted = Scripted::with_config(SessionConfig::new(SocketType::Pull, side));
            scripted.sent();
            assert_eq!(scripted.feed(&greeting(version)), Ok(vec![]));
            assert_eq!(scripted.sent(), ready(SocketType::Pull, &[]));
            assert_eq!(scripted.session.state(), SessionState::Handshake);
        }
    }
}

// ZMTP31-056, INT-002, ZMTP30-005
#[test]
fn ready_is_accepted_before_ours_was_sent_with_messages_behind_it() {
    for side in [Side::Connector, Side::Listener] {
        for version in [V3_0, V3_1] {
            let mut scripted = Scripted::with_config(SessionConfig::new(SocketType::Pull, side));
            let octets = [
                greeting(version),
                ready(SocketType::Push, &[]),
                frame(0, b"early"),
            ];
            assert_eq!(
                scripted.feed(&octets.concat()),
                Ok(vec![Event::Established, Event::Frame(Frame::last("early"))])
            );
            let expected = [greeting(V3_1), ready(SocketType::Pull, &[])].concat();
            assert_eq!(scripted.sent(), expected);
        }
    }
}

// ZMTP31-057, ZMTP31-129, ZMTP30-006, INT-001
#[test]
fn nothing_but_ready_is_sent_before_the_handshake_is_done() {
    let mut config = SessionConfig::new(SocketType::Sub, Side::Connector);
    config.heartbeat = Some(crate::session::Heartbeat::new(Duration::from_millis(10)));
    let mut scripted = Scripted::with_config(config);
    scripted.feed(&greeting(V3_1)).unwrap();
    scripted.session.subscribe(b"too early");
    scripted.advance(Duration::from_secs(1)).unwrap();
    assert!(!scripted.session.is_open());
    let expected = [greeting(V3_1), ready(SocketType::Sub, &[])].concat();
    assert_eq!(scripted.sent(), expected);
}

// ZMTP31-078, ZMTP31-079, ZMTP31-080, ZMTP30-015: the whole table, as a peer announces it
#[test]
fn legal_pairs_open_and_all_others_get_an_error() {
    for ours in SocketType::ALL {
        for theirs in SocketType::ALL.into_iter().step_by(STEP) {
            let mut scripted = Scripted::new(ours);
            scripted.feed(&greeting(V3_1)).unwrap();
            scripted.sent();
            let result = scripted.feed(&ready(theirs, &[]));
            if ours.is_compatible(theirs) {
                assert_eq!(result, Ok(vec![Event::Established]));
                assert_eq!(scripted.session.peer().unwrap().socket_type, theirs);
                assert_eq!(scripted.sent(), b"");
            } else {
                let error = Incompatible::SocketType { ours, theirs };
                assert_eq!(result, Err(SessionError::Incompatible(error)));
                assert_eq!(scripted.sent(), ERROR_INVALID_SOCKET_TYPE);
                assert_eq!(scripted.session.state(), SessionState::Closed);
                assert!(scripted.session.peer().is_none());
            }
        }
    }
}

// ZMTP31-079, ZMTP31-095
#[test]
fn both_sides_of_an_illegal_pair_learn_why() {
    let mut pair = Pair::new(SocketType::Push, SocketType::Pub);
    pair.drive();
    for end in [&pair.connector, &pair.listener] {
        let error = end.error.as_ref().unwrap();
        assert!(matches!(
            error,
            SessionError::Incompatible(Incompatible::SocketType { .. })
        ));
        assert!(!error.is_retryable());
    }
}

// ZMTP31-063
#[test]
fn rejected_peer_gets_the_reason_during_the_handshake_only() {
    let mut scripted = Scripted::new(SocketType::Pull);
    scripted.feed(&greeting(V3_1)).unwrap();
    scripted.sent();
    scripted.session.reject(ErrorReason::new("400"));
    assert_eq!(scripted.sent(), b"\x04\x0a\x05ERROR\x03400");
    assert_eq!(scripted.session.state(), SessionState::Closed);
    assert_eq!(scripted.feed(b"anything"), Err(SessionError::Closed));

    let config = SessionConfig::new(SocketType::Pull, Side::Listener);
    let mut scripted = Scripted::open(config, V3_1, SocketType::Push);
    scripted.session.reject(ErrorReason::new("400"));
    assert_eq!(scripted.sent(), b"");
}

// ZMTP31-061, ZMTP31-095: cases E21, E21b
#[test]
fn error_of_the_peer_is_final() {
    for reason in ["400", "", &"x".repeat(255)] {
        let mut scripted = Scripted::new(SocketType::Pull);
        scripted.feed(&greeting(V3_1)).unwrap();
        let len = u8::try_from(reason.len()).unwrap();
        let data = [&[len], reason.as_bytes()].concat();
        let error = scripted.feed(&command("ERROR", &data)).unwrap_err();
        let reason = ErrorReason::new(reason);
        assert_eq!(error, SessionError::Refused { reason });
        assert!(!error.is_retryable());
    }
}

// ZMTP31-083, ZMTP31-084, ZMTP30-018, INT-003: cases E23, E26
#[test]
fn identity_counts_at_a_router_and_from_those_who_may_have_one() {
    let routing_id = |ours, theirs, name, value| {
        let mut scripted = Scripted::new(ours);
        scripted.feed(&greeting(V3_1)).unwrap();
        scripted.feed(&ready(theirs, &[(name, value)])).unwrap();
        scripted.session.peer().unwrap().routing_id.clone()
    };
    let (router, dealer) = (SocketType::Router, SocketType::Dealer);
    let abc = Some(RoutingId::new("abc").unwrap());
    assert_eq!(routing_id(router, dealer, "Identity", b"abc"), abc);
    assert_eq!(routing_id(router, dealer, "identity", b"abc"), abc);
    assert_eq!(routing_id(router, dealer, "Identity", b""), None);
    let longest = [b'x'; RoutingId::MAX_LEN];
    let expected = RoutingId::new(&longest[..]).ok();
    assert!(expected.is_some());
    assert_eq!(routing_id(router, dealer, "Identity", &longest), expected);
    assert_eq!(routing_id(dealer, router, "Identity", b"abc"), None);
    assert_eq!(routing_id(dealer, router, "Identity", b"\0abc"), None);
    let (pull, push) = (SocketType::Pull, SocketType::Push);
    assert_eq!(routing_id(pull, push, "Identity", &[0; 300]), None);
}

#[cfg(feature = "socket")]
#[test]
fn peer_is_where_whoever_runs_the_session_says() {
    let mut scripted = Scripted::new(SocketType::Pull);
    scripted.feed(&greeting(V3_1)).unwrap();
    scripted.feed(&ready(SocketType::Push, &[])).unwrap();
    let peer = scripted.session.peer().unwrap();
    assert_eq!(peer.address, None);
    let address = Some(PeerAddress::Tcp(([127, 0, 0, 1], 5555).into()));
    assert_eq!(peer.at(address.clone()).address, address);
    assert_eq!(peer.at(None), *peer);
}

// ZMTP31-034, ZMTP31-083
#[test]
fn our_routing_id_is_announced_in_any_length() {
    for len in [1, 38, 255] {
        let mut config = SessionConfig::new(SocketType::Dealer, Side::Connector);
        let name = vec![b'i'; len];
        config.routing_id = Some(RoutingId::new(name.clone()).unwrap());
        let mut scripted = Scripted::with_config(config);
        scripted.feed(&greeting(V3_1)).unwrap();
        let expected = ready(SocketType::Dealer, &[("Identity", &name)]);
        assert_eq!(scripted.sent()[64..], expected);
    }
}

// ZMTP31-072, ZMTP31-073, ZMTP31-087
#[test]
fn properties_are_shown_except_those_that_only_we_may_set() {
    let mut config = SessionConfig::new(SocketType::Pull, Side::Listener);
    config.metadata.insert("X-ours", "1").unwrap();
    let mut scripted = Scripted::with_config(config);
    scripted.feed(&greeting(V3_1)).unwrap();
    let others: [(&str, &[u8]); 4] = [
        ("X-Foo", b"\x00\xff"),
        ("user-id", b"root"),
        ("Foo", b""),
        ("Peer-Address", b"127.0.0.1"),
    ];
    scripted.feed(&ready(SocketType::Push, &others)).unwrap();
    let metadata = &scripted.session.peer().unwrap().metadata;
    assert_eq!(metadata.get("x-foo"), Some(&b"\x00\xff".into()));
    assert_eq!(metadata.get("Foo"), Some(&b"".into()));
    assert_eq!(metadata.get("User-Id"), None);
    assert_eq!(metadata.get("Peer-Address"), None);
    let sent = scripted.sent();
    assert_eq!(sent[64..], ready(SocketType::Pull, &[("X-ours", b"1")]));
}

// INT-016, INT-017, ZMTP31-093: case D32
#[test]
fn one_deadline_covers_the_handshake_wherever_it_stalls() {
    let hello = [greeting(V3_1), ready(SocketType::Push, &[])].concat();
    for len in (0..hello.len()).step_by(STEP) {
        let mut scripted = Scripted::new(SocketType::Pull);
        let deadline = scripted.start + Duration::from_secs(30);
        let pause = Duration::from_secs(29) / 90;
        for octet in &hello[..len] {
            scripted.advance(pause).unwrap();
            assert_eq!(scripted.feed(&[*octet]), Ok(vec![]));
            assert_eq!(scripted.session.poll_timeout(), Some(deadline));
        }
        let error = scripted.advance(Duration::from_secs(30)).unwrap_err();
        assert_eq!(scripted.now, deadline);
        assert_eq!(error, SessionError::TimedOut(Timeout::Handshake));
        assert!(error.is_retryable());
        assert_eq!(scripted.session.poll_timeout(), None);
    }
}

// INT-019, INT-020
#[test]
fn open_session_without_heartbeat_has_no_timer() {
    let config = SessionConfig::new(SocketType::Pull, Side::Listener);
    let mut scripted = Scripted::open(config, V3_1, SocketType::Push);
    assert_eq!(scripted.session.poll_timeout(), None);
    scripted.advance(Duration::from_secs(1 << 20)).unwrap();
    assert!(scripted.session.is_open());
}

// ZMTP31-058, ZMTP31-077
#[test]
fn ready_without_properties_is_read_and_not_enough() {
    let mut scripted = Scripted::new(SocketType::Pull);
    scripted.feed(&greeting(V3_1)).unwrap();
    scripted.sent();
    assert_eq!(ready_of(&[]), unhex("0406 055245414459"));
    let error = SessionError::Incompatible(Incompatible::MissingSocketType);
    assert_eq!(scripted.feed(&ready_of(&[])), Err(error));
    assert_eq!(scripted.sent(), b"");
}

// ZMTP31-097
#[test]
fn new_session_knows_nothing_of_the_last_one() {
    let config = SessionConfig::new(SocketType::Pull, Side::Connector);
    let mut scripted = Scripted::open(config.clone(), V3_1, SocketType::Push);
    let begun = scripted.feed(&frame(1, b"begun")).unwrap();
    assert_eq!(begun, [Event::Frame(Frame::more("begun"))]);
    assert!(scripted.feed_eof().is_err());
    let mut scripted = Scripted::open(config, V3_1, SocketType::Push);
    let fresh = scripted.feed(&frame(0, b"fresh")).unwrap();
    assert_eq!(fresh, [Event::Frame(Frame::last("fresh"))]);
}
