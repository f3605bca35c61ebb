//! The command line of the service, and its life.

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use thiserror::Error;
use zrpc::{BuildError, ConnectError, Heartbeat, Server, ServerBuilder};

use super::directory::find_programs;
use super::program::{Program, Rules};
use crate::args::{Interval, ServerSecurity, UsageError, parse_duration, parse_interval};
use crate::error::CliError;
use crate::render::on_one_line;
use crate::signals::{Interest, Signals, Stop};
use crate::sockets::tell;

/// Offer programs as methods of a service.
///
/// With --directory, every executable file there is a method, called as the file without its
/// extension. Otherwise the command behind `--` is the one method. No shell is involved. A program
/// gets the params as its arguments or as JSON, and answers on stdout; if it exits with another code
/// than 0, its caller gets an error with what it wrote to stderr. It runs with few variables of the
/// environment, and is killed, with everything that it started, when its caller is gone.
#[derive(Args, Clone, Debug)]
#[command(
    override_usage = "zrpc serve [options] <address> --directory <directory>\n       \
                            zrpc serve [options] <address> -- <command>...",
    after_long_help = EXAMPLES
)]
pub(crate) struct ServeOptions {
    /// Address to listen on; left out after --bind or --connect.
    #[arg(value_name = "address")]
    address: Option<String>,

    /// Address to listen on; may be repeated, and mixed with --connect.
    #[arg(long, value_name = "address")]
    bind: Vec<String>,

    /// Address of a client or broker to connect to; may be repeated.
    #[arg(long, value_name = "address")]
    connect: Vec<String>,

    /// Offer the executable files in this directory.
    #[arg(long, value_name = "directory", conflicts_with = "command")]
    directory: Option<PathBuf>,

    /// The name of the method that runs the command [default: the name of the program].
    #[arg(long, value_name = "name", requires = "command")]
    method: Option<String>,

    /// The name of the service.
    #[arg(long, value_name = "name", default_value = "zrpc")]
    name: String,

    /// How a program gets the params of a call.
    #[arg(long, value_name = "form", default_value = "argv")]
    params: ParamForm,

    /// What a program prints.
    #[arg(long, value_name = "form", default_value = "text")]
    result: ResultForm,

    /// Kill a program that runs for longer than so many seconds.
    #[arg(long, value_name = "seconds", value_parser = parse_duration)]
    timeout: Option<Duration>,

    /// How many programs run at the same time; further calls wait for their turn.
    #[arg(long, value_name = "programs", default_value = "16")]
    max_concurrency: NonZeroUsize,

    /// How many bytes a program may print, or, where each line is an item, put on a line.
    #[arg(long, value_name = "bytes", default_value = "16777216")]
    max_output: NonZeroU64,

    /// A variable for the programs, beside PATH, HOME, LANG, LC_ALL and TZ; may be repeated.
    #[arg(long, value_name = "name[=value]")]
    env: Vec<String>,

    /// Seconds between heartbeats, best the same as the clients'; `off` sends none.
    #[arg(
        long, value_name = "seconds", default_value = "5", value_parser = parse_interval,
        env = "ZRPC_HEARTBEAT", hide_env_values = true, allow_negative_numbers = true
    )]
    heartbeat: Interval,

    #[command(flatten)]
    security: ServerSecurity,

    /// The program, and the arguments that it gets in front of the params.
    #[arg(last = true, value_name = "command")]
    command: Vec<OsString>,
}

/// How a program gets params.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ParamForm {
    /// Each as an argument: strings and bytes as they are, everything else as JSON.
    Argv,
    /// As one JSON array on stdin.
    Json,
}

/// What a program prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ResultForm {
    /// A text, without the end of its last line; bytes if it is not UTF-8.
    Text,
    /// Bytes.
    Bytes,
    /// A JSON document.
    Json,
    /// Each line is an item of a stream.
    Lines,
    /// Each line is a JSON document, and an item of a stream.
    JsonLines,
}

