//! Golden events, as Python and Node put them on the wire, and events that are not.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::decode::is_small_part;
use super::{Event, Header, MessageId, Name, Notice, Outgoing, Version};
use crate::{Body, DecodeError, DecodeLimits, Extra, Kind};

fn decode(bytes: &[u8]) -> Result<Event, DecodeError> {
    Event::decode(&Bytes::copy_from_slice(bytes), &DecodeLimits::default())
}

fn id(encoded: &[u8]) -> Option<MessageId> {
    Some(MessageId::from_encoded(encoded))
}

const PYTHON_ID: &[u8] = b"\xc4\x200000000aabcdef0123456789abcdef01";

/// A request of Python 3: keys message_id, v.
fn python_request() -> Vec<u8> {
    [
        b"\x93\x82\xaamessage_id",
        PYTHON_ID,
        b"\xa1v\x03\xa5hello\x91\xa3RPC",
    ]
    .concat()
}

#[test]
fn request_of_python_3() {
    let event = decode(&python_request()).unwrap();
    assert_eq!(event.name, "hello");
    assert_eq!(event.args, b"\x91\xa3RPC"[..]);
    let extra = Extra::new();
    let header = Header {
        message_id: id(PYTHON_ID),
        version: Version::V3,
        response_to: None,
        timeout: None,
        extra,
        notice: Notice::Nothing,
    };
    assert_eq!(event.header, header);
}

#[test]
fn reply_of_python_3_is_what_is_sent() {
    let golden = [
        b"\x93\x83\xaamessage_id",
        PYTHON_ID,
        b"\xa1v\x03\xabresponse_to",
        PYTHON_ID,
        b"\xa2OK\x91\x92\x01\x02",
    ]
    .concat();
    let channel = MessageId::from_encoded(PYTHON_ID);
    let head = Outgoing {
        message_id: PYTHON_ID,
        response_to: Some(&channel),
        name: b"OK",
        notice: Notice::Nothing,
    };
    let body = Body::args(&([1, 2],)).unwrap();
    assert_eq!(head.encode(body, &mut Vec::new()), golden);
    assert_eq!(decode(&golden).unwrap().header.response_to, Some(channel));
}

#[test]
fn a_request_says_for_how_long_its_sender_waits() {
    let mut timeouts = Vec::new();
    for timeout in [
        Some(Duration::from_secs(30)),
        Some(Duration::from_micros(1)),
        Some(Duration::ZERO),
        Some(Duration::MAX),
        None,
    ] {
        let head = Outgoing {
            message_id: PYTHON_ID,
            response_to: None,
            name: b"hello",
            notice: Notice::timeout(timeout),
        };
        let payload = head.encode(Body::args(&()).unwrap(), &mut Vec::new());
        let header = decode(&payload).unwrap().header;
        assert!(header.extra.is_empty());
        timeouts.push(header.timeout);
    }
    let expected = [
        Some(Duration::from_secs(30)),
        Some(Duration::from_millis(1)),
        Some(Duration::ZERO),
        // Nobody waits for so long.
        None,
        None,
    ];
    assert_eq!(timeouts, expected);
}

