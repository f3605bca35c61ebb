//! Boundaries, damage and everything that must be refused.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::message::Part;
use crate::wire::frame::{FrameDecoder, FrameLimits, RawFrame};
use crate::wire::metadata::{Metadata, MetadataError, MetadataLimits};
use crate::wire::tests::{apply_damage, damage};

fn decode(body: impl Into<Part>) -> Result<Command, CommandError> {
    Command::decode(body.into(), &MetadataLimits::DEFAULT)
}

fn encode(command: &Command) -> Vec<u8> {
    let mut octets = Vec::new();
    command.encode(&mut octets);
    octets
}

fn group() -> impl Strategy<Value = Group> {
    prop::collection::vec(1..=u8::MAX, 0..=Group::MAX_LEN)
        .prop_map(|octets| Group::new(octets).unwrap())
}

fn command() -> impl Strategy<Value = Command> {
    let octets = |max| prop::collection::vec(any::<u8>(), 0..max);
    let ping = (any::<[u8; 2]>(), octets(17));
    prop_oneof![
        octets(50).prop_map(|value| {
            let mut metadata = Metadata::new();
            metadata.insert(Metadata::IDENTITY, value).unwrap();
            Command::Ready(metadata)
        }),
        "\\PC{0,300}".prop_map(|text| Command::Error(ErrorReason::new(&text))),
        octets(300).prop_map(|topic| Command::Subscribe(topic.into())),
        octets(300).prop_map(|topic| Command::Cancel(topic.into())),
        group().prop_map(Command::Join),
        group().prop_map(Command::Leave),
        ping.prop_map(|(ttl, context)| Command::Ping {
            ttl: PingTtl::from_octets(ttl),
            context: PingContext::new(&context).unwrap(),
        }),
        octets(17).prop_map(|context| Command::Pong(PingContext::new(&context).unwrap())),
        ("[a-z]{1,255}", octets(300)).prop_map(|(name, data)| Command::Unknown {
            name: CommandName::new(&name).unwrap(),
            data: data.into(),
        }),
    ]
}

#[test]
fn form_of_the_frame_depends_on_the_whole_body() {
    // [ZMTP31-032] [ZMTP31-115]
    for len in 240..=260 {
        let topic = Part::from(vec![b'A'; len]);
        for (command, last_short) in [
            (Command::Subscribe(topic.clone()), 245),
            (Command::Cancel(topic.clone()), 248),
        ] {
            let flags = if len <= last_short { 0x04 } else { 0x06 };
            assert_eq!(encode(&command)[0], flags, "{len} {command:?}");
        }
    }
}

#[test]
fn groups_are_joined_and_left_by_commands_of_their_own() {
    // [ZMTP31-117] [ZMTP31-118]
    let tv = Group::new("TV").unwrap();
    assert_eq!(encode(&Command::Join(tv.clone())), b"\x04\x07\x04JOINTV");
    assert_eq!(encode(&Command::Leave(tv.clone())), b"\x04\x08\x05LEAVETV");
    assert_eq!(decode("\x04JOINTV"), Ok(Command::Join(tv.clone())));
    assert_eq!(decode("\x05LEAVETV"), Ok(Command::Leave(tv)));
    assert_eq!(decode("\x04JOIN"), Ok(Command::Join(Group::default())));
}

#[test]
fn the_longest_groups_need_the_long_form() {
    // [ZMTP31-123]
    for len in 245..=255 {
        let group = Group::new(vec![b'A'; len]).unwrap();
        for (command, last_short) in [
            (Command::Join(group.clone()), 250),
            (Command::Leave(group), 249),
        ] {
            let octets = encode(&command);
            let flags = if len <= last_short { 0x04 } else { 0x06 };
            assert_eq!(octets[0], flags, "{len} {command:?}");
            let header = if flags == 0x04 { 2 } else { 9 };
            assert_eq!(decode(octets[header..].to_vec()), Ok(command));
        }
    }
}

#[test]
fn a_group_is_255_octets_at_most_and_none_of_them_zero() {
    for name in ["\x04JOIN", "\x05LEAVE"] {
        let too_long = [name.as_bytes(), &[b'A'; 256]].concat();
        assert_eq!(
            decode(too_long),
            Err(CommandError::GroupTooLong {
                len: 256,
                limit: 255
            })
        );
        assert_eq!(
            decode(format!("{name}a\0")),
            Err(CommandError::ZeroInGroup { offset: 1 })
        );
    }
}

