//! Peers that do not fit, lie, or are late.

use std::time::Duration;

use super::secure::{Secure, client_config, keys, server_config};
use crate::mechanism::{
    Authentication, CurveClient, CurveCommand, CurveError, Decision, Denial, MechanismConfig,
};
use crate::message::{Frame, More, Part};
use crate::pattern::SocketType;
use crate::session::tests::peer::{V3_1, command, frame, greeting_of};
use crate::session::{Event, SessionError, SessionState, Side, Timeout, Violation};
use crate::wire::command::ErrorReason;
use crate::wire::frame::FrameError;

// CURVE-038, CURVE-059, CURVE-063, ZAP-024, ZAP-025, ZAP-026
#[test]
fn denied_client_learns_the_code_in_the_clear_or_nothing() {
    for denial in [Denial::Temporary, Denial::Refused, Denial::InternalError] {
        let authentication = Authentication::Required;
        let mut secure = Secure::new(
            client_config(SocketType::Push, Side::Connector),
            server_config(SocketType::Pull, Side::Listener, authentication),
        );
        secure.drive();
        let decision = Decision::Deny(denial);
        let result = secure.server.session.authenticate(secure.now, decision);
        assert_eq!(result, Err(SessionError::Denied { denial }));
        secure.drive();
        assert_eq!(secure.server.session.state(), SessionState::Closed);
        match (denial, secure.client.error) {
            (Denial::Temporary, None) => {
                let error = secure.client.session.handle_eof(&[]).unwrap_err();
                assert!(error.is_retryable());
            }
            (denial, Some(SessionError::Refused { reason })) => {
                assert_eq!(reason.as_bytes(), denial.code().as_bytes());
            }
            (denial, error) => panic!("{denial} {error:?}"),
        }
    }
}

// CURVE-058, ZMTP31-080
#[test]
fn only_the_server_tells_that_the_socket_does_not_fit() {
    let mut secure = Secure::of(SocketType::Push, SocketType::Pub);
    secure.drive();
    assert!(matches!(
        secure.server.error,
        Some(SessionError::Incompatible(_))
    ));
    assert!(matches!(
        secure.client.error,
        Some(SessionError::Refused { .. })
    ));
    assert_eq!(
        (&secure.client.events, &secure.server.events),
        (&vec![], &vec![])
    );
}

// ZCURVE-007, CURVE-053, CURVE-060
#[test]
fn nothing_in_the_clear_is_taken_after_the_handshake() {
    let metadata = b"\x0bSocket-Type\0\0\0\x04PUSH";
    for octets in [
        frame(0, b"hello"),
        frame(0, &[b'x'; 100]),
        command("PING", b"\0\0"),
        command("ERROR", b"\x03400"),
        command("READY", metadata),
        command("HELLO", &[0; 194]),
    ] {
        for is_server in [true, false] {
            let mut secure = Secure::open(SocketType::Dealer, SocketType::Dealer);
            let now = secure.now;
            let end = match is_server {
                true => &mut secure.server,
                false => &mut secure.client,
            };
            let error = end.feed(now, &octets).unwrap_err();
            let is_short = octets.len() < 10;
            match error {
                SessionError::Curve(CurveError::NotMessage) => assert!(!is_short),
                SessionError::Curve(CurveError::Length { .. }) => assert!(is_short),
                error => panic!("{error:?}"),
            }
            // [CURVE-053] And nothing is said about it.
            assert!(!end.session.has_transmit());
            assert_eq!(end.session.state(), SessionState::Closed);
        }
    }
}

// ZCURVE-006, INT-006
#[test]
fn the_frame_around_a_message_may_say_that_it_is_a_command_but_not_that_more_follows() {
    for len in [5, 300] {
        for (flag, expected) in [(0, true), (4, true), (1, false)] {
            let mut secure = Secure::open(SocketType::Push, SocketType::Pull);
            secure.client.seal(More::Last, &vec![b'x'; len]);
            secure.client.output[0] |= flag;
            let octets = secure.client.output.split();
            let result = secure.server.feed(secure.now, &octets);
            if expected {
                let body = Part::from(vec![b'x'; len]);
                assert_eq!(result, Ok(vec![Event::Frame(Frame::last(body))]));
            } else {
                assert_eq!(result, Err(SessionError::Curve(CurveError::OuterMore)));
            }
        }
    }
}

