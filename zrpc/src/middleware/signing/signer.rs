//! Signs what a client or publisher sends.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use super::SigningKey;
use super::signature::{Content, ENTRY, Signature};
use crate::Fault;
use crate::middleware::{ClientRequest, HookFuture, Middleware};

/// Signs requests, and what is published, with HMAC-SHA-256. The other side has a
/// [`Verifier`](super::Verifier).
///
/// What is signed is the message id, the method and the arguments, with the time. Nothing else is:
/// neither the topic that an event is published with, nor other header entries, and no replies or
/// items of streams; and nothing is encrypted. Whoever needs that takes CURVE.
///
/// Clones share the key: [`Self::replace_key`] is how it is rotated while the program runs.
///
/// # Example
///
/// ```
/// use zrpc::Client;
/// use zrpc::middleware::{Signer, SigningKey};
///
/// # fn main() -> Result<(), zrpc::middleware::SigningKeyError> {
/// let key = SigningKey::new("2024-05", *b"thirty-two bytes of random secret")?;
/// let client = Client::builder().middleware(Signer::new(key));
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Signer {
    key: Arc<RwLock<SigningKey>>,
}

impl Signer {
    /// Makes a signer.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        Self {
            key: Arc::new(RwLock::new(key)),
        }
    }

    /// Signs with another key from now on.
    pub fn replace_key(&self, key: SigningKey) {
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
    }

    fn sign(&self, request: &mut ClientRequest) -> Result<(), Fault> {
        let unsigned = || Fault::new("SignatureError", "the request cannot be signed");
        let content = Content {
            message_id: request.message_id().content().ok_or_else(unsigned)?,
            method: request.method(),
            args: request.encoded_args().ok_or_else(unsigned)?,
        };
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        let signature = Signature::new(&key, content, now(), rand::random());
        let written = signature.ok_or_else(unsigned)?.written();
        drop(key);
        Ok(request.header_mut().insert(ENTRY, &written)?)
    }
}

/// Returns the time in milliseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let milliseconds = since.map_or(0, |since| since.as_millis());
    u64::try_from(milliseconds).unwrap_or(u64::MAX)
}

impl Middleware for Signer {
    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(self.sign(request))
    }

    fn before_publish<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(self.sign(request))
    }
}
