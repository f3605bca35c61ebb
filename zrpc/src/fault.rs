//! What a handler answers when it fails.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::{CallError, RemoteError};

/// The failure of a method, as its caller will see it: the name of an exception, a message and,
/// if the server sends them, a traceback.
///
/// Any [`std::error::Error`] turns into a `Fault` with `?`: the exception's name is the name of
/// the error type, the message its `Display` text, and the traceback the chain of its sources.
/// An error that came from a call ([`RemoteError`], [`CallError::Remote`]) keeps the name and the
/// message it already has. `Fault` itself is deliberately not an error, like other catch-all types.
///
/// # Example
///
/// ```
/// use zrpc::Fault;
///
/// fn parse(text: &str) -> Result<i64, Fault> {
///     if text.is_empty() {
///         return Err(Fault::new("ValueError", "the text is empty"));
///     }
///     Ok(text.parse::<i64>()?)
/// }
///
/// let fault = parse("x").unwrap_err();
/// assert_eq!(fault.name(), "ParseIntError");
/// assert_eq!(fault.message(), "invalid digit found in string");
/// ```
#[derive(Clone)]
pub struct Fault {
    name: Cow<'static, str>,
    message: Cow<'static, str>,
    traceback: Option<String>,
    cause: Cause,
}

/// Who has caused a failure, for those who log it. Callers are not told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Method,
    /// What was sent did not fit, or was not let in.
    Caller,
}

impl Fault {
    /// Makes a fault from the exception's name and a message.
    pub fn new(name: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            message: message.into(),
            traceback: None,
            cause: Cause::Method,
        }
    }

    /// Adds a traceback. It leaves the server only where [`Tracebacks::Sent`] was asked for.
    ///
    /// [`Tracebacks::Sent`]: crate::Tracebacks::Sent
    #[must_use]
    pub fn with_traceback(mut self, traceback: impl Into<String>) -> Self {
        self.traceback = Some(traceback.into());
        self
    }

    /// Makes a fault from an error whose type is not known any more, such as those of tower's layers.
    ///
    /// The error of a call keeps its name and message. Any other has the name `Exception`, and its
    /// sources as traceback.
    pub fn from_boxed(error: Box<dyn Error + Send + Sync>) -> Self {
        let error: &(dyn Error + 'static) = &*error;
        if let Some(remote) = remote_error(error) {
            return Self::from_remote(remote);
        }
        Self {
            name: Cow::Borrowed("Exception"),
            message: Cow::Owned(error.to_string()),
            traceback: chain_of_sources(error),
            cause: Cause::Method,
        }
    }

    /// Returns the name of the exception.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the traceback, if there is one.
    pub fn traceback(&self) -> Option<&str> {
        self.traceback.as_deref()
    }
}

impl Fault {
    /// What another server has said.
    fn from_remote(remote: &RemoteError) -> Self {
        Self {
            name: Cow::Owned(remote.name.clone()),
            message: Cow::Owned(remote.message.clone()),
            traceback: remote.traceback.clone(),
            cause: Cause::Method,
        }
    }

    /// Notes that it is the caller's doing, and not that of a method.
    pub(crate) fn by_caller(mut self) -> Self {
        self.cause = Cause::Caller;
        self
    }

    /// Returns whether it is the caller's doing.
    pub(crate) fn is_by_caller(&self) -> bool {
        self.cause == Cause::Caller
    }
}

/// Equal are those that look the same to callers.
impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.message == other.message
            && self.traceback == other.traceback
    }
}

impl Eq for Fault {}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", self.name, self.message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl<E: Error + 'static> From<E> for Fault {
    fn from(error: E) -> Self {
        if let Some(remote) = remote_error(&error) {
            return Self::from_remote(remote);
        }
        let traceback = chain_of_sources(&error);
        Self {
            name: Cow::Borrowed(short_type_name(std::any::type_name::<E>())),
            message: Cow::Owned(error.to_string()),
            traceback,
            cause: Cause::Method,
        }
    }
}

/// What led to an error, as its traceback.
fn chain_of_sources(error: &dyn Error) -> Option<String> {
    let mut traceback = None;
    let mut source = error.source();
    while let Some(cause) = source {
        let text: &mut String = traceback.get_or_insert_with(String::new);
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str("caused by: ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    traceback
}

/// Finds the exception in an error that came from a call, so that a method that calls another one
/// passes its failure on unchanged.
fn remote_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a RemoteError> {
    if let Some(remote) = error.downcast_ref::<RemoteError>() {
        return Some(remote);
    }
    match error.downcast_ref::<CallError>() {
        Some(CallError::Remote(remote)) => Some(remote),
        Some(CallError::Translated(translated)) => Some(translated.remote()),
        _ => None,
    }
}

/// Reduces `some::path::Type<other::Type>` to `Type`.
fn short_type_name(full: &'static str) -> &'static str {
    let without_generics = full.split('<').next().unwrap_or(full);
    without_generics
        .rsplit("::")
        .next()
        .unwrap_or(without_generics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_lose_their_path_and_generics() {
        assert_eq!(short_type_name("core::num::ParseIntError"), "ParseIntError");
        assert_eq!(short_type_name("a::Wrapped<b::Inner>"), "Wrapped");
        assert_eq!(short_type_name("Plain"), "Plain");
    }

    #[test]
    fn the_chain_of_sources_becomes_the_traceback() {
        #[derive(Debug, thiserror::Error)]
        #[error("could not read the setting")]
        struct SettingError(#[source] std::num::ParseIntError);

        let cause = "x".parse::<i32>().unwrap_err();
        let fault = Fault::from(SettingError(cause));
        assert_eq!(fault.name(), "SettingError");
        assert_eq!(fault.message(), "could not read the setting");
        assert_eq!(
            fault.traceback(),
            Some("caused by: invalid digit found in string")
        );
    }
}
