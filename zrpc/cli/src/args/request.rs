//! What the options ask for.

use thiserror::Error;

use super::display::{Display, Output};
use super::duration::{Interval, Timeout};
use super::options::{ExitCodes, Options};
use super::security::{ClientSecurity, PLAIN};

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
        /// Whether they may stand for files.
        source: ParamSource,
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

/// Where the arguments of a call are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParamSource {
    /// On the command line.
    Words,
    /// Also in the files that are named there, and on stdin.
    Files,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `pprint`, a line end after each.
    Pretty,
    /// `repr`, a line end after each.
    Python,
    /// Documents of YAML, each with a line `---` in front.
    Yaml,
    /// Strings and bytes as they are, everything else as JSON; a line end after each.
    Raw,
    /// One JSON document on a line for each.
    JsonLines,
    /// One JSON document in all, an array for a stream, and no line end.
    JsonDocument,
}

impl From<Output> for Form {
    fn from(output: Output) -> Self {
        match output {
            Output::Pretty => Self::Pretty,
            Output::Python => Self::Python,
            Output::Json => Self::JsonLines,
            Output::Yaml => Self::Yaml,
            Output::Raw => Self::Raw,
        }
    }
}

/// Options that fit no run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum UsageError {
    /// Neither an address nor `--connect` nor `--bind` was given.
    #[error("no address given")]
    NoAddress,
    /// A tool was given no address.
    #[error("no address given; one looks like tcp://127.0.0.1:4242")]
    NoToolAddress,
    /// A proxy has only one side.
    #[error(
        "a proxy has two sides: name an address with --frontend or --connect-frontend, and one \
         with --backend or --connect-backend"
    )]
    ProxySides,
    /// Everything that is protected on the way would be shown to whoever asks.
    #[error(
        "--capture would show to everybody what is protected at a side: say who may read it with \
         --capture-curve-secret and --capture-authorized-keys (or --capture-any-key), or with \
         --capture-passwords"
    )]
    CaptureInTheClear,
    /// Nothing is captured, and yet it is said who may read it.
    #[error("options that begin with --capture- need --capture with an address")]
    NoCapture,
    /// A password would be told to whoever connects, who would be let in as well.
    #[error(
        "{option} would tell the password to whoever connects: it goes with addresses to connect \
         to, not with any to listen on"
    )]
    PasswordForStrangers {
        /// The option with the password.
        option: String,
    },
    /// There is no program to offer.
    #[error("nothing to serve: name a --directory, or put a command behind --")]
    NothingToServe,
    /// A tool was given no method to call.
    #[error("no method given; name one behind the address")]
    NoMethod,
    /// `--server` was given.
    #[error(
        "--server loads a Python module, which zrpc does not do: serve it with \
         `zerorpc --server`, serve programs with `zrpc serve`, or write the service in Rust with \
         `zrpc::Server`"
    )]
    Server,
}

impl Options {
    /// Whether everything that is sent and received is to be logged.
    pub(crate) fn is_debug(&self) -> bool {
        self.debug
    }

    /// How results are printed.
    pub(crate) fn display(&self) -> Display {
        self.display
    }

    /// What is shown to the servers.
    pub(crate) fn security(&self) -> &ClientSecurity {
        &self.security
    }

    /// Which exit codes are asked for.
    pub(crate) fn exit_codes(&self) -> ExitCodes {
        self.exit_codes
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
        let form = match self.print_json {
            true => Form::JsonDocument,
            false => self.display.output.into(),
        };
        let source = match self.read_params {
            true => ParamSource::Files,
            false => ParamSource::Words,
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
        let words = [self.address, self.command].into_iter().flatten();
        let words = words.chain(self.params).collect();
        let (links, words) = into_links(self.connect, self.bind, words, WordLink::Connect);
        let links = links.ok_or(UsageError::NoAddress)?;
        self.security.check(&links, PLAIN)?;
        let mut words = words.into_iter();
        let command = words.next().filter(|command| !command.is_empty());
        let params = words.collect();
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
                source,
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

/// What becomes of an address that no option stands in front of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordLink {
    /// It is listened on.
    Bind,
    /// It is connected to.
    Connect,
}

/// Takes the links out of the words of a command line, and returns what is left of them.
///
/// The first word is an address, unless there is a `--connect` or a `--bind`. Without
/// any of the three there are no links.
pub(super) fn into_links(
    connect: Vec<String>,
    bind: Vec<String>,
    mut words: Vec<String>,
    first: WordLink,
) -> (Option<Vec<Link>>, Vec<String>) {
    let is_linked = !(connect.is_empty() && bind.is_empty());
    let address = if is_linked || words.is_empty() {
        None
    } else {
        Some(words.remove(0)).filter(|address| !address.is_empty())
    };
    let (listened, connected) = match first {
        WordLink::Bind => (address, None),
        WordLink::Connect => (None, address),
    };
    let binds = listened.into_iter().chain(bind).map(Link::Bind);
    let connects = connected.into_iter().chain(connect).map(Link::Connect);
    let links: Vec<_> = binds.chain(connects).collect();
    (Some(links).filter(|links| !links.is_empty()), words)
}
