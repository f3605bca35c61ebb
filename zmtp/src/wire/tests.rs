//! Golden vectors, and what the tests of this layer share.

use std::sync::LazyLock;

use bytes::BytesMut;
use proptest::prelude::*;
use serde_json::Value;

use crate::message::{Frame, More, Part};
use crate::wire::command::{Command, CommandError};
use crate::wire::frame::{FrameDecoder, FrameError, FrameLimits, RawFrame, encode_part};
use crate::wire::greeting::{Greeting, GreetingError, SecurityRole, Version};
use crate::wire::metadata::MetadataLimits;
use crate::wire::subscription::Subscription;

/// Returns the octets of one golden vector.
pub(super) fn golden(id: &str) -> Vec<u8> {
    let (_, octets) = GOLDEN
        .iter()
        .find(|(other, _)| other == id)
        .unwrap_or_else(|| panic!("no golden vector {id}"));
    octets.clone()
}

/// How a stream may be cut: lengths of pieces, used in turn.
pub(super) fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..40_usize, 1..20)
}

/// Calls `receive` with `octets` in pieces of these lengths.
pub(super) fn in_pieces(octets: &[u8], cuts: &[usize], mut receive: impl FnMut(&[u8])) {
    let mut rest = octets;
    let mut cuts = cuts.iter().cycle();
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
        receive(piece);
        rest = tail;
    }
}

/// A change of some octets of valid input: a mask and a position, scaled to the length.
pub(super) fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
}

/// Applies such a change.
pub(super) fn apply_damage(octets: &mut [u8], damage: &[(prop::sample::Index, u8)]) {
    for (index, mask) in damage {
        if !octets.is_empty() {
            octets[index.index(octets.len())] ^= mask;
        }
    }
}

/// Read once, which takes an interpreter seconds.
static GOLDEN: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(all_golden);

fn all_golden() -> Vec<(String, Vec<u8>)> {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/vectors/golden.json"
    ));
    let entries: Vec<Value> = serde_json::from_str(text).unwrap();
    let octets = |hex: &str| {
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    };
    entries
        .iter()
        .map(|entry| {
            let id = entry["id"].as_str().unwrap().to_owned();
            (id, octets(entry["hex"].as_str().unwrap()))
        })
        .collect()
}

fn with_prefixes(prefixes: &[&str]) -> Vec<(String, Vec<u8>)> {
    let chosen: Vec<_> = GOLDEN
        .iter()
        .filter(|(id, _)| prefixes.iter().any(|prefix| id.starts_with(prefix)))
        .cloned()
        .collect();
    assert!(!chosen.is_empty());
    chosen
}

fn decode_all(octets: &[u8]) -> Result<Vec<RawFrame>, FrameError> {
    let mut input = BytesMut::from(octets);
    let mut decoder = FrameDecoder::new(FrameLimits::DEFAULT);
    let mut frames = Vec::new();
    while let Some(frame) = decoder.decode(&mut input)? {
        frames.push(frame);
    }
    assert!(input.is_empty() && decoder.is_at_boundary());
    Ok(frames)
}

fn decode_command(octets: &[u8]) -> Result<Command, CommandError> {
    let frames = decode_all(octets).unwrap();
    let [RawFrame::Command(body)] = &frames[..] else {
        panic!("{frames:?}");
    };
    Command::decode(body.clone(), &MetadataLimits::DEFAULT)
}

#[test]
fn greetings_are_read_and_written() {
    // [ZMTP31-001] [ZMTP31-003] [ZMTP31-015] [ZMTP30-001]
    for (id, octets) in with_prefixes(&["greeting-"]) {
        let mut input = BytesMut::from(&octets[..]);
        let greeting = Greeting::decode(&mut input).unwrap().unwrap();
        assert!(input.is_empty());
        let expected_role = match &id[..] {
            "greeting-plain-server" | "greeting-curve-server" => SecurityRole::Server,
            _ => SecurityRole::Client,
        };
        assert_eq!(greeting.role, expected_role, "{id}");
        let mut written = greeting.to_octets();
        // libzmq puts the length of its identity into the padding.
        written[8] = octets[8];
        assert_eq!(&written[..], octets, "{id}");
    }
}

