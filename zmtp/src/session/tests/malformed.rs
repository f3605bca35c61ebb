//! What a peer may send wrong after its greeting, case by case, and what it gets for it.
//!
//! Each case is fed in one piece and octet by octet.

use crate::pattern::{RoutingIdError, SocketType};
use crate::session::tests::peer::{
    STEP, Scripted, V3_0, V3_1, command, frame, greeting, ready, ready_of, unhex,
};
use crate::session::{Incompatible, Malformed, SessionError, SessionState, Violation};
use crate::wire::command::{CommandError, ErrorReason};
use crate::wire::frame::FrameError;
use crate::wire::metadata::{MetadataError, PropertyName};

/// A ROUTER, to whom every property means something, or a PULL.
fn check(ours: SocketType, before: &[u8], case: &str, octets: &[u8], expected: &SessionError) {
    let step = [octets.len(), 1];
    for len in step {
        let mut scripted = Scripted::new(ours);
        scripted.feed(before).unwrap();
        let mut pieces = octets.chunks(len);
        let error = pieces.find_map(|piece| scripted.feed(piece).err());
        assert_eq!(error.as_ref(), Some(expected), "{case}");
        assert_eq!(scripted.session.state(), SessionState::Closed, "{case}");
        assert!(!expected.is_retryable(), "{case}");
        assert_eq!(scripted.feed(&[0]), Err(SessionError::Closed), "{case}");
    }
}

fn malformed_frame(error: FrameError) -> SessionError {
    Malformed::Frame(error).into()
}

fn malformed(error: CommandError) -> SessionError {
    Malformed::Command(error).into()
}

fn malformed_metadata(error: MetadataError) -> SessionError {
    malformed(CommandError::Metadata(error))
}

fn out_of_turn(name: &str) -> SessionError {
    let name = name.to_owned();
    Violation::UnexpectedCommand { name }.into()
}

fn duplicate(name: &str) -> SessionError {
    let name = PropertyName::new(name).unwrap();
    malformed_metadata(MetadataError::Duplicate { name })
}

// ZMTP31-030, ZMTP31-042, ZMTP31-043, ZMTP31-047, ZMTP31-060, ZMTP31-061: cases E1 to E3, E17 to
// E22
#[test]
fn handshake_takes_one_ready_and_nothing_else() {
    let push = ready(SocketType::Push, &[]);
    let refused = |reason| {
        let reason = ErrorReason::new(reason);
        SessionError::Refused { reason }
    };
    let with_flags = |flags| [&[flags], &push[1..]].concat();
    for (case, octets, expected) in [
        (
            "E1",
            frame(0, b"hello"),
            Violation::UnexpectedMessage.into(),
        ),
        ("E2", with_flags(0), Violation::UnexpectedMessage.into()),
        (
            "E3",
            with_flags(5),
            malformed_frame(FrameError::CommandWithMore { flags: 5 }),
        ),
        ("E17", command("Ready", &push[8..]), out_of_turn("Ready")),
        ("E18", command("FOO", b"x"), out_of_turn("FOO")),
        ("E19", unhex("0400"), malformed(CommandError::MissingName)),
        ("E20", command("PING", b"\0\0"), out_of_turn("PING")),
        ("E20", command("SUBSCRIBE", b""), out_of_turn("SUBSCRIBE")),
        ("E21", command("ERROR", b"\x03400"), refused("400")),
        ("E21b", command("ERROR", b"\x00"), refused("")),
        (
            "E21c",
            command("ERROR", b""),
            malformed(CommandError::ErrorReasonLength),
        ),
        (
            "E21d",
            command("ERROR", b"\x09ab"),
            malformed(CommandError::ErrorReasonLength),
        ),
        ("E22", command("READYX", &push[8..]), out_of_turn("READYX")),
    ] {
        check(SocketType::Pull, &greeting(V3_1), case, &octets, &expected);
    }
}

