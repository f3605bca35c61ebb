//! Messages, commands between their parts, and the end of the input.

use bytes::BytesMut;

use crate::message::{Frame, Message, Part};
use crate::pattern::SocketType;
use crate::session::tests::peer::{Scripted, V3_1, command, frame, messages, unhex};
use crate::session::{Event, SessionConfig, SessionError, SessionState, Side};

pub(super) fn open_pull() -> Scripted {
    let config = SessionConfig::new(SocketType::Pull, Side::Listener);
    Scripted::open(config, V3_1, SocketType::Push)
}

#[test]
fn results_of_the_hot_path_stay_small() {
    assert!(size_of::<Event>() <= 48);
    assert!(size_of::<Result<Option<Event>, SessionError>>() <= 64);
}

// ZMTP31-026, ZMTP31-033, ZMTP31-049, ZMTP31-053, PUBSUB-013: cases F2, F5, F6
#[test]
fn messages_of_any_form_are_delivered() {
    for (octets, expected) in [
        ("0000", Message::from("")),
        ("0005 68656c6c6f", Message::from("hello")),
        ("02 0000000000000005 68656c6c6f", Message::from("hello")),
        ("0101 61 0100 0001 63", Message::from(["a", "", "c"])),
        ("0100 0100 0000", Message::from(["", "", ""])),
    ] {
        let events = open_pull().feed(&unhex(octets)).unwrap();
        assert_eq!(messages(&events), [expected]);
    }
}

#[test]
fn parts_that_fit_do_not_hold_the_read_buffer_and_larger_ones_are_not_copied() {
    let mut session = open_pull().session;
    let mut input = BytesMut::from(&frame(0, &[7; Part::INLINE_CAPACITY])[..]);
    input.extend_from_slice(&frame(0, &[8; 1000]));
    let body_at = input.as_ptr().wrapping_add(2 + Part::INLINE_CAPACITY + 9);
    let now = std::time::Instant::now();
    let mut next = || match session.handle_input(now, &mut input) {
        Ok(Some(Event::Frame(frame))) => frame.body,
        other => panic!("{other:?}"),
    };
    assert!(next().is_inline());
    assert_eq!(next().as_ptr(), body_at);
}

#[test]
fn messages_that_are_for_nobody_are_counted_once_each() {
    let config = SessionConfig::new(SocketType::Push, Side::Listener);
    let mut push = Scripted::open(config, V3_1, SocketType::Pull);
    let messages = [
        frame(1, b"a"),
        frame(1, b"b"),
        frame(0, b"c"),
        frame(0, b"d"),
    ];
    assert_eq!(push.feed(&messages.concat()), Ok(vec![]));
    assert_eq!(push.session.take_discarded(), 2);
    assert_eq!(push.session.take_discarded(), 0);
    push.feed(&frame(0, b"e")).unwrap();
    assert_eq!(push.session.take_discarded(), 1);
}

#[test]
fn a_small_message_with_others_behind_it_is_taken_at_once() {
    let mut scripted = open_pull();
    let others = [frame(0, &[b'x'; 300]), frame(0, b"last")].concat();
    let mut input = BytesMut::from(&[&frame(0, b"small")[..], &others].concat()[..]);
    let mut next = || {
        let now = scripted.now;
        scripted.session.take_small_message(now, &mut input)
    };
    assert_eq!(next().as_deref(), Some(&b"small"[..]));
    assert_eq!(next(), None, "the next one is not small");
    assert_eq!(input, others);
}

#[cfg(feature = "socket")]
#[test]
fn whole_messages_are_taken_between_others_and_nothing_else_is() {
    let mut scripted = open_pull();
    let now = scripted.now;
    for body in [&b"small"[..], &[b'x'; 300]] {
        let message = frame(0, body);
        let mut input = BytesMut::from(&message[..]);
        let taken = scripted.session.take_message(now, &mut input);
        assert_eq!(taken.as_deref(), Some(body));
        assert!(input.is_empty());
    }
    let refused = |scripted: &mut Scripted, octets: &[u8]| {
        let mut input = BytesMut::from(octets);
        assert_eq!(scripted.session.take_message(now, &mut input), None);
        assert_eq!(input, octets);
    };
    refused(&mut scripted, &command("PING", b"\0\0"));
    refused(&mut scripted, &frame(1, b"part"));
    scripted.feed(&frame(1, b"part")).unwrap();
    refused(&mut scripted, &frame(0, b"the last part"));
}

#[test]
fn session_shows_how_far_it_is_and_not_what_it_sends() {
    let scripted = open_pull();
    let shown = format!("{:?}", scripted.session);
    assert!(
        shown.starts_with("Session { state: Open, socket_type: Pull"),
        "{shown}"
    );
    let states = [
        SessionState::Greeting,
        SessionState::Handshake,
        SessionState::Open,
        SessionState::Closed,
    ];
    let names = states.map(|state| state.to_string());
    assert_eq!(names, ["greeting", "handshake", "open", "closed"]);
}

