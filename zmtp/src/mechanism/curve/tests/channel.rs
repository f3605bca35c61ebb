//! MESSAGE: what goes in comes out, once and in order, and nothing else does.

use proptest::prelude::*;

use super::party::body_of_message;
use crate::mechanism::curve::boxes::BoxKey;
use crate::mechanism::{Channel, CurveCommand, CurveError, SealError};
use crate::message::More;
use crate::wire::frame::FrameKind;
use crate::wire::greeting::SecurityRole;

const LAST: FrameKind = FrameKind::Message(More::Last);
const MORE: FrameKind = FrameKind::Message(More::More);

fn key() -> BoxKey {
    BoxKey::from_secret(&[0x11; 32])
}

fn client() -> Channel {
    Channel::new(&key(), SecurityRole::Client, 2, 1)
}

fn server() -> Channel {
    Channel::new(&key(), SecurityRole::Server, 1, 2)
}

fn seal(channel: &mut Channel, kind: FrameKind, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    channel.seal(kind, body, &mut out).unwrap();
    body_of_message(&out)
}

fn open(channel: &mut Channel, frame: &[u8]) -> Result<(FrameKind, Vec<u8>), CurveError> {
    let mut frame = frame.to_vec();
    let kind = channel.open(&mut frame)?;
    Ok((kind, frame.split_off(Channel::OVERHEAD)))
}

fn nonce(last: u64, received: u64) -> CurveError {
    CurveError::Nonce {
        command: CurveCommand::Message,
        last,
        received,
    }
}

const FORGED: CurveError = CurveError::Box {
    command: CurveCommand::Message,
};

/// A frame as the client would make it with these flags, which it does not.
fn with_flags(flags: u8) -> Vec<u8> {
    let mut sealed = vec![flags, b'x'];
    let key = key().with_prefix(b"CurveZMQMESSAGEC");
    let nonce = 3_u64.to_be_bytes();
    let tag = key.seal(&nonce, &mut sealed);
    [&b"\x07MESSAGE"[..], &nonce, &tag, &sealed].concat()
}

// CURVE-042, CURVE-044, CURVE-045, CURVE-046, CURVE-048, CURVE-049, ZMTP31-048, ZMTP31-155
#[test]
fn frames_keep_kind_and_body_and_count_up() {
    let (mut client, mut server) = (client(), server());
    let bodies: [&[u8]; 5] = [b"", b"x", &[1; 222], &[2; 223], &[3; 70_000]];
    let mut expected = 3_u64;
    for kind in [LAST, MORE, FrameKind::Command] {
        for body in bodies {
            let mut frame = Vec::new();
            client.seal(kind, body, &mut frame).unwrap();
            // [ZCURVE-005] Whatever is inside, this is what shows.
            let head_len = match body.len() + 33 {
                len @ 0..=255 => {
                    assert_eq!(frame[..2], [0, u8::try_from(len).unwrap()]);
                    2
                }
                len => {
                    assert_eq!(frame[0], 2);
                    assert_eq!(frame[1..9], (len as u64).to_be_bytes());
                    9
                }
            };
            assert_eq!(frame[head_len..][..8], *b"\x07MESSAGE");
            assert_eq!(frame[head_len + 8..][..8], expected.to_be_bytes());
            let opened = open(&mut server, &frame[head_len..]).unwrap();
            assert_eq!(opened, (kind, body.to_vec()));
            expected += 1;
        }
    }
}

// CURVE-003
#[test]
fn the_directions_do_not_open_each_other() {
    let frame = seal(&mut client(), LAST, b"hello");
    let mut other_client = Channel::new(&key(), SecurityRole::Client, 2, 2);
    assert_eq!(open(&mut other_client, &frame), Err(FORGED));
    assert!(open(&mut server(), &frame).is_ok());
}

