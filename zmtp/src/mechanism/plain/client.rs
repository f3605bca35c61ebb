//! The client of PLAIN: it shows credentials.

use bytes::BufMut;

use super::commands;
use crate::mechanism::{Done, Handshake, HandshakeError, Next, PlainCredentials};
use crate::wire::metadata::{Metadata, MetadataLimits};

/// HELLO is on its way.
#[derive(Debug)]
pub(crate) struct ExpectWelcome {
    metadata: Metadata,
}

/// INITIATE is on its way.
#[derive(Debug)]
pub(crate) struct ExpectReady(());

/// Shows the credentials to a server that speaks PLAIN too `[PLAIN-020]`.
pub(in crate::mechanism) fn start(
    credentials: &PlainCredentials,
    metadata: Metadata,
    out: &mut impl BufMut,
) -> ExpectWelcome {
    commands::encode_hello(credentials, out);
    ExpectWelcome { metadata }
}

impl ExpectWelcome {
    pub(in crate::mechanism) fn handle(
        self,
        body: &[u8],
        out: &mut impl BufMut,
    ) -> Result<Next, HandshakeError> {
        let (name, data) = commands::split_from_server(body)?;
        match name {
            commands::WELCOME => {
                commands::decode_welcome(data)?;
                commands::encode_initiate(&self.metadata, out);
                Ok(Handshake::PlainExpectReady(ExpectReady(())).into())
            }
            // [PLAIN-018] An ERROR is fatal at either point.
            commands::ERROR => Err(HandshakeError::refusal(data)),
            // [PLAIN-011] [PLAIN-019] Nothing else comes from a server.
            name => Err(HandshakeError::unexpected(name)),
        }
    }
}

impl ExpectReady {
    pub(in crate::mechanism) fn handle(
        self,
        body: &[u8],
        limits: &MetadataLimits,
    ) -> Result<Next, HandshakeError> {
        let (name, data) = commands::split_from_server(body)?;
        match name {
            commands::READY => {
                let metadata = commands::decode_metadata(data, limits)?;
                Ok(Next::Done(Done::silent(metadata)))
            }
            commands::ERROR => Err(HandshakeError::refusal(data)),
            name => Err(HandshakeError::unexpected(name)),
        }
    }
}
