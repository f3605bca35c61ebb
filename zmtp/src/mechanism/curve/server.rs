//! The server of CURVE.

use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::CurveServer;
use super::boxes::BoxKey;
use super::channel::Channel;
use super::commands::{self, COOKIE_LEN, Fields, PADDING_LEN, VERSION, VOUCH_LEN, ZEROS_LEN};
use super::nonce::{LONG_LEN, Nonce, prefix};
use crate::curve::{KeyPair, PublicKey, SecretKey};
use crate::mechanism::{
    Authentication, AuthenticationRequest, Credentials, CurveCommand, CurveError, Done, Handshake,
    HandshakeError, Next, Randomness, Undecided,
};
use crate::wire::greeting::SecurityRole;
use crate::wire::metadata::{Metadata, MetadataLimits};

/// How long a cookie may be shown again `[CURVE-025]`.
pub(super) const COOKIE_LIFETIME: Duration = Duration::from_secs(60);

/// Nothing was said yet.
#[derive(Debug)]
pub(crate) struct ExpectHello {
    config: CurveServer,
    metadata: Metadata,
    randomness: Randomness,
}

/// WELCOME is on its way.
///
/// Both transient keys are in the cookie, which the client has; here is what opens it
/// `[CURVE-019]` `[CURVE-027]`.
#[derive(Debug)]
pub(crate) struct ExpectInitiate {
    config: CurveServer,
    metadata: Metadata,
    cookie_key: BoxKey,
    cookie_expires: Option<Instant>,
    hello_nonce: u64,
}

/// What READY is made with.
#[derive(Debug)]
pub(crate) struct Ready {
    key: BoxKey,
    metadata: Metadata,
}

impl ExpectHello {
    pub(in crate::mechanism) fn new(
        config: &CurveServer,
        metadata: Metadata,
        randomness: Randomness,
    ) -> Self {
        Self {
            config: config.clone(),
            metadata,
            randomness,
        }
    }

    pub(in crate::mechanism) fn handle(
        self,
        body: &[u8],
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<Next, HandshakeError> {
        let fields = Fields::from_client(CurveCommand::Hello, commands::HELLO, body)?;
        let (client_transient, key, hello_nonce) = self.check(fields)?;
        // [CURVE-008] A new pair for each HELLO.
        let transient = KeyPair::new(SecretKey::from_octets(*self.randomness.first_key()));
        let cookie_key = BoxKey::from_secret(self.randomness.second_key());
        let cookie_nonce = self.randomness.second_nonce();
        let cookie = seal_cookie(&cookie_key, cookie_nonce, &client_transient, &transient);

        // [CURVE-020] Only who has the transient secret of the client can read it.
        let mut plain = Vec::with_capacity(KEY_LEN + COOKIE_LEN);
        plain.extend_from_slice(transient.public_key().as_octets());
        plain.extend_from_slice(&cookie);
        let nonce = self.randomness.first_nonce();
        let tag = key.seal(&Nonce::long(prefix::WELCOME, nonce), &mut plain);
        commands::encode(commands::WELCOME, &[nonce, &tag, &plain], out);

        let state = ExpectInitiate {
            config: self.config,
            metadata: self.metadata,
            cookie_key,
            cookie_expires: now.checked_add(COOKIE_LIFETIME),
            hello_nonce,
        };
        let handshake = Handshake::CurveExpectInitiate(Box::new(state));
        Ok(Next::Wait(handshake, Some(COOKIE_LIFETIME)))
    }

    /// Returns the transient key of the client, the key for boxes with it, and the nonce.
    fn check(&self, mut fields: Fields<'_>) -> Result<(PublicKey, BoxKey, u64), CurveError> {
        let command = CurveCommand::Hello;
        let version @ [major, minor] = *fields.take()?;
        let padding: &[u8; PADDING_LEN] = fields.take()?;
        let client_transient = PublicKey::from_octets(*fields.take()?);
        let nonce = fields.take_counter()?;
        let tag = fields.take()?;
        let mut zeros: [u8; ZEROS_LEN] = *fields.take()?;
        // [CURVE-014] Exactly 200 octets.
        fields.end()?;
        // [CURVE-015] There is one version.
        if version != VERSION {
            return Err(CurveError::Version { major, minor });
        }
        // [CURVE-016] The server shall validate all fields.
        if padding != &[0; PADDING_LEN] {
            return Err(CurveError::Padding);
        }
        // [CURVE-005] Such a key would agree with any other.
        let key = BoxKey::agree(self.config.key_pair().secret_key(), &client_transient)
            .ok_or(CurveError::WeakKey { command })?;
        // [CURVE-017] And those in the box.
        key.open(&Nonce::short(prefix::HELLO, nonce), tag, &mut zeros)
            .map_err(|_| CurveError::Box { command })?;
        if zeros != [0; ZEROS_LEN] {
            return Err(CurveError::Padding);
        }
        Ok((client_transient, key, nonce))
    }
}

impl ExpectInitiate {
    pub(in crate::mechanism) fn handle(
        self,
        body: &[u8],
        now: Instant,
        limits: &MetadataLimits,
    ) -> Result<Next, HandshakeError> {
        let command = CurveCommand::Initiate;
        let mut fields = Fields::from_client(command, commands::INITIATE, body)?;
        let cookie = fields.take()?;
        let nonce = fields.take_counter()?;
        let tag = fields.take()?;
        let mut plain = fields.rest().to_vec();
        // [CURVE-032] At least 257 octets: a key and a vouch.
        if plain.len() < KEY_LEN + VOUCH_LEN {
            return Err(fields.wrong_length().into());
        }
        // [CURVE-025] The cookie has expired.
        if self.cookie_expires.is_some_and(|expires| expires <= now) {
            return Err(CurveError::Cookie.into());
        }
        let (client_transient, transient) = open_cookie(&self.cookie_key, cookie)?;
        let key =
            BoxKey::agree(&transient, &client_transient).ok_or(CurveError::WeakKey { command })?;
        key.open(&Nonce::short(prefix::INITIATE, nonce), tag, &mut plain)
            .map_err(|_| CurveError::Box { command })?;
        // [CURVE-034] The nonce is an increasing one.
        let last = self.hello_nonce;
        if nonce <= last {
            let received = nonce;
            return Err(CurveError::Nonce {
                command,
                last,
                received,
            }
            .into());
        }
        let mut fields = Fields::in_box(command, &plain);
        let client_key = PublicKey::from_octets(*fields.take()?);
        self.check_vouch(&client_key, &client_transient, &transient, fields.take()?)?;
        let theirs = Metadata::decode(fields.rest(), limits)?;
        Ok(self.finish(key, nonce, client_key, theirs))
    }

