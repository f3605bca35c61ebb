//! One method of a service: its name, its documentation, its arguments and its body.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use futures_core::Stream;
use proto::Body;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::doc;
use super::handler::{Asynchronous, Blocking, Closure, Handler, Iterating, Streaming};
use super::introspection;
use super::reply::{IntoReply, Plain};
use super::signature::{Mismatch, Signature, Unsuitable};
use crate::BuildError;

/// A method that a [`Server`](crate::Server) offers.
///
/// The arguments of the closure are one tuple (or a struct, whose fields give the arguments their
/// names; or `Vec<rmpv::Value>` for any number of arguments). Trailing arguments of type `Option`
/// may be left out by the caller.
///
/// # Example
///
/// ```
/// use zrpc::{Argument, Method};
///
/// let add = Method::new("add", |(left, right): (i64, i64)| async move { left + right })
///     .doc("Adds two numbers.")
///     .args([Argument::new("left"), Argument::new("right").default(1)]);
/// assert_eq!(add.name(), "add");
/// ```
#[derive(Clone)]
#[must_use = "a method does nothing until a server offers it"]
pub struct Method {
    name: Arc<str>,
    doc: Option<Arc<str>>,
    signature: Signature,
    handler: Handler,
    defect: Option<BuildError>,
}

impl Method {
    /// Makes a method from an asynchronous closure. Calls run concurrently, each as a task of its
    /// own; the future is dropped when its caller is gone.
    pub fn new<A, K, F, R>(name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned + 'static,
        K: 'static,
        F: Fn(A) -> R + Send + Sync + 'static,
        R: Future<Output: IntoReply<K>> + Send + 'static,
    {
        let handler = Handler::Task(Arc::new(Closure::<F, A, K, Asynchronous>::new(handler)));
        Self::from_handler::<A, K, R::Output>(name.into(), handler)
    }

    /// Makes a method from a closure that holds its thread until it has the answer. It runs on the
    /// runtime's blocking pool, so that neither other calls nor any heartbeat wait for it.
    ///
    /// A thread cannot be interrupted: when the caller is gone, the closure runs on and its result
    /// is discarded. Long work asks [`CallContext::is_cancelled`](crate::CallContext::is_cancelled).
    pub fn blocking<A, K, F, R>(name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned + 'static,
        K: 'static,
        F: Fn(A) -> R + Send + Sync + 'static,
        R: IntoReply<K> + 'static,
    {
        let handler = Handler::Thread(Arc::new(Closure::<F, A, K, Blocking>::new(handler)));
        Self::from_handler::<A, K, R>(name.into(), handler)
    }

    /// Makes a method whose results are a stream. The stream is polled as fast as the caller takes
    /// the items, and dropped when the caller is gone.
    pub fn stream<A, K, F, S>(name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned + 'static,
        K: 'static,
        F: Fn(A) -> S + Send + Sync + 'static,
        S: Stream<Item: IntoReply<K>> + Send + 'static,
    {
        let handler = Handler::Task(Arc::new(Closure::<F, A, K, Streaming>::new(handler)));
        Self::from_handler::<A, K, S::Item>(name.into(), handler)
    }

    /// Makes a method whose results are an iterator that may hold its thread. It runs on the
    /// runtime's blocking pool and waits there while the caller has enough items.
    pub fn blocking_stream<A, K, F, I>(name: impl Into<String>, handler: F) -> Self
    where
        A: DeserializeOwned + 'static,
        K: 'static,
        F: Fn(A) -> I + Send + Sync + 'static,
        I: IntoIterator<Item: IntoReply<K>> + 'static,
    {
        let handler = Handler::Thread(Arc::new(Closure::<F, A, K, Iterating>::new(handler)));
        Self::from_handler::<A, K, I::Item>(name.into(), handler)
    }

    /// Sets the documentation that introspection shows. Indentation that all lines but the first
    /// share is removed, as Python does.
    pub fn doc(mut self, text: impl AsRef<str>) -> Self {
        self.doc = Some(doc::clean(text.as_ref()).into());
        self
    }

    /// Names the arguments, in their order, for introspection and error texts.
    pub fn args<I>(mut self, arguments: I) -> Self
    where
        I: IntoIterator<Item: Into<Argument>>,
    {
        let arguments: Vec<Argument> = arguments.into_iter().map(Into::into).collect();
        let method = self.name.to_string();
        match self.signature.describe(arguments) {
            Ok(()) => {}
            Err(Mismatch::Count {
                described,
                accepted,
            }) => self.set_defect(BuildError::Arguments {
                method,
                described,
                accepted,
            }),
            Err(Mismatch::Default { argument, detail }) => self.set_defect(BuildError::Default {
                method,
                argument,
                detail,
            }),
        }
        self
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the documentation, if there is any.
    pub fn documentation(&self) -> Option<&str> {
        self.doc.as_deref()
    }

    /// Puts `prefix` in front of the name.
    pub(super) fn prefix(&mut self, prefix: &str) {
        self.name = format!("{prefix}{}", self.name).into();
    }

    /// Stands for a method that does not exist.
    pub(crate) fn missing(name: &str) -> Self {
        Self {
            name: name.into(),
            doc: None,
            signature: Signature::any(),
            handler: Handler::Missing,
            defect: None,
        }
    }

    pub(crate) fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn signature(&self) -> &Signature {
        &self.signature
    }

    pub(crate) fn handler(&self) -> &Handler {
        &self.handler
    }

    /// Whether it is one of the methods that every server has.
    pub(crate) fn is_introspection(&self) -> bool {
        self.name.starts_with(introspection::PREFIX)
    }

    /// What is wrong with the method itself, found when it was put together.
    pub(crate) fn defect(&self) -> Option<&BuildError> {
        self.defect.as_ref()
    }

    fn from_handler<A, K, R>(name: String, handler: Handler) -> Self
    where
        A: DeserializeOwned,
        K: 'static,
    {
        let mut method = Self::with_handler::<A>(name, handler);
        method.refuse_disguised_error::<K, R>();
        method
    }

    /// Makes a method that takes what `A` takes.
    pub(crate) fn with_handler<A: DeserializeOwned>(name: String, handler: Handler) -> Self {
        let (signature, defect) = match Signature::of::<A>() {
            Ok(signature) => (signature, None),
            Err(Unsuitable) => {
                let defect = BuildError::ArgumentsType {
                    method: name.clone(),
                    arguments: std::any::type_name::<A>(),
                };
                (Signature::any(), Some(defect))
            }
        };
        Self {
            name: name.into(),
            doc: None,
            signature,
            handler,
            defect,
        }
    }

    /// A `Result` with a serialisable error also is a plain serialisable value. Sending it as data
    /// would hide the failure from every caller, so it is refused instead.
    pub(super) fn refuse_disguised_error<K: 'static, R>(&mut self) {
        let reply = std::any::type_name::<R>();
        if TypeId::of::<K>() == TypeId::of::<Plain>() && reply.starts_with("core::result::Result<")
        {
            self.set_defect(BuildError::ErrorType {
                method: self.name.to_string(),
                reply,
            });
        }
    }

    /// Lets arguments of any number follow those of the head `H`.
    pub(super) fn set_rest<H: DeserializeOwned>(&mut self, rest: &str) {
        if let Ok(head) = Signature::of::<H>() {
            self.signature = head.with_rest(rest.to_owned());
        }
    }

    fn set_defect(&mut self, defect: BuildError) {
        self.defect.get_or_insert(defect);
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method")
            .field("name", &self.name)
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}

/// The description of one argument of a [`Method`].
#[derive(Debug, Clone)]
pub struct Argument {
    pub(super) name: String,
    pub(super) default: DefaultValue,
}

/// The value of an argument that is left out.
#[derive(Debug, Clone)]
pub(super) enum DefaultValue {
    None,
    Value(rmpv::Value),
    /// It has no msgpack form, and why; reported when the method is described.
    Unencodable(String),
}

impl Argument {
    /// Names an argument.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            default: DefaultValue::None,
        }
    }

    /// Sets the value that is used when the caller leaves this argument and all behind it out.
    ///
    /// A value that has no msgpack form makes building the server fail.
    #[must_use]
    pub fn default<T: Serialize>(mut self, value: T) -> Self {
        // As it would come from a caller: not every encoder writes enums as ours is read.
        self.default = match Body::value(&value) {
            Ok(body) => match proto::decode(body.encoded()) {
                Ok(value) => DefaultValue::Value(value),
                Err(error) => DefaultValue::Unencodable(error.to_string()),
            },
            Err(error) => DefaultValue::Unencodable(error.to_string()),
        };
        self
    }
}

impl From<&str> for Argument {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Argument {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}
