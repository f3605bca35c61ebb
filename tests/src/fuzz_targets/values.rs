//! Decoders of values: what they accept is stable under encoding, and how octets are cut into
//! reads makes no difference.

#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a fuzz target says what it found"
)]

use bytes::{Bytes, BytesMut};
use proto::{Compat, DecodeLimits};
use zmtp::wire::command::Command;
use zmtp::wire::frame::{FrameDecoder, FrameError, FrameHeader, FrameKind, FrameLimits, RawFrame};
use zmtp::wire::greeting::{Greeting, GreetingError};
use zmtp::wire::metadata::{Metadata, MetadataLimits};
use zmtp::{Endpoint, Part};

/// Small, so that limits are met often.
const FRAME_LIMITS: FrameLimits = FrameLimits {
    max_message_frame: 4096,
    max_command: 512,
};

const METADATA_LIMITS: MetadataLimits = MetadataLimits {
    max_properties: 16,
    max_encoded_len: 4096,
};

/// A greeting is judged alike in one piece and octet by octet, and survives a round trip.
pub fn greeting(data: &[u8]) {
    let whole = decode_greeting(data, data.len().max(1));
    assert_eq!(whole, decode_greeting(data, 1), "cut octet by octet");
    if let Ok(Some(greeting)) = whole {
        let again = Greeting::decode(&mut BytesMut::from(&greeting.to_octets()[..]));
        assert_eq!(again, Ok(Some(greeting)), "round trip");
    }
}

fn decode_greeting(data: &[u8], step: usize) -> Result<Option<Greeting>, GreetingError> {
    let mut input = BytesMut::new();
    for chunk in data.chunks(step) {
        input.extend_from_slice(chunk);
        let left = input.len();
        if let Some(greeting) = Greeting::decode(&mut input)? {
            assert!(input.len() < left, "a greeting takes octets");
            return Ok(Some(greeting));
        }
    }
    Ok(None)
}

/// Frames are the same however they are cut, and survive a round trip. The first octet says where
/// to cut.
pub fn frames(data: &[u8]) {
    let Some((&step, data)) = data.split_first() else {
        return;
    };
    let whole = decode_frames(data, data.len().max(1));
    let cut = decode_frames(data, usize::from(step).max(1));
    assert_eq!(whole, cut, "cut every {step} octets");
    let mut encoded = BytesMut::new();
    for frame in &whole.0 {
        encode_frame(frame, &mut encoded);
    }
    let again = decode_frames(&encoded, encoded.len().max(1));
    assert_eq!((whole.0, None), again, "round trip");
}

fn decode_frames(data: &[u8], step: usize) -> (Vec<RawFrame>, Option<FrameError>) {
    let mut decoder = FrameDecoder::new(FRAME_LIMITS);
    let mut input = BytesMut::new();
    let mut frames = Vec::new();
    for chunk in data.chunks(step) {
        input.extend_from_slice(chunk);
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
        assert!(decoder.read_hint() as u64 <= FRAME_LIMITS.max_message_frame);
    }
    (frames, None)
}

/// Frames of any size are read as a connection reads them: what is held follows what has come, and
/// not what was announced. The first octet says how the octets are cut.
pub fn frame_memory(data: &[u8]) {
    let Some((&step, data)) = data.split_first() else {
        return;
    };
    let mut decoder = FrameDecoder::new(FrameLimits {
        max_message_frame: u64::MAX,
        max_command: u64::MAX,
    });
    let mut input = BytesMut::new();
    let mut received = 0;
    for chunk in data.chunks(usize::from(step) * 16 + 1) {
        input.reserve(decoder.read_hint());
        input.extend_from_slice(chunk);
        received += chunk.len();
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        assert!(decoder.read_hint() <= received + READ_STEP);
        assert!(
            input.capacity() <= memory_of(received),
            "{} octets are held for {received}",
            input.capacity()
        );
    }
}

/// The most that may be held for so many octets: a buffer that grows doubles, when there is no room
/// for the next read.
#[must_use]
pub const fn memory_of(received: usize) -> usize {
    2 * (2 * received + READ_STEP)
}

/// How much room a connection makes for the first octets of a large frame.
const READ_STEP: usize = 64 * 1024;

fn encode_frame(frame: &RawFrame, into: &mut BytesMut) {
    let (kind, body) = match frame {
        RawFrame::Message(frame) => (FrameKind::Message(frame.more), &frame.body),
        RawFrame::Command(body) => (FrameKind::Command, body),
    };
    let body_len = body.len() as u64;
    FrameHeader { kind, body_len }.encode(into);
    into.extend_from_slice(body);
}

