//! A client that has all the keys, and lies.

use super::party::{Party, client_keys, metadata, random_octets, server_keys, waiting};
use crate::curve::{KeyPair, PublicKey, SecretKey};
use crate::mechanism::curve::boxes::BoxKey;
use crate::mechanism::curve::nonce::{Nonce, prefix};
use crate::mechanism::{Authentication, CurveCommand, CurveError, HandshakeError, Next};
use crate::wire::command::CommandError;
use crate::wire::metadata::{Metadata, MetadataError};

/// What the client says; as it stands it is true.
struct Claims {
    hello_nonce: u64,
    padding: Vec<u8>,
    zeros: Vec<u8>,
    transient: KeyPair,
    /// The transient key that is in HELLO, if not that of the pair.
    shown: Option<PublicKey>,
    initiate_nonce: u64,
    client_key: PublicKey,
    vouched_transient: PublicKey,
    vouched_server: PublicKey,
    voucher: KeyPair,
    metadata: Vec<u8>,
}

impl Claims {
    fn new() -> Self {
        let transient = KeyPair::new(SecretKey::from_octets([0x77; 32]));
        Self {
            hello_nonce: 1,
            padding: vec![0; 72],
            zeros: vec![0; 64],
            vouched_transient: transient.public_key(),
            shown: None,
            transient,
            initiate_nonce: 2,
            client_key: client_keys().public_key(),
            vouched_server: server_keys().public_key(),
            voucher: client_keys(),
            metadata: encoded(&metadata("DEALER", None)),
        }
    }

    fn hello(&self) -> Vec<u8> {
        let shown = self.shown.unwrap_or_else(|| self.transient.public_key());
        let mut zeros = self.zeros.clone();
        let key = agree(&self.transient, &server_keys().public_key());
        let tag = key.seal(&Nonce::short(prefix::HELLO, self.hello_nonce), &mut zeros);
        let nonce = self.hello_nonce.to_be_bytes();
        let fields: [&[u8]; 6] = [
            b"\x05HELLO\x01\0",
            &self.padding,
            shown.as_octets(),
            &nonce,
            &tag,
            &zeros,
        ];
        fields.concat()
    }

    fn initiate(&self, welcome: &[u8]) -> Vec<u8> {
        let (server_transient, cookie) = self.open_welcome(welcome);
        self.initiate_with(&server_transient, &cookie)
    }

    /// The transient key of the server, and the cookie.
    fn open_welcome(&self, welcome: &[u8]) -> (PublicKey, Vec<u8>) {
        let mut plain = welcome[40..].to_vec();
        let nonce = Nonce::long(prefix::WELCOME, welcome[8..24].try_into().unwrap());
        agree(&self.transient, &server_keys().public_key())
            .open(&nonce, welcome[24..40].try_into().unwrap(), &mut plain)
            .unwrap();
        let (server_transient, cookie) = plain.split_at(32);
        let server_transient = PublicKey::try_from(server_transient).unwrap();
        (server_transient, cookie.to_vec())
    }

    fn initiate_with(&self, server_transient: &PublicKey, cookie: &[u8]) -> Vec<u8> {
        let mut vouch = [
            *self.vouched_transient.as_octets(),
            *self.vouched_server.as_octets(),
        ]
        .concat();
        let tag = agree(&self.voucher, server_transient)
            .seal(&Nonce::long(prefix::VOUCH, &[9; 16]), &mut vouch);
        let mut inside = [
            &self.client_key.as_octets()[..],
            &[9; 16],
            &tag,
            &vouch,
            &self.metadata,
        ]
        .concat();
        let nonce = Nonce::short(prefix::INITIATE, self.initiate_nonce);
        let tag = agree(&self.transient, server_transient).seal(&nonce, &mut inside);
        let nonce = self.initiate_nonce.to_be_bytes();
        [b"\x08INITIATE", cookie, &nonce, &tag, &inside].concat()
    }

    /// What an honest server makes of it.
    fn judge(&self) -> Result<Metadata, HandshakeError> {
        let mut server = Party::server(Authentication::NotRequired);
        let state = server.start();
        let state = waiting(server.handle(state, &self.hello())?);
        let welcome = server.said();
        match server.handle(state, &self.initiate(&welcome))? {
            Next::Done(done) => Ok(done.metadata),
            next => panic!("{next:?}"),
        }
    }

    fn curve_error(&self) -> CurveError {
        match self.judge() {
            Err(HandshakeError::Curve(error)) => error,
            other => panic!("{other:?}"),
        }
    }
}

fn agree(ours: &KeyPair, theirs: &PublicKey) -> BoxKey {
    BoxKey::agree(ours.secret_key(), theirs).unwrap()
}

fn encoded(metadata: &Metadata) -> Vec<u8> {
    let mut octets = Vec::new();
    metadata.encode(&mut octets);
    octets
}

fn stranger() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([0x66; 32]))
}

#[test]
fn the_truth_is_believed() {
    assert_eq!(Claims::new().judge(), Ok(metadata("DEALER", None)));
}

