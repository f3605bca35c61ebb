//! Cuts, damage, limits and memory.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::message::{Frame, Message, More, Part};
use crate::wire::tests::{apply_damage, cuts, damage, in_pieces};

/// Comes in many pieces of any cut; an interpreter takes its time for each octet.
const LONG: usize = if cfg!(miri) { 300 } else { 3000 };

fn raw_frame() -> impl Strategy<Value = RawFrame> {
    let len = prop_oneof![
        4 => 0..80_usize,
        1 => 250..260_usize,
        1 => 0..LONG,
    ];
    let body = len.prop_flat_map(|len| prop::collection::vec(any::<u8>(), len));
    (0..3_u8, body).prop_map(|(kind, body)| match kind {
        0 => RawFrame::Message(Frame::last(body)),
        1 => RawFrame::Message(Frame::more(body)),
        _ => RawFrame::Command(Part::from(body)),
    })
}

fn encode(frames: &[RawFrame]) -> Vec<u8> {
    let mut octets = Vec::new();
    for frame in frames {
        let before = octets.len();
        let body = match frame {
            RawFrame::Message(Frame { body, more }) => {
                encode_part(&mut octets, *more, body);
                body
            }
            RawFrame::Command(body) => {
                encode_header(&mut octets, FrameKind::Command, body.len());
                octets.extend_from_slice(body);
                body
            }
        };
        assert_eq!(octets.len() - before, encoded_len(body.len()));
    }
    octets
}

/// Decodes what is in `input`, up to its end or the first error.
fn drain(
    decoder: &mut FrameDecoder,
    input: &mut BytesMut,
    frames: &mut Vec<RawFrame>,
) -> Result<(), FrameError> {
    while let Some(frame) = decoder.decode(input)? {
        frames.push(frame);
    }
    Ok(())
}

fn limits(max_message_frame: u64, max_command: u64) -> FrameLimits {
    FrameLimits {
        max_message_frame,
        max_command,
    }
}

fn decode_one(limits: FrameLimits, octets: &[u8]) -> Result<Option<RawFrame>, FrameError> {
    FrameDecoder::new(limits).decode(&mut BytesMut::from(octets))
}

#[test]
fn no_short_cut_takes_a_message_beyond_the_limit() {
    let decoder = FrameDecoder::new(limits(100, 100));
    for (len, is_taken) in [(99, true), (100, true), (101, false), (300, false)] {
        let frame = RawFrame::Message(Frame::last(vec![0; len]));
        let octets = encode(&[frame]);
        let mut input = BytesMut::from(octets.as_slice());
        let taken = decoder.decode_message(&mut input);
        assert_eq!(taken.is_some(), is_taken, "{len}");
        let rest = if is_taken { 0 } else { octets.len() };
        assert_eq!(input.len(), rest, "{len}");
    }
}

#[test]
fn short_cuts_take_whole_messages_that_are_there() {
    let decoder = FrameDecoder::new(limits(16, 0));
    let small = |octets: &[u8]| {
        let mut input = BytesMut::from(octets);
        let body = decoder.decode_small_message(&mut input);
        body.map(|body| (body, input.len()))
    };
    // The octets of the body are copied in a block of fixed length, which has to be there.
    let block = Part::INLINE_CAPACITY;
    let enough = |start: &[u8]| [start, &vec![7; 2 + block - start.len()]].concat();
    assert_eq!(
        small(&enough(b"\0\x05hello")),
        Some(("hello".into(), block - 5))
    );
    assert_eq!(
        small(&enough(&[0, 16])),
        Some((vec![7; 16].into(), block - 16))
    );
    assert_eq!(small(&enough(&[0, 17])), None, "beyond the limit");
    assert_eq!(small(&enough(b"\x01\x05hello")), None, "a part");
    let decoder = FrameDecoder::new(FrameLimits::DEFAULT);
    let taken = |octets: &[u8]| decoder.decode_message(&mut BytesMut::from(octets));
    assert_eq!(taken(b"\0\x05hello"), Some("hello".into()));
    assert_eq!(taken(b"\x02\0\0\0\0\0\0\0\x05hello"), Some("hello".into()));
    assert_eq!(taken(b"\0\x05hell"), None);
}