/// Why programs cannot be served.
#[derive(Debug, Error)]
pub(crate) enum ServeError {
    /// The directory cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is nothing to offer.
    #[error("no executable file in {}: make one with `chmod +x`", path.display())]
    NoPrograms {
        /// The directory.
        path: PathBuf,
    },
    /// Two files would be the same method.
    #[error("{} and {} would both be the method {method}", first.display(), second.display())]
    SameName {
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// What both are called.
        method: String,
    },
    /// The name of a file cannot be that of a method.
    #[error("{} cannot be a method: its name is not UTF-8", path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// The server cannot be made.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The server ended by itself.
    #[error(transparent)]
    Interrupted(#[from] zrpc::Interrupted),
}

impl ServeError {
    /// Why a link could not be made, if it was that.
    pub(crate) fn connect_error(&self) -> Option<&ConnectError> {
        match self {
            Self::Build(BuildError::Connect(error)) => Some(error),
            _ => None,
        }
    }
}

impl ServeOptions {
    /// Serves until there is a signal. The first one lets running programs end; the second does not.
    ///
    /// # Errors
    ///
    /// That there is nothing to serve, or nowhere to, or that it was interrupted.
    pub(crate) async fn run(self) -> Result<(), CliError> {
        let mut signals = Signals::new(Interest::Both);
        let programs = self.programs()?;
        let names: Vec<String> = programs
            .iter()
            .map(|program| program.method.clone())
            .collect();
        let (builder, is_linked) = self.links(Server::builder());
        if !is_linked {
            return Err(UsageError::NoToolAddress.into());
        }
        let heartbeat = match self.heartbeat {
            Interval::Every(interval) => Heartbeat::every(interval),
            Interval::Off => Heartbeat::off(),
        };
        let mut builder = builder
            .name(&self.name)
            .heartbeat(heartbeat)
            .security(self.security.read().await?)
            .max_concurrency(self.max_concurrency.get());
        let rules = Arc::new(self.rules());
        for program in programs {
            builder = builder.register(program.into_method(Arc::clone(&rules)));
        }
        let server = builder.build().await.map_err(ServeError::from)?;
        for endpoint in server.endpoints() {
            tell("listening on", endpoint);
        }
        for address in &self.connect {
            tell("connecting to", address);
        }
        let names = names.join(", ");
        // As with addresses, nothing is lost if stderr is closed.
        let _ = writeln!(
            io::stderr(),
            "serving \"{}\": {}",
            on_one_line(&self.name),
            on_one_line(&names)
        );
        let handle = server.handle();
        let mut served = pin!(server.run());
        let stop = tokio::select! {
            ended = &mut served => return Ok(ended.map_err(ServeError::from)?),
            stop = signals.stop() => stop,
        };
        tokio::select! {
            () = handle.shutdown() => {}
            _ = signals.stop() => handle.close().await,
        }
        match stop {
            Stop::Interrupted => Err(CliError::Interrupted),
            Stop::Terminated => Ok(()),
        }
    }

    fn programs(&self) -> Result<Vec<Program>, CliError> {
        match (&self.directory, self.command.split_first()) {
            (Some(directory), _) => Ok(find_programs(directory)?),
            (None, Some((program, args))) => {
                let path = PathBuf::from(program);
                let name = match &self.method {
                    Some(name) => name.clone(),
                    None => file_name(&path)?,
                };
                Ok(vec![Program::new(name, path, args.to_vec())])
            }
            (None, None) => Err(UsageError::NothingToServe.into()),
        }
    }

    /// Adds the links, and returns whether there are any.
    fn links(&self, builder: ServerBuilder) -> (ServerBuilder, bool) {
        let named = self.bind.len() + self.connect.len();
        let address = self.address.iter().chain(&self.bind);
        let builder = address.fold(builder, |builder, address| builder.bind(address));
        let connects = self.connect.iter();
        let builder = connects.fold(builder, |builder, address| builder.connect(address));
        (builder, self.address.is_some() || named > 0)
    }

    fn rules(&self) -> Rules {
        Rules {
            params: self.params,
            result: self.result,
            timeout: self.timeout,
            max_output: self.max_output.get(),
            environment: environment(&self.env),
        }
    }
}

/// Returns the variables of a program: the few that every one needs, and those that were asked for.
fn environment(asked: &[String]) -> Vec<(OsString, OsString)> {
    let inherited = |name: &str| std::env::var_os(name).map(|value| (name.into(), value));
    let usual = INHERITED.iter().filter_map(|name| inherited(name));
    let asked = asked.iter().filter_map(|text| match text.split_once('=') {
        Some((name, value)) => Some((name.into(), value.into())),
        None => inherited(text),
    });
    usual.chain(asked).collect()
}

fn file_name(path: &Path) -> Result<String, ServeError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| ServeError::Name {
        path: path.to_owned(),
    })?;
    Ok(name.to_owned())
}

/// What programs cannot do without. Everything else may be a secret of whoever runs the service.
const INHERITED: [&str; 5] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ"];

/// What only the long help says.
const EXAMPLES: &str = "\
Examples:
  zrpc serve tcp://127.0.0.1:4242 -- uptime                       the method uptime
  zrpc serve tcp://127.0.0.1:4242 --directory /usr/local/lib/methods
  zrpc serve tcp://127.0.0.1:4242 --method grep --result lines -- grep -h -r --include=*.log --
  zrpc serve tcp://0.0.0.0:4242 --curve-secret server.key_secret --authorized-keys authorized -- uptime";
