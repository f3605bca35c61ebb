//! Tests of the walk over hostile bytes.

use proptest::prelude::*;

use super::{
    DecodeError, DecodeLimits, Elements, Extent, Head, Reader, put_bin, put_str, skip, text_of,
};

fn walk(bytes: &[u8], limits: &DecodeLimits) -> Result<usize, DecodeError> {
    let mut reader = Reader::new(bytes);
    skip(&mut reader, limits, &mut limits.values.clone())?;
    Ok(bytes.len() - reader.rest().len())
}

#[test]
fn each_head_is_read_as_what_it_is() {
    let numbers = [
        (&b"\x7f"[..], Head::Unsigned(127)),
        (b"\xcc\xff", Head::Unsigned(255)),
        (b"\xcd\x01\x02", Head::Unsigned(0x0102)),
        (b"\xce\x01\x02\x03\x04", Head::Unsigned(0x0102_0304)),
        (b"\xcf\0\0\0\x01\0\0\0\x02", Head::Unsigned((1 << 32) + 2)),
        (b"\xd0\x01", Head::Unsigned(1)),
        (b"\xe0", Head::Negative(-32)),
        (b"\xd0\x80", Head::Negative(-128)),
        (b"\xd1\xff\0", Head::Negative(-256)),
        (b"\xd2\xff\xff\0\0", Head::Negative(-65_536)),
        (b"\xd3\xff\xff\xff\xff\0\0\0\0", Head::Negative(-(1 << 32))),
        (b"\xca\x3f\x80\0\0", Head::F32(1.0)),
        (b"\xcb\x3f\xf0\0\0\0\0\0\0", Head::F64(1.0)),
    ];
    let sizes = [
        (&b"\xa3"[..], Head::Str(3)),
        (b"\xd9\x05", Head::Str(5)),
        (b"\xda\x01\x02", Head::Str(0x0102)),
        (b"\xdb\0\x01\0\0", Head::Str(65_536)),
        (b"\xc4\x05", Head::Bin(5)),
        (b"\xc5\x01\x02", Head::Bin(0x0102)),
        (b"\xc6\0\x01\0\0", Head::Bin(65_536)),
        (b"\x93", Head::Array(3)),
        (b"\xdc\x01\x02", Head::Array(0x0102)),
        (b"\xdd\0\x01\0\0", Head::Array(65_536)),
        (b"\x83", Head::Map(3)),
        (b"\xde\x01\x02", Head::Map(0x0102)),
        (b"\xdf\0\x01\0\0", Head::Map(65_536)),
    ];
    let others = [
        (&b"\xc0"[..], Head::Nil),
        (b"\xc2", Head::Boolean(false)),
        (b"\xc3", Head::Boolean(true)),
        (b"\xd4\xff", Head::Ext(-1, 1)),
        (b"\xd5\x07", Head::Ext(7, 2)),
        (b"\xd6\x07", Head::Ext(7, 4)),
        (b"\xd7\x07", Head::Ext(7, 8)),
        (b"\xd8\x07", Head::Ext(7, 16)),
        (b"\xc7\x05\x07", Head::Ext(7, 5)),
        (b"\xc8\x01\x02\x07", Head::Ext(7, 0x0102)),
        (b"\xc9\0\x01\0\0\x07", Head::Ext(7, 65_536)),
    ];
    for (bytes, head) in numbers.into_iter().chain(sizes).chain(others) {
        let mut reader = Reader::new(bytes);
        assert_eq!(reader.head(), Ok(head), "{bytes:x?}");
        assert!(reader.rest().is_empty(), "{bytes:x?}");

        // It ends in the same place for who does not look at what it is.
        let mut reader = Reader::new(bytes);
        let extent = reader.extent();
        let left = reader.rest().len();
        let expected = match head {
            Head::Array(count) => Extent::Values(count),
            Head::Map(count) => Extent::Values(2 * count),
            Head::Str(len) | Head::Bin(len) | Head::Ext(_, len) => Extent::Bytes(left + len),
            _ => Extent::Bytes(left),
        };
        assert_eq!(extent, Ok(expected), "{bytes:x?}");
    }
}

#[test]
fn claimed_lengths_are_not_believed() {
    for head in [
        &b"\xdd\xff\xff\xff\xff"[..],
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\xdc\x00\x02\xc0",
        b"\x91",
        b"",
    ] {
        assert_eq!(
            walk(head, &DecodeLimits::default()),
            Err(DecodeError::Truncated),
            "{head:?}"
        );
    }
}

#[test]
fn depth_is_limited_and_costs_no_stack() {
    const DEPTH: usize = if cfg!(miri) { 1000 } else { 1_000_000 };
    let limits = DecodeLimits {
        depth: usize::MAX,
        ..DecodeLimits::default()
    };
    let mut nested = vec![0x91; DEPTH];
    nested.push(0xc0);
    assert_eq!(walk(&nested, &limits), Ok(nested.len()));
    let limit = DecodeLimits::default().depth;
    assert_eq!(
        walk(&nested, &DecodeLimits::default()),
        Err(DecodeError::TooDeep { limit })
    );
    nested.drain(..DEPTH - limit);
    assert_eq!(walk(&nested, &DecodeLimits::default()), Ok(nested.len()));
}

