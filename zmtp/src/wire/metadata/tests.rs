//! Cuts, damage, limits and names.

use proptest::prelude::*;

use std::hash::BuildHasher as _;

use super::*;
use crate::wire::tests::{apply_damage, damage};

fn metadata() -> impl Strategy<Value = Metadata> {
    let name = "[A-Za-z0-9_.+-]{1,20}";
    let value = prop::collection::vec(any::<u8>(), 0..60);
    prop::collection::vec((name, value), 0..8).prop_map(|properties| {
        let mut metadata = Metadata::new();
        for (name, value) in properties {
            // Names that differ only in case are left out.
            let _ = metadata.insert(&name, value);
        }
        metadata
    })
}

fn decode(octets: &[u8]) -> Result<Metadata, MetadataError> {
    Metadata::decode(octets, &MetadataLimits::DEFAULT)
}

fn encode(metadata: &Metadata) -> Vec<u8> {
    let mut octets = Vec::new();
    metadata.encode(&mut octets);
    octets
}

#[test]
fn names_are_read_in_any_case_and_keep_their_spelling() {
    // [ZMTP31-067]
    let metadata = decode(b"\x0bsocket-TYPE\0\0\0\x04PUSH\x08Identity\0\0\0\0").unwrap();
    assert_eq!(metadata.get(Metadata::SOCKET_TYPE), Some(&b"PUSH".into()));
    // [ZMTP31-070] A value may be empty.
    assert_eq!(metadata.get("IDENTITY"), Some(&b"".into()));
    assert_eq!(metadata.get("Resource"), None);
    assert_eq!(metadata.iter().len(), metadata.len());
    let names: Vec<_> = (&metadata)
        .into_iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["socket-TYPE", "Identity"]);
}

#[test]
fn names_that_are_equal_have_one_hash_and_others_another() {
    let state = std::hash::RandomState::new();
    let hash = |name| state.hash_one(PropertyName::new(name).unwrap());
    assert_eq!(hash("Identity"), hash("iDENTITY"));
    assert_ne!(hash("Identity"), hash("Identitx"));
}

#[test]
fn names_are_shown_as_they_were_sent() {
    let name = PropertyName::new("X-Key").unwrap();
    assert_eq!(format!("{name} {name:?}"), "X-Key \"X-Key\"");
    assert_eq!(AsRef::<str>::as_ref(&name), "X-Key");
}

#[test]
fn unknown_properties_are_kept() {
    // [ZMTP31-072] [ZMTP31-073]
    let mut metadata = decode(b"\x05X-key\0\0\0\x05value\x03Foo\0\0\0\x01x").unwrap();
    assert_eq!(metadata.get("x-KEY"), Some(&b"value".into()));
    let application: Vec<_> = metadata
        .iter()
        .map(|(name, _)| name.is_application())
        .collect();
    assert_eq!(application, [true, false]);
    assert_eq!(metadata.remove("foo"), Some("x".into()));
    assert_eq!(metadata.len(), 1);
    assert!(!metadata.is_empty() && Metadata::new().is_empty());
}

#[test]
fn malformed_properties_are_refused() {
    // [ZMTP31-066] [ZMTP31-069] [ZMTP31-071] [ZMTP31-074]
    let too_long = |len| MetadataError::ValueTooLong {
        len,
        limit: 0x7fff_ffff,
    };
    let duplicate = MetadataError::Duplicate {
        name: PropertyName::new("A").unwrap(),
    };
    for (octets, expected) in [
        (&b"\x00"[..], MetadataError::EmptyName),
        (b"\0\0\0\0\0", MetadataError::EmptyName),
        (
            b"\x03a b\0\0\0\0",
            MetadataError::InvalidName { octet: b' ' },
        ),
        (
            b"\x01\xe9\0\0\0\0",
            MetadataError::InvalidName { octet: 0xe9 },
        ),
        (b"\x01a\x80\0\0\0", too_long(0x8000_0000)),
        (b"\x01a\xff\xff\xff\xff", too_long(0xffff_ffff)),
        (b"\x01a\x7f\xff\xff\xff", MetadataError::Truncated),
        (b"\x01a\0\0\0\x02x", MetadataError::Truncated),
        (b"\x01a\0\0\0\0\x01", MetadataError::Truncated),
        (b"\x01a\0\0\0\0\x01A\0\0\0\0", duplicate),
    ] {
        assert_eq!(decode(octets), Err(expected), "{}", octets.escape_ascii());
    }
}

#[test]
fn metadata_cut_anywhere_but_between_properties_is_refused() {
    // [ZMTP31-071]
    let octets = b"\x0bSocket-Type\0\0\0\x06DEALER\x08Identity\0\0\0\x02id";
    for len in 0..=octets.len() {
        let result = decode(&octets[..len]);
        if [0, 22, octets.len()].contains(&len) {
            assert!(result.is_ok(), "{len}");
        } else {
            assert_eq!(result, Err(MetadataError::Truncated), "{len}");
        }
    }
}

#[test]
fn limits_are_64_properties_in_8_kib_by_default() {
    let MetadataLimits {
        max_properties,
        max_encoded_len,
    } = MetadataLimits::default();
    assert_eq!((max_properties, max_encoded_len), (64, 8192));
}

#[test]
fn count_and_size_are_limited() {
    // [ZMTP31-075]
    let octets = b"\x01a\0\0\0\x01x\x01b\0\0\0\x01y";
    let limits = |max_properties, max_encoded_len| MetadataLimits {
        max_properties,
        max_encoded_len,
    };
    assert!(Metadata::decode(octets, &limits(2, 14)).is_ok());
    assert_eq!(
        Metadata::decode(octets, &limits(1, 14)),
        Err(MetadataError::TooManyProperties { limit: 1 })
    );
    assert_eq!(
        Metadata::decode(octets, &limits(2, 13)),
        Err(MetadataError::TooLarge { len: 14, limit: 13 })
    );
}

#[test]
fn properties_that_could_not_be_read_cannot_be_added() {
    let mut metadata = Metadata::new();
    assert_eq!(metadata.insert("", ""), Err(MetadataError::EmptyName));
    assert_eq!(
        metadata.insert(&"x".repeat(256), ""),
        Err(MetadataError::NameTooLong {
            len: 256,
            limit: 255
        })
    );
    assert_eq!(
        metadata.insert("a:b", ""),
        Err(MetadataError::InvalidName { octet: b':' })
    );
    assert_eq!(metadata.insert(&"x".repeat(255), "1"), Ok(()));
    assert!(matches!(
        metadata.insert(&"X".repeat(255), "2"),
        Err(MetadataError::Duplicate { .. })
    ));
    assert_eq!(decode(&encode(&metadata)), Ok(metadata));
}

proptest! {
    #[test]
    fn metadata_survives_encoding(metadata in metadata()) {
        let octets = encode(&metadata);
        prop_assert_eq!(octets.len(), metadata.encoded_len());
        prop_assert_eq!(decode(&octets), Ok(metadata));
    }

    #[test]
    fn what_is_read_from_damaged_metadata_can_be_written_back(
        metadata in metadata(),
        damage in damage(),
    ) {
        let mut octets = encode(&metadata);
        apply_damage(&mut octets, &damage);
        if let Ok(metadata) = decode(&octets) {
            prop_assert_eq!(encode(&metadata), octets);
        }
    }
}
