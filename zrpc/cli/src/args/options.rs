//! The options as typed, before they are made sense of.

use clap::{Parser, ValueEnum};

use super::duration::{Interval, Timeout, parse_interval, parse_timeout};

/// Calls a method of a zerorpc service, or lists what it offers.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "zrpc",
    version,
    about = "Call a method of a zerorpc service, or list what it offers.",
    after_long_help = MORE,
    infer_long_args = true,
    override_usage = "zrpc [options] <address> [command [params]...]\n       \
                      zrpc [options] --connect <address> [command [params]...]"
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
        allow_negative_numbers = true, overrides_with = "timeout"
    )]
    pub(super) timeout: Timeout,

    /// Seconds between heartbeats, best the same as the server's; `off` sends none.
    #[arg(
        long, value_name = "seconds", default_value = "5", value_parser = parse_interval,
        allow_negative_numbers = true, overrides_with = "heartbeat"
    )]
    pub(super) heartbeat: Interval,

    /// Ignored: the size of the worker pool of --server.
    #[arg(long, value_name = "count", overrides_with = "pool_size")]
    pub(super) pool_size: Option<u64>,

    /// The params are JSON, each one a document; without it they are strings.
    #[arg(short, long, overrides_with = "json")]
    pub(super) json: bool,

    /// [-pj] Print the result as JSON, a stream as one array, without a line end.
    #[arg(long, conflicts_with = "output", overrides_with = "print_json")]
    pub(super) print_json: bool,

    /// How to print results.
    #[arg(
        long,
        value_name = "format",
        default_value = "pretty",
        overrides_with = "output"
    )]
    pub(super) output: Output,

    /// Show the documentation of the command; without a command, all signatures.
    #[arg(short = '?', long, overrides_with = "inspect")]
    pub(super) inspect: bool,

    /// Send heartbeats at once instead of after the server's first.
    #[arg(long, overrides_with = "active_hb")]
    pub(super) active_hb: bool,

    /// Log what is sent and received.
    #[arg(short, long, overrides_with = "debug")]
    pub(super) debug: bool,

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

/// The values of `--output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// As Python's pprint lays them out.
    Pretty,
    /// One JSON document on a line for each result or stream item.
    Json,
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

What msgpack has and JSON has not:
  bytes        a string if they are UTF-8, else {\"base64\": \"...\"}
  extensions   {\"ext\": code, \"base64\": \"...\"}
  timestamps   {\"seconds\": s, \"nanoseconds\": n}
  floats       NaN, Infinity and -Infinity, as Python writes them

Exit codes:
  0    all went well
  1    the call failed, or a param or an address cannot be used
  2    the command line is wrong
  255  there is no address (the short help is printed)";