// ZMTP31-066, ZMTP31-067, ZMTP31-069, ZMTP31-071, ZMTP31-074, ZMTP31-077, ZMTP31-078, ZMTP31-082,
// ZMTP30-016: cases E5 to E15
#[test]
fn properties_are_legal_or_the_end() {
    let socket_type = &b"\x0bSocket-Type\0\0\0\x04PUSH"[..];
    let with = |more: &[u8]| command("READY", &[socket_type, more].concat());
    let typed = |value: &[u8]| ready_of(&[("Socket-Type", value)]);
    let truncated = || malformed_metadata(MetadataError::Truncated);
    let too_long = |len| {
        let limit = (1 << 31) - 1;
        malformed_metadata(MetadataError::ValueTooLong { len, limit })
    };
    let unknown = || SessionError::Incompatible(Incompatible::UnknownSocketType);
    let incompatible = || {
        SessionError::Incompatible(Incompatible::SocketType {
            ours: SocketType::Pull,
            theirs: SocketType::Pub,
        })
    };
    for (case, octets, expected) in [
        (
            "E5",
            command("READY", b""),
            Incompatible::MissingSocketType.into(),
        ),
        ("E6", typed(b"FOO"), unknown()),
        ("E7", typed(b"PUB"), incompatible()),
        ("E7b", typed(b"push"), unknown()),
        ("E8", ready_of(&[("socket-type", b"PUB")]), incompatible()),
        (
            "E9",
            with(b"\0\0\0\0\x01x"),
            malformed_metadata(MetadataError::EmptyName),
        ),
        ("E10", with(b"x"), truncated()),
        ("E11", with(b"\x01x\0\0\0\x09ab"), truncated()),
        ("E12", with(b"\x01x\x80\0\0\0"), too_long(1 << 31)),
        ("E13", with(b"\x01x\xff\xff\xff\xff"), too_long(0xffff_ffff)),
        (
            "E14",
            with(b"\x03a b\0\0\0\0"),
            malformed_metadata(MetadataError::InvalidName { octet: b' ' }),
        ),
        (
            "E15",
            with(b"\x0bSocket-Type\0\0\0\x03PUB"),
            duplicate("Socket-Type"),
        ),
    ] {
        check(SocketType::Pull, &greeting(V3_1), case, &octets, &expected);
    }
}

// ZMTP31-071
#[test]
fn ready_cut_anywhere_is_malformed() {
    let whole = &ready(SocketType::Push, &[("X-a", b"b")])[2..];
    let name_len = 6;
    // A READY with no property or one is whole.
    let whole_at = [name_len, name_len + 20];
    let cuts = (name_len..whole.len()).step_by(STEP);
    for len in cuts.filter(|len| !whole_at.contains(len)) {
        let octets = frame(4, &whole[..len]);
        let expected = malformed_metadata(MetadataError::Truncated);
        check(SocketType::Pull, &greeting(V3_1), "cut", &octets, &expected);
    }
}

// ZMTP31-074, ZMTP31-085, ZMTP31-086, ZMTP30-017: cases E24, E25, E27
#[test]
fn illegal_identities_are_refused() {
    let illegal = |error| SessionError::Malformed(Malformed::RoutingId(error));
    let dealer = |identity: &[u8]| ready(SocketType::Dealer, &[("Identity", identity)]);
    for (case, octets, expected) in [
        ("E24", dealer(b"\0abc"), illegal(RoutingIdError::Reserved)),
        (
            "E25",
            dealer(&[b'i'; 256]),
            illegal(RoutingIdError::TooLong { len: 256 }),
        ),
        (
            "E27",
            ready(
                SocketType::Dealer,
                &[("Identity", b"first"), ("identity", b"second")],
            ),
            duplicate("identity"),
        ),
    ] {
        for version in [V3_0, V3_1] {
            let ours = SocketType::Router;
            check(ours, &greeting(version), case, &octets, &expected);
        }
    }
    // An identity that is too long is so even where nobody looks at it.
    let expected = illegal(RoutingIdError::TooLong { len: 256 });
    let octets = dealer(&[b'i'; 256]);
    check(SocketType::Rep, &greeting(V3_1), "E25", &octets, &expected);
}

