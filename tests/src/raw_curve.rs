//! Both sides of CURVE, for peers that know all keys and say whatever a test wants them to.
//!
//! The boxes are made here from their parts, X25519, HSalsa20, Salsa20 and Poly1305, as NaCl describes
//! them, and the commands as CurveZMQ does.

use std::io;

use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::cipher::consts::U10;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use salsa20::{Salsa20, hsalsa};
use x25519_dalek::{PublicKey, StaticSecret, x25519};

use crate::bytes::{COMMAND, command_body, frame, greeting_with_mechanism, property};
use crate::raw_peer::{RawFrame, RawPeer};

/// A secret key, or a public one.
pub type Key = [u8; 32];

/// The transient secret keys of raw peers, which have nothing to hide.
const CLIENT_TRANSIENT: Key = [0x77; 32];
const SERVER_TRANSIENT: Key = [0x88; 32];

/// Returns the public half of a secret key.
#[must_use]
pub fn public_key(secret: &Key) -> Key {
    PublicKey::from(&StaticSecret::from(*secret)).to_bytes()
}

/// Returns the nonce of a prefix and a counter.
#[must_use]
pub fn short_nonce(prefix: &[u8; 16], counter: u64) -> [u8; 24] {
    let mut nonce = [0; 24];
    nonce[..16].copy_from_slice(prefix);
    nonce[16..].copy_from_slice(&counter.to_be_bytes());
    nonce
}

/// Returns the nonce of a prefix and sixteen octets.
#[must_use]
pub fn long_nonce(prefix: &[u8; 8], octets: &[u8; 16]) -> [u8; 24] {
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(prefix);
    nonce[8..].copy_from_slice(octets);
    nonce
}

/// Seals octets between a secret and a public key: the tag, and what they become.
#[must_use]
pub fn seal(secret: &Key, public: &Key, nonce: &[u8; 24], octets: &[u8]) -> Vec<u8> {
    let (mut stream, tag_key) = stream(secret, public, nonce);
    let mut sealed = octets.to_vec();
    stream.apply_keystream(&mut sealed);
    [&tag(&tag_key, &sealed)[..], &sealed].concat()
}

/// Opens what [`seal`] has made on either side, if nobody has changed it.
#[must_use]
pub fn open(secret: &Key, public: &Key, nonce: &[u8; 24], sealed: &[u8]) -> Option<Vec<u8>> {
    let (theirs, octets) = sealed.split_at_checked(16)?;
    let (mut stream, tag_key) = stream(secret, public, nonce);
    if tag(&tag_key, octets)[..] != *theirs {
        return None;
    }
    let mut octets = octets.to_vec();
    stream.apply_keystream(&mut octets);
    Some(octets)
}

/// The stream of a box, whose first half block is the key of the tag.
fn stream(secret: &Key, public: &Key, nonce: &[u8; 24]) -> (Salsa20, poly1305::Key) {
    let shared = x25519(*secret, *public);
    let key = hsalsa::<U10>(&shared.into(), &[0; 16].into());
    let (head, rest) = nonce.split_at(16);
    let head: [u8; 16] = head.try_into().expect("sixteen octets");
    let rest: [u8; 8] = rest.try_into().expect("eight octets");
    let key = hsalsa::<U10>(&key, &head.into());
    let mut stream = Salsa20::new(&key, &rest.into());
    let mut tag_key = poly1305::Key::default();
    stream.apply_keystream(&mut tag_key);
    (stream, tag_key)
}

fn tag(key: &poly1305::Key, octets: &[u8]) -> [u8; 16] {
    Poly1305::new(key).compute_unpadded(octets).into()
}

/// Returns the greeting of a client of CURVE.
#[must_use]
pub fn client_greeting() -> Vec<u8> {
    greeting_with_mechanism(3, 1, b"CURVE")
}

/// Returns the greeting of a server of CURVE.
#[must_use]
pub fn server_greeting() -> Vec<u8> {
    let mut greeting = client_greeting();
    greeting[32] = 1;
    greeting
}

