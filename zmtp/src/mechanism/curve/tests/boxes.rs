//! Boxes as libsodium makes them.

use super::party::unhex;
use crate::curve::{PublicKey, SecretKey};
use crate::mechanism::curve::boxes::{BoxKey, Forged};
use crate::mechanism::curve::nonce::Nonce;

const ALICE: &str = "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90";
const BOB: &str = "81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9";
const NONCE: &str = "78377b525757b494427f89014f97d79928f3938d14eb51e2";

/// Tags of boxes from Alice to Bob that hold 0, 1, 2, … modulo 251, by their length.
const TAGS: [(usize, &str); 21] = [
    (0, "c99e2c5b7300b8a4e1607508c4523299"),
    (1, "a93f5ffe0d8b0b3632bc63721fb7da33"),
    (31, "32bcd70abaf6e100e7970475fa760026"),
    (32, "ee690b716a606c0f39ad0af39134a43c"),
    (33, "e4b4a365a8e1dbc278f9c9a6220444d8"),
    (95, "0c933d4b4522198ae140966a87cefdfe"),
    (96, "dfb5eaf9e7be3384dc91ec5d427781e7"),
    (97, "c3b83280d63ae967022080acc43fb719"),
    (128, "8d2b0b32fb147649a2b17701d84c2ca5"),
    (479, "c1045c2a674f42fff9db9c3e087222c1"),
    (480, "787061341729b62eb7a6379252b0966b"),
    (481, "106738b5fbebe1c08550d03ee20ccc4f"),
    (511, "b064a6e08dfc02d8464b1b975b764e34"),
    (512, "ce77bc608f543624b3ac2f1d1d5e14f7"),
    (513, "36fcd8a004cc8e1b903ed39e90189ffe"),
    (991, "dc629888f846262cb25b51ad26acbdae"),
    (992, "d4717bf80634c3fe32b5d78c9dbf3cb5"),
    (993, "0eb70ab0f4ee4d387434f47c479f17c5"),
    (1024, "2a428289848ee6185258d647beb39652"),
    (65_536, "ab91a00d103751eb3cccd4bf63cd91a3"),
    (5, "31dc30cf9e049efb274b96f06a3b62b1"),
];

fn secret(hex: &str) -> SecretKey {
    SecretKey::from_octets(unhex(hex))
}

fn nonce(octets: [u8; 24]) -> Nonce {
    let (prefix, rest) = octets.split_at(16);
    Nonce {
        prefix: prefix.try_into().unwrap(),
        rest: rest.try_into().unwrap(),
    }
}

fn octets(len: usize) -> Vec<u8> {
    (0..251).cycle().take(len).collect()
}

/// The key between both, from either side.
fn keys() -> [BoxKey; 2] {
    let (alice, bob) = (secret(ALICE), secret(BOB));
    [
        BoxKey::agree(&alice, &bob.public_key()).unwrap(),
        BoxKey::agree(&bob, &alice.public_key()).unwrap(),
    ]
}

// CURVE-001
#[test]
fn boxes_are_those_of_libsodium() {
    let nonce = nonce(unhex(NONCE));
    for (len, expected) in TAGS {
        // The last one holds something else.
        let plain = if len == 5 {
            b"hello".to_vec()
        } else {
            octets(len)
        };
        for key in keys() {
            let mut sealed = plain.clone();
            let tag = key.seal(&nonce, &mut sealed);
            assert_eq!(tag, unhex(expected), "{len}");
            assert!(len < 5 || sealed != plain);
            if len == 5 {
                assert_eq!(sealed, unhex::<5>("b88647f3e8"));
            }
            assert_eq!(key.open(&nonce, &tag, &mut sealed), Ok(()));
            assert_eq!(sealed, plain);
        }
    }
}

// CURVE-052, CURVE-062
#[test]
fn box_that_was_changed_does_not_open_and_shows_nothing() {
    let [key, _] = keys();
    let nonce = nonce(unhex(NONCE));
    let mut sealed = octets(600);
    let tag = key.seal(&nonce, &mut sealed);
    for bit in 0..128 {
        let mut tag = tag;
        tag[bit / 8] ^= 1 << (bit % 8);
        let mut octets = sealed.clone();
        assert_eq!(key.open(&nonce, &tag, &mut octets), Err(Forged));
        assert_eq!(octets, sealed);
    }
    for at in [0, 1, 31, 32, 479, 480, 599] {
        let mut octets = sealed.clone();
        octets[at] ^= 0x80;
        let changed = octets.clone();
        assert_eq!(key.open(&nonce, &tag, &mut octets), Err(Forged));
        assert_eq!(octets, changed);
    }
    assert_eq!(key.open(&nonce, &tag, &mut sealed[1..]), Err(Forged));
    for at in 0..24 {
        let mut other: [u8; 24] = unhex(NONCE);
        other[at] ^= 1;
        let other = self::nonce(other);
        assert_eq!(key.open(&other, &tag, &mut sealed), Err(Forged));
    }
}

// CURVE-005
#[test]
fn no_secret_is_agreed_with_a_point_of_low_order() {
    let low_order = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for hex in low_order {
        let point = PublicKey::from_octets(unhex(hex));
        assert!(BoxKey::agree(&secret(ALICE), &point).is_none(), "{hex}");
    }
}