// Case E16
#[test]
fn ready_in_a_long_frame_is_accepted() {
    let short = ready(SocketType::Push, &[]);
    let long = [&b"\x06\0\0\0\0\0\0\0"[..], &short[1..]].concat();
    let mut scripted = Scripted::new(SocketType::Pull);
    let octets = [greeting(V3_1), long].concat();
    assert_eq!(scripted.feed(&octets).unwrap().len(), 1);
}

// ZMTP31-029, ZMTP31-030, ZMTP31-035, ZMTP31-042, ZMTP31-064: cases E4, F1, F3,
// F8 to F10, F12 to F14
#[test]
fn traffic_is_well_formed_or_the_end() {
    let reserved = |flags| malformed_frame(FrameError::ReservedFlags { flags });
    let out_of_range = |size| malformed_frame(FrameError::SizeOutOfRange { size });
    let too_large = |size| {
        let limit = (256 << 20) - 64;
        Violation::Frame(FrameError::MessageFrameTooLarge { size, limit }).into()
    };
    let refused = || {
        let reason = ErrorReason::new("400");
        SessionError::Refused { reason }
    };
    let before = [greeting(V3_1), ready(SocketType::Push, &[])].concat();
    for (case, octets, expected) in [
        ("E4", ready(SocketType::Push, &[]), out_of_turn("READY")),
        ("F1", unhex("f8 05 68656c6c6f"), reserved(0xf8)),
        ("F1b", unhex("08 05 68656c6c6f"), reserved(0x08)),
        ("F3", unhex("02 8000000000000000"), out_of_range(1 << 63)),
        (
            "F3b",
            unhex("02 7fffffffffffffff"),
            too_large((1 << 63) - 1),
        ),
        ("F3c", unhex("02 ffffffffffffffff"), out_of_range(u64::MAX)),
        ("F3d", unhex("02 0000010000000000"), too_large(1 << 40)),
        (
            "F8",
            unhex("05 05 03 464f4f 78"),
            malformed_frame(FrameError::CommandWithMore { flags: 5 }),
        ),
        (
            "F8",
            unhex("07 05 03 464f4f 78"),
            malformed_frame(FrameError::CommandWithMore { flags: 7 }),
        ),
        ("F9", unhex("0400"), malformed(CommandError::MissingName)),
        (
            "F10",
            unhex("0402 0961"),
            malformed(CommandError::TruncatedName {
                claimed: 9,
                available: 1,
            }),
        ),
        ("F12", command("READY", b""), out_of_turn("READY")),
        ("F13", command("ERROR", b"\x03400"), refused()),
        (
            "F14",
            unhex("0401 00"),
            malformed(CommandError::MissingName),
        ),
    ] {
        check(SocketType::Pull, &before, case, &octets, &expected);
    }
}

// INT-010, INT-011
#[test]
fn broken_subscriptions_of_libzmq_end_cleanly() {
    let before = [greeting(V3_1), ready(SocketType::Push, &[])].concat();
    for (case, octets, expected) in [
        // What libzmq 4.3.3 and 4.3.4 make of topics with 246 to 255 octets: a short size of zero
        // and the octets of a long one behind it.
        (
            "INT-010",
            unhex("04 0000000000000100 09"),
            malformed(CommandError::MissingName),
        ),
        // The same of 4.3.4 and 4.3.5 for a topic of 255 octets in a message, and the topic.
        (
            "INT-011",
            [unhex("00 0000000000000100 01"), vec![b't'; 255]].concat(),
            malformed_frame(FrameError::ReservedFlags { flags: b't' }),
        ),
    ] {
        check(SocketType::Pull, &before, case, &octets, &expected);
    }
}