#[test]
fn commands_are_read_and_written() {
    // [ZMTP31-032] [ZMTP31-034] [ZMTP31-040] [ZMTP31-058] [ZMTP31-059] [ZMTP31-106]
    // [ZMTP31-107] [ZMTP31-128] [ZMTP31-132] [ZMTP30-018]
    let prefixes = [
        "ready-",
        "error-",
        "ping-",
        "pong-",
        "subscribe-",
        "cancel-",
        "join-",
        "leave-",
        "plain-",
    ];
    for (id, octets) in with_prefixes(&prefixes) {
        if id == "error-plain-libzmq" {
            continue;
        }
        let command = decode_command(&octets).unwrap();
        let family = id.split('-').next().unwrap().to_uppercase();
        match &command {
            Command::Unknown { .. } => {
                assert!(["JOIN", "LEAVE", "PLAIN"].contains(&&family[..]), "{id}");
            }
            command => assert_eq!(command.name(), family.as_bytes(), "{id}"),
        }
        let mut written = Vec::new();
        command.encode(&mut written);
        assert_eq!(written, octets, "{id}");
    }
}

#[test]
fn bad_commands_are_refused() {
    // [ZMTP31-133] [ZMTP31-134] [INT-008]
    for (id, expected) in [
        ("bad-ping-no-ttl", CommandError::MissingTtl),
        ("bad-ping-1", CommandError::MissingTtl),
        (
            "bad-ping-17",
            CommandError::ContextTooLong { len: 17, limit: 16 },
        ),
        (
            "error-plain-libzmq",
            CommandError::TruncatedName {
                claimed: 0x5e,
                available: 8,
            },
        ),
    ] {
        assert_eq!(decode_command(&golden(id)), Err(expected), "{id}");
    }
}

#[test]
fn messages_are_read_and_written() {
    // [ZMTP31-026] [ZMTP31-031] [ZMTP31-049] [ZMTP31-053]
    for (id, octets) in with_prefixes(&["msg-", "multipart-a", "req-", "radio-TV"]) {
        let mut written = Vec::new();
        for frame in decode_all(&octets).unwrap() {
            let RawFrame::Message(Frame { body, more }) = frame else {
                panic!("{id}: {frame:?}");
            };
            encode_part(&mut written, more, &body);
        }
        if id == "msg-long-form-short-body" {
            // [ZMTP31-033] Legal on receipt, never sent.
            assert_eq!(written, b"\x00\x05hello");
        } else {
            assert_eq!(written, octets, "{id}");
        }
    }
}

#[test]
fn command_inside_a_message_comes_out_in_its_place() {
    // [ZMTP31-044]
    let frames = decode_all(&golden("multipart-ping-inside")).unwrap();
    assert_eq!(
        frames,
        [
            RawFrame::Message(Frame::more("a")),
            RawFrame::Command(Part::from("\x04PING\0\0ctx")),
            RawFrame::Message(Frame::last("b")),
        ]
    );
}

#[test]
fn subscriptions_as_messages_are_read_and_written() {
    // [ZMTP30-008] [ZMTP30-009] [ZMTP30-010]
    for (id, octets) in with_prefixes(&["sub30-", "unsub30-", "v2-sub"]) {
        let frames = match decode_all(&octets) {
            Ok(frames) => frames,
            // [INT-011] A long size behind the flags of a short one turns into nonsense.
            Err(error) => {
                assert_eq!(id, "sub30-255-libzmq-corrupt");
                assert_eq!(error, FrameError::ReservedFlags { flags: b'A' });
                continue;
            }
        };
        let [RawFrame::Message(frame)] = &frames[..] else {
            panic!("{id}: {frames:?}");
        };
        assert_eq!(frame.more, More::Last);
        let subscription = Subscription::decode(frame.body.clone()).unwrap();
        let is_cancel = matches!(subscription, Subscription::Cancel(_));
        assert_eq!(is_cancel, id.starts_with("unsub30"), "{id}");
        let mut written = Vec::new();
        subscription.encode(&mut written);
        assert_eq!(written, octets, "{id}");
    }
}

#[test]
fn older_protocols_are_recognised() {
    // [ZMTP31-018] [ZMTP31-024] [ZMTP31-148]
    for (id, octets) in with_prefixes(&["v1-", "v2-greeting-"]) {
        let result = Greeting::decode(&mut BytesMut::from(&octets[..]));
        let expected = match octets[0] {
            0xff => GreetingError::UnsupportedVersion {
                version: if id.starts_with("v1") {
                    Version::V1_0
                } else {
                    Version::V2_0
                },
            },
            first_octet => GreetingError::NoSignature { first_octet },
        };
        assert_eq!(result, Err(expected), "{id}");
    }
}
