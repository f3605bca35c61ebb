//! What `#[zrpc::service]` writes calls of: methods whose bodies borrow from a shared service.
//!
//! The closures differ from those of [`Method::new`] and its like in that they encode their results
//! themselves, while what the results borrow from is still there.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use proto::Args;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::handler::{Give, Handler, Task, TaskHandler, ThreadHandler, Work, decode, give_all};
use super::lending::{Items, Lending};
use super::method::Method;
use super::reply::{IntoReply, Reply};
use super::signature::Signature;
use crate::{CallContext, Fault};

/// Encodes a result.
///
/// # Errors
///
/// The method failed, or its result cannot be encoded.
pub fn reply<K, R: IntoReply<K>>(value: R) -> Result<Reply, Fault> {
    value.into_reply()
}

/// Returns the call that is served.
///
/// # Errors
///
/// There is none: the method is called by something other than a server.
pub fn context() -> Result<CallContext, Fault> {
    CallContext::current().ok_or_else(|| Fault::new("RuntimeError", "no call is served"))
}

/// Does nothing, and does not compile if `A` cannot be an argument.
pub fn assert_argument<A: DeserializeOwned + 'static>() {}

/// Does nothing, and does not compile if `E` cannot be the failure of a method.
pub fn assert_error<E: MethodError>() {}

/// What the failure of a method can be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a method",
    label = "is no error that callers can be told",
    note = "it has to be a `Fault`, or to implement `std::error::Error`",
    note = "`.map_err(Fault::from_boxed)` makes a `Fault` of a `Box<dyn Error + Send + Sync>`",
    note = "`.map_err(|text| Fault::new(\"ValueError\", text))` makes one of a `String`"
)]
pub trait MethodError {}

// What would have to be true of the error for this, misleads.
#[diagnostic::do_not_recommend]
impl<E: Into<Fault>> MethodError for E {}

/// Does nothing, and does not compile if `S` cannot be shared by calls.
pub fn assert_service<S: Send + Sync + 'static>() {}

/// Marks a method as defective if its result is a `Result` behind another name, and yet data.
pub fn assert_reply<K: 'static, R: IntoReply<K>>(mut method: Method) -> Method {
    method.refuse_disguised_error::<K, R>();
    method
}

/// Lets any number of arguments follow those of `H`.
pub fn with_rest<H: DeserializeOwned>(mut method: Method, name: &str) -> Method {
    method.set_rest::<H>(name);
    method
}

/// Makes a method whose closure gives a future.
pub fn task<A, F, R>(name: &str, closure: F) -> Method
where
    A: DeserializeOwned + 'static,
    F: Fn(A) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Reply, Fault>> + Send + 'static,
{
    let handler = Handler::Task(Arc::new(Body::<F, A, Value>::new(closure)));
    Method::with_handler::<A>(name.to_owned(), handler)
}

/// Makes a method whose closure gives a future that hands out the items of a stream.
pub fn stream<A, F, M, R>(name: &str, closure: F) -> Method
where
    A: DeserializeOwned + 'static,
    F: Fn(A) -> M + Send + Sync + 'static,
    M: FnOnce(Items) -> R + 'static,
    R: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let handler = Handler::Task(Arc::new(Body::<F, A, Stream<M>>::new(closure)));
    Method::with_handler::<A>(name.to_owned(), handler)
}

/// Makes a method whose closure holds its thread.
pub fn blocking<A, F>(name: &str, closure: F) -> Method
where
    A: DeserializeOwned + 'static,
    F: Fn(A) -> Result<Reply, Fault> + Send + Sync + 'static,
{
    let handler = Handler::Thread(Arc::new(Body::<F, A, Value>::new(closure)));
    Method::with_handler::<A>(name.to_owned(), handler)
}

/// Makes a method whose closure hands out items, and holds its thread.
pub fn blocking_stream<A, F>(name: &str, closure: F) -> Method
where
    A: DeserializeOwned + 'static,
    F: Fn(A, &mut BlockingItems<'_>) -> Result<(), Fault> + Send + Sync + 'static,
{
    let handler = Handler::Thread(Arc::new(Body::<F, A, Stream<()>>::new(closure)));
    Method::with_handler::<A>(name.to_owned(), handler)
}

/// Where a method that holds its thread leaves its items.
pub struct BlockingItems<'a> {
    give: &'a mut Give<'a>,
}

impl BlockingItems<'_> {
    /// Hands out the items of an iterator, until there are no more or one is a failure.
    ///
    /// # Errors
    ///
    /// An item is a failure, or cannot be sent.
    pub fn send<K, I>(&mut self, items: I) -> Result<(), Fault>
    where
        I: IntoIterator<Item: IntoReply<K>>,
    {
        give_all(items, self.give).map(drop)
    }
}

impl fmt::Debug for BlockingItems<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingItems").finish_non_exhaustive()
    }
}

/// A closure, the type of its arguments, and what it gives.
struct Body<F, A, Kind> {
    closure: F,
    types: PhantomData<fn(A) -> Kind>,
}

/// Marks a closure that gives one result.
enum Value {}
/// Marks a closure that gives a stream of results.
struct Stream<M>(PhantomData<M>);

impl<F, A, Kind> Body<F, A, Kind> {
    fn new(closure: F) -> Self {
        Self {
            closure,
            types: PhantomData,
        }
    }
}

