//! What the options ask for.

use thiserror::Error;

use super::duration::{Interval, Timeout};
use super::options::{Options, Output};

/// One run of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The links to make, in this order; never empty.
    pub(crate) links: Vec<Link>,
    /// How to talk to the peer.
    pub(crate) settings: Settings,
    /// What to do.
    pub(crate) action: Action,
}

/// A link of the client's socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Wait for servers that connect here.
    Bind(String),
    /// Connect to a server.
    Connect(String),
}

/// How to talk to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// How long to wait for the first answer.
    pub(crate) timeout: Timeout,
    /// How often to send a heartbeat.
    pub(crate) heartbeat: Interval,
    /// When to send the first one.
    pub(crate) start: HeartbeatStart,
}

/// When heartbeats begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeartbeatStart {
    /// After the first one of the server.
    Passive,
    /// At once.
    Active,
}

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// List the methods with the first line of their documentation.
    List,
    /// List the signatures of the methods.
    Signatures,
    /// Show the signature and the whole documentation of one method.
    Describe {
        /// The name of the method.
        method: String,
    },
    /// Call a method.
    Call {
        /// The name of the method.
        method: String,
        /// Its arguments.
        params: Params,
        /// How to print what it returns.
        form: Form,
    },
}

/// The arguments of a call as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Params {
    /// Each one is a string.
    Text(Vec<String>),
    /// Each one is a JSON document.
    Json(Vec<String>),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `pprint`, a line end after each.
    Pretty,
    /// One JSON document on a line for each.
    JsonLines,
    /// One JSON document in all, an array for a stream, and no line end.
    JsonDocument,
}

/// Options that fit no run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum UsageError {
    /// Neither an address nor `--connect` nor `--bind` was given.
    #[error("no address given")]
    NoAddress,
    /// `--server` was given.
    #[error(
        "--server loads a Python module, which zrpc does not do: serve it with \
         `zerorpc --server`, or write the service in Rust with `zrpc::Server`"
    )]
    Server,
}

impl Options {
    /// Whether everything that is sent and received is to be logged.
    pub(crate) fn is_debug(&self) -> bool {
        self.debug
    }

    /// What to tell the user about options that have no effect.
    pub(crate) fn notice(&self) -> Option<&'static str> {
        let text = "--pool-size is an option of --server and has no effect on a call";
        self.pool_size.map(|_| text)
    }

    /// Makes sense of the options.
    ///
    /// If there is a `--connect` or a `--bind`, the first positional is the command and not the
    /// address, and what follows are all params.
    ///
    /// # Errors
    ///
    /// [`UsageError`], if there is nothing to connect to, or something that is not offered.
    pub(crate) fn into_request(self) -> Result<Request, UsageError> {
        if self.server {
            return Err(UsageError::Server);
        }
        let form = match (self.print_json, self.output) {
            (true, _) => Form::JsonDocument,
            (false, Output::Json) => Form::JsonLines,
            (false, Output::Pretty) => Form::Pretty,
        };
        let settings = Settings {
            timeout: self.timeout,
            heartbeat: self.heartbeat,
            start: if self.active_hb {
                HeartbeatStart::Active
            } else {
                HeartbeatStart::Passive
            },
        };
        let is_linked = !(self.connect.is_empty() && self.bind.is_empty());
        let mut positionals = [self.address, self.command].into_iter().flatten();
        let address = if is_linked { None } else { positionals.next() };
        let command = positionals.next().filter(|command| !command.is_empty());
        let params = positionals.chain(self.params).collect();

        let address = address.filter(|address| !address.is_empty());
        let binds = self.bind.into_iter().map(Link::Bind);
        let connects = address.into_iter().chain(self.connect).map(Link::Connect);
        let links: Vec<_> = binds.chain(connects).collect();
        if links.is_empty() {
            return Err(UsageError::NoAddress);
        }
        let action = match (command, self.inspect) {
            (None, false) => Action::List,
            (None, true) => Action::Signatures,
            (Some(method), true) => Action::Describe { method },
            (Some(method), false) => Action::Call {
                method,
                params: if self.json {
                    Params::Json(params)
                } else {
                    Params::Text(params)
                },
                form,
            },
        };
        Ok(Request {
            links,
            settings,
            action,
        })
    }
}