    /// Checks that the owner of the long-term key means this connection, and this server.
    fn check_vouch(
        &self,
        client_key: &PublicKey,
        client_transient: &PublicKey,
        transient: &SecretKey,
        vouch: &[u8; VOUCH_LEN],
    ) -> Result<(), CurveError> {
        let command = CurveCommand::Initiate;
        let mut fields = Fields::in_box(command, vouch);
        let nonce = Nonce::long(prefix::VOUCH, fields.take()?);
        let tag = fields.take()?;
        let mut keys: [u8; 2 * KEY_LEN] = *fields.take()?;
        let key = BoxKey::agree(transient, client_key).ok_or(CurveError::WeakKey { command })?;
        key.open(&nonce, tag, &mut keys)
            .map_err(|_| CurveError::Vouch)?;
        // [CURVE-032] [CURVE-033] Both keys: a vouch for another server is somebody in between.
        let server_key = self.config.key_pair().public_key();
        let expected = [*client_transient.as_octets(), *server_key.as_octets()];
        if bool::from(expected.as_flattened().ct_eq(&keys)) {
            Ok(())
        } else {
            Err(CurveError::Vouch)
        }
    }

    fn finish(self, key: BoxKey, nonce: u64, client_key: PublicKey, theirs: Metadata) -> Next {
        let request = AuthenticationRequest {
            credentials: Credentials::Curve {
                public_key: client_key,
            },
            metadata: theirs.clone(),
        };
        let channel = Channel::new(&key, SecurityRole::Server, READY_NONCE, nonce);
        let ready = Ready {
            key,
            metadata: self.metadata,
        };
        let done = Done::with_sealed_ready(theirs, ready, channel);
        match self.config.authentication() {
            // [ZAP-040] READY is withheld until somebody has decided about the key.
            Authentication::Required => {
                Next::Authenticate(Undecided::Curve(Box::new(done)), Box::new(request))
            }
            Authentication::NotRequired => Next::Done(done),
        }
    }
}

impl Ready {
    /// Appends READY `[CURVE-040]`.
    pub(in crate::mechanism) fn encode(&self, out: &mut Vec<u8>) {
        let mut plain = Vec::with_capacity(self.metadata.encoded_len());
        self.metadata.encode(&mut plain);
        let nonce = Nonce::short(prefix::READY, READY_NONCE);
        let tag = self.key.seal(&nonce, &mut plain);
        let fields: [&[u8]; 3] = [&READY_NONCE.to_be_bytes(), &tag, &plain];
        commands::encode(commands::READY, &fields, out);
    }
}

/// Returns the cookie `[CURVE-024]`.
fn seal_cookie(
    cookie_key: &BoxKey,
    nonce: &[u8; LONG_LEN],
    client_transient: &PublicKey,
    transient: &KeyPair,
) -> Zeroizing<Vec<u8>> {
    let mut keys = Zeroizing::new([0; 2 * KEY_LEN]);
    let (first, second) = keys.split_at_mut(KEY_LEN);
    first.copy_from_slice(client_transient.as_octets());
    second.copy_from_slice(transient.secret_key().expose_octets());
    let tag = cookie_key.seal(&Nonce::long(prefix::COOKIE, nonce), &mut *keys);
    Zeroizing::new([&nonce[..], &tag, &keys[..]].concat())
}

/// Returns the transient keys of both sides, the public one of the client and our secret one.
fn open_cookie(
    cookie_key: &BoxKey,
    cookie: &[u8; COOKIE_LEN],
) -> Result<(PublicKey, SecretKey), CurveError> {
    let mut fields = Fields::in_box(CurveCommand::Initiate, cookie);
    let nonce = Nonce::long(prefix::COOKIE, fields.take()?);
    let tag = fields.take()?;
    let mut keys: Zeroizing<[u8; 2 * KEY_LEN]> = Zeroizing::new(*fields.take()?);
    // [CURVE-032] The key is of this connection alone, and so is every cookie that it opens.
    cookie_key
        .open(&nonce, tag, &mut *keys)
        .map_err(|_| CurveError::Cookie)?;
    let mut fields = Fields::in_box(CurveCommand::Initiate, &*keys);
    let client_transient = PublicKey::from_octets(*fields.take()?);
    Ok((client_transient, SecretKey::from_octets(*fields.take()?)))
}

const KEY_LEN: usize = 32;

/// [CURVE-042] The first nonce of the server.
const READY_NONCE: u64 = 1;
