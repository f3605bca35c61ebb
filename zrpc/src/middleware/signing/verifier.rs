//! Refuses what is not signed as it should be.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::SigningKey;
use super::replay::{Seen, Unfit};
use super::signature::{Content, ENTRY, Signature, Written};
use super::signer::now;
use crate::Fault;
use crate::middleware::{HeaderEntries, HookFuture, Middleware, ServerReply, ServerRequest};
use crate::service::shown_name;

/// Refuses requests, and published events, that were not signed by a [`Signer`](super::Signer) with
/// one of its keys, that are too old, or that were there before.
///
/// Whoever is refused is told the same whatever is wrong, by an exception of the name
/// [`Verifier::NAME`], also where the method is unknown; a debug line says what it was. Register it
/// before other middleware: what comes behind it may rely on it. Without any key nobody gets in.
///
/// A signature is good for the [window](Self::window) around the time in it, by this machine's
/// clock, and once. As many as [`Self::max_remembered`] are remembered for that; when there are more
/// within a window, requests are refused until some have expired. Several servers with the same
/// keys do not know what the others have seen.
///
/// Clones share their keys, what was seen, and the options. So two subscribers need a verifier each,
/// which is no clone of the other's: they see the same events, and one of them would take them for
/// replayed. Keys are rotated by adding the new one here, replacing it at the signers, and removing
/// the old one.
///
/// # What is checked
///
/// The message id, the method and the arguments, together with the key's name and the time. Nothing
/// else is: neither the topic that an event is published with, nor other header entries, and no
/// replies or items of streams. So whoever sits between both sides can change those, and read
/// everything; against that there is CURVE.
///
/// # Example
///
/// ```
/// use zrpc::Server;
/// use zrpc::middleware::{SigningKey, Verifier};
///
/// # fn main() -> Result<(), zrpc::middleware::SigningKeyError> {
/// let verifier = Verifier::new();
/// verifier.add_key(SigningKey::new("2024-05", *b"thirty-two bytes of random secret")?);
/// let server = Server::builder().middleware(verifier.clone());
///
/// // Later:
/// verifier.remove_key("2024-05");
/// # drop(server);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<Shared>,
}

struct Shared {
    keys: RwLock<HashMap<String, SigningKey>>,
    seen: Mutex<Seen>,
    /// In milliseconds. What was seen is forgotten by it, so that there is one for all clones.
    window: AtomicU64,
    max_remembered: AtomicUsize,
}

/// What is wrong with a signature. It is for logs: callers are not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is none.
    #[error("request is not signed")]
    Missing,
    /// It is not what a signature looks like.
    #[error("signature is malformed")]
    Malformed,
    /// The request has no message id, or one that is neither string nor binary.
    #[error("request has no message id")]
    NoMessageId,
    /// No key of this name is known.
    #[error("signature has the unknown key {key:?}")]
    UnknownKey {
        /// The name, or the beginning of a long one.
        key: String,
    },
    /// It was made for something else, or with another key.
    #[error("signature is not that of the request")]
    Invalid,
    /// It was made too long ago, or the clocks of both machines differ too much, or this machine's
    /// was set back.
    #[error("signature is {milliseconds} ms away from now")]
    Expired {
        /// How far its time is away from now, in either direction.
        milliseconds: u64,
    },
    /// It was there before.
    #[error("signature was seen before")]
    Replayed,
    /// More signatures than can be remembered came within the window.
    #[error("more than {limit} signatures came within the window")]
    TooMany {
        /// [`Verifier::max_remembered`].
        limit: usize,
    },
}

/// The request was checked, and is good.
struct Verified;

/// How far clocks may differ, and requests be on their way, unless told otherwise.
const WINDOW: Duration = Duration::from_secs(30);

/// How many signatures are remembered unless told otherwise: some 10 MiB.
const MAX_REMEMBERED: usize = 100_000;

impl Verifier {
    /// The name of the exception that tells of a refusal.
    pub const NAME: &'static str = "AuthenticationError";

