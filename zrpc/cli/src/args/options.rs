//! The options as typed, before they are made sense of.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};

use super::display::Display;
use super::duration::{Interval, Timeout, parse_interval, parse_timeout};
use super::security::ClientSecurity;

/// Calls a method of a zerorpc service, or lists what it offers.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "zrpc",
    version,
    about = "Call a method of a zerorpc service, or list what it offers.",
    after_long_help = MORE,
    infer_long_args = true,
    override_usage = "zrpc [options] <address> [command [params]...]\n       \
                      zrpc [options] --connect <address> [command [params]...]\n       \
                      zrpc <tool> ..."
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch that the user typed; `Request` gives them their meaning"
)]
pub(crate) struct Options {
    /// Call a remote procedure (the default).
    #[arg(long, overrides_with = "client", conflicts_with = "server")]
    pub(super) client: bool,

    /// Refused: zrpc serves no Python modules.
    #[arg(long, overrides_with = "server", conflicts_with = "client")]
    pub(super) server: bool,

    /// Address to connect to; may be repeated, and mixed with --bind.
    #[arg(long, value_name = "address")]
    pub(super) connect: Vec<String>,

    /// Address to listen on; may be repeated, and mixed with --connect.
    #[arg(long, value_name = "address")]
    pub(super) bind: Vec<String>,

    /// Give up if no answer came within so many seconds; `none` waits for ever.
    #[arg(
        long, value_name = "seconds", default_value = "30", value_parser = parse_timeout,
        env = "ZRPC_TIMEOUT", hide_env_values = true, allow_negative_numbers = true,
        overrides_with = "timeout"
    )]
    pub(super) timeout: Timeout,

    /// Seconds between heartbeats, best the same as the server's; `off` sends none.
    #[arg(
        long, value_name = "seconds", default_value = "5", value_parser = parse_interval,
        env = "ZRPC_HEARTBEAT", hide_env_values = true, allow_negative_numbers = true,
        overrides_with = "heartbeat"
    )]
    pub(super) heartbeat: Interval,

    /// Ignored: the size of the worker pool of --server.
    #[arg(long, value_name = "count", overrides_with = "pool_size")]
    pub(super) pool_size: Option<u64>,

    /// The params are JSON, each one a document; without it they are strings.
    #[arg(short, long, overrides_with = "json")]
    pub(super) json: bool,

    /// A param `@name` stands for what is in that file, `-` for what comes on stdin, `@@x` for `@x`.
    #[arg(long, overrides_with = "read_params")]
    pub(super) read_params: bool,

    /// [-pj] Print the result as JSON, a stream as one array, without a line end.
    #[arg(long, overrides_with = "print_json")]
    pub(super) print_json: bool,

    /// Show the documentation of the command; without a command, all signatures.
    #[arg(short = '?', long, overrides_with = "inspect")]
    pub(super) inspect: bool,

    /// Send heartbeats at once instead of after the server's first.
    #[arg(long, overrides_with = "active_hb")]
    pub(super) active_hb: bool,

    /// Log connections and calls, with their arguments, on stderr.
    #[arg(short, long, global = true, overrides_with = "debug")]
    pub(super) debug: bool,

    /// Which exit codes to use when a call fails.
    #[arg(
        long,
        value_name = "kind",
        default_value = "python",
        env = "ZRPC_EXIT_CODES",
        hide_env_values = true,
        overrides_with = "exit_codes"
    )]
    pub(super) exit_codes: ExitCodes,

    #[command(flatten)]
    pub(super) security: ClientSecurity,

    #[command(flatten)]
    pub(super) display: Display,

    /// Address to connect to; left out after --connect or --bind.
    #[arg(value_name = "address", allow_negative_numbers = true)]
    pub(super) address: Option<String>,

    /// The method to call; without it, the methods are listed.
    #[arg(value_name = "command", allow_negative_numbers = true)]
    pub(super) command: Option<String>,

    /// The arguments of the method.
    #[arg(value_name = "params", allow_negative_numbers = true)]
    pub(super) params: Vec<String>,
}

/// The values of `--exit-codes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExitCodes {
    /// 1 for every failed call.
    Python,
    /// 3 for an error of the method, 4 for a timeout, 5 for a lost server, 6 for one that breaks a rule.
    Detailed,
}

impl Options {
    /// Reads a command line.
    ///
    /// # Errors
    ///
    /// What clap says about it, which also is how it asks for help to be printed.
    pub(crate) fn read(args: Vec<OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(args)?;
        let is_typed = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        if is_typed("print_json") && is_typed("output") {
            let text = "--print-json and --output are two ways to print results: use one of them";
            return Err(command.error(ErrorKind::ArgumentConflict, text));
        }
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// What only the long help says.
const MORE: &str = "\
Examples:
  zrpc tcp://127.0.0.1:4242                        list the methods
  zrpc tcp://127.0.0.1:4242 hello RPC              call one with a string
  zrpc -j tcp://127.0.0.1:4242 add 1 2             call one with two numbers
  zrpc -j -pj tcp://127.0.0.1:4242 find '{\"id\":1}'  JSON in, JSON out
  zrpc -? tcp://127.0.0.1:4242 add                 show its documentation
  zrpc tcp://127.0.0.1:4242 echo -- -x             a param that begins with a dash
  zrpc -j --read-params tcp://127.0.0.1:4242 find @query.json
  zrpc bench tcp://127.0.0.1:4242 hello RPC        use a tool; see `zrpc bench --help`

An address has :// in it, so a tool is never mistaken for one. A command of a service that is called
like a tool is no tool behind an address.

What msgpack has and JSON has not:
  bytes        a string if they are UTF-8, else {\"base64\": \"...\"}
  extensions   {\"ext\": code, \"base64\": \"...\"}
  timestamps   {\"seconds\": s, \"nanoseconds\": n}
  floats       NaN, Infinity and -Infinity, as Python writes them

Exit codes:
  0    all went well
  1    the call, or the bench, failed; a param, an address or a file cannot be used
  2    the command line is wrong
  130  interrupted with Ctrl-C
  255  there is no address (the short help is printed)
With --exit-codes detailed, or ZRPC_EXIT_CODES=detailed, calls use these instead of 1:
  3    the method answered with an error
  4    nothing came in time
  5    the server was lost
  6    the server does not speak the protocol, or broke a limit
Tools have 0, 1, 2 and 130 alone, but publish, subscribe, push and pull end with 4 when nothing
happened in time.";