#[test]
fn short_cuts_take_nothing_inside_a_frame() {
    let mut decoder = FrameDecoder::new(FrameLimits::DEFAULT);
    assert_eq!(decoder.decode(&mut BytesMut::from(&[0, 200][..])), Ok(None));
    // What looks like a message is a part of the body.
    let mut input = BytesMut::zeroed(100);
    assert_eq!(decoder.decode_small_message(&mut input), None);
    assert_eq!(decoder.decode_message(&mut input), None);
    assert_eq!(input.len(), 100);
}

#[test]
fn limits_are_256_mib_and_64_kib_by_default() {
    let FrameLimits {
        max_message_frame,
        max_command,
    } = FrameLimits::default();
    assert_eq!((max_message_frame, max_command), (268_435_456, 65_536));
}

#[test]
fn frame_is_refused_for_its_size_before_any_of_the_body_came() {
    // [ZMTP31-036] [INT-022]
    let limits = limits(4, 6);
    assert_eq!(decode_one(limits, &[0, 4]), Ok(None));
    assert_eq!(
        decode_one(limits, &[0, 5]),
        Err(FrameError::MessageFrameTooLarge { size: 5, limit: 4 })
    );
    assert_eq!(decode_one(limits, &[4, 6]), Ok(None));
    assert_eq!(
        decode_one(limits, &[4, 7]),
        Err(FrameError::CommandTooLarge { size: 7, limit: 6 })
    );
    assert_eq!(
        decode_one(limits, &[0, 5, 1, 2, 3, 4, 5]),
        Err(FrameError::MessageFrameTooLarge { size: 5, limit: 4 })
    );
}

#[test]
fn size_is_compared_in_64_bits() {
    // [ZMTP31-035]
    for size in [(1_u64 << 32) + 1, 1 << 62, MAX_BODY_LEN] {
        let mut octets = vec![2];
        octets.extend_from_slice(&size.to_be_bytes());
        assert_eq!(
            decode_one(FrameLimits::DEFAULT, &octets),
            Err(FrameError::MessageFrameTooLarge {
                size,
                limit: FrameLimits::DEFAULT.max_message_frame
            })
        );
    }
}

#[test]
fn announced_body_sets_no_memory_aside() {
    // [ZMTP31-036]
    let mut decoder = FrameDecoder::new(limits(u64::MAX, 0));
    let mut input = BytesMut::with_capacity(64);
    input.extend_from_slice(b"\x02\x3f\xff\xff\xff\xff\xff\xff\xff\x01");
    assert_eq!(decoder.decode(&mut input), Ok(None));
    assert!(input.capacity() <= 64);
    assert!(!decoder.is_at_boundary());
    assert_eq!(decoder.read_hint(), 64 * 1024);

    input.resize(300 * 1024, 0);
    assert_eq!(decoder.decode(&mut input), Ok(None));
    assert_eq!(decoder.read_hint(), 300 * 1024);
}

#[test]
fn read_hint_ends_with_the_body() {
    let mut decoder = FrameDecoder::new(FrameLimits::DEFAULT);
    let mut input = BytesMut::from(&b"\x00\x64abc"[..]);
    assert_eq!(decoder.read_hint(), 0);
    assert_eq!(decoder.decode(&mut input), Ok(None));
    assert_eq!(decoder.read_hint(), 97);
    input.resize(100, b'x');
    assert!(decoder.decode(&mut input).unwrap().is_some());
    assert_eq!(decoder.read_hint(), 0);
    assert!(decoder.is_at_boundary());
}

#[test]
fn limits_can_change_between_frames() {
    let mut decoder = FrameDecoder::new(limits(0, 3));
    let mut input = BytesMut::from(&b"\x04\x03abc\x00\x03abc"[..]);
    assert!(decoder.decode(&mut input).unwrap().is_some());
    decoder.set_limits(limits(3, 0));
    assert!(decoder.decode(&mut input).unwrap().is_some());
    assert_eq!(decoder.limits(), limits(3, 0));
}