    /// Makes a verifier without keys, which refuses everything.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                keys: RwLock::default(),
                seen: Mutex::default(),
                window: AtomicU64::new(millis(WINDOW)),
                max_remembered: AtomicUsize::new(MAX_REMEMBERED),
            }),
        }
    }

    /// Accepts signatures of this key from now on, in place of one of the same name.
    pub fn add_key(&self, key: SigningKey) {
        let keys = &self.shared.keys;
        let mut keys = keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.id().to_owned(), key);
    }

    /// Accepts no signatures of the key of this name any more. Returns whether there was one.
    pub fn remove_key(&self, id: &str) -> bool {
        let keys = &self.shared.keys;
        let mut keys = keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.remove(id).is_some()
    }

    /// Sets how far the time of a signature may be away from now, in either direction; for
    /// all clones. Default: 30 seconds.
    ///
    /// It has to cover the time that a request is on its way and the difference of both clocks. Less
    /// than that refuses honest requests, and zero all but those of this very millisecond; nothing is
    /// accepted for it that would not be otherwise.
    #[must_use]
    pub fn window(self, window: Duration) -> Self {
        let milliseconds = &self.shared.window;
        milliseconds.store(millis(window), Ordering::Relaxed);
        self
    }

    /// Sets how many signatures are remembered, each for up to two windows; for all clones.
    /// Default: 100 000.
    ///
    /// With zero none can be told from one that is seen again, so that every request is refused.
    #[must_use]
    pub fn max_remembered(self, signatures: usize) -> Self {
        let max = &self.shared.max_remembered;
        max.store(signatures, Ordering::Relaxed);
        self
    }

    /// Checks a request, at a time in milliseconds since 1970.
    fn verify(&self, request: &ServerRequest, now: u64) -> Result<(), SignatureError> {
        let header = request.header();
        let written = header.get::<Written>(ENTRY);
        let signature = match written.map_err(|_| SignatureError::Malformed)? {
            Some(written) => Signature::from(written),
            None => return Err(SignatureError::Missing),
        };
        let message_id = request.message_id().and_then(|id| id.content());
        let content = Content {
            message_id: message_id.ok_or(SignatureError::NoMessageId)?,
            method: request.method(),
            args: request.encoded_args(),
        };
        let keys = &self.shared.keys;
        let keys = keys.read().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = keys.get(&signature.key).cloned() else {
            let key = shown_name(&signature.key).to_owned();
            return Err(SignatureError::UnknownKey { key });
        };
        drop(keys);
        let window = self.shared.window.load(Ordering::Relaxed);
        let milliseconds = signature.time.abs_diff(now);
        if milliseconds > window {
            return Err(SignatureError::Expired { milliseconds });
        }
        if !signature.is_valid(&key, content) {
            return Err(SignatureError::Invalid);
        }
        let limit = self.shared.max_remembered.load(Ordering::Relaxed);
        let oldest = now.saturating_sub(window);
        let seen = &self.shared.seen;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.add(signature.nonce.0, signature.time, oldest, limit)
            .map_err(|unfit| match unfit {
                Unfit::Replayed => SignatureError::Replayed,
                Unfit::Forgotten => SignatureError::Expired { milliseconds },
                Unfit::Full => SignatureError::TooMany { limit },
            })
    }

    fn check(&self, request: &mut ServerRequest) -> Result<(), Fault> {
        match self.verify(request, now()) {
            Ok(()) => {
                request.extensions_mut().insert(Verified);
                Ok(())
            }
            Err(error) => {
                let method = shown_name(request.method());
                tracing::debug!(method, %error, "refused a request");
                Err(refusal())
            }
        }
    }
}

fn refusal() -> Fault {
    Fault::new(Verifier::NAME, "the request is not authentic")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

impl Middleware for Verifier {
    fn server_before_exec<'a>(
        &'a self,
        request: &'a mut ServerRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(self.check(request))
    }

    fn server_inspect_exception<'a>(
        &'a self,
        request: &'a mut ServerRequest,
        reply: Option<&'a mut ServerReply>,
        _task_context: &'a HeaderEntries,
        fault: &'a Fault,
    ) -> HookFuture<'a, ()> {
        // An unknown method was not checked before. Which there are is not for everybody to know.
        let is_checked = fault.name() == Self::NAME
            || request.extensions().get::<Verified>().is_some()
            || self.check(request).is_ok();
        if let (false, Some(reply)) = (is_checked, reply) {
            reply.set_fault(refusal());
        }
        HookFuture::ready(())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = self.shared.window.load(Ordering::Relaxed);
        f.debug_struct("Verifier")
            .field("window", &Duration::from_millis(window))
            .field("max_remembered", &self.shared.max_remembered)
            .finish_non_exhaustive()
    }
}