#[test]
fn command_without_a_proper_name_is_malformed() {
    // [ZMTP31-042]
    assert_eq!(decode(""), Err(CommandError::MissingName));
    assert_eq!(decode("\0"), Err(CommandError::MissingName));
    assert_eq!(
        decode("\x09a"),
        Err(CommandError::TruncatedName {
            claimed: 9,
            available: 1
        })
    );
    // [ZMTP31-040] Letters only.
    assert_eq!(
        decode("\x04A\0BC"),
        Err(CommandError::InvalidName { octet: 0 })
    );
}

#[test]
fn names_are_255_letters_at_most_and_shown_as_text() {
    let name = |len| CommandName::new(&"A".repeat(len));
    assert_eq!(name(255).unwrap().as_bytes().len(), 255);
    let (len, limit) = (256, 255);
    assert_eq!(name(256), Err(CommandError::NameTooLong { len, limit }));
    let name = CommandName::new("PING").unwrap();
    assert_eq!(format!("{name} {name:?}"), "PING CommandName(PING)");
}

#[test]
fn what_a_peer_wrote_is_shown_escaped() {
    let group = Group::new("a\x1b").unwrap();
    assert_eq!(format!("{group} {group:?}"), "a\\x1b Group(a\\x1b)");
    let reason = ErrorReason::new("a\x1b");
    assert_eq!(format!("{reason:?}"), "ErrorReason(a-)");
}

#[test]
fn names_match_exactly() {
    // [ZMTP31-043]
    for name in ["READ", "READYX", "Ready", "ping", "PINGS", "Subscribe"] {
        let body = [
            &[u8::try_from(name.len()).unwrap()],
            name.as_bytes(),
            b"data",
        ]
        .concat();
        let expected = Command::Unknown {
            name: CommandName::new(name).unwrap(),
            data: "data".into(),
        };
        assert_eq!(decode(body), Ok(expected));
    }
}

#[test]
fn malformed_ready_says_what_is_wrong_with_its_metadata() {
    assert_eq!(
        decode("\x05READY\x01"),
        Err(CommandError::Metadata(MetadataError::Truncated))
    );
}

#[test]
fn reason_fills_its_error_exactly() {
    // [ZMTP31-059] [ZMTP31-060]
    for body in [
        &b"\x05ERROR"[..],
        b"\x05ERROR\x09ab",
        b"\x05ERROR\x01ab",
        b"\x05ERROR\x01",
    ] {
        assert_eq!(decode(body), Err(CommandError::ErrorReasonLength));
    }
    let longest = [&b"\x05ERROR\xff"[..], &[b'x'; 255]].concat();
    assert_eq!(
        decode(longest),
        Ok(Command::Error(ErrorReason::new(&"x".repeat(255))))
    );
}

#[test]
fn context_is_echoed_as_it_came() {
    // [ZMTP31-132] [ZMTP31-133]
    for len in 0..=17_u8 {
        let octets: Vec<u8> = (0..len).collect();
        let ping = decode([&b"\x04PING\0\0"[..], &octets].concat());
        let pong = decode([&b"\x04PONG"[..], &octets].concat());
        if len == 17 {
            let error = CommandError::ContextTooLong { len: 17, limit: 16 };
            assert_eq!((ping, pong), (Err(error.clone()), Err(error)));
            continue;
        }
        let Ok(Command::Ping { context, ttl }) = ping else {
            panic!("{ping:?}");
        };
        assert_eq!((context.as_bytes(), ttl), (&octets[..], PingTtl::NONE));
        assert_eq!(pong, Ok(Command::Pong(context)));
    }
}

#[test]
fn long_topic_shares_the_storage_of_its_frame() {
    let body = Part::from([&b"\x09SUBSCRIBE"[..], &[b'A'; 1000]].concat());
    let Ok(Command::Subscribe(topic)) = decode(body.clone()) else {
        panic!("not a subscription");
    };
    assert_eq!(topic.as_ptr(), body[10..].as_ptr());
}

proptest! {
    #[test]
    fn command_survives_encoding(command in command()) {
        let mut input = BytesMut::from(&encode(&command)[..]);
        let frame = FrameDecoder::new(FrameLimits::DEFAULT).decode(&mut input);
        prop_assert!(input.is_empty());
        let Ok(Some(RawFrame::Command(body))) = frame else {
            panic!("{frame:?}");
        };
        prop_assert_eq!(decode(body), Ok(command));
    }

    #[test]
    fn what_is_read_from_a_damaged_command_can_be_written_back(
        command in command(),
        damage in damage(),
    ) {
        let octets = encode(&command);
        let header_len = if octets[0] == 4 { 2 } else { 9 };
        let mut body = octets[header_len..].to_vec();
        apply_damage(&mut body, &damage);
        if let Ok(command) = decode(&body[..]) {
            prop_assert_eq!(&encode(&command)[header_len..], &body[..]);
        }
    }
}