/// A command that is accepted encodes to a frame that holds the same command.
pub fn commands(data: &[u8]) {
    let Ok(command) = Command::decode(Part::from(data), &METADATA_LIMITS) else {
        return;
    };
    let mut encoded = BytesMut::new();
    command.encode(&mut encoded);
    // How long a command may be is checked before it is one.
    let mut decoder = FrameDecoder::new(FrameLimits {
        max_command: u64::MAX,
        ..FrameLimits::DEFAULT
    });
    let Ok(Some(RawFrame::Command(body))) = decoder.decode(&mut encoded) else {
        panic!("{command:?} does not encode to a command frame");
    };
    assert!(encoded.is_empty(), "one frame");
    let again = Command::decode(body, &METADATA_LIMITS);
    assert_eq!(again.as_ref(), Ok(&command), "round trip");
}

/// Metadata that is accepted is within its limits, found under every spelling and stable.
pub fn metadata(data: &[u8]) {
    let Ok(metadata) = Metadata::decode(data, &METADATA_LIMITS) else {
        return;
    };
    assert!(metadata.len() <= METADATA_LIMITS.max_properties);
    for (name, value) in metadata.iter() {
        let upper = name.as_str().to_ascii_uppercase();
        assert_eq!(metadata.get(&upper), Some(value), "{name}");
    }
    let mut encoded = Vec::new();
    metadata.encode(&mut encoded);
    assert_eq!(encoded, data, "only one spelling is accepted");
    assert_eq!(metadata.encoded_len(), encoded.len());
}

/// An endpoint that is accepted prints as an endpoint that is the same.
pub fn endpoint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(endpoint) = text.parse::<Endpoint>() {
        let printed = endpoint.to_string();
        assert_eq!(printed.parse(), Ok(endpoint), "{text} prints as {printed}");
    }
}

/// Small, so that limits are met often.
fn narrow() -> DecodeLimits {
    let mut limits = DecodeLimits::default();
    limits.event_len = 256;
    limits.depth = 8;
    limits.values = 32;
    limits.header_entries = 6;
    limits.header_len = 128;
    limits
}

/// How deep values may be nested for decoders that recurse, on the stack of a test's thread.
const COMPARED_DEPTH: usize = 128;

/// An event that is accepted has arguments that are one msgpack value, encodes to an event with the
/// same contents, and is found to suit Python if it does. Limits refuse exactly what exceeds them.
pub fn zerorpc_event(data: &[u8]) {
    let limits = DecodeLimits::default();
    let payload = Bytes::copy_from_slice(data);
    let within = proto::Event::decode(&payload, &narrow());
    let wide = proto::Event::decode(&payload, &limits);
    let Ok(event) = wide else {
        assert!(within.is_err(), "{within:?} is within narrower limits only");
        return;
    };
    assert_eq!(within.is_ok(), is_narrow(data), "{within:?}");
    assert!(within.is_err() || within.as_ref() == Ok(&event));
    let mut args = &event.args[..];
    // Nesting that this decoder refuses and ours accepts is not its business here.
    if let Ok(value) = rmpv::decode::read_value_ref_with_max_depth(&mut args, COMPARED_DEPTH) {
        assert!(args.is_empty(), "arguments are one value");
        check_compat(&event.args, &value);
    }
    let encoded = Bytes::from(encode_event(&event));
    // How many values it is made of is not what it says: the version is one more, or two.
    let contents = |event: &proto::Event| {
        let proto::Event {
            header, name, args, ..
        } = event.clone();
        (header, name, args)
    };
    let again = proto::Event::decode(&encoded, &with_room_for_version(limits));
    assert_eq!(
        again.map(|event| contents(&event)),
        Ok(contents(&event)),
        "round trip"
    );
}

/// The limits of an event that came without its version, which is written in any case, and with
/// shorter prefixes.
fn with_room_for_version(mut limits: DecodeLimits) -> DecodeLimits {
    // Four octets more for each of four strings and for the map, and a version.
    const LEN: usize = 32;
    limits.header_entries += 1;
    limits.header_len += LEN;
    limits.values += 2;
    limits.event_len += LEN;
    limits
}

