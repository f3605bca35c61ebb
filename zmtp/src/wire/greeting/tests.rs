//! Cuts, damage and foreign protocols.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::wire::tests::{apply_damage, cuts, damage, golden, in_pieces};

fn greeting() -> impl Strategy<Value = Greeting> {
    let version = (3..=u8::MAX, any::<u8>()).prop_map(|(major, minor)| Version { major, minor });
    let role = prop_oneof![Just(SecurityRole::Client), Just(SecurityRole::Server)];
    (version, any::<[u8; 20]>(), role).prop_map(|(version, mechanism, role)| Greeting {
        version,
        mechanism: MechanismName::from_octets(mechanism),
        role,
    })
}

/// Decodes after every octet, and returns the first result with the number of octets it took.
fn decode_dribbled(octets: &[u8]) -> (usize, Result<Greeting, GreetingError>) {
    let mut input = BytesMut::new();
    for (index, &octet) in octets.iter().enumerate() {
        input.extend_from_slice(&[octet]);
        if let Some(result) = Greeting::decode(&mut input).transpose() {
            return (index + 1, result);
        }
        assert_eq!(input.len(), index + 1);
    }
    panic!("no result after {} octets", octets.len());
}

#[test]
fn default_greeting_is_that_of_a_client_without_roles() {
    // [ZMTP31-001] [ZMTP31-011]
    let greeting = Greeting::new(MechanismName::NULL);
    assert_eq!(&greeting.to_octets()[..], golden("greeting-null-31"));
}

#[test]
fn older_protocols_are_recognised_from_as_few_octets_as_possible() {
    // [ZMTP31-024] [ZMTP31-148]
    let unsupported = |version| Err(GreetingError::UnsupportedVersion { version });
    for (octets, count, expected) in [
        (
            &b"GET / HTTP/1.1"[..],
            1,
            Err(GreetingError::NoSignature { first_octet: b'G' }),
        ),
        (b"\xff\0\0\0\0\0\0\0\x01\0", 10, unsupported(Version::V1_0)),
        (
            b"\xff\0\0\0\0\0\0\0\x01\x7e",
            10,
            unsupported(Version::V1_0),
        ),
        (
            b"\xff\0\0\0\0\0\0\0\0\x7f\x01",
            11,
            unsupported(Version::V2_0),
        ),
        (
            b"\xff\0\0\0\0\0\0\0\0\x7f\x02",
            11,
            unsupported(Version::V2_0),
        ),
        (
            b"\xff\0\0\0\0\0\0\0\0\x7f\x00",
            11,
            Err(GreetingError::UndefinedVersion),
        ),
    ] {
        assert_eq!(decode_dribbled(octets), (count, expected));
    }
}

#[test]
fn last_octet_of_the_signature_needs_bit_0_only() {
    let mut octets = golden("greeting-null-31");
    for octet in [0x01, 0x7f, 0xff] {
        octets[9] = octet;
        assert_eq!(
            decode_dribbled(&octets),
            (64, Ok(Greeting::new(MechanismName::NULL)))
        );
    }
}

#[test]
fn any_value_of_as_server_is_read() {
    // [ZMTP31-012]
    let mut octets = golden("greeting-null-31");
    for (octet, role) in [
        (0, SecurityRole::Client),
        (1, SecurityRole::Server),
        (7, SecurityRole::Server),
    ] {
        octets[32] = octet;
        assert_eq!(decode_dribbled(&octets).1.unwrap().role, role);
    }
}

#[test]
fn versions_are_shown_with_a_dot() {
    assert_eq!(Version::V3_1.to_string(), "3.1");
}

#[test]
fn octets_behind_the_greeting_are_left() {
    // [ZMTP31-022]
    let mut input = BytesMut::from(&golden("greeting-null-31")[..]);
    input.extend_from_slice(&golden("ready-PUSH"));
    assert!(Greeting::decode(&mut input).unwrap().is_some());
    assert_eq!(input, golden("ready-PUSH"));
}

proptest! {
    #[test]
    fn greeting_survives_any_cut(greeting in greeting(), cuts in cuts()) {
        // [ZMTP31-021]
        let mut input = BytesMut::new();
        let mut decoded = None;
        in_pieces(&greeting.to_octets(), &cuts, |piece| {
            assert_eq!(decoded, None);
            input.extend_from_slice(piece);
            decoded = Greeting::decode(&mut input).unwrap();
        });
        prop_assert_eq!(decoded, Some(greeting));
    }

    #[test]
    fn padding_and_filler_mean_nothing(padding in any::<[u8; 8]>(), filler in any::<[u8; 31]>()) {
        // [ZMTP31-004] [ZMTP31-005]
        let expected = Greeting::new(MechanismName::NULL);
        let mut octets = expected.to_octets();
        octets[1..9].copy_from_slice(&padding);
        octets[33..].copy_from_slice(&filler);
        prop_assert_eq!(decode_dribbled(&octets), (64, Ok(expected)));
    }

    #[test]
    fn damaged_greeting_gives_the_same_result_in_any_cut(
        greeting in greeting(),
        damage in damage(),
    ) {
        let mut octets = greeting.to_octets();
        apply_damage(&mut octets, &damage);
        let at_once = Greeting::decode(&mut BytesMut::from(&octets[..])).transpose();
        prop_assert_eq!(Some(decode_dribbled(&octets).1), at_once);
    }
}