#[test]
fn small_body_does_not_hold_on_to_the_buffer_and_a_large_one_is_not_copied() {
    let mut octets = Vec::new();
    encode_part(&mut octets, More::More, &[1; Part::INLINE_CAPACITY]);
    let large_start = octets.len() + 2;
    encode_part(&mut octets, More::Last, &[2; Part::INLINE_CAPACITY + 1]);
    let mut input = BytesMut::from(&octets[..]);
    let body_start = input[large_start..].as_ptr();
    let mut frames = Vec::new();
    let mut decoder = FrameDecoder::new(FrameLimits::DEFAULT);
    drain(&mut decoder, &mut input, &mut frames).unwrap();
    let [RawFrame::Message(small), RawFrame::Message(large)] = &frames[..] else {
        panic!("{frames:?}");
    };
    assert!(small.body.is_inline());
    assert_eq!(large.body.as_ptr(), body_start);
}

#[test]
fn message_without_parts_encodes_to_nothing() {
    let mut octets = Vec::new();
    encode_message(&mut octets, &Message::new());
    assert!(octets.is_empty());
    encode_message(&mut octets, &Message::from(["a", "", "c"]));
    assert_eq!(octets, b"\x01\x01a\x01\x00\x00\x01c");
}

type Drain = fn(&mut FrameDecoder, &mut BytesMut, &mut Vec<RawFrame>) -> Result<(), FrameError>;

/// The way of the driver: whole messages first, and what is left by the decoder.
fn drain_fast(
    decoder: &mut FrameDecoder,
    input: &mut BytesMut,
    frames: &mut Vec<RawFrame>,
) -> Result<(), FrameError> {
    loop {
        let small = decoder.decode_small_message(input);
        let frame = match small.or_else(|| decoder.decode_message(input)) {
            Some(body) => RawFrame::Message(Frame::last(body)),
            None => match decoder.decode(input)? {
                Some(frame) => frame,
                None => return Ok(()),
            },
        };
        frames.push(frame);
    }
}

proptest! {
    #[test]
    fn whole_messages_are_the_same_by_any_way(
        frames in prop::collection::vec(raw_frame(), 0..8),
        cuts in cuts(),
        max_message_frame in prop_oneof![Just(u64::MAX), 0..300_u64],
    ) {
        let ways: [Drain; 2] = [drain, drain_fast];
        let ways = ways.map(|drain| {
            let mut decoder = FrameDecoder::new(limits(max_message_frame, u64::MAX));
            let (mut input, mut frames_back, mut end) = (BytesMut::new(), Vec::new(), Ok(()));
            in_pieces(&encode(&frames), &cuts, |piece| {
                input.extend_from_slice(piece);
                if end.is_ok() {
                    end = drain(&mut decoder, &mut input, &mut frames_back);
                }
            });
            (frames_back, end)
        });
        let [any, fast] = ways;
        prop_assert_eq!(any, fast);
    }

    #[test]
    fn frames_survive_any_cut(
        frames in prop::collection::vec(raw_frame(), 0..12),
        cuts in cuts(),
    ) {
        // [ZMTP31-037] [ZMTP31-038]
        let mut input = BytesMut::new();
        let mut decoder = FrameDecoder::new(FrameLimits::DEFAULT);
        let mut decoded = Vec::new();
        in_pieces(&encode(&frames), &cuts, |piece| {
            input.extend_from_slice(piece);
            drain(&mut decoder, &mut input, &mut decoded).unwrap();
        });
        prop_assert!(input.is_empty());
        prop_assert!(decoder.is_at_boundary());
        prop_assert_eq!(decoded, frames);
    }

    #[test]
    fn damaged_frames_give_the_same_result_in_any_cut(
        frames in prop::collection::vec(raw_frame(), 1..6),
        damage in damage(),
        cuts in cuts(),
    ) {
        // [ZMTP31-037]
        let mut octets = encode(&frames);
        apply_damage(&mut octets, &damage);
        let limits = limits(1 << 20, 1 << 10);

        let mut at_once = Vec::new();
        let result = drain(
            &mut FrameDecoder::new(limits),
            &mut BytesMut::from(&octets[..]),
            &mut at_once,
        );

        let mut decoder = FrameDecoder::new(limits);
        let mut input = BytesMut::new();
        let mut in_cuts = Vec::new();
        let mut error = None;
        in_pieces(&octets, &cuts, |piece| {
            input.extend_from_slice(piece);
            if error.is_none() {
                error = drain(&mut decoder, &mut input, &mut in_cuts).err();
            }
        });
        prop_assert_eq!(result.err(), error);
        prop_assert_eq!(at_once, in_cuts);
    }
}
