//! The errors of clients and servers, one type per operation.

use std::time::Duration;

use proto::{CloseReason, CompatError, DecodeError, EncodeError, OverrunUnit, RemoteError};

use crate::middleware::TranslatedError;
use crate::{DisconnectReason, Fault, Interrupted, OptionError};

/// Why a call, or a stream of results, failed.
///
/// The texts of [`LostRemote`](Self::LostRemote) and [`Timeout`](Self::Timeout) are those of
/// Python's client, which people's logs and tests match on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The method failed; this is what the server says about it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The server fell silent. Whether the method ran is unknown.
    #[error("Lost remote after {}s heartbeat", Seconds(*.after))]
    LostRemote {
        /// Two heartbeat intervals.
        after: Duration,
        /// How connecting failed last, of a call for which no server was ever there.
        #[source]
        cause: Option<Box<ConnectionFailure>>,
    },
    /// No server is connected, and none is tried any more: who listens at the endpoints refuses
    /// this client for good, or is refused by it, because of a key, a mechanism, or what it is.
    /// Nothing was sent.
    ///
    /// [`Client::connect_to`](crate::Client::connect_to) tries again.
    #[error("there is no server to call: {0}")]
    Unreachable(Box<ConnectionFailure>),
    /// The connection to the server was lost. Whether the method ran is unknown.
    #[error("Lost remote: the connection was closed")]
    Disconnected,
    /// The first reply did not come in time. A server that understands it is told that nobody
    /// waits any more; whether the method ran is unknown.
    #[error("timeout after {}s, when calling remote method {method}", Seconds(*.after))]
    Timeout {
        /// The timeout of the call.
        after: Duration,
        /// The method.
        method: String,
        /// How connecting failed last, of a call for which no server was ever there.
        #[source]
        cause: Option<Box<ConnectionFailure>>,
    },
    /// The next item of a stream, or its end, did not come in time. A server that understands it is
    /// told that nobody waits any more.
    #[error("timeout after {}s, when waiting for an item of remote method {method}", Seconds(*.after))]
    ItemTimeout {
        /// The timeout.
        after: Duration,
        /// The method.
        method: String,
    },
    /// The arguments cannot be encoded. Nothing was sent.
    #[error("arguments of {method} cannot be encoded: {detail}")]
    Encode {
        /// The method.
        method: String,
        /// What is wrong with them.
        detail: EncodeError,
    },
    /// The other side would drop or change the arguments, or what goes with them in the header.
    /// Nothing was sent.
    ///
    /// [`Compat`](crate::Compat) says for whom they have to be.
    #[error("arguments of {method} are not portable: {detail}")]
    NotPortable {
        /// The method.
        method: String,
        /// What is wrong with them.
        detail: Box<CompatError>,
    },
    /// The result, or an item of the stream, is not of the type that was asked for.
    #[error("result of {method} cannot be decoded: {detail}")]
    Decode {
        /// The method.
        method: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A single result was asked for, and the method gives a stream. The stream was closed.
    #[error("method {method} gives a stream; ask for one")]
    UnexpectedStream {
        /// The method.
        method: String,
    },
    /// The server answered with an event that is no reply.
    #[error("server answered {method} with an unknown event {event}")]
    UnexpectedEvent {
        /// The method.
        method: String,
        /// The name of the event.
        event: String,
    },
    /// The server answered with what is no event, or with more than is accepted in one.
    #[error("server answered {method} with a malformed event")]
    Malformed {
        /// The method.
        method: String,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The server sent more than it was allowed to. The call was ended.
    #[error("server overran the limit of {limit} {unit}")]
    Overrun {
        /// What was allowed.
        limit: usize,
        /// Of what.
        unit: OverrunUnit,
    },
    /// As many calls as the limits allow are open, to every server that is connected. Nothing was
    /// sent.
    #[error("{limit} calls to the server are open already")]
    TooManyCalls {
        /// The limit.
        limit: usize,
    },
    /// The options of the call make no sense. Nothing was sent.
    #[error("option of the call: {0}")]
    Option(OptionError),
    /// [Middleware](crate::middleware::Middleware::client_before_request) of the client did not let
    /// the call out. Nothing was sent.
    #[error("{method} was not called: {fault}")]
    Denied {
        /// The method.
        method: String,
        /// What the middleware says.
        fault: Box<Fault>,
    },
    /// The method failed, and
    /// [middleware](crate::middleware::Middleware::client_handle_remote_error) of the client put an
    /// error of the program in the place of what the server says.
    #[error(transparent)]
    Translated(#[from] TranslatedError),
    /// The client was closed.
    #[error("client is closed")]
    Closed,
}

impl CallError {
    /// Returns a short name of the error, for logs and metrics: that of the exception if the server
    /// sent one, and else that of the variant, such as `LostRemote`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Remote(error) => &error.name,
            Self::Translated(error) => &error.remote().name,
            Self::LostRemote { .. } => "LostRemote",
            Self::Disconnected => "Disconnected",
            Self::Unreachable(_) => "Unreachable",
            // As Python calls it.
            Self::Timeout { .. } => "TimeoutExpired",
            Self::ItemTimeout { .. } => "ItemTimeout",
            Self::Encode { .. } => "Encode",
            Self::NotPortable { .. } => "NotPortable",
            Self::Decode { .. } => "Decode",
            Self::UnexpectedStream { .. } => "UnexpectedStream",
            Self::UnexpectedEvent { .. } => "UnexpectedEvent",
            Self::Malformed { .. } => "Malformed",
            Self::Overrun { .. } => "Overrun",
            Self::TooManyCalls { .. } => "TooManyCalls",
            Self::Option(_) => "Option",
            Self::Denied { .. } => "Denied",
            Self::Closed => "Closed",
        }
    }

    /// Translates the end of a channel.
    pub(crate) fn from_close_reason(method: &str, reason: CloseReason) -> Self {
        match reason {
            CloseReason::LostRemote { after } => Self::LostRemote { after, cause: None },
            CloseReason::TimedOut { after } => Self::Timeout {
                after,
                method: method.to_owned(),
                cause: None,
            },
            CloseReason::PeerLost => Self::Disconnected,
            CloseReason::Overrun { limit, unit } => Self::Overrun { limit, unit },
            CloseReason::UnexpectedEvent { name } => Self::UnexpectedEvent {
                method: method.to_owned(),
                event: name.to_string(),
            },
            CloseReason::Malformed { error } => Self::Malformed {
                method: method.to_owned(),
                source: error,
            },
            // `Cancelled` and `Superseded` end channels of servers; there are no others.
            _ => Self::Closed,
        }
    }
}