// ZMTP31-044, ZMTP31-045, ZMTP31-046, ZMTP31-136: cases F7, F11
#[test]
fn commands_between_parts_do_not_disturb_the_message() {
    let mut scripted = open_pull();
    let octets = [
        frame(1, b"a"),
        command("PING", b"\0\0ctx"),
        command("FOO", b"x"),
        command("JOIN", b"group"),
        frame(0, b"b"),
    ];
    let events = scripted.feed(&octets.concat()).unwrap();
    assert_eq!(messages(&events), [Message::from(["a", "b"])]);
    assert_eq!(events.len(), 2);
    assert_eq!(scripted.sent(), command("PONG", b"ctx"));
}

// ZMTP31-136
#[test]
fn ping_inside_a_message_is_answered_before_its_last_part() {
    let mut scripted = open_pull();
    let octets = [frame(1, b"a"), command("PING", b"\0\0")].concat();
    scripted.feed(&octets).unwrap();
    assert_eq!(scripted.sent(), command("PONG", b""));
}

// ZMTP31-043, ZMTP31-046: case G11
#[test]
fn command_names_count_case_and_length() {
    let mut scripted = open_pull();
    for name in ["ping", "PIN", "PINGS", "Ready", "READYX", "error"] {
        assert_eq!(scripted.feed(&command(name, b"\0\0")), Ok(vec![]));
    }
    assert_eq!(scripted.sent(), b"");
    assert!(scripted.session.is_open());
}

// Case G12
#[test]
fn octets_of_a_command_in_a_message_are_a_message() {
    let mut scripted = open_pull();
    let events = scripted.feed(&frame(0, b"\x04PING\0\0a")).unwrap();
    assert_eq!(messages(&events), [Message::from(b"\x04PING\0\0a")]);
    assert_eq!(scripted.sent(), b"");
}

// Subscriptions mean nothing to sockets that do not publish.
#[test]
fn subscriptions_at_a_socket_without_topics_are_ignored() {
    let mut scripted = open_pull();
    for name in ["SUBSCRIBE", "CANCEL"] {
        assert_eq!(scripted.feed(&command(name, b"topic")), Ok(vec![]));
    }
    let events = scripted.feed(&frame(0, b"\x01topic")).unwrap();
    assert_eq!(events, [Event::Frame(Frame::last("\x01topic"))]);
}

// ZMTP31-039, ZMTP31-050, ZMTP31-093: cases F15, F17
#[test]
fn end_inside_a_frame_or_message_is_not_clean() {
    for octets in [
        &b"\x00\x05he"[..],
        b"\x01\x01a",
        b"\x02\0\0\0\0\0\0\x01\0x",
        // Not even the head is there.
        b"\x00",
        b"\x02\0\0",
    ] {
        let mut scripted = open_pull();
        scripted.feed(&frame(0, b"good")).unwrap();
        let events = scripted.feed(octets).unwrap();
        assert!(messages(&events).is_empty());
        let state = SessionState::Open;
        assert_eq!(
            scripted.feed_eof(),
            Err(SessionError::Disconnected { state })
        );
    }
}

#[test]
fn end_between_messages_is_clean_and_final() {
    let mut scripted = open_pull();
    scripted.feed(&frame(0, b"good")).unwrap();
    assert_eq!(scripted.feed_eof(), Ok(()));
    assert_eq!(scripted.session.state(), SessionState::Closed);
    assert_eq!(scripted.feed(&frame(0, b"late")), Err(SessionError::Closed));
    assert_eq!(scripted.feed_eof(), Ok(()));
    assert_eq!(scripted.session.poll_timeout(), None);
}

// ZMTP31-036
#[test]
fn room_for_a_large_frame_grows_with_what_came_of_it() {
    let mut scripted = open_pull();
    assert_eq!(scripted.session.read_hint(), 0);
    let large = frame(0, &vec![1; 1 << 20]);
    scripted.feed(&large[..9]).unwrap();
    let at_first = scripted.session.read_hint();
    assert!(at_first <= 64 << 10, "{at_first}");
    scripted.feed(&large[9..9 + (512 << 10)]).unwrap();
    assert_eq!(scripted.session.read_hint(), 512 << 10);
    let events = scripted.feed(&large[9 + (512 << 10)..]).unwrap();
    assert_eq!(
        messages(&events),
        [Message::from(Part::from(vec![1; 1 << 20]))]
    );
    assert_eq!(scripted.session.read_hint(), 0);
}
