//! Tests of extensions, timestamps and dates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use rmpv::Value;
use serde::{Deserialize, Serialize};

use crate::{Args, Body, Ext, JsDate, Timestamp, TimestampError, decode};

fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
    Body::value(value).unwrap().encoded().to_vec()
}

fn timestamp(seconds: i64, nanoseconds: u32) -> Timestamp {
    Timestamp::new(seconds, nanoseconds).unwrap()
}

/// The vectors are what Python's `msgpack.packb(msgpack.Timestamp(…))` writes.
#[test]
fn timestamps_take_their_shortest_form() {
    for (moment, expected) in [
        (timestamp(0, 0), &b"\xd6\xff\x00\x00\x00\x00"[..]),
        (timestamp(u32::MAX.into(), 0), b"\xd6\xff\xff\xff\xff\xff"),
        (
            timestamp(1 << 32, 0),
            b"\xd7\xff\x00\x00\x00\x01\x00\x00\x00\x00",
        ),
        (timestamp(1, 1), b"\xd7\xff\x00\x00\x00\x04\x00\x00\x00\x01"),
        (
            timestamp((1 << 34) - 1, 999_999_999),
            b"\xd7\xff\xee\x6b\x27\xff\xff\xff\xff\xff",
        ),
        (
            timestamp(1 << 34, 0),
            b"\xc7\x0c\xff\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00",
        ),
        (
            timestamp(-1, 999_999_999),
            b"\xc7\x0c\xff\x3b\x9a\xc9\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ),
    ] {
        assert_eq!(encoded(&moment), expected, "{moment:?}");
        assert_eq!(decode(expected), Ok(moment));
    }
}

#[test]
fn timestamps_of_a_longer_form_are_read() {
    let long = b"\xc7\x0c\xff\x00\x00\x00\x05\x00\x00\x00\x00\x65\x53\xf1\x00";
    assert_eq!(decode(long), Ok(timestamp(1_700_000_000, 5)));
}

#[test]
fn what_is_no_timestamp_is_an_error_that_says_why() {
    for (encoded, expected) in [
        (
            &b"\xd4\xff\x00"[..],
            "timestamp of 1 bytes, expected 4, 8 or 12",
        ),
        (
            b"\xd7\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            "1073741823 nanoseconds are a second or more",
        ),
        (
            b"\xd6\x05\x00\x00\x00\x00",
            "extension 5, expected a timestamp",
        ),
        (b"\x07", "invalid type: integer `7`, expected a timestamp"),
        (b"\xc0", "invalid type: unit value, expected a timestamp"),
    ] {
        let error = decode::<Timestamp>(encoded).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let nanoseconds = 1_000_000_000;
    assert_eq!(
        Timestamp::new(0, nanoseconds),
        Err(TimestampError::Nanoseconds { nanoseconds })
    );
}

#[test]
fn timestamps_are_moments_of_the_system_before_and_after_1970() {
    for moment in [
        UNIX_EPOCH,
        UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789),
        UNIX_EPOCH - Duration::from_nanos(1),
        UNIX_EPOCH - Duration::from_secs(1),
        UNIX_EPOCH - Duration::new(3, 250_000_000),
    ] {
        let timestamp = Timestamp::try_from(moment).unwrap();
        assert_eq!(SystemTime::try_from(timestamp), Ok(moment));
    }
    let before = Timestamp::try_from(UNIX_EPOCH - Duration::from_nanos(1)).unwrap();
    assert_eq!(before, timestamp(-1, 999_999_999));
}

/// As msgpack-lite of Node writes `new Date(1700000000500)`: the tag 13, and the float inside.
#[test]
fn dates_of_javascript_are_read_and_written() {
    let node = b"\xc7\x09\x0d\xcb\x42\x78\xbc\xfe\x56\x9f\x40\x00";
    let date: JsDate = decode(node).unwrap();
    assert_eq!(date.milliseconds(), 1_700_000_000_500.0);
    assert_eq!(encoded(&date), node);
    assert_eq!(
        Timestamp::try_from(date),
        Ok(timestamp(1_700_000_000, 500_000_000))
    );
    // A small number of milliseconds is an integer in there.
    let small: JsDate = decode(b"\xd4\x0d\x07").unwrap();
    assert_eq!(small.milliseconds(), 7.0);
    assert_eq!(
        Timestamp::try_from(JsDate::from_milliseconds(-1.0)),
        Ok(timestamp(-1, 999_000_000))
    );
    let invalid = JsDate::from_milliseconds(f64::NAN);
    assert_eq!(
        Timestamp::try_from(invalid),
        Err(TimestampError::OutOfRange)
    );
}

#[test]
fn a_date_may_be_a_timestamp_but_not_the_other_way_round() {
    let moment = timestamp(-1, 999_999_999);
    let date: JsDate = decode(&encoded(&moment)).unwrap();
    assert_eq!(date.milliseconds(), -1.0);
    assert!(decode::<Timestamp>(&encoded(&date)).is_err());
}

#[test]
fn hostile_dates_are_errors() {
    for encoded in [
        &b"\xc7\x00\x0d"[..],
        b"\xd4\x0d\xc0",
        b"\xd4\x0d\x91",
        b"\xd4\x0d\xdf",
        b"\xd5\x0d\xa1x",
    ] {
        assert!(decode::<JsDate>(encoded).is_err(), "{encoded:?}");
    }
}

#[test]
fn extensions_are_fields_arguments_and_dynamic_values() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        at: Timestamp,
        until: Option<Timestamp>,
        shape: Ext,
    }

    let record = Record {
        at: timestamp(1, 2),
        until: None,
        shape: Ext::new(5, &b"abc"[..]),
    };
    assert_eq!(decode(&encoded(&record)), Ok(record));

    let args = Body::args(&(Ext::new(-2, &b""[..]), Some(timestamp(3, 0)))).unwrap();
    let args = Args::from_encoded(args.into_encoded());
    let (ext, until): (Ext, Option<Timestamp>) = args.decode().unwrap();
    assert_eq!((ext.tag(), until), (-2, Some(timestamp(3, 0))));
    let values: Vec<Value> = args.decode().unwrap();
    assert_eq!(values[0], Value::Ext(-2, vec![]));
    let ext: Ext = rmpv::ext::from_value(values[1].clone()).unwrap();
    assert_eq!(ext.tag(), -1);
}

#[test]
fn secrets_in_extensions_are_not_printed() {
    let ext = Ext::new(1, &b"secret"[..]);
    assert_eq!(format!("{ext:?}"), "Ext { tag: 1, len: 6 }");
}

proptest! {
    #[test]
    fn extensions_of_every_length_survive(tag: i8, content in prop::collection::vec(any::<u8>(), 0..300)) {
        let ext = Ext::new(tag, content.clone());
        let mut reference = Vec::new();
        rmpv::encode::write_value(&mut reference, &Value::Ext(tag, content)).unwrap();
        prop_assert_eq!(encoded(&ext), &reference[..]);
        prop_assert_eq!(decode::<Ext>(&reference), Ok(ext));
    }

    #[test]
    fn timestamps_survive(seconds: i64, nanoseconds in 0..1_000_000_000_u32) {
        let moment = timestamp(seconds, nanoseconds);
        prop_assert_eq!(decode(&encoded(&moment)), Ok(moment));
    }

    #[test]
    fn any_extension_is_a_timestamp_or_an_error(tag: i8, content in prop::collection::vec(any::<u8>(), 0..20)) {
        let ext = encoded(&Ext::new(tag, content));
        drop(decode::<Timestamp>(&ext));
        drop(decode::<JsDate>(&ext));
    }
}
