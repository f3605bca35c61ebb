//! One call before it is made.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proto::{Body, EncodeError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::{CommandSender, Completed, OpenCall, decode};
use super::mailbox::Taken;
use super::observer::Observer;
use super::options::CallOptions;
use super::stream::ReplyStream;
use crate::middleware::{CallOutcome, Chain};
use crate::{CallContext, CallError, Compat, Heartbeat};

/// A call with options of its own. Made by [`Client::request`](crate::Client::request).
///
/// # Example
///
/// ```no_run
/// # async fn example(client: zrpc::Client) -> Result<(), zrpc::CallError> {
/// use std::time::Duration;
///
/// let answer: u64 = client
///     .request("crunch", (42,))
///     .no_timeout()
///     .call()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a request does nothing until `call`, `stream` or `send`"]
pub struct Request {
    commands: CommandSender,
    method: String,
    args: Result<Body, EncodeError>,
    options: CallOptions,
    /// Until when the caller of the method waits that makes this call.
    inherited: Option<Instant>,
    middleware: Option<Arc<Chain>>,
}

impl Request {
    pub(super) fn new(
        commands: CommandSender,
        method: String,
        args: Result<Body, EncodeError>,
        options: CallOptions,
    ) -> Self {
        Self {
            commands,
            method,
            args,
            options,
            inherited: CallContext::inherited_deadline(),
            middleware: None,
        }
    }

    pub(super) fn with_middleware(mut self, middleware: Option<Arc<Chain>>) -> Self {
        self.middleware = middleware;
        self
    }

    /// Sets how long the first reply may take, and the time until there is a server with it. Items
    /// of a stream behind the first may take any time, as long as the server lives.
    ///
    /// A method that makes the call waits no longer than its own caller does
    /// ([`CallContext::deadline`]), whatever is set here.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Waits for the first reply for as long as the server lives; with [`Heartbeat::off`] for as long
    /// as it takes. Not even the deadline of a method that makes the call counts then.
    pub fn no_timeout(mut self) -> Self {
        self.options.timeout = None;
        self.inherited = None;
        self
    }

    /// Sets how long each item of a stream behind the first may take, and the end behind the last,
    /// from when it is asked for. The first item is a matter of [`timeout`](Self::timeout). Default:
    /// as the client's.
    ///
    /// The stream ends with [`CallError::ItemTimeout`] then.
    pub fn item_timeout(mut self, timeout: Duration) -> Self {
        self.options.item_timeout = Some(timeout);
        self
    }

    /// Waits for items for as long as the server lives.
    pub fn no_item_timeout(mut self) -> Self {
        self.options.item_timeout = None;
        self
    }

    /// Sets the heartbeat.
    pub fn heartbeat(mut self, heartbeat: Heartbeat) -> Self {
        self.options.set_heartbeat(heartbeat);
        self
    }

    /// Keeps the interval of the heartbeat, but is silent until the server's first.
    pub fn passive_heartbeat(mut self) -> Self {
        self.options.set_passive();
        self
    }

    /// Sets how many items of a stream the server may send ahead of their consumption, at least
    /// one; 1024 unless told otherwise, of which large items and foreign servers use no more than
    /// 100.
    pub fn slots(mut self, slots: u32) -> Self {
        self.options.slots = slots;
        self
    }

