//! The tools that `zrpc` has beside the call.

use clap::{Parser, Subcommand};

use super::display::Display;
use crate::bench::BenchOptions;
use crate::completions::CompletionsOptions;
use crate::events::{PublishOptions, PullOptions, PushOptions, SubscribeOptions};
use crate::keygen::KeygenOptions;
use crate::manual::ManualOptions;
use crate::proxy::ProxyOptions;
use crate::serve::ServeOptions;

/// A command line that names a tool.
#[derive(Clone, Debug, Parser)]
#[command(name = "zrpc", version, infer_long_args = true)]
pub(crate) struct Tools {
    #[command(subcommand)]
    pub(crate) tool: Tool,

    #[command(flatten)]
    pub(crate) display: Display,

    /// Log on stderr what becomes of connections, if there are any, and the calls of bench.
    #[arg(short, long, global = true, overrides_with = "debug")]
    pub(crate) debug: bool,
}

/// A tool and its options.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Tool {
    Bench(Box<BenchOptions>),
    Serve(Box<ServeOptions>),
    Publish(Box<PublishOptions>),
    Subscribe(Box<SubscribeOptions>),
    Push(Box<PushOptions>),
    Pull(Box<PullOptions>),
    Proxy(Box<ProxyOptions>),
    Keygen(KeygenOptions),
    Completions(CompletionsOptions),
    Man(ManualOptions),
}
