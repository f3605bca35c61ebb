//! Tests of the walk over hostile bytes.

use proptest::prelude::*;

use super::{DecodeError, DecodeLimits, Elements, Reader, skip};

fn walk(bytes: &[u8], limits: &DecodeLimits) -> Result<usize, DecodeError> {
    let mut reader = Reader::new(bytes);
    skip(&mut reader, limits, &mut limits.values.clone())?;
    Ok(bytes.len() - reader.rest().len())
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
    let limits = DecodeLimits {
        depth: usize::MAX,
        ..DecodeLimits::default()
    };
    let mut nested = vec![0x91; 1_000_000];
    nested.push(0xc0);
    assert_eq!(walk(&nested, &limits), Ok(nested.len()));
    let limit = DecodeLimits::default().depth;
    assert_eq!(
        walk(&nested, &DecodeLimits::default()),
        Err(DecodeError::TooDeep { limit })
    );
    nested.drain(..1_000_000 - limit);
    assert_eq!(walk(&nested, &DecodeLimits::default()), Ok(nested.len()));
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
