//! The server of PLAIN: it asks for credentials, and somebody decides about them.

use bytes::BufMut;

use super::commands;
use crate::mechanism::{AuthenticationRequest, Credentials, Done, Handshake, HandshakeError, Next};
use crate::wire::command::split_name;
use crate::wire::metadata::{Metadata, MetadataLimits};

/// Nothing was said yet.
#[derive(Debug)]
pub(crate) struct ExpectHello {
    metadata: Metadata,
}

/// The credentials are being checked; WELCOME is withheld `[ZAP-039]`.
#[derive(Debug)]
pub(crate) struct Undecided {
    metadata: Metadata,
}

/// WELCOME is on its way.
#[derive(Debug)]
pub(crate) struct ExpectInitiate {
    metadata: Metadata,
}

impl ExpectHello {
    pub(in crate::mechanism) const fn new(metadata: Metadata) -> Self {
        Self { metadata }
    }

    pub(in crate::mechanism) fn handle(self, body: &[u8]) -> Result<Next, HandshakeError> {
        match split_name(body)? {
            (commands::HELLO, data) => {
                let credentials = Credentials::Plain(commands::decode_hello(data)?);
                let request = AuthenticationRequest {
                    credentials,
                    metadata: Metadata::new(),
                };
                let undecided = Undecided {
                    metadata: self.metadata,
                };
                Ok(Next::Authenticate(undecided.into(), Box::new(request)))
            }
            // [PLAIN-012] [PLAIN-026] INITIATE comes after WELCOME, and WELCOME from us.
            (name, _) => Err(HandshakeError::unexpected(name)),
        }
    }
}

impl Undecided {
    pub(in crate::mechanism) fn accept(self, out: &mut impl BufMut) -> Next {
        commands::encode_welcome(out);
        let metadata = self.metadata;
        Handshake::PlainExpectInitiate(ExpectInitiate { metadata }).into()
    }
}

impl ExpectInitiate {
    pub(in crate::mechanism) fn handle(
        self,
        body: &[u8],
        limits: &MetadataLimits,
    ) -> Result<Next, HandshakeError> {
        match split_name(body)? {
            (commands::INITIATE, data) => {
                let theirs = commands::decode_metadata(data, limits)?;
                Ok(Next::Done(Done::with_ready(theirs, self.metadata)))
            }
            // [PLAIN-012] A second HELLO would be a second guess.
            (name, _) => Err(HandshakeError::unexpected(name)),
        }
    }
}
