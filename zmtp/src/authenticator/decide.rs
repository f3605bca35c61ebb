//! What an authenticator is.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::authenticator::{And, Candidate, Or};
use crate::mechanism::Decision;

/// A decision that may take time.
pub type Deciding<'a> = Pin<Box<dyn Future<Output = Decision> + Send + 'a>>;

/// Decides who comes in.
///
/// Each decision runs in a task of its own, so that it may take its time: it delays nobody but the
/// peer that it is about. Whoever waits longer than the handshake may take is not let in, and the
/// decision is dropped. An authenticator that panics lets nobody in.
///
/// That task shares its thread with the connections, so that a decision must wait with `.await` and
/// never block: slow work such as hashing a password or reading a file belongs into
/// [`spawn_blocking`](tokio::task::spawn_blocking).
///
/// How long a decision takes must not depend on secrets.
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// Decides about one peer.
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a>;

    /// Returns an authenticator that lets in whom both let in.
    ///
    /// `other` is asked only about those. The user id is that of the first who knows one; the
    /// metadata are those of both, and where they differ, those of the first.
    fn and<A: Authenticator>(self, other: A) -> And<Self, A>
    where
        Self: Sized,
    {
        And::new(self, other)
    }

    /// Returns an authenticator that lets in whom either lets in.
    ///
    /// `other` is asked only about the rest, and its denial is the one that counts.
    fn or<A: Authenticator>(self, other: A) -> Or<Self, A>
    where
        Self: Sized,
    {
        Or::new(self, other)
    }
}

/// Returns an authenticator that calls `decide`.
///
/// ```
/// use zmtp::authenticator::{Decision, Denial, from_fn};
///
/// let local = from_fn(|candidate| async move {
///     match candidate.address.ip() {
///         Some(ip) if ip.is_loopback() => Decision::allowed(),
///         _ => Decision::Deny(Denial::Refused),
///     }
/// });
/// ```
pub fn from_fn<F, R>(decide: F) -> FromFn<F>
where
    F: Fn(Candidate) -> R + Send + Sync + 'static,
    R: Future<Output = Decision> + Send + 'static,
{
    FromFn(decide)
}

/// The authenticator that [`from_fn`] returns.
pub struct FromFn<F>(F);

impl<F, R> Authenticator for FromFn<F>
where
    F: Fn(Candidate) -> R + Send + Sync + 'static,
    R: Future<Output = Decision> + Send + 'static,
{
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        Box::pin((self.0)(candidate.clone()))
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFn(..)")
    }
}

impl<A: Authenticator + ?Sized> Authenticator for std::sync::Arc<A> {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        (**self).authenticate(candidate)
    }
}

impl<A: Authenticator + ?Sized> Authenticator for Box<A> {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Deciding<'a> {
        (**self).authenticate(candidate)
    }
}

/// A decision that is made already.
pub(super) fn decided<'a>(decision: Decision) -> Deciding<'a> {
    Box::pin(std::future::ready(decision))
}