    /// Adds an entry to the header of the request, where the method finds it
    /// ([`CallContext::header`](crate::CallContext::header)), and in Python the middleware
    /// (`load_task_context`). An entry of the same name is replaced.
    ///
    /// A name of the protocol's own, or a value that cannot be encoded, fails the call with
    /// [`CallError::Encode`].
    pub fn header<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.args = self.args.and_then(|mut args| {
            args.extra_mut().insert(key, value)?;
            Ok(args)
        });
        self
    }

    /// Sets for whom the arguments are; one that would be dropped or changed on the way is an error.
    pub fn compat(mut self, compat: Compat) -> Self {
        self.options.compat = compat;
        self
    }

    /// Makes the call and waits for its result.
    ///
    /// # Errors
    ///
    /// See [`CallError`]. A method that gives a stream is [`CallError::UnexpectedStream`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the call, see [`Client::call`](crate::Client::call).
    pub async fn call<R: DeserializeOwned>(self) -> Result<R, CallError> {
        let mut call = self.start().await?;
        let mut batch = VecDeque::new();
        match take(&call, &mut batch).await {
            Taken::End(end) => call.finish(end, |method, completed| match completed {
                Completed::Value(value) => decode(method, value),
                Completed::Done => Err(unexpected_stream(method)),
            }),
            Taken::Items => {
                call.accept_items()?;
                let error = unexpected_stream(call.method());
                Err(call.fail(error))
            }
        }
    }

    /// Makes the call and gives its result as it is.
    #[cfg(feature = "tower")]
    pub(crate) async fn call_encoded(self) -> Result<crate::Reply, CallError> {
        let mut call = self.start().await?;
        let mut batch = VecDeque::new();
        match take(&call, &mut batch).await {
            Taken::End(end) => call.finish(end, |method, completed| match completed {
                Completed::Value(value) => match Body::from_encoded(value) {
                    Ok(value) => Ok(crate::Reply(value)),
                    Err(source) => Err(CallError::Malformed {
                        method: method.to_owned(),
                        source,
                    }),
                },
                Completed::Done => Err(unexpected_stream(method)),
            }),
            Taken::Items => {
                call.accept_items()?;
                let error = unexpected_stream(call.method());
                Err(call.fail(error))
            }
        }
    }

    /// Makes the call and returns its results as a stream, without waiting for the first.
    ///
    /// A method that gives a single result is a stream of one item.
    ///
    /// # Errors
    ///
    /// [`CallError::Encode`] and [`CallError::NotPortable`]; everything else is an error of the
    /// stream.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the call if it was made.
    pub async fn stream<T: DeserializeOwned>(self) -> Result<ReplyStream<T>, CallError> {
        Ok(ReplyStream::open(self.start().await?, VecDeque::new()))
    }

    /// Makes the call and waits until it is known whether it gives a single result or a stream.
    ///
    /// # Errors
    ///
    /// See [`CallError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the call, see [`Client::call`](crate::Client::call).
    pub async fn send<T: DeserializeOwned>(self) -> Result<Response<T>, CallError> {
        let mut call = self.start().await?;
        let mut batch = VecDeque::new();
        let end = match take(&call, &mut batch).await {
            Taken::End(end) => end,
            Taken::Items => {
                call.accept_items()?;
                return Ok(Response::Stream(ReplyStream::open(call, batch)));
            }
        };
        call.finish(end, |method, completed| match completed {
            Completed::Value(value) => decode(method, value).map(Response::Value),
            Completed::Done => Ok(Response::Stream(ReplyStream::complete(method, batch))),
        })
    }

    async fn start(self) -> Result<OpenCall, CallError> {
        let Self {
            commands,
            method,
            args,
            mut options,
            inherited,
            middleware,
        } = self;
        let args = match args {
            Ok(args) => args,
            Err(detail) => return Err(CallError::Encode { method, detail }),
        };
        options.check().map_err(CallError::Option)?;
        let own_timeout = options.timeout;
        options.timeout = match timeout_within(own_timeout, inherited) {
            Ok(timeout) => timeout,
            Err(after) => return Err(overdue(after, method)),
        };
        if let Err(detail) = args.check(options.compat) {
            let detail = Box::new(detail);
            return Err(CallError::NotPortable { method, detail });
        }
        let Some(chain) = middleware else {
            let request = proto::Request::new(&*method, args);
            return Ok(OpenCall::start(commands, method.into(), request, options));
        };
        // Its state is large, and calls without middleware should not have room for it.
        let (mut observer, request) =
            Box::pin(Observer::start(chain, &method, args, options.compat)).await?;
        // The hooks may have taken some of the time that there is.
        options.timeout = match timeout_within(own_timeout, inherited) {
            Ok(timeout) => timeout,
            Err(after) => {
                let error = overdue(after, method);
                observer.finish(&CallOutcome::Failed {
                    error: &error,
                    reply: None,
                });
                return Err(error);
            }
        };
        let call = OpenCall::start(commands, method.into(), request, options);
        Ok(call.with_observer(observer))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Whatever a method gives.
#[derive(Debug)]
#[non_exhaustive]
pub enum Response<T> {
    /// A single result.
    Value(T),
    /// A stream of results.
    Stream(ReplyStream<T>),
}

/// Returns how long the first reply may take, given until when somebody waits for it.
///
/// # Errors
///
/// How much time is left: none.
fn timeout_within(
    own: Option<Duration>,
    inherited: Option<Instant>,
) -> Result<Option<Duration>, Duration> {
    let Some(deadline) = inherited else {
        return Ok(own);
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(left);
    }
    Ok(Some(own.map_or(left, |own| own.min(left))))
}

/// The deadline has passed before anything was sent.
const fn overdue(after: Duration, method: String) -> CallError {
    CallError::Timeout {
        after,
        method,
        cause: None,
    }
}

async fn take(call: &OpenCall, batch: &mut VecDeque<Bytes>) -> Taken {
    std::future::poll_fn(|context| call.poll_take(context, batch)).await
}

fn unexpected_stream(method: &str) -> CallError {
    CallError::UnexpectedStream {
        method: method.to_owned(),
    }
}
