//! The parts against vectors and beside the crates of RustCrypto, and all of it beside them.

use ::poly1305::Poly1305;
use ::poly1305::universal_hash::KeyInit as _;
use ::salsa20::Salsa20;
use ::salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use fearless_simd::Level;
use proptest::prelude::*;

use super::poly1305::tag;
use super::salsa20::{BATCH_LEN, Key};
use crate::mechanism::curve::boxes::{Forged, rustcrypto};
use crate::mechanism::curve::tests::party::{unhex, unhex_all};

/// Keys and messages of RFC 8439, appendix A.3, at which sums come out at or just beyond the modulus.
#[test]
fn tags_at_the_edges_of_the_field() {
    let two = "0200000000000000000000000000000000000000000000000000000000000000";
    let one = "0100000000000000000000000000000000000000000000000000000000000000";
    let padded = "02000000000000000000000000000000ffffffffffffffffffffffffffffffff";
    let split = "0100000000000000040000000000000000000000000000000000000000000000";
    for (key, message, expected) in [
        (
            two,
            "ffffffffffffffffffffffffffffffff",
            "03000000000000000000000000000000",
        ),
        (
            padded,
            "02000000000000000000000000000000",
            "03000000000000000000000000000000",
        ),
        (
            one,
            "fffffffffffffffffffffffffffffffff0ffffffffffffffffffffffffffffff\
             11000000000000000000000000000000",
            "05000000000000000000000000000000",
        ),
        (
            one,
            "fffffffffffffffffffffffffffffffffbfefefefefefefefefefefefefefefe\
             01010101010101010101010101010101",
            "00000000000000000000000000000000",
        ),
        (
            two,
            "fdffffffffffffffffffffffffffffff",
            "faffffffffffffffffffffffffffffff",
        ),
        (
            split,
            "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000\
             0000000000000000000000000000000001000000000000000000000000000000",
            "14000000000000005500000000000000",
        ),
        (
            split,
            "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000\
             00000000000000000000000000000000",
            "13000000000000000000000000000000",
        ),
    ] {
        assert_eq!(
            tag(Level::new(), &unhex(key), &unhex_all(message)),
            unhex(expected)
        );
    }
}

/// As many octets, with a different one after each.
fn octets(len: usize) -> Vec<u8> {
    (0..251).cycle().take(len).collect()
}

proptest! {
    #[test]
    fn the_cipher_is_that_of_another_implementation(
        key in any::<[u8; 32]>(),
        nonce in any::<[u8; 8]>(),
        lens in prop::collection::vec(0..1500_usize, 1..4),
    ) {
        // Each call begins with a block, and with a batch where it is asked for many.
        let mut other = Salsa20::new(&key.into(), &nonce.into());
        let key = Key::new(&key);
        let mut stream = key.stream(&nonce);
        for len in lens {
            let len = len / BATCH_LEN * BATCH_LEN;
            let mut ours = octets(len);
            let mut theirs = ours.clone();
            stream.apply(&mut ours);
            other.apply_keystream(&mut theirs);
            prop_assert_eq!(ours, theirs);
        }
        let mut ours = octets(700);
        let mut theirs = ours.clone();
        stream.apply(&mut ours);
        other.apply_keystream(&mut theirs);
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn tags_are_those_of_another_implementation(
        key in any::<[u8; 32]>(),
        octets in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            // What carries the furthest.
            prop::collection::vec(prop::sample::select(vec![0, 1, 0xfe, 0xff]), 0..300),
        ],
    ) {
        let theirs = Poly1305::new(&key.into()).compute_unpadded(&octets);
        prop_assert_eq!(tag(Level::new(), &key, &octets), <[u8; 16]>::from(theirs));
    }

    #[test]
    fn tags_of_long_messages_are_those_of_another_implementation(
        key in prop_oneof![any::<[u8; 32]>(), Just([0xff; 32])],
        octets in prop_oneof![
            prop::collection::vec(any::<u8>(), 1000..3000),
            prop::collection::vec(prop::sample::select(vec![0, 1, 0xfe, 0xff]), 1000..3000),
            (1000..3000_usize).prop_map(|len| vec![0xff; len]),
        ],
    ) {
        let theirs = Poly1305::new(&key.into()).compute_unpadded(&octets);
        prop_assert_eq!(tag(Level::new(), &key, &octets), <[u8; 16]>::from(theirs));
    }

    #[test]
    fn key_stream_is_the_same_in_any_amount(
        key in any::<[u8; 32]>(),
        nonce in any::<[u8; 8]>(),
        len in 1..=BATCH_LEN,
    ) {
        let mut theirs = [0; BATCH_LEN];
        Salsa20::new(&key.into(), &nonce.into()).apply_keystream(&mut theirs);
        let ours = Key::new(&key).stream(&nonce).take(len);
        prop_assert_eq!(&ours[..len], &theirs[..len]);
    }
    #[test]
    fn boxes_are_those_of_another_implementation(
        key in any::<[u8; 32]>(),
        prefix in any::<[u8; 16]>(),
        nonce in any::<[u8; 8]>(),
        len in prop_oneof![0..200_usize, 0..5000_usize],
    ) {
        let ours = super::Key::new(&key).derive(&prefix);
        let theirs = rustcrypto::Key::new(&key).derive(&prefix);
        let plain = octets(len);
        let mut sealed = plain.clone();
        let tag = ours.seal(&nonce, &mut sealed);
        let mut sealed_there = plain.clone();
        prop_assert_eq!(theirs.seal(&nonce, &mut sealed_there), tag);
        prop_assert_eq!(&sealed_there, &sealed);
        // Each opens what the other sealed.
        prop_assert_eq!(theirs.open(&nonce, &tag, &mut sealed), Ok(()));
        prop_assert_eq!(ours.open(&nonce, &tag, &mut sealed_there), Ok(()));
        prop_assert_eq!(&sealed, &plain);
        prop_assert_eq!(&sealed_there, &plain);
    }

    #[test]
    fn boxes_that_were_changed_open_nowhere(
        key in any::<[u8; 32]>(),
        nonce in any::<[u8; 8]>(),
        len in 1..600_usize,
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let (ours, theirs) = (super::Key::new(&key), rustcrypto::Key::new(&key));
        let mut sealed = octets(len);
        let tag = ours.seal(&nonce, &mut sealed);
        sealed[at.index(len)] ^= 1 << bit;
        let changed = sealed.clone();
        prop_assert_eq!(ours.open(&nonce, &tag, &mut sealed), Err(Forged));
        prop_assert_eq!(theirs.open(&nonce, &tag, &mut sealed), Err(Forged));
        prop_assert_eq!(sealed, changed);
    }
}