/// What a client says of itself. As [`RawCurveClient::new`] makes it, it is true.
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a test changes any of what is claimed"
)]
pub struct RawCurveClient {
    /// The flags of the frame of HELLO.
    pub hello_flags: u8,
    /// What HELLO and INITIATE are called.
    pub names: [&'static str; 2],
    /// The version in HELLO.
    pub version: [u8; 2],
    /// The padding of HELLO.
    pub padding: Vec<u8>,
    /// What is in the box of HELLO.
    pub zeros: Vec<u8>,
    /// The nonce of HELLO.
    pub hello_nonce: u64,
    /// The secret transient key.
    pub transient: Key,
    /// The public transient key that HELLO shows.
    pub shown_transient: Key,
    /// The public key of the server.
    pub server: Key,
    /// The nonce of INITIATE.
    pub initiate_nonce: u64,
    /// The public key that INITIATE shows.
    pub shown: Key,
    /// The secret key that vouches.
    pub voucher: Key,
    /// The transient key that is vouched for.
    pub vouched_transient: Key,
    /// The server that it is vouched to.
    pub vouched_server: Key,
    /// A vouch to show instead of one of its own.
    pub recorded_vouch: Option<Vec<u8>>,
    /// What is done to the cookie.
    pub cookie: fn(&mut Vec<u8>),
    /// The metadata of INITIATE.
    pub metadata: Vec<u8>,
    /// The transient public key of the server, once WELCOME has told it.
    pub server_transient: Key,
}

impl RawCurveClient {
    /// A client with this secret key, of the server with this public one, that connects a socket of
    /// a type.
    #[must_use]
    pub fn new(secret: Key, server: Key, socket_type: &str) -> Self {
        let shown_transient = public_key(&CLIENT_TRANSIENT);
        Self {
            hello_flags: COMMAND,
            names: ["HELLO", "INITIATE"],
            version: [1, 0],
            padding: vec![0; 72],
            zeros: vec![0; 64],
            hello_nonce: 1,
            transient: CLIENT_TRANSIENT,
            shown_transient,
            server,
            initiate_nonce: 2,
            shown: public_key(&secret),
            voucher: secret,
            vouched_transient: shown_transient,
            vouched_server: server,
            recorded_vouch: None,
            cookie: |_| {},
            metadata: property("Socket-Type", socket_type.as_bytes()),
            server_transient: [0; 32],
        }
    }

    /// Returns the frame of HELLO.
    #[must_use]
    pub fn hello(&self) -> Vec<u8> {
        let nonce = short_nonce(b"CurveZMQHELLO---", self.hello_nonce);
        let fields = [
            &self.version[..],
            &self.padding,
            &self.shown_transient,
            &nonce[16..],
            &seal(&self.transient, &self.server, &nonce, &self.zeros),
        ];
        let body = command_body(self.names[0], &fields.concat());
        frame(self.hello_flags, &body)
    }

    /// Returns the frame of INITIATE that answers a WELCOME.
    ///
    /// # Errors
    ///
    /// Fails if it is no WELCOME for this client.
    pub fn initiate(&mut self, welcome: &RawFrame) -> io::Result<Vec<u8>> {
        let (server_transient, mut cookie) = self
            .open_welcome(&welcome.body)
            .ok_or_else(|| io::Error::other(format!("no WELCOME but {welcome:?}")))?;
        self.server_transient = server_transient;
        (self.cookie)(&mut cookie);
        let vouch = self.recorded_vouch.clone().unwrap_or_else(|| self.vouch());
        let inside = [&self.shown[..], &vouch, &self.metadata].concat();
        let nonce = short_nonce(b"CurveZMQINITIATE", self.initiate_nonce);
        let sealed = seal(&self.transient, &server_transient, &nonce, &inside);
        let data = [&cookie, &nonce[16..], &sealed].concat();
        Ok(frame(COMMAND, &command_body(self.names[1], &data)))
    }

    /// Returns the vouch of this connection, which WELCOME has to come before.
    #[must_use]
    pub fn vouch(&self) -> Vec<u8> {
        let nonce = long_nonce(b"VOUCH---", &[9; 16]);
        let vouched = [self.vouched_transient, self.vouched_server].concat();
        let sealed = seal(&self.voucher, &self.server_transient, &nonce, &vouched);
        [&nonce[8..], &sealed].concat()
    }

    /// Returns the frame of a MESSAGE with these flags inside.
    #[must_use]
    pub fn message(&self, nonce: u64, flags: u8, body: &[u8]) -> Vec<u8> {
        let nonce = short_nonce(b"CurveZMQMESSAGEC", nonce);
        frame(
            0,
            &message_body(&self.transient, &self.server_transient, &nonce, flags, body),
        )
    }

    /// Opens the body of a MESSAGE of the server: its flags, and what is in it.
    #[must_use]
    pub fn open(&self, body: &[u8]) -> Option<Vec<u8>> {
        let (counter, sealed) = body.strip_prefix(b"\x07MESSAGE")?.split_first_chunk()?;
        let nonce = short_nonce(b"CurveZMQMESSAGES", u64::from_be_bytes(*counter));
        open(&self.transient, &self.server_transient, &nonce, sealed)
    }

