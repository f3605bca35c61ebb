//! The command line of the load, and one run of it.

use std::io;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use clap::Args;
use futures_util::FutureExt;
use zrpc::Client;

use super::load::{Goal, Load, Pace};
use super::progress::Progress;
use super::report::{Report, Setup};
use crate::args::{Target, parse_duration};
use crate::client::{announce, builder};
use crate::diagnosis::diagnose;
use crate::error::CliError;
use crate::output::{Look, Printer};
use crate::params::into_values;
use crate::signals::{Interest, Signals};

/// Call a method again and again, and measure how long the answers take.
///
/// The times are printed as a table, or with --output json (or yaml, python) as one document. Exits
/// with 1 if a call failed, or none was answered.
#[derive(Args, Clone, Debug)]
#[command(
    override_usage = "zrpc bench [options] <address> <method> [params]...",
    after_long_help = EXAMPLES
)]
pub(crate) struct BenchOptions {
    /// How many calls are in flight at the same time.
    #[arg(short, long, value_name = "calls", default_value = "16")]
    concurrency: NonZeroUsize,

    /// Over how many connections they go.
    #[arg(long, value_name = "connections", default_value = "1")]
    connections: NonZeroUsize,

    /// Stop after so many calls.
    #[arg(short = 'n', long, value_name = "calls")]
    count: Option<NonZeroU64>,

    /// Stop after so many seconds [default: 10, without --count].
    #[arg(long, value_name = "seconds", value_parser = parse_duration)]
    duration: Option<Duration>,

    /// Begin so many calls a second, whether earlier ones were answered or not; a call that has to
    /// begin late is measured from when it was due.
    #[arg(short, long, value_name = "calls", value_parser = parse_rate)]
    rate: Option<f64>,

    /// Call for so many seconds before the measurement begins.
    #[arg(long, value_name = "seconds", value_parser = parse_duration)]
    warmup: Option<Duration>,

    #[command(flatten)]
    target: Target,
}

impl BenchOptions {
    /// Makes the calls, and prints what came of them.
    ///
    /// # Errors
    ///
    /// That there is no connection, that calls failed, or that the run was interrupted.
    pub(crate) async fn run(self, look: Look) -> Result<(), CliError> {
        let goal = Goal {
            count: self.count.map(NonZeroU64::get),
            duration: match (self.duration, self.count) {
                (None, None) => Some(DURATION),
                (duration, _) => duration,
            },
        };
        let pace = self.rate.map_or(Pace::AsAnswersCome, Pace::Rate);
        let security = self.target.security.read()?;
        let target = self.target.into_call()?;
        let args = into_values(&target.params, target.source)?;

        let mut signals = Signals::new(Interest::Interrupt);
        announce(&target.links);
        let mut clients: Vec<Client> = Vec::with_capacity(self.connections.get());
        for _ in 0..self.connections.get() {
            let builder = builder(&target.links, target.settings);
            clients.push(builder.security(security.clone()).build().await?);
        }
        let setup = Setup {
            method: target.method.clone(),
            concurrency: self.concurrency.get(),
            connections: self.connections.get(),
            rate: self.rate,
        };
        if let Some(duration) = self.warmup {
            let goal = Goal {
                count: None,
                duration: Some(duration),
            };
            let load = Load::new(&target.method, &args, goal, pace);
            let progress = Progress::new(goal, "warm-up");
            let run = load.run(&clients, setup.concurrency, &progress);
            signals.end(run.map(Ok)).await?;
        }
        let load = Load::new(&target.method, &args, goal, pace);
        let progress = Progress::new(goal, "calls");
        let run = load.run(&clients, setup.concurrency, &progress);
        let outcome = signals.end(run.map(Ok)).await;
        drop(progress);
        let report = Report::new(setup, load.into_tally());
        report.print(Printer::new(io::stdout(), look), look)?;
        outcome?;
        let error = match (report.answered(), report.failed()) {
            (_, failed @ 1..) => CliError::BenchFailed { failed },
            (0, 0) => CliError::BenchUnanswered,
            _ => return Ok(()),
        };
        if clients.iter().any(|client| client.connection_count() > 0) {
            return Err(error);
        }
        // Whoever is impatient does without, and still learns what the error was.
        let advice = tokio::select! {
            biased;
            advice = diagnose(&target.links, &security) => advice,
            _ = signals.stop() => None,
        };
        Err(error.advised(advice))
    }
}

fn parse_rate(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && rate <= MAX_RATE => Ok(rate),
        _ => Err("expected a number of calls per second that is more than zero"),
    }
}

/// How long calls are made if nothing else ends them.
const DURATION: Duration = Duration::from_secs(10);

/// More calls than any machine makes in a second.
const MAX_RATE: f64 = 1e9;

/// What only the long help says.
const EXAMPLES: &str = "\
Examples:
  zrpc bench tcp://127.0.0.1:4242 hello RPC                     for ten seconds, 16 at a time
  zrpc bench -c 100 -n 100000 -j tcp://127.0.0.1:4242 add 1 2   a hundred thousand calls
  zrpc bench -r 500 --duration 60 --output json tcp://127.0.0.1:4242 hello RPC";
