//! The four kinds of handlers, with their types erased.

use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;

use futures_core::Stream;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use proto::{Args, Body};
use serde::de::DeserializeOwned;

use super::reply::IntoReply;
use super::signature::Signature;
use crate::Fault;

/// What a handler produces at a time: an encoded value, or the failure that ends the call.
pub(crate) type Outcome = Result<Body, Fault>;

/// A method body, by where it runs.
#[derive(Clone)]
pub(crate) enum Handler {
    /// As a task of the server's runtime.
    Task(Arc<dyn TaskHandler>),
    /// On a thread of its blocking pool.
    Thread(Arc<dyn ThreadHandler>),
    /// Nowhere: there is no such method, and middleware is to be told.
    Missing,
}

/// A body that does not hold its thread.
pub(crate) trait TaskHandler: Send + Sync {
    /// Decodes the arguments and starts one call. Their encoded form is freed before it runs.
    fn start(&self, method: &str, signature: &Signature, args: Args) -> Result<Task, Fault>;
}

/// A body that may hold its thread.
pub(crate) trait ThreadHandler: Send + Sync {
    /// Decodes the arguments and runs one call, handing results of a stream to `give` as they are
    /// made. The encoded form of the arguments is freed before it runs.
    fn run(
        &self,
        method: &str,
        signature: &Signature,
        args: Args,
        give: &mut Give<'_>,
    ) -> Result<Work, Fault>;
}

/// Takes one result of a stream, and says whether more are wanted.
pub(crate) type Give<'a> = dyn FnMut(Body) -> Result<ControlFlow<()>, Fault> + 'a;

/// A call that was started as a task.
pub(crate) enum Task {
    /// A future that gives the one result.
    Value(BoxFuture<'static, Outcome>),
    /// A stream of results.
    Items(BoxStream<'static, Outcome>),
}

/// What a call gives that runs on a thread.
pub(crate) enum Work {
    /// The one result.
    Value(Body),
    /// A stream of results, which were given already.
    Given,
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Task(_) => "Task",
            Self::Thread(_) => "Thread",
            Self::Missing => "Missing",
        })
    }
}

/// Gives the results of an iterator until there are no more, or no more are wanted.
pub(super) fn give_all<K, I>(items: I, give: &mut Give<'_>) -> Result<Work, Fault>
where
    I: IntoIterator<Item: IntoReply<K>>,
{
    for item in items {
        if give(item.into_reply()?.0)?.is_break() {
            break;
        }
    }
    Ok(Work::Given)
}

pub(super) fn decode<A: DeserializeOwned>(
    signature: &Signature,
    method: &str,
    args: Args,
) -> Result<A, Fault> {
    // Taken by value: what the handler works on is the decoded form.
    signature.decode(method, &args)
}

/// A closure, the type of its arguments, and the kind of its replies.
pub(super) struct Closure<F, A, K, Mode> {
    function: F,
    types: PhantomData<fn(A) -> (K, Mode)>,
}

impl<F, A, K, Mode> Closure<F, A, K, Mode> {
    pub(super) fn new(function: F) -> Self {
        Self {
            function,
            types: PhantomData,
        }
    }
}

/// Marks a closure that returns a future.
pub(super) enum Asynchronous {}
/// Marks a closure that returns a stream.
pub(super) enum Streaming {}
/// Marks a closure that holds its thread until it returns.
pub(super) enum Blocking {}
/// Marks a closure that returns an iterator that holds its thread.
pub(super) enum Iterating {}

impl<F, A, K, R> TaskHandler for Closure<F, A, K, Asynchronous>
where
    F: Fn(A) -> R + Send + Sync + 'static,
    A: DeserializeOwned,
    R: Future<Output: IntoReply<K>> + Send + 'static,
{
    fn start(&self, method: &str, signature: &Signature, args: Args) -> Result<Task, Fault> {
        let future = (self.function)(decode(signature, method, args)?);
        Ok(Task::Value(Box::pin(async move {
            future.await.into_reply().map(|reply| reply.0)
        })))
    }
}

impl<F, A, K, S> TaskHandler for Closure<F, A, K, Streaming>
where
    F: Fn(A) -> S + Send + Sync + 'static,
    A: DeserializeOwned,
    S: Stream<Item: IntoReply<K>> + Send + 'static,
{
    fn start(&self, method: &str, signature: &Signature, args: Args) -> Result<Task, Fault> {
        let stream = (self.function)(decode(signature, method, args)?);
        Ok(Task::Items(Box::pin(
            stream.map(|item| item.into_reply().map(|reply| reply.0)),
        )))
    }
}

impl<F, A, K, R> ThreadHandler for Closure<F, A, K, Blocking>
where
    F: Fn(A) -> R + Send + Sync + 'static,
    A: DeserializeOwned,
    R: IntoReply<K>,
{
    fn run(
        &self,
        method: &str,
        signature: &Signature,
        args: Args,
        _give: &mut Give<'_>,
    ) -> Result<Work, Fault> {
        let result = (self.function)(decode(signature, method, args)?);
        Ok(Work::Value(result.into_reply()?.0))
    }
}

impl<F, A, K, I> ThreadHandler for Closure<F, A, K, Iterating>
where
    F: Fn(A) -> I + Send + Sync + 'static,
    A: DeserializeOwned,
    I: IntoIterator<Item: IntoReply<K>> + 'static,
{
    fn run(
        &self,
        method: &str,
        signature: &Signature,
        args: Args,
        give: &mut Give<'_>,
    ) -> Result<Work, Fault> {
        give_all((self.function)(decode(signature, method, args)?), give)
    }
}