    /// Goes on as far as INITIATE, and sends that.
    ///
    /// # Errors
    ///
    /// Fails if the server does not say what it has to.
    pub async fn introduce(&mut self, peer: &mut RawPeer) -> io::Result<()> {
        peer.send(&client_greeting()).await?;
        peer.recv_greeting().await?;
        peer.send(&self.hello()).await?;
        let welcome = peer.recv_frame().await?;
        let initiate = self.initiate(&welcome)?;
        peer.send(&initiate).await
    }

    /// Shakes hands.
    ///
    /// # Errors
    ///
    /// Fails if the server does not let it in.
    pub async fn shake_hands(&mut self, peer: &mut RawPeer) -> io::Result<()> {
        self.introduce(peer).await?;
        let ready = peer.recv_frame().await?;
        if ready.is_command("READY") {
            return Ok(());
        }
        Err(io::Error::other(format!("no READY but {ready:?}")))
    }

    fn open_welcome(&self, body: &[u8]) -> Option<(Key, Vec<u8>)> {
        let (nonce, sealed) = body.strip_prefix(b"\x07WELCOME")?.split_first_chunk()?;
        let nonce = long_nonce(b"WELCOME-", nonce);
        let inside = open(&self.transient, &self.server, &nonce, sealed)?;
        let (server_transient, cookie) = inside.split_first_chunk()?;
        Some((*server_transient, cookie.to_vec()))
    }
}

/// A server, which lets everybody in who knows its key.
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a test changes any of what is claimed"
)]
pub struct RawCurveServer {
    /// The secret key.
    pub secret: Key,
    /// The nonce of READY.
    pub ready_nonce: u64,
    /// The metadata of READY.
    pub metadata: Vec<u8>,
    /// The transient public key of the client, once HELLO has told it.
    pub client_transient: Key,
}

impl RawCurveServer {
    /// A server with this secret key and a socket of a type.
    #[must_use]
    pub fn new(secret: Key, socket_type: &str) -> Self {
        Self {
            secret,
            ready_nonce: 1,
            metadata: property("Socket-Type", socket_type.as_bytes()),
            client_transient: [0; 32],
        }
    }

    /// Goes on as far as INITIATE; what is next is [READY](Self::ready) or something else.
    ///
    /// # Errors
    ///
    /// Fails if the client does not say what it has to.
    pub async fn welcome(&mut self, peer: &mut RawPeer) -> io::Result<()> {
        peer.send(&server_greeting()).await?;
        peer.recv_greeting().await?;
        let hello = peer.recv_frame().await?;
        let shown = hello.body.get(80..112).unwrap_or_default();
        let shown = shown.try_into().map_err(io::Error::other)?;
        self.client_transient = shown;
        let nonce = long_nonce(b"WELCOME-", &[7; 16]);
        let inside = [&public_key(&SERVER_TRANSIENT)[..], &[0xc0; 96]].concat();
        let sealed = seal(&self.secret, &self.client_transient, &nonce, &inside);
        let body = command_body("WELCOME", &[&nonce[8..], &sealed].concat());
        peer.send(&frame(COMMAND, &body)).await?;
        let initiate = peer.recv_frame().await?;
        if initiate.is_command("INITIATE") {
            return Ok(());
        }
        Err(io::Error::other(format!("no INITIATE but {initiate:?}")))
    }

    /// Returns the frame of READY.
    #[must_use]
    pub fn ready(&self) -> Vec<u8> {
        let nonce = short_nonce(b"CurveZMQREADY---", self.ready_nonce);
        let sealed = seal(
            &SERVER_TRANSIENT,
            &self.client_transient,
            &nonce,
            &self.metadata,
        );
        let body = command_body("READY", &[&nonce[16..], &sealed].concat());
        frame(COMMAND, &body)
    }

    /// Returns the frame of a MESSAGE with these flags inside.
    #[must_use]
    pub fn message(&self, nonce: u64, flags: u8, body: &[u8]) -> Vec<u8> {
        let nonce = short_nonce(b"CurveZMQMESSAGES", nonce);
        frame(
            0,
            &message_body(
                &SERVER_TRANSIENT,
                &self.client_transient,
                &nonce,
                flags,
                body,
            ),
        )
    }
}

fn message_body(secret: &Key, public: &Key, nonce: &[u8; 24], flags: u8, body: &[u8]) -> Vec<u8> {
    let sealed = seal(secret, public, nonce, &[&[flags], body].concat());
    command_body("MESSAGE", &[&nonce[16..], &sealed].concat())
}