// CURVE-043, CURVE-050
#[test]
fn nonces_grow_with_gaps_at_will() {
    let mut sealed = client();
    let frames: Vec<_> = (0..6).map(|_| seal(&mut sealed, LAST, b"x")).collect();
    let mut server = server();
    assert!(open(&mut server, &frames[0]).is_ok());
    assert_eq!(open(&mut server, &frames[0]), Err(nonce(3, 3)));
    assert!(open(&mut server, &frames[4]).is_ok());
    for (frame, received) in frames.iter().zip(3..).take(5) {
        assert_eq!(open(&mut server, frame), Err(nonce(7, received)));
    }
    assert!(open(&mut server, &frames[5]).is_ok());
    // A READY with nonce 7, say, comes before MESSAGE 8.
    let mut late = Channel::new(&key(), SecurityRole::Server, 1, 7);
    assert_eq!(open(&mut late, &frames[4]), Err(nonce(7, 7)));
    assert!(open(&mut late, &frames[5]).is_ok());
    let mut zero = frames[0].clone();
    zero[8..16].fill(0);
    assert_eq!(open(&mut self::server(), &zero), Err(nonce(2, 0)));
}

#[test]
fn forged_frame_does_not_push_the_nonce_on() {
    let frame = seal(&mut client(), LAST, b"hello");
    let mut server = server();
    let mut forged = frame.clone();
    forged[8..16].fill(0xff);
    assert_eq!(open(&mut server, &forged), Err(FORGED));
    assert!(open(&mut server, &frame).is_ok());
}

// CURVE-051
#[test]
fn no_nonce_is_used_twice() {
    let mut channel = Channel::new(&key(), SecurityRole::Client, u64::MAX - 2, 1);
    let mut server = server();
    for _ in 0..2 {
        let frame = seal(&mut channel, LAST, b"x");
        assert!(open(&mut server, &frame).is_ok());
    }
    let mut out = Vec::new();
    let error = channel.seal(LAST, b"x", &mut out).unwrap_err();
    assert_eq!(error, SealError::NoncesExhausted);
    assert!(out.is_empty());
}

// CURVE-045, CURVE-046, CURVE-047
#[test]
fn only_the_flags_that_exist_are_taken() {
    for flags in 0..=u8::MAX {
        let expected = match flags {
            0 => Ok(LAST),
            1 => Ok(MORE),
            2 => Ok(FrameKind::Command),
            flags => Err(CurveError::Flags { flags }),
        };
        let opened = open(&mut server(), &with_flags(flags));
        assert_eq!(opened.map(|(kind, _)| kind), expected);
    }
}

// CURVE-044, CURVE-052
#[test]
fn frame_cut_or_changed_anywhere_does_not_open() {
    let frame = seal(&mut client(), LAST, b"hello");
    for len in 0..frame.len() {
        let error = open(&mut server(), &frame[..len]).unwrap_err();
        let command = CurveCommand::Message;
        let expected = match len {
            0..=32 => CurveError::Length { command, len },
            _ => FORGED,
        };
        assert_eq!(error, expected);
    }
    for at in 0..frame.len() {
        for bit in 0..8 {
            let mut frame = frame.clone();
            frame[at] ^= 1 << bit;
            let error = open(&mut server(), &frame).unwrap_err();
            match at {
                0..8 => assert_eq!(error, CurveError::NotMessage),
                8..16 => assert!(error == FORGED || matches!(error, CurveError::Nonce { .. })),
                _ => assert_eq!(error, FORGED),
            }
        }
    }
    let longer = [&frame[..], b"\0"].concat();
    assert_eq!(open(&mut server(), &longer), Err(FORGED));
}

#[test]
fn nothing_secret_shows() {
    let shown = format!("{:?} {:?}", client(), key());
    assert_eq!(
        shown,
        "Channel { next_nonce: Some(3), last_nonce: 1, .. } BoxKey(..)"
    );
}

proptest! {
    #[test]
    fn messages_of_any_size_come_through(
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 1..8),
    ) {
        let (mut client, mut server) = (client(), server());
        for body in bodies {
            let frame = seal(&mut client, LAST, &body);
            prop_assert_eq!(open(&mut server, &frame), Ok((LAST, body.clone())));
            let frame = seal(&mut server, MORE, &body);
            prop_assert_eq!(open(&mut client, &frame), Ok((MORE, body)));
        }
    }
}
