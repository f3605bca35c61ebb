//! The client of CURVE.

use zeroize::Zeroizing;

use super::CurveClient;
use super::boxes::{BoxKey, TAG_LEN};
use super::channel::Channel;
use super::commands::{self, COOKIE_LEN, Fields, PADDING_LEN, VERSION, ZEROS_LEN};
use super::nonce::{LONG_LEN, Nonce, prefix};
use crate::curve::{KeyPair, PublicKey, SecretKey};
use crate::mechanism::{
    CurveCommand, CurveError, Done, Handshake, HandshakeError, Next, Randomness,
};
use crate::wire::greeting::SecurityRole;
use crate::wire::metadata::{Metadata, MetadataLimits};

/// HELLO is on its way.
#[derive(Debug)]
pub(crate) struct ExpectWelcome {
    config: CurveClient,
    metadata: Metadata,
    transient: KeyPair,
    /// For boxes between the client's transient key and the server's long-term key.
    key: BoxKey,
    vouch_nonce: [u8; LONG_LEN],
}

/// INITIATE is on its way.
#[derive(Debug)]
pub(crate) struct ExpectReady {
    /// For boxes between both transient keys.
    key: BoxKey,
}

/// Says hello to the server whose key is in `config`.
pub(in crate::mechanism) fn start(
    config: &CurveClient,
    metadata: Metadata,
    randomness: &Randomness,
    out: &mut Vec<u8>,
) -> Result<Next, HandshakeError> {
    // [CURVE-007] A new pair for each connection.
    let transient = KeyPair::new(SecretKey::from_octets(*randomness.first_key()));
    // It is our own configuration that is wrong then, and the peer whom it names.
    let key = BoxKey::agree(transient.secret_key(), config.server_key())
        .ok_or_else(|| weak(CurveCommand::Hello))?;
    // [CURVE-012] That it opens shows that we know the server's key.
    let mut zeros = [0; ZEROS_LEN];
    let tag = key.seal(&Nonce::short(prefix::HELLO, HELLO_NONCE), &mut zeros);
    let transient_key = transient.public_key();
    let fields: [&[u8]; 6] = [
        &VERSION,
        &[0; PADDING_LEN],
        transient_key.as_octets(),
        &HELLO_NONCE.to_be_bytes(),
        &tag,
        &zeros,
    ];
    commands::encode(commands::HELLO, &fields, out);
    let state = ExpectWelcome {
        config: config.clone(),
        metadata,
        transient,
        key,
        vouch_nonce: *randomness.first_nonce(),
    };
    Ok(Handshake::CurveExpectWelcome(Box::new(state)).into())
}

impl ExpectWelcome {
    pub(in crate::mechanism) fn handle(
        self,
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Next, HandshakeError> {
        let command = CurveCommand::Welcome;
        let mut fields = Fields::from_server(command, commands::WELCOME, body)?;
        let nonce = Nonce::long(prefix::WELCOME, fields.take()?);
        let tag = fields.take()?;
        let mut plain = *fields.take::<{ KEY_LEN + COOKIE_LEN }>()?;
        // [CURVE-022] Exactly 168 octets.
        fields.end()?;
        self.key
            .open(&nonce, tag, &mut plain)
            .map_err(|_| CurveError::Box { command })?;
        let mut fields = Fields::in_box(command, &plain);
        let server_transient = PublicKey::from_octets(*fields.take()?);
        let cookie: &[u8; COOKIE_LEN] = fields.take()?;
        let key = BoxKey::agree(self.transient.secret_key(), &server_transient)
            .ok_or_else(|| weak(command))?;
        self.initiate(&key, &server_transient, cookie, out)?;
        let state = ExpectReady { key };
        Ok(Handshake::CurveExpectReady(Box::new(state)).into())
    }

    /// Appends INITIATE `[CURVE-028]`.
    fn initiate(
        &self,
        key: &BoxKey,
        server_transient: &PublicKey,
        cookie: &[u8; COOKIE_LEN],
        out: &mut Vec<u8>,
    ) -> Result<(), HandshakeError> {
        let own = self.config.key_pair();
        // [CURVE-029] Only who has the long-term secret can vouch for the transient key.
        let mut vouch = [
            *self.transient.public_key().as_octets(),
            *self.config.server_key().as_octets(),
        ];
        let vouch_key = BoxKey::agree(own.secret_key(), server_transient)
            .ok_or_else(|| weak(CurveCommand::Welcome))?;
        let vouch_nonce = Nonce::long(prefix::VOUCH, &self.vouch_nonce);
        let vouch_tag = vouch_key.seal(&vouch_nonce, vouch.as_flattened_mut());

        let mut plain = Zeroizing::new(Vec::new());
        plain.extend_from_slice(own.public_key().as_octets());
        plain.extend_from_slice(&self.vouch_nonce);
        plain.extend_from_slice(&vouch_tag);
        plain.extend_from_slice(vouch.as_flattened());
        self.metadata.encode(&mut *plain);
        let nonce = Nonce::short(prefix::INITIATE, INITIATE_NONCE);
        let tag: [u8; TAG_LEN] = key.seal(&nonce, &mut plain);
        let fields: [&[u8]; 4] = [cookie, &INITIATE_NONCE.to_be_bytes(), &tag, &plain];
        commands::encode(commands::INITIATE, &fields, out);
        Ok(())
    }
}

impl ExpectReady {
    pub(in crate::mechanism) fn handle(
        self,
        body: &[u8],
        limits: &MetadataLimits,
    ) -> Result<Next, HandshakeError> {
        let command = CurveCommand::Ready;
        let mut fields = Fields::from_server(command, commands::READY, body)?;
        let nonce = fields.take_counter()?;
        let tag = fields.take()?;
        let mut plain = fields.rest().to_vec();
        self.key
            .open(&Nonce::short(prefix::READY, nonce), tag, &mut plain)
            .map_err(|_| CurveError::Box { command })?;
        let metadata = Metadata::decode(&plain, limits)?;
        // [CURVE-043] [CURVE-049] The counters of both sides go on.
        let channel = Channel::new(&self.key, SecurityRole::Client, INITIATE_NONCE, nonce);
        Ok(Next::Done(Done::sealed(metadata, channel)))
    }
}

const fn weak(command: CurveCommand) -> CurveError {
    CurveError::WeakKey { command }
}

const KEY_LEN: usize = 32;

/// [CURVE-013] Any start would do.
const HELLO_NONCE: u64 = 1;
const INITIATE_NONCE: u64 = 2;
