//! The command line of the benchmark, and that of the processes it starts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::contender::Implementation;
use crate::workload::Workload;

/// Measures zmtp and zrpc beside their rivals.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub(crate) struct Options {
    /// Only workloads and contenders whose name contains one of these words.
    ///
    /// Words that fit a workload choose workloads, words that fit a contender choose contenders.
    pub(crate) filter: Vec<String>,

    /// How long one measurement lasts, in seconds, without its warm-up.
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub(crate) seconds: Duration,

    /// How long each measurement runs before it counts, in seconds.
    #[arg(long, default_value = "0.4", value_parser = seconds)]
    pub(crate) warm_up: Duration,

    /// How often each contender is measured; the table shows medians.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,

    /// Only contenders on this tokio runtime, and those without one.
    #[arg(long)]
    pub(crate) runtime: Option<Runtime>,

    /// How often a measurement is repeated that other programs disturbed.
    ///
    /// A measurement is disturbed if other programs used more than a quarter of a core.
    /// The calmest attempt counts.
    #[arg(long, default_value_t = 0)]
    pub(crate) retries: usize,

    /// Where `latest.json` and the charts are written.
    ///
    /// Otherwise a complete run writes to `bench/results`, a filtered one to
    /// `bench/target/results`.
    #[arg(long)]
    pub(crate) output: Option<PathBuf>,

    /// Print what would be measured.
    #[arg(long)]
    pub(crate) list: bool,
}

impl Options {
    /// Whether nothing is left out, so that the results may stand for the project.
    pub(crate) fn is_complete(&self) -> bool {
        self.filter.is_empty() && self.runtime.is_none() && self.output.is_none()
    }

    /// Where the results belong.
    pub(crate) fn output_directory(&self) -> PathBuf {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        match &self.output {
            Some(directory) => directory.clone(),
            None if self.is_complete() => home.join("results"),
            None => home.join("target/results"),
        }
    }
}

/// The tokio runtime that a contender runs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Runtime {
    CurrentThread,
    /// With two workers.
    MultiThread,
}

impl Runtime {
    /// The name for tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CurrentThread => "current-thread",
            Self::MultiThread => "multi-thread",
        }
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// If the operating system refuses its threads or its poller.
    pub(crate) fn build(self) -> std::io::Result<tokio::runtime::Runtime> {
        match self {
            Self::CurrentThread => tokio::runtime::Builder::new_current_thread(),
            Self::MultiThread => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                builder.worker_threads(2);
                builder
            }
        }
        .enable_all()
        .build()
    }
}

/// Which end of the connection a process is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Side {
    /// Binds, and says to which port.
    Server,
    /// Connects.
    Client,
}

impl Side {
    /// The name in arguments.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// What one of the processes is to do.
#[derive(Debug, Parser)]
pub(crate) struct PeerOptions {
    pub(crate) side: Side,
    #[arg(long)]
    pub(crate) implementation: Implementation,
    #[arg(long, value_parser = Workload::parse)]
    pub(crate) workload: Workload,
    #[arg(long, default_value = "current-thread")]
    pub(crate) runtime: Runtime,
    #[arg(long, value_parser = seconds)]
    pub(crate) seconds: Duration,
    #[arg(long, value_parser = seconds)]
    pub(crate) warm_up: Duration,
    /// Where the server listens; clients need it.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "not a number of seconds above zero".to_owned())
}