/// Whether an event that is one is within [`narrow`], by a measure that is recursive and obvious.
fn is_narrow(data: &[u8]) -> bool {
    use rmpv::ValueRef::{Array, Map};
    let Some((Array(event), _)) = read(data) else {
        return false;
    };
    let [Map(header), _, args] = &event[..] else {
        return false;
    };
    let parts = header.iter().flat_map(|(key, value)| [key, value]);
    let sums = parts.chain([args]).map(measure);
    let (depth, values) = sums.fold((0, 0), |(depth, values), (inner, count)| {
        (depth.max(inner), values + count)
    });
    // Behind the head of the event, which says that it has three elements.
    let head_len = match data.first() {
        Some(0xdc) => 3,
        Some(0xdd) => 5,
        _ => 1,
    };
    let header_len = read(&data[head_len..]).map_or(0, |(_, len)| len);
    let limits = narrow();
    data.len() <= limits.event_len
        && depth <= limits.depth
        && values <= limits.values
        && header.len() <= limits.header_entries
        && header_len <= limits.header_len
}

/// The value that octets begin with, and its length.
fn read(octets: &[u8]) -> Option<(rmpv::ValueRef<'_>, usize)> {
    let mut rest = octets;
    let value = rmpv::decode::read_value_ref_with_max_depth(&mut rest, COMPARED_DEPTH).ok()?;
    Some((value, octets.len() - rest.len()))
}

/// How deep a value is nested, and how many values it is.
fn measure(value: &rmpv::ValueRef<'_>) -> (usize, usize) {
    use rmpv::ValueRef::{Array, Map};
    let inner: Vec<&rmpv::ValueRef<'_>> = match value {
        Array(elements) => elements.iter().collect(),
        Map(entries) => entries
            .iter()
            .flat_map(|(key, value)| [key, value])
            .collect(),
        _ => return (0, 1),
    };
    let sums = inner.into_iter().map(measure);
    let (depth, values) = sums.fold((0, 1), |(depth, values), (inner, count)| {
        (depth.max(inner), values + count)
    });
    (depth + 1, values)
}

/// Compares the check of values with one that is recursive and obvious.
fn check_compat(encoded: &[u8], value: &rmpv::ValueRef<'_>) {
    let Ok(body) = proto::Body::from_encoded(encoded) else {
        return;
    };
    let [python, node, both] = [
        Compat::PYTHON,
        Compat::NODE,
        Compat::PYTHON | Compat::NODE_ROUND_TRIP,
    ]
    .map(|compat| body.check(compat));
    assert_eq!(python.is_ok(), python_takes(value), "{python:?}");
    assert!(both.is_err() || (python.is_ok() && node.is_ok()));
    assert!(body.check(Compat::ANY).is_ok());
}

fn python_takes(value: &rmpv::ValueRef<'_>) -> bool {
    use rmpv::ValueRef::{Array, Binary, Ext, Map, String};
    let is_key = |key: &rmpv::ValueRef<'_>| matches!(key, String(_) | Binary(_));
    match value {
        String(text) => text.is_str(),
        Array(elements) => elements.iter().all(python_takes),
        Map(entries) => entries
            .iter()
            .all(|(key, value)| is_key(key) && python_takes(key) && python_takes(value)),
        Ext(-1, content) => match content {
            [_, _, _, _] => true,
            [a, b, c, d, _, _, _, _] => u32::from_be_bytes([*a, *b, *c, *d]) >> 2 < 1_000_000_000,
            [a, b, c, d, rest @ ..] if rest.len() == 8 => {
                u32::from_be_bytes([*a, *b, *c, *d]) < 1_000_000_000
            }
            _ => false,
        },
        Ext(tag, _) => *tag >= 0,
        _ => true,
    }
}

fn encode_event(event: &proto::Event) -> Vec<u8> {
    let header = &event.header;
    let ids = [
        ("message_id", &header.message_id),
        ("response_to", &header.response_to),
    ];
    let ids = ids
        .into_iter()
        .filter_map(|(key, id)| Some((text(key.as_bytes()), id.as_ref()?.as_encoded().to_vec())));
    let version = match header.version {
        proto::Version::V1 => 1,
        proto::Version::V2 => 2,
        _ => 3,
    };
    let extra = header.extra.iter();
    let entries: Vec<(Vec<u8>, Vec<u8>)> = ids
        .chain([(text(b"v"), vec![version])])
        .chain(extra.map(|(key, value)| (key.to_vec(), value.to_vec())))
        .collect();
    // A map of any size, and an array of three before it.
    let count = u32::try_from(entries.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    let mut out = [&[0x93, 0xdf], &count[..]].concat();
    for (key, value) in entries {
        out.extend(key);
        out.extend(value);
    }
    out.extend(text(event.name.as_bytes()));
    out.extend_from_slice(&event.args);
    out
}

/// A string with its longest prefix.
fn text(octets: &[u8]) -> Vec<u8> {
    let size = u32::try_from(octets.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    [&[0xdb], &size[..], octets].concat()
}