/// Why a server does not serve any more, or never did.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It could not be made.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It ended without being told to.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Why a server could not be built.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two methods have the same name.
    #[error("method {method} is registered twice")]
    DuplicateMethod {
        /// The name.
        method: String,
    },
    /// The name begins with `_zerorpc_`, which is kept for introspection.
    #[error("method name {method} is reserved for introspection")]
    ReservedName {
        /// The name.
        method: String,
    },
    /// A method was described with another number of arguments than it accepts.
    #[error("method {method} is described with {described} arguments and accepts {accepted}")]
    Arguments {
        /// The method.
        method: String,
        /// How many arguments the description has.
        described: usize,
        /// How many the closure has.
        accepted: usize,
    },
    /// The arguments of a method are of a type that is no list of arguments.
    ///
    /// A single argument is a tuple of one: `|(name,): (String,)|`.
    #[error("method {method} takes {arguments}, which is no tuple of arguments")]
    ArgumentsType {
        /// The method.
        method: String,
        /// The type.
        arguments: &'static str,
    },
    /// The default value of an argument cannot be encoded.
    #[error("default of argument {argument} of method {method} cannot be encoded: {detail}")]
    Default {
        /// The method.
        method: String,
        /// The argument.
        argument: String,
        /// What is wrong with the value.
        detail: String,
    },
    /// A method returns a `Result` whose error does not convert into a [`Fault`](crate::Fault).
    #[error("method {method} returns {reply}, whose error does not implement std::error::Error")]
    ErrorType {
        /// The method.
        method: String,
        /// What it returns.
        reply: &'static str,
    },
    /// Options make no sense.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// An endpoint, or the I/O thread, could not be made ready.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// Why a client or the socket of a server could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No endpoint was given.
    #[error("no endpoint to bind or connect to")]
    NoEndpoint,
    /// The same endpoint was given twice, to bind to it at least once: that is not possible for a
    /// second time, and who binds to it would connect to itself.
    #[error("endpoint {endpoint} is given twice, and bound to")]
    DuplicateEndpoint {
        /// The endpoint.
        endpoint: String,
    },
    /// Options make no sense.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The endpoint is none, or cannot be bound or connected to.
    #[error("{}", unusable(.endpoint, .detail))]
    Endpoint {
        /// The endpoint as it was given.
        endpoint: String,
        /// What is wrong with it.
        detail: String,
    },
    /// [Middleware](crate::middleware::Middleware::resolve_endpoint) could not resolve the endpoint.
    #[error("endpoint {endpoint} cannot be resolved: {detail}")]
    Resolve {
        /// The endpoint as it was given.
        endpoint: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The thread for the sockets could not be started.
    #[error("I/O thread cannot be started: {0}")]
    Thread(std::io::ErrorKind),
    /// Whoever listens at the endpoints refuses this client for good.
    #[error("there is no server to connect to: {0}")]
    Unreachable(Box<ConnectionFailure>),
    /// The client or server has ended.
    #[error("the socket is closed")]
    Closed,
    /// There is no tokio runtime to run on.
    #[error("not called from within a tokio runtime")]
    NoRuntime,
}

/// Why there is no connection to a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no connection to {endpoint}: {}", with_sources(.reason))]
#[non_exhaustive]
pub struct ConnectionFailure {
    /// What was to be connected to.
    pub endpoint: String,
    /// How the last attempt ended.
    pub reason: DisconnectReason,
}

/// Names an endpoint once: most that is wrong with one says which it is.
fn unusable(endpoint: &str, detail: &str) -> String {
    let endpoint = endpoint.escape_debug().to_string();
    if detail.contains(&endpoint) {
        return detail.to_owned();
    }
    format!("endpoint '{endpoint}' cannot be used: {detail}")
}

/// Puts an error and its sources on one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Prints a duration as Python prints the number it was given: `10`, `0.5`.
struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_cannot_be_used_is_named_once() {
        let text = |endpoint: &str| {
            let error = endpoint.parse::<zmtp::Endpoint>().unwrap_err();
            crate::endpoints::unusable(endpoint, &error).to_string()
        };
        let foo = "endpoint 'foo' does not begin with a transport such as tcp://";
        assert_eq!(text("foo"), foo);
        let text = text("tcp://:1");
        assert!(
            text.starts_with("endpoint 'tcp://:1' cannot be used: "),
            "{text}"
        );
    }

    #[test]
    fn q26_texts_are_those_of_python() {
        let lost = CallError::LostRemote {
            after: Duration::from_secs(10),
            cause: None,
        };
        assert_eq!(lost.to_string(), "Lost remote after 10s heartbeat");
        let timeout = CallError::Timeout {
            after: Duration::from_millis(1500),
            method: "foo".to_owned(),
            cause: None,
        };
        assert_eq!(
            timeout.to_string(),
            "timeout after 1.5s, when calling remote method foo"
        );
    }
}