// CURVE-050, CURVE-052
#[test]
fn repeated_reordered_and_changed_messages_end_the_session() {
    let sealed = |secure: &mut Secure| {
        secure.client.seal(More::Last, b"hello");
        secure.client.output.split()
    };
    let command = CurveCommand::Message;

    let mut secure = Secure::open(SocketType::Push, SocketType::Pull);
    let message = sealed(&mut secure);
    secure.server.feed(secure.now, &message).unwrap();
    let error = secure.server.feed(secure.now, &message).unwrap_err();
    let (last, received) = (3, 3);
    let nonce = CurveError::Nonce {
        command,
        last,
        received,
    };
    assert_eq!(error, SessionError::Curve(nonce));
    assert!(!error.is_retryable());

    let mut secure = Secure::open(SocketType::Push, SocketType::Pull);
    let messages = [sealed(&mut secure), sealed(&mut secure)];
    let reordered = [&messages[1][..], &messages[0]].concat();
    let error = secure.server.feed(secure.now, &reordered).unwrap_err();
    assert!(matches!(
        error,
        SessionError::Curve(CurveError::Nonce { .. })
    ));
    // What came before the fault has been delivered.
    assert_eq!(secure.server.events.len(), 1);

    let mut secure = Secure::open(SocketType::Push, SocketType::Pull);
    let mut changed = sealed(&mut secure);
    *changed.last_mut().unwrap() ^= 1;
    let error = secure.server.feed(secure.now, &changed).unwrap_err();
    assert_eq!(error, SessionError::Curve(CurveError::Box { command }));
    assert!(secure.server.events.is_empty());
}

// CURVE-056
#[test]
fn limits_hold_for_what_is_claimed_and_for_what_is_inside() {
    let limited = |limit: u64| {
        let authentication = Authentication::NotRequired;
        let mut server = server_config(SocketType::XPub, Side::Listener, authentication);
        server.limits.max_frame_size = limit;
        server.limits.max_command_size = 200;
        let mut secure = Secure::new(client_config(SocketType::XSub, Side::Connector), server);
        secure.drive();
        secure.server.events.clear();
        secure
    };
    for (limit, len, is_fine) in [(1000, 1000, true), (1000, 1001, false), (100, 101, false)] {
        let mut secure = limited(limit);
        secure.client.seal(More::Last, &vec![b'x'; len]);
        let octets = secure.client.output.split();
        let result = secure.server.feed(secure.now, &octets);
        assert_eq!(result.is_ok(), is_fine);
        if let Err(error) = result {
            let too_large = matches!(
                error,
                SessionError::Violation(Violation::Frame(FrameError::MessageFrameTooLarge { .. }))
            );
            assert!(too_large, "{error:?}");
        }
    }
    for (topic, is_fine) in [(190, true), (191, false)] {
        let mut secure = limited(1000);
        secure.client.session.subscribe(&vec![b'x'; topic]);
        secure.client.transmit();
        let octets = secure.client.output.split();
        let result = secure.server.feed(secure.now, &octets);
        assert_eq!(result.is_ok(), is_fine);
    }
    // Before any of it has come.
    let mut secure = limited(1000);
    let claim = [&[2][..], &1034_u64.to_be_bytes()].concat();
    assert!(secure.server.feed(secure.now, &claim).is_err());
    let mut secure = limited(1000);
    let claim = [&[2][..], &1033_u64.to_be_bytes()].concat();
    assert_eq!(secure.server.feed(secure.now, &claim), Ok(vec![]));
}

// CURVE-032: what was CVE-2019-13132
#[test]
fn initiate_of_any_size_is_refused_or_judged_and_never_held() {
    for body_len in [257_usize, 511, 512, 513, 8192, 8193, 64 << 10, 1 << 20] {
        let mut secure = Secure::of(SocketType::Push, SocketType::Pull);
        let now = secure.now;
        secure.say_hello();
        let initiate = command("INITIATE", &vec![0; body_len - 9]);
        let error = secure.server.feed(now, &initiate).unwrap_err();
        match error {
            SessionError::Curve(CurveError::Cookie) => assert!(body_len <= 8192),
            SessionError::Violation(Violation::Frame(_)) => assert!(body_len > 8192),
            error => panic!("{error:?}"),
        }
    }
}