// CURVE-019, CURVE-027, LZ-052
#[test]
fn server_has_both_transient_keys_from_the_cookie_and_nowhere_else() {
    let claims = Claims::new();
    let mut server = Party::server(Authentication::NotRequired);
    let state = server.start();
    let state = waiting(server.handle(state, &claims.hello()).unwrap());
    // What only the server can make: a cookie with another key of its own in it.
    let cookie_key = BoxKey::from_secret(random_octets(2)[32..64].try_into().unwrap());
    let other = stranger();
    let mut keys = [
        *claims.transient.public_key().as_octets(),
        *other.secret_key().expose_octets(),
    ]
    .concat();
    let nonce = Nonce::long(prefix::COOKIE, &[3; 16]);
    let tag = cookie_key.seal(&nonce, &mut keys);
    let cookie = [&[3; 16][..], &tag, &keys].concat();
    let initiate = claims.initiate_with(&other.public_key(), &cookie);
    let next = server.handle(state, &initiate).unwrap();
    assert!(matches!(next, Next::Done(_)));
}

// CURVE-016
#[test]
fn padding_is_zero() {
    for at in [0, 1, 71] {
        let mut claims = Claims::new();
        claims.padding[at] = 1;
        assert_eq!(claims.curve_error(), CurveError::Padding);
    }
}

// CURVE-017
#[test]
fn what_is_in_the_box_of_a_hello_is_zero() {
    for at in [0, 31, 63] {
        let mut claims = Claims::new();
        claims.zeros[at] = 1;
        assert_eq!(claims.curve_error(), CurveError::Padding);
    }
}

// CURVE-005, CURVE-017
#[test]
fn transient_key_is_the_one_of_the_box_and_not_a_weak_one() {
    let command = CurveCommand::Hello;
    let mut claims = Claims::new();
    claims.shown = Some(stranger().public_key());
    assert_eq!(claims.curve_error(), CurveError::Box { command });
    claims.shown = Some(PublicKey::from_octets([0; 32]));
    assert_eq!(claims.curve_error(), CurveError::WeakKey { command });
}

// CURVE-032
#[test]
fn transient_key_in_another_spelling_is_not_the_one_that_is_vouched_for() {
    let mut claims = Claims::new();
    let mut octets = *claims.transient.public_key().as_octets();
    octets[31] |= 0x80;
    claims.shown = Some(PublicKey::from_octets(octets));
    assert_eq!(claims.curve_error(), CurveError::Vouch);
}

// CURVE-013, CURVE-034
#[test]
fn nonce_of_initiate_is_greater_than_that_of_hello() {
    let command = CurveCommand::Initiate;
    for (last, received) in [(1, 1), (1, 0), (7, 6), (u64::MAX, u64::MAX), (u64::MAX, 3)] {
        let mut claims = Claims::new();
        claims.hello_nonce = last;
        claims.initiate_nonce = received;
        let expected = CurveError::Nonce {
            command,
            last,
            received,
        };
        assert_eq!(claims.curve_error(), expected);
    }
    for (last, received) in [(0, 1), (0, u64::MAX), (41, 1000)] {
        let mut claims = Claims::new();
        claims.hello_nonce = last;
        claims.initiate_nonce = received;
        assert!(claims.judge().is_ok());
    }
}

// CURVE-032
#[test]
fn vouch_is_by_the_owner_of_the_key_and_for_this_connection() {
    let mut by_stranger = Claims::new();
    by_stranger.voucher = stranger();
    let mut as_stranger = Claims::new();
    as_stranger.client_key = stranger().public_key();
    let mut for_stranger = Claims::new();
    for_stranger.vouched_transient = stranger().public_key();
    for claims in [by_stranger, as_stranger, for_stranger] {
        assert_eq!(claims.curve_error(), CurveError::Vouch);
    }
}

// CURVE-033
#[test]
fn vouch_for_another_server_is_refused() {
    let mut claims = Claims::new();
    claims.vouched_server = stranger().public_key();
    assert_eq!(claims.curve_error(), CurveError::Vouch);
}

// CURVE-005
#[test]
fn weak_long_term_key_is_refused() {
    let mut claims = Claims::new();
    claims.client_key = PublicKey::from_octets([0; 32]);
    let command = CurveCommand::Initiate;
    assert_eq!(claims.curve_error(), CurveError::WeakKey { command });
}

// CURVE-035, CURVE-036
#[test]
fn metadata_are_whole_properties_or_none() {
    let mut claims = Claims::new();
    let whole = claims.metadata.clone();
    for len in 0..whole.len() {
        claims.metadata = whole[..len].to_vec();
        let result = claims.judge();
        if len == 0 {
            assert_eq!(result, Ok(Metadata::new()));
        } else {
            let error = CommandError::Metadata(MetadataError::Truncated);
            assert_eq!(result, Err(HandshakeError::Command(error)));
        }
    }
    claims.metadata = [&whole[..], b"\0"].concat();
    assert!(matches!(claims.judge(), Err(HandshakeError::Command(_))));
}
