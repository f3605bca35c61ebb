//! Sessions that get on with each other.

use std::time::Duration;

use bytes::BytesMut;
use proptest::prelude::*;

use super::secure::{Secure, carry, client_config, keys, server_config};
use crate::mechanism::{Authentication, Credentials, Decision, SealError};
use crate::message::{Frame, Message, More, Part};
use crate::pattern::SocketType;
use crate::session::tests::pair::Pair;
use crate::session::tests::peer::{V3_1, greeting_of, messages};
use crate::session::{Event, Heartbeat, Side};
use crate::wire::command::ErrorReason;
use crate::wire::metadata::Metadata;

// ZCURVE-001, ZCURVE-002, ZMTP31-013, CURVE-001
#[test]
fn sessions_agree_whoever_connects_and_whatever_the_greeting_says() {
    for (client_side, server_side) in [
        (Side::Connector, Side::Listener),
        (Side::Listener, Side::Connector),
    ] {
        let authentication = Authentication::NotRequired;
        let mut secure = Secure::new(
            client_config(SocketType::Dealer, client_side),
            server_config(SocketType::Router, server_side, authentication),
        );
        secure.client.transmit();
        secure.server.transmit();
        assert_eq!(secure.client.output[..], greeting_of(V3_1, b"CURVE"));
        assert_eq!(
            (secure.server.output[32], secure.server.output.len()),
            (1, 64)
        );
        // [ZMTP31-014] libzmq says 0 as a server, too.
        secure.server.output[32] = 0;
        secure.drive();
        for end in [&secure.client, &secure.server] {
            assert_eq!(end.events, [Event::Established]);
            assert!(end.session.needs_sealing());
            assert_eq!(end.error, None);
        }
    }
}

// CURVE-048, CURVE-054, ZCURVE-005, ZMTP31-049
#[test]
fn messages_of_both_sides_arrive_in_order() {
    let mut secure = Secure::open(SocketType::Dealer, SocketType::Router);
    let sent: Vec<Message> = (0..100_u8)
        .map(|n| {
            vec![
                vec![n; usize::from(n)],
                vec![],
                vec![n; 300],
                vec![n; 70_000],
            ]
        })
        .map(Message::from_iter)
        .collect();
    for message in &sent {
        secure.client.send(message);
        secure.server.send(message);
    }
    // [ZCURVE-005] [CURVE-048] No octet says what is inside.
    assert!(secure.client.output.starts_with(b"\0\x21\x07MESSAGE"));
    secure.drive();
    assert_eq!(messages(&secure.server.events), sent);
    assert_eq!(messages(&secure.client.events), sent);
}

#[test]
fn small_bodies_are_kept_in_the_value_and_large_ones_where_they_came() {
    let mut secure = Secure::open(SocketType::Push, SocketType::Pull);
    secure.client.seal(More::Last, &[1; 32]);
    secure.client.seal(More::Last, &[2; 5000]);
    secure.server.input.reserve(10_000);
    let octets = secure.client.output.split();
    secure.server.input.extend_from_slice(&octets);
    let buffer = secure.server.input.as_ptr_range();
    secure.server.receive(secure.now);
    let [Event::Frame(small), Event::Frame(large)] = &secure.server.events[..] else {
        panic!("{:?}", secure.server.events);
    };
    assert!(small.body.is_inline());
    assert!(buffer.contains(&large.body.as_ptr()));
}

// CURVE-055, ZMTP31-145, INT-007
#[test]
fn subscriptions_and_heartbeats_are_sealed_too() {
    let heartbeat = Heartbeat::new(Duration::from_secs(1));
    let mut subscriber = client_config(SocketType::Sub, Side::Connector);
    subscriber.heartbeat = Some(heartbeat);
    let authentication = Authentication::NotRequired;
    let publisher = server_config(SocketType::XPub, Side::Listener, authentication);
    let mut secure = Secure::new(subscriber, publisher);
    secure.drive();
    secure.server.events.clear();
    secure.client.session.subscribe(b"topic");
    secure.client.session.cancel(b"other");
    secure.client.transmit();
    assert!(secure.client.output.starts_with(b"\0\x30\x07MESSAGE"));
    for name in [&b"SUBSCRIBE"[..], b"CANCEL", b"topic"] {
        let mut windows = secure.client.output.windows(name.len());
        assert!(!windows.any(|octets| octets == name));
    }
    secure.drive();
    let expected = [
        Event::Subscribe(Part::from("topic")),
        Event::Cancel(Part::from("other")),
    ];
    assert_eq!(secure.server.events, expected);
    // [ZMTP31-129] [ZMTP31-143] PING and PONG alone keep it alive.
    secure.advance(Duration::from_secs(60));
    assert_eq!((secure.client.error, secure.server.error), (None, None));
    assert!(secure.client.session.is_open());
}

#[test]
fn what_the_handshake_said_last_is_not_sealed() {
    let mut secure = Secure::of(SocketType::Sub, SocketType::Pub);
    while !secure.client.session.is_open() {
        secure.client.transmit();
        secure.server.input.unsplit(secure.client.output.split());
        secure.server.receive(secure.now);
        if secure.server.session.is_open() {
            // READY waits; what comes behind it waits as well.
            secure.server.session.subscribe(b"x");
        }
        secure.server.transmit();
        secure.client.input.unsplit(secure.server.output.split());
        secure.client.receive(secure.now);
        let errors = (&secure.client.error, &secure.server.error);
        assert_eq!(errors, (&None, &None), "it would never open");
    }
}