#[test]
fn depth_is_that_of_each_value_and_not_of_those_before_it() {
    let limits = DecodeLimits {
        depth: 3,
        ..DecodeLimits::default()
    };
    // Levels that go on behind their nested values, and such that end with them.
    for fits in [
        b"\x93\x91\x91\x01\x91\x91\x02\x92\x91\x03\x04".as_slice(),
        b"\x92\x92\x01\x92\x02\x03\x04",
        b"\x82\x01\x81\x02\x91\x03\x04\x91\x90",
    ] {
        assert_eq!(walk(fits, &limits), Ok(fits.len()), "{fits:?}");
    }
    for too_deep in [
        b"\x93\x91\x91\x01\x91\x91\x02\x91\x91\x91\x03".as_slice(),
        b"\x92\x92\x01\x92\x02\x91\x03\x04",
        b"\x82\x01\x81\x02\x91\x03\x04\x91\x91\x90",
    ] {
        let refused = Err(DecodeError::TooDeep { limit: 3 });
        assert_eq!(walk(too_deep, &limits), refused, "{too_deep:?}");
    }
}

#[test]
fn values_are_limited() {
    let limits = DecodeLimits {
        values: 10,
        ..DecodeLimits::default()
    };
    assert_eq!(
        walk(b"\x99\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0", &limits),
        Ok(10)
    );
    let ten = b"\x9a\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0";
    assert_eq!(
        walk(ten, &limits),
        Err(DecodeError::TooManyValues { limit: 10 })
    );
}

#[test]
fn reserved_byte_is_an_error() {
    assert_eq!(
        walk(b"\x91\xc1", &DecodeLimits::default()),
        Err(DecodeError::Reserved)
    );
}

#[test]
fn elements_are_slices_of_the_array() {
    let elements: Vec<_> = Elements::of(b"\x93\x01\x92\x02\x03\xa1x")
        .unwrap()
        .collect();
    assert_eq!(elements, [&b"\x01"[..], b"\x92\x02\x03", b"\xa1x"]);
    assert!(Elements::of(b"\x01").is_none());
}

proptest! {
    #[test]
    fn any_bytes_are_walked_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(len) = walk(&bytes, &DecodeLimits::default()) {
            prop_assert!(len <= bytes.len());
            prop_assert_eq!(walk(&bytes[..len], &DecodeLimits::default()), Ok(len));
            prop_assert!(len == 0 || walk(&bytes[..len - 1], &DecodeLimits::default()).is_err());
        }
    }
}

/// Needs heads of every length; an interpreter takes its time for each octet.
const LONGEST: usize = if cfg!(miri) { 300 } else { 70_000 };

proptest! {
    #[test]
    fn what_is_taken_at_once_is_the_value_that_a_walk_finds(bytes in proptest::collection::vec(any::<u8>(), 0..70)) {
        let mut reader = Reader::new(&bytes);
        match reader.take_short() {
            Some(value) => {
                prop_assert_eq!(walk(&bytes, &DecodeLimits::default()), Ok(value.len()));
                prop_assert_eq!(&[value, reader.rest()].concat(), &bytes);
            }
            None => prop_assert_eq!(reader.rest(), &bytes),
        }
    }

    /// The short way to the end of a value and the one that looks at what it is agree.
    #[test]
    fn a_value_is_as_long_as_its_head_says(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
        let (mut short, mut long) = (Reader::new(&bytes), Reader::new(&bytes));
        let expected = long.head().map(|head| match head {
            Head::Str(len) | Head::Bin(len) | Head::Ext(_, len) => (len, 0),
            Head::Array(count) => (0, count),
            Head::Map(count) => (0, count.saturating_mul(2)),
            _ => (0, 0),
        });
        let end = |reader: &Reader<'_>, len: usize| reader.rest().len().checked_sub(len);
        match (short.extent(), expected) {
            (Ok(Extent::Values(count)), Ok((_, expected))) => {
                prop_assert_eq!(count, expected);
                prop_assert_eq!(short.rest(), long.rest());
            }
            (Ok(Extent::Bytes(len)), Ok((body, 0))) => {
                prop_assert_eq!(end(&short, len), end(&long, body));
            }
            // Neither got behind the head, or one only finds at the body that it is cut off.
            (Ok(Extent::Bytes(len)), Err(DecodeError::Truncated)) => {
                prop_assert!(short.take(len).is_err());
            }
            (short, long) => prop_assert_eq!(short.err(), long.err()),
        }
    }

    #[test]
    fn a_text_is_what_follows_its_head(text in proptest::collection::vec(any::<u8>(), 0..LONGEST)) {
        let mut encoded = Vec::new();
        put_bin(&mut encoded, u32::try_from(text.len()).unwrap());
        encoded.extend_from_slice(&text);
        prop_assert_eq!(text_of(&encoded), Some(&text[..]));
        encoded.clear();
        put_str(&mut encoded, &text);
        prop_assert_eq!(text_of(&encoded), Some(&text[..]));
    }
}
