//! One side of a handshake, with fixed keys.

use std::time::Instant;

use serde_json::Value;

use crate::curve::{KeyPair, PublicKey, SecretKey};
use crate::mechanism::{
    Authentication, CurveClient, CurveServer, Handshake, HandshakeError, MechanismConfig, Next,
    Randomness, Step,
};
use crate::wire::metadata::{Metadata, MetadataLimits};

/// One side, and what it has said.
pub(super) struct Party {
    pub(super) config: MechanismConfig,
    pub(super) out: Vec<u8>,
    pub(super) now: Instant,
    randomness: [u8; Randomness::LEN],
    metadata: Metadata,
}

impl Party {
    pub(super) fn client() -> Self {
        let config = CurveClient::new(server_keys().public_key(), client_keys());
        Self::new(MechanismConfig::CurveClient(config), "DEALER", 1)
    }

    pub(super) fn server(authentication: Authentication) -> Self {
        let config = CurveServer::new(server_keys(), authentication);
        Self::new(MechanismConfig::CurveServer(config), "ROUTER", 2)
    }

    pub(super) fn new(config: MechanismConfig, socket_type: &str, seed: u8) -> Self {
        Self {
            config,
            out: Vec::new(),
            now: Instant::now(),
            randomness: random_octets(seed),
            metadata: metadata(socket_type, None),
        }
    }

    pub(super) fn with_randomness(mut self, fields: &[&str]) -> Self {
        let octets: Vec<u8> = fields.iter().flat_map(|hex| unhex_all(hex)).collect();
        self.randomness[..octets.len()].copy_from_slice(&octets);
        self
    }

    pub(super) fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    pub(super) fn step(&mut self) -> Step<'_> {
        Step {
            config: &self.config,
            limits: MetadataLimits::DEFAULT,
            now: self.now,
            out: &mut self.out,
        }
    }

    pub(super) fn try_start(&mut self) -> Result<Next, HandshakeError> {
        let randomness = self.randomness;
        let randomness = Randomness::generate(|octets| *octets = randomness);
        Handshake::start(self.metadata.clone(), randomness, self.step())
    }

    pub(super) fn start(&mut self) -> Handshake {
        waiting(self.try_start().unwrap())
    }

    pub(super) fn handle(&mut self, state: Handshake, body: &[u8]) -> Result<Next, HandshakeError> {
        state.handle(body, self.step())
    }

    /// Returns the body of the one command that it has said since the last call.
    pub(super) fn said(&mut self) -> Vec<u8> {
        body_of(&std::mem::take(&mut self.out))
    }
}

/// Returns the body of a frame that is a command.
pub(super) fn body_of(frame: &[u8]) -> Vec<u8> {
    let (body, len) = match frame[0] {
        4 => (&frame[2..], u64::from(frame[1])),
        6 => (
            &frame[9..],
            u64::from_be_bytes(frame[1..9].try_into().unwrap()),
        ),
        flags => panic!("flags {flags}"),
    };
    assert_eq!(body.len() as u64, len);
    body.to_vec()
}

/// Returns the body of a frame that looks like a message.
pub(super) fn body_of_message(frame: &[u8]) -> Vec<u8> {
    match frame[0] {
        0 => frame[2..].to_vec(),
        2 => frame[9..].to_vec(),
        flags => panic!("flags {flags}"),
    }
}

pub(super) fn waiting(next: Next) -> Handshake {
    match next {
        Next::Wait(state, _) => state,
        next => panic!("{next:?}"),
    }
}

/// Octets that are fixed, and differ from one to the next.
pub(super) fn random_octets(seed: u8) -> [u8; Randomness::LEN] {
    let octets = (0..).map(|n: u8| n.wrapping_mul(73).wrapping_add(seed));
    let octets: Vec<u8> = octets.take(Randomness::LEN).collect();
    octets.try_into().unwrap()
}

/// Properties as libzmq sends them.
pub(super) fn metadata(socket_type: &str, identity: Option<&[u8]>) -> Metadata {
    let mut metadata = Metadata::new();
    metadata
        .insert("Socket-Type", socket_type.as_bytes())
        .unwrap();
    if let Some(identity) = identity {
        metadata.insert("Identity", identity).unwrap();
    }
    metadata
}

pub(super) fn client_keys() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([0xc0; 32]))
}

pub(super) fn server_keys() -> KeyPair {
    KeyPair::new(SecretKey::from_octets([0x50; 32]))
}

pub(super) fn pair_of(secret: &str) -> KeyPair {
    KeyPair::new(SecretKey::from_octets(unhex(secret)))
}

pub(super) fn public_key(hex: &str) -> PublicKey {
    PublicKey::from_octets(unhex(hex))
}

pub(in super::super) fn unhex<const N: usize>(hex: &str) -> [u8; N] {
    unhex_all(hex).try_into().unwrap()
}

pub(in super::super) fn unhex_all(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let octet = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(octet).collect()
}

/// A conversation with libzmq 4.3.5, of which some secrets are known.
pub(super) fn capture(name: &str) -> Value {
    let text = match name {
        "client" => include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/vectors/curve_client_side.json"
        )),
        _ => include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/vectors/curve_server_side_plain.json"
        )),
    };
    serde_json::from_str(text).unwrap()
}

/// The octets of each entry of a conversation.
pub(super) fn log(conversation: &Value) -> Vec<Vec<u8>> {
    let entries = conversation["log"].as_array().unwrap();
    let octets = |entry: &Value| unhex_all(entry[1].as_str().unwrap());
    entries.iter().map(octets).collect()
}