// CURVE-025, INT-016, CURVE-061
#[test]
fn server_forgets_a_cookie_after_a_minute_though_the_handshake_may_take_longer() {
    let authentication = Authentication::NotRequired;
    let mut config = server_config(SocketType::Pull, Side::Listener, authentication);
    for (timeout, expected) in [
        (None, Duration::from_secs(60)),
        (Some(Duration::from_secs(300)), Duration::from_secs(60)),
        (Some(Duration::from_secs(10)), Duration::from_secs(10)),
    ] {
        config.handshake_timeout = timeout;
        let client = client_config(SocketType::Push, Side::Connector);
        let mut secure = Secure::new(client, config.clone());
        secure.say_hello();
        let deadline = secure.now + expected;
        assert_eq!(secure.server.session.poll_timeout(), Some(deadline));
        let error = secure.server.session.handle_timeout(deadline).unwrap_err();
        assert_eq!(error, SessionError::TimedOut(Timeout::Handshake));
    }
}

#[test]
fn two_clients_and_two_servers_never_agree() {
    let client = |side| client_config(SocketType::Pair, side);
    let server = |side| server_config(SocketType::Pair, side, Authentication::NotRequired);
    let (connector, listener) = (Side::Connector, Side::Listener);
    let two_clients = Secure::new(client(connector), client(listener));
    let two_servers = Secure::new(server(connector), server(listener));
    for mut secure in [two_clients, two_servers] {
        secure.advance(Duration::from_secs(30));
        for end in [secure.client, secure.server] {
            assert!(end.events.is_empty() && end.error.is_some());
        }
    }
}

// CURVE-017, CURVE-022
#[test]
fn client_with_another_key_of_the_server_gets_nowhere() {
    let mut client = client_config(SocketType::Push, Side::Connector);
    let stranger = CurveClient::new(keys(0x51).public_key(), keys(0xc0));
    client.mechanism = MechanismConfig::CurveClient(stranger);
    let authentication = Authentication::NotRequired;
    let server = server_config(SocketType::Pull, Side::Listener, authentication);
    let mut secure = Secure::new(client, server);
    secure.drive();
    let command = CurveCommand::Hello;
    let expected = SessionError::Curve(CurveError::Box { command });
    assert_eq!(secure.server.error, Some(expected));
    assert!(secure.client.events.is_empty());
}

// ZMTP31-008
#[test]
fn no_other_mechanism_will_do() {
    for theirs in [&b"NULL"[..], b"PLAIN", b"CURVE\0x", b"curve"] {
        let mut secure = Secure::of(SocketType::Push, SocketType::Pull);
        let now = secure.now;
        for end in [&mut secure.client, &mut secure.server] {
            let error = end.feed(now, &greeting_of(V3_1, theirs)).unwrap_err();
            assert!(matches!(error, SessionError::Incompatible(_)));
            end.transmit();
            assert_eq!(end.output.len(), 64);
        }
    }
}

#[test]
fn what_was_to_be_sealed_never_goes_out_after_the_end() {
    type End = fn(&mut Secure);
    let ends: [End; 3] = [
        |secure| {
            let _ = secure.client.session.handle_eof(&[]);
        },
        |secure| secure.client.session.reject(ErrorReason::new("no more")),
        |secure| {
            let now = secure.now;
            assert!(secure.client.feed(now, b"\0\x01x").is_err());
        },
    ];
    for end in ends {
        let mut secure = Secure::open(SocketType::Sub, SocketType::XPub);
        secure.client.transmit();
        secure.client.output.clear();
        secure.client.session.subscribe(b"confidential");
        end(&mut secure);
        secure.client.transmit();
        assert_eq!(&secure.client.output[..], b"");
        assert!(!secure.client.session.has_transmit());
    }
}