impl<F, A, R> TaskHandler for Body<F, A, Value>
where
    F: Fn(A) -> R + Send + Sync + 'static,
    A: DeserializeOwned,
    R: Future<Output = Result<Reply, Fault>> + Send + 'static,
{
    fn start(&self, method: &str, signature: &Signature, args: Args) -> Result<Task, Fault> {
        let future = (self.closure)(decode(signature, method, args)?);
        Ok(Task::Value(Box::pin(async move {
            future.await.map(|reply| reply.0)
        })))
    }
}

impl<F, A, M, R> TaskHandler for Body<F, A, Stream<M>>
where
    F: Fn(A) -> M + Send + Sync + 'static,
    A: DeserializeOwned,
    M: FnOnce(Items) -> R,
    R: Future<Output = Result<(), Fault>> + Send + 'static,
{
    fn start(&self, method: &str, signature: &Signature, args: Args) -> Result<Task, Fault> {
        let make = (self.closure)(decode(signature, method, args)?);
        Ok(Task::Items(Box::pin(Lending::new(make))))
    }
}

impl<F, A> ThreadHandler for Body<F, A, Value>
where
    F: Fn(A) -> Result<Reply, Fault> + Send + Sync + 'static,
    A: DeserializeOwned,
{
    fn run(
        &self,
        method: &str,
        signature: &Signature,
        args: Args,
        _give: &mut Give<'_>,
    ) -> Result<Work, Fault> {
        let reply = (self.closure)(decode(signature, method, args)?)?;
        Ok(Work::Value(reply.0))
    }
}

impl<F, A> ThreadHandler for Body<F, A, Stream<()>>
where
    F: Fn(A, &mut BlockingItems<'_>) -> Result<(), Fault> + Send + Sync + 'static,
    A: DeserializeOwned,
{
    fn run(
        &self,
        method: &str,
        signature: &Signature,
        args: Args,
        give: &mut Give<'_>,
    ) -> Result<Work, Fault> {
        let args = decode(signature, method, args)?;
        (self.closure)(args, &mut BlockingItems { give })?;
        Ok(Work::Given)
    }
}

/// The arguments of a method that takes some, and any number behind them.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "it is taken apart by a pattern")]
pub struct WithRest<H, R>(pub H, pub R);

impl<'de, H: Deserialize<'de>, R: Deserialize<'de>> Deserialize<'de> for WithRest<H, R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(WithRestVisitor(PhantomData))
    }
}

struct WithRestVisitor<H, R>(PhantomData<fn() -> (H, R)>);

impl<'de, H: Deserialize<'de>, R: Deserialize<'de>> Visitor<'de> for WithRestVisitor<H, R> {
    type Value = WithRest<H, R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("arguments")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut args: S) -> Result<Self::Value, S::Error> {
        // A tuple takes as many as it has fields, and leaves the others.
        let head = H::deserialize(SeqAccessDeserializer::new(&mut args))?;
        let rest = R::deserialize(SeqAccessDeserializer::new(args))?;
        Ok(WithRest(head, rest))
    }
}

/// The arguments of a call with any number of them: nested pairs, and the rest.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "it is put together in calls")]
pub struct Spread<H, T>(pub H, pub Vec<T>);

/// Nested pairs, as `(1, ("two", ()))`.
pub trait Elements {
    /// How many there are.
    const COUNT: usize;

    /// Appends them to a sequence.
    ///
    /// # Errors
    ///
    /// One of them cannot be encoded.
    fn append<S: SerializeSeq>(&self, sequence: &mut S) -> Result<(), S::Error>;
}

impl Elements for () {
    const COUNT: usize = 0;

    fn append<S: SerializeSeq>(&self, _sequence: &mut S) -> Result<(), S::Error> {
        Ok(())
    }
}

impl<F: Serialize, E: Elements> Elements for (F, E) {
    const COUNT: usize = 1 + E::COUNT;

    fn append<S: SerializeSeq>(&self, sequence: &mut S) -> Result<(), S::Error> {
        sequence.serialize_element(&self.0)?;
        self.1.append(sequence)
    }
}

impl<H: Elements, T: Serialize> Serialize for Spread<H, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(H::COUNT + self.1.len()))?;
        self.0.append(&mut sequence)?;
        for item in &self.1 {
            sequence.serialize_element(item)?;
        }
        sequence.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Argument, Plain};

    #[test]
    fn what_is_spread_comes_back_in_two_parts() {
        let sent = Spread((1, ("two", ())), vec![3, 4]);
        let args = Args::from_encoded(proto::Body::args(&sent).unwrap().into_encoded());
        let WithRest(head, rest): WithRest<(u8, String), Vec<u8>> = args.decode().unwrap();
        assert_eq!((head, rest), ((1, "two".to_owned()), vec![3, 4]));
    }

    #[test]
    fn a_wrong_argument_of_the_rest_is_named() {
        let sent = Spread((1, ()), vec!["x"]);
        let args = Args::from_encoded(proto::Body::args(&sent).unwrap().into_encoded());
        let method = task(
            "add",
            |WithRest((a,), rest): WithRest<(u8,), Vec<u8>>| async move { reply::<Plain, _>((a, rest)) },
        );
        let method = with_rest::<(u8,)>(method, "numbers").args([Argument::new("a")]);
        let fault = method
            .signature()
            .decode::<WithRest<(u8,), Vec<u8>>>("add", &args)
            .unwrap_err();
        assert!(
            fault
                .message()
                .starts_with("add() argument 2 'numbers': invalid type"),
            "{fault}"
        );
    }
}