#[test]
fn a_timeout_that_is_no_number_is_none() {
    for (value, expected) in [
        (&b"\xcd\x03\xe8"[..], Some(Duration::from_secs(1))),
        (
            b"\xcb\x40\x8f\x40\x00\x00\x00\x00\x00",
            Some(Duration::from_secs(1)),
        ),
        (b"\xff", None),
        (b"\xc0", None),
        (b"\xa31.5", None),
        (b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", None),
        (b"\xcb\xbf\xf0\x00\x00\x00\x00\x00\x00", None),
        (b"\xcb\x7f\xe0\x00\x00\x00\x00\x00\x00", None),
        (
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            Some(Duration::from_millis(u64::MAX)),
        ),
    ] {
        let payload = [b"\x93\x81\xac_zpc_timeout", value, b"\xa1m\x90"].concat();
        let header = decode(&payload).unwrap().header;
        assert_eq!(header.timeout, expected, "{value:?}");
    }
}

#[test]
fn heartbeat_of_python_3_is_what_is_sent() {
    let golden = [
        b"\x93\x83\xaamessage_id",
        PYTHON_ID,
        b"\xa1v\x03\xabresponse_to",
        PYTHON_ID,
        b"\xa7_zpc_hb\x91\x00",
    ]
    .concat();
    let channel = MessageId::from_encoded(PYTHON_ID);
    let head = Outgoing {
        message_id: PYTHON_ID,
        response_to: Some(&channel),
        name: b"_zpc_hb",
        notice: Notice::Nothing,
    };
    assert_eq!(head.encode_numbers(&[0], &mut Vec::new()), golden);
}

#[test]
fn reply_of_node_has_string_ids_in_another_order() {
    let node_id = b"\xd9\x24a5f3c2d0-1111-4222-8333-000000000001";
    let golden = [
        b"\x93\x83\xa1v\x03\xaamessage_id".as_slice(),
        node_id,
        b"\xabresponse_to",
        PYTHON_ID,
        b"\xa6STREAM\xcb\x41\xe0\x00\x00\x00\x00\x00\x00",
    ]
    .concat();
    let event = decode(&golden).unwrap();
    assert_eq!(
        (event.header.message_id, event.header.response_to),
        (id(node_id), id(PYTHON_ID))
    );
    assert_eq!(crate::decode(&event.args), Ok(2_147_483_648_u64));
}

#[test]
fn q14_old_raw_strings_need_not_be_utf_8() {
    let event = decode(b"\x93\x81\xaamessage_id\xa2\xff\xfe\xa2\xe9\xff\x91\xa1\xff").unwrap();
    assert_eq!(event.name.as_str(), None);
    assert_eq!(event.name.as_bytes(), b"\xe9\xff");
    assert_eq!(event.header.message_id, id(b"\xa2\xff\xfe"));
}

#[test]
fn q2_binary_names_and_keys_are_taken_for_strings() {
    let event = decode(b"\x93\x81\xc4\x0amessage_id\x01\xc4\x02OK\xc0").unwrap();
    assert_eq!(
        (event.name, event.header.message_id),
        (Name::from("OK"), id(b"\x01"))
    );
}

#[test]
fn q15_nil_ids_are_absent_and_unknown_entries_are_kept() {
    let event = decode(b"\x93\x83\xabresponse_to\xc0\x07\x08\xa1k\x91\x01\xa1m\x90").unwrap();
    assert_eq!(
        (event.header.response_to, event.header.message_id),
        (None, None)
    );
    let extra: Vec<_> = event
        .header
        .extra
        .iter()
        .map(|(k, v)| (k.to_vec(), v.to_vec()))
        .collect();
    assert_eq!(
        extra,
        [(vec![7], vec![8]), (vec![0xa1, b'k'], vec![0x91, 1])]
    );
}

#[test]
fn versions_of_every_form() {
    for (encoded, version) in [
        (&b"\x03"[..], Version::V3),
        (b"\x04", Version::V3),
        (b"\x02", Version::V2),
        (b"\x01", Version::V1),
        (b"\xc0", Version::V1),
        (b"\xff", Version::V1),
        (b"\xcb\x40\x08\x00\x00\x00\x00\x00\x00", Version::V3),
        (b"\xca\x40\x00\x00\x00", Version::V2),
    ] {
        let event = decode(&[b"\x93\x81\xa1v", encoded, b"\xa1m\x90"].concat()).unwrap();
        assert_eq!(event.header.version, version);
    }
    for (encoded, found) in [
        (&b"\xa13"[..], Kind::String),
        (b"\xcb\x40\x04\x00\x00\x00\x00\x00\x00", Kind::Float),
        (b"\xca\x40\x20\x00\x00", Kind::Float),
    ] {
        let event = [b"\x93\x81\xa1v", encoded, b"\xa1m\x90"].concat();
        let error = DecodeError::VersionNotAnInteger { found };
        assert_eq!(decode(&event), Err(error));
    }
}

#[test]
fn bytes_after_the_event_are_ignored() {
    let event = [python_request(), b"\xc1garbage".to_vec()].concat();
    assert_eq!(decode(&event).unwrap().args, b"\x91\xa3RPC"[..]);
}

#[test]
fn b14_what_is_no_event_is_a_named_error() {
    let cases = [
        (
            &b"\x94\x80\xa1m\x90\x90"[..],
            DecodeError::WrongArity { count: 4 },
        ),
        (b"\x80", DecodeError::NotAnArray { found: Kind::Map }),
        (
            b"\x93\x90\xa1m\x90",
            DecodeError::HeaderNotAMap { found: Kind::Array },
        ),
        (
            b"\x93\x80\x05\x90",
            DecodeError::NameNotAString {
                found: Kind::Integer,
            },
        ),
        (b"\x93\x80\xa1m\xc1", DecodeError::Reserved),
        (b"\x93\x80\xa1m", DecodeError::Truncated),
        (
            b"\x93\xde\x00\xc8",
            DecodeError::TooManyHeaderEntries {
                count: 200,
                limit: 128,
            },
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode(bytes), Err(error), "{bytes:?}");
    }
    let long = [
        b"\x93\x81\xaamessage_id\xda\x01\x00",
        [b'x'; 256].as_slice(),
        b"\xa1m\x90",
    ]
    .concat();
    assert_eq!(
        decode(&long),
        Err(DecodeError::IdTooLong {
            len: 259,
            limit: 256
        })
    );
}

#[test]
fn a_header_beyond_its_limit_is_refused_and_its_id_is_known() {
    let mut limits = DecodeLimits::default();
    let payload = Bytes::from_static(b"\x93\x82\xaamessage_id\xa1i\xa1k\xa3xyz\xa1m\x90");
    limits.header_len = 20;
    assert!(Event::decode(&payload, &limits).is_ok());
    limits.header_len = 19;
    let failure = Event::decode_or_header(&payload, &limits).unwrap_err();
    assert_eq!(
        failure.error,
        DecodeError::HeaderTooLong { len: 20, limit: 19 }
    );
    assert!(failure.header.unwrap().message_id.is_some());
}

#[test]
fn what_is_as_long_as_its_limit_is_taken() {
    let payload = Bytes::from_static(b"\x93\x82\xaamessage_id\xa1i\xa1k\x01\xa1m\x90");
    let decode = |change: fn(&mut DecodeLimits)| {
        let mut limits = DecodeLimits::default();
        change(&mut limits);
        Event::decode_or_header(&payload, &limits)
    };
    let refused = |change| decode(change).unwrap_err();
    let (len, limit) = (21, 20);
    assert!(decode(|limits| limits.event_len = 21).is_ok());
    let failure = refused(|limits| limits.event_len = 20);
    assert_eq!(failure.error, DecodeError::TooLong { len, limit });
    assert_eq!(failure.header.unwrap().extra.count(), 1);

    let whole = decode(|limits| limits.header_entries = 2).unwrap();
    assert_eq!(whole.header.extra.count(), 1);
    let failure = refused(|limits| limits.header_entries = 1);
    let (count, limit) = (2, 1);
    assert_eq!(
        failure.error,
        DecodeError::TooManyHeaderEntries { count, limit }
    );
    let header = failure.header.unwrap();
    assert!(header.message_id.is_some());
    assert_eq!(header.extra.count(), 0, "nothing else is kept");
}

#[test]
fn many_values_are_charged_for_what_they_become() {
    let expansion = |count: u16| {
        let args = [&[0xdc], &count.to_be_bytes()[..], &vec![0xc0; count.into()]];
        let payload = [b"\x93\x80\xa1m", &args.concat()[..]].concat();
        decode(&payload).unwrap().expansion()
    };
    assert_eq!(expansion(1000), 0, "as good as nothing");
    assert_eq!(expansion(3001) - expansion(3000), 31);
    assert!((1970 * 31..1980 * 31).contains(&expansion(3000)));
}

#[test]
fn small_parts_of_large_payloads_are_worth_a_copy() {
    assert!(is_small_part(2047, 4097));
    assert!(!is_small_part(0, 4096), "it wastes little");
    assert!(!is_small_part(2048, 4097), "it is half of it");
}

#[test]
fn heads_that_do_not_fit_in_front_of_a_body_are_still_whole() {
    let mut extra = Extra::new();
    for number in 0..40 {
        extra
            .insert(&format!("key {number}"), &"x".repeat(40))
            .unwrap();
    }
    let head = Outgoing {
        message_id: PYTHON_ID,
        response_to: None,
        name: b"m",
        notice: Notice::Nothing,
    };
    let body = Body::args(&(1,)).unwrap().with_extra(extra.clone());
    let event = decode(&head.encode(body, &mut Vec::new())).unwrap();
    assert_eq!(
        (event.header.extra, event.args),
        (extra, Bytes::from_static(b"\x91\x01"))
    );
}

#[test]
fn context_cannot_replace_what_the_protocol_writes() {
    for key in ["message_id", "v", "response_to", "_zpc_cancel"] {
        let expected = crate::EncodeError::ReservedKey {
            key: key.to_owned(),
        };
        assert_eq!(Extra::new().insert(key, &1), Err(expected));
    }
}

#[test]
fn arguments_are_a_slice_of_the_payload() {
    let payload = Bytes::from(python_request());
    let event = Event::decode(&payload, &DecodeLimits::default()).unwrap();
    assert!(payload.as_ptr_range().contains(&event.args.as_ptr()));
}

proptest! {
    #[test]
    fn events_survive_the_wire(
        name in ".{0,40}",
        key in "[a-u]{1,20}",
        text in ".{0,300}",
        number in any::<i64>(),
        suffix in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let own = Body::value(&serde_bytes::Bytes::new(&suffix)).unwrap();
        let channel = MessageId::from_encoded(own.encoded());
        let mut extra = Extra::new();
        extra.insert(&key, &number).unwrap();
        let body = Body::args(&(number, &text)).unwrap().with_extra(extra.clone());
        let head = Outgoing {
            message_id: own.encoded(),
            response_to: Some(&channel),
            name: name.as_bytes(),
            notice: Notice::Nothing,
        };
        let event = decode(&head.encode(body, &mut Vec::new())).unwrap();
        prop_assert_eq!(event.name, name.as_str());
        prop_assert_eq!(event.header.response_to, Some(channel.clone()));
        prop_assert_eq!(event.header.message_id, Some(channel));
        prop_assert_eq!(event.header.extra, extra);
        prop_assert_eq!(crate::Args::from_encoded(event.args).decode(), Ok((number, text)));
    }

    #[test]
    fn perturbed_events_are_decoded_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = python_request();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        drop(decode(&bytes));
        bytes.truncate(cut.index(bytes.len()));
        drop(decode(&bytes));
    }
}

#[test]
fn header_entries_are_taken_out_merged_and_copied_by_name() {
    let mut entries = Extra::new();
    entries.insert("user", "ada").unwrap();
    entries.insert("trace", &1).unwrap();
    let mut other = Extra::new();
    other.insert("trace", &2).unwrap();
    other.insert("more", &3).unwrap();
    entries.merge(&other);
    assert_eq!(entries.count(), 3);
    assert_eq!(entries.decode::<u8>("trace").unwrap(), Some(2));
    let mut copy = Extra::new();
    copy.copy(&entries, "user");
    copy.copy(&entries, "missing");
    assert_eq!(copy.keys().collect::<Vec<_>>(), [b"user"]);
    assert_eq!(copy.encoded_len(), b"\xa4user\xa3ada".len());
    assert_eq!(entries.remove("user").as_deref(), Some(&b"\xa3ada"[..]));
    assert_eq!(entries.remove("user"), None);
}