// CURVE-050
#[test]
fn control_goes_out_in_the_order_of_the_nonces() {
    let mut secure = Secure::open(SocketType::XSub, SocketType::XPub);
    secure.client.session.subscribe(b"first");
    let mut out = Vec::new();
    // Sealed later than it was queued, and later than this message.
    secure
        .client
        .session
        .seal(More::Last, b"hello", &mut out)
        .unwrap();
    secure.client.output.extend_from_slice(&out);
    secure.drive();
    let expected = [
        Event::Frame(Frame::last(Part::from("hello"))),
        Event::Subscribe(Part::from("first")),
    ];
    assert_eq!(secure.server.events, expected);
}

// ZAP-016, ZAP-029, ZAP-040
#[test]
fn ready_waits_for_the_decision_about_the_key() {
    let authentication = Authentication::Required;
    let mut secure = Secure::new(
        client_config(SocketType::Push, Side::Connector),
        server_config(SocketType::Pull, Side::Listener, authentication),
    );
    secure.drive();
    let [Event::Authenticate(request)] = &secure.server.events[..] else {
        panic!("{:?}", secure.server.events);
    };
    let public_key = keys(0xc0).public_key();
    assert_eq!(request.credentials, Credentials::Curve { public_key });
    assert_eq!(request.metadata.get("socket-type"), Some(&b"PUSH".into()));
    assert!(!secure.client.session.is_open() && secure.server.session.is_undecided());
    assert_eq!(
        secure
            .server
            .session
            .seal(More::Last, b"x", &mut Vec::new()),
        Err(SealError::NotOpen)
    );
    let decision = Decision::Allow {
        user_id: Some(Part::from("joe")),
        metadata: Metadata::new(),
    };
    let event = secure.server.session.authenticate(secure.now, decision);
    assert_eq!(event, Ok(Some(Event::Established)));
    secure.drive();
    assert_eq!(secure.client.events, [Event::Established]);
    let peer = secure.server.session.peer().unwrap();
    assert_eq!(peer.user_id, Some(Part::from("joe")));
    assert_eq!(secure.client.session.peer().unwrap().user_id, None);
}

// CURVE-025
#[test]
fn the_lifetime_of_the_cookie_does_not_hurry_the_decision() {
    let authentication = Authentication::Required;
    let mut server = server_config(SocketType::Pull, Side::Listener, authentication);
    server.handshake_timeout = None;
    let client = client_config(SocketType::Push, Side::Connector);
    let mut secure = Secure::new(client, server);
    secure.say_hello();
    assert!(secure.server.session.poll_timeout().is_some());
    secure.drive();
    assert!(secure.server.session.is_undecided());
    assert_eq!(secure.server.session.poll_timeout(), None);
    secure.now += Duration::from_secs(600);
    assert_eq!(secure.server.session.handle_timeout(secure.now), Ok(()));
    let decision = Decision::allowed();
    let event = secure.server.session.authenticate(secure.now, decision);
    assert_eq!(event, Ok(Some(Event::Established)));
}

#[test]
fn sealing_is_encoding_where_nothing_is_encrypted_and_an_error_where_nothing_is_open() {
    let mut pair = Pair::new(SocketType::Push, SocketType::Pull);
    let mut out = Vec::new();
    let session = &mut pair.connector.session;
    assert_eq!(
        session.seal(More::Last, b"x", &mut out),
        Err(SealError::NotOpen)
    );
    assert!(out.is_empty());
    pair.drive();
    let session = &mut pair.connector.session;
    assert!(!session.needs_sealing());
    session.seal(More::More, b"x", &mut out).unwrap();
    assert_eq!(out, b"\x01\x01x");
    session.reject(ErrorReason::new("enough"));
    assert_eq!(
        session.seal(More::Last, b"x", &mut out),
        Err(SealError::NotOpen)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    // ZMTP31-021, ZMTP31-037
    #[test]
    fn pieces_make_no_difference(
        lens in prop::collection::vec(1..300_usize, 1..20),
        sent in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..6),
    ) {
        let mut secure = Secure::of(SocketType::Dealer, SocketType::Dealer);
        let mut lens = lens.into_iter().cycle();
        let mut greeted = false;
        loop {
            secure.client.transmit();
            secure.server.transmit();
            if !greeted && secure.client.session.is_open() && secure.server.session.is_open() {
                greeted = true;
                for body in &sent {
                    secure.client.seal(More::Last, body);
                    secure.server.seal(More::Last, body);
                }
            }
            let Secure { client, server, now } = &mut secure;
            if client.output.is_empty() && server.output.is_empty() {
                break;
            }
            carry(client, server, lens.next().unwrap(), *now);
            carry(server, client, lens.next().unwrap(), *now);
            prop_assert_eq!((&client.error, &server.error), (&None, &None));
        }
        let expected: Vec<_> = sent.iter().map(|body| Message::from(body.clone())).collect();
        for end in [&secure.client, &secure.server] {
            prop_assert_eq!(&end.events[0], &Event::Established);
            prop_assert_eq!(messages(&end.events), expected.clone());
        }
    }
}

#[test]
fn length_of_what_is_sent_is_without_what_was_there_before() {
    let mut secure = Secure::open(SocketType::Sub, SocketType::Pub);
    secure.client.session.subscribe(b"topic");
    let mut out = BytesMut::from("before");
    let len = secure.client.session.poll_transmit(&mut out);
    assert!(len > b"topic".len() && out.starts_with(b"before"));
    assert_eq!(out.len(), len + b"before".len());
}
