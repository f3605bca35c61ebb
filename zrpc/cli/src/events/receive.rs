//! The command lines that receive events.

use std::io;
use std::num::NonZeroU64;
use std::time::Duration;

use clap::Args;

use super::error::{EventError, explain};
use super::receiver::{Receiver, puller, subscriber};
use super::shown::print_event;
use crate::args::{EventSource, parse_duration};
use crate::diagnosis::EventSide;
use crate::error::CliError;
use crate::output::{Look, Printer};
use crate::signals::{Interest, Signals};

/// Print the events of publishers as they come.
///
/// Events are shown as calls, or, in other formats than `pretty`, as documents with their method and
/// their args. Ends after --count events, or when it is stopped.
#[derive(Args, Clone, Debug)]
#[command(
    override_usage = "zrpc subscribe [options] <address>",
    after_long_help = SUBSCRIBE_EXAMPLES
)]
pub(crate) struct SubscribeOptions {
    /// Subscribe to events whose topic begins so; may be repeated. Python publishes without topics.
    #[arg(long, value_name = "text")]
    topic: Vec<String>,

    #[command(flatten)]
    common: ReceiveOptions,
}

/// Print the events of pushers as they come.
///
/// Events are shown as calls, or, in other formats than `pretty`, as documents with their method and
/// their args. Ends after --count events, or when it is stopped.
#[derive(Args, Clone, Debug)]
#[command(
    override_usage = "zrpc pull [options] <address>",
    after_long_help = PULL_EXAMPLES
)]
pub(crate) struct PullOptions {
    #[command(flatten)]
    common: ReceiveOptions,
}

/// What both have in common.
#[derive(Args, Clone, Debug)]
struct ReceiveOptions {
    /// End after so many events.
    #[arg(short = 'n', long, value_name = "events")]
    count: Option<NonZeroU64>,

    /// Give up, with exit code 4, if there was no event for so many seconds.
    #[arg(long, value_name = "seconds", value_parser = parse_duration)]
    timeout: Option<Duration>,

    #[command(flatten)]
    source: EventSource,
}

impl SubscribeOptions {
    /// Prints events until there were enough.
    ///
    /// # Errors
    ///
    /// That an address cannot be used, that nothing came in time, or an interruption.
    pub(crate) async fn run(self, look: Look) -> Result<(), CliError> {
        let mut signals = Signals::new(Interest::Both);
        let security = self.common.source.security().await?;
        let links = self.common.source.links()?;
        let receiver = subscriber(&links, security.clone(), &self.topic).await?;
        let outcome = signals.end(self.common.print(receiver, look)).await;
        explain(
            outcome,
            EventSide::Subscriber,
            &links,
            &security,
            &mut signals,
        )
        .await
    }
}

impl PullOptions {
    /// Prints events until there were enough.
    ///
    /// # Errors
    ///
    /// That an address cannot be used, that nothing came in time, or an interruption.
    pub(crate) async fn run(self, look: Look) -> Result<(), CliError> {
        let mut signals = Signals::new(Interest::Both);
        let security = self.common.source.security().await?;
        let links = self.common.source.links()?;
        let receiver = puller(&links, security.clone()).await?;
        let outcome = signals.end(self.common.print(receiver, look)).await;
        explain(outcome, EventSide::Puller, &links, &security, &mut signals).await
    }
}

impl ReceiveOptions {
    async fn print(&self, mut receiver: Receiver, look: Look) -> Result<(), CliError> {
        let mut printer = Printer::new(io::stdout(), look);
        let mut missing = self.count.map(NonZeroU64::get);
        while missing != Some(0) {
            let event = match self.timeout {
                None => receiver.recv().await,
                Some(after) => match tokio::time::timeout(after, receiver.recv()).await {
                    Ok(event) => event,
                    Err(_) => return Err(EventError::Nothing { after }.into()),
                },
            };
            let Some(event) = event else {
                break;
            };
            print_event(&event, look, &mut printer)?;
            missing = missing.map(|count| count - 1);
        }
        Ok(())
    }
}

/// What only the long help of `subscribe` says.
const SUBSCRIBE_EXAMPLES: &str = "\
Examples:
  zrpc subscribe tcp://127.0.0.1:4242
  zrpc subscribe --topic weather. --count 10 tcp://127.0.0.1:4242
  zrpc subscribe --output json --bind tcp://0.0.0.0:4242 | jq .args";

/// The same of `pull`.
const PULL_EXAMPLES: &str = "\
Examples:
  zrpc pull tcp://127.0.0.1:4242
  zrpc pull --count 1 --timeout 5 tcp://127.0.0.1:4242           the next event, if there is one soon
  zrpc pull --output raw --bind tcp://0.0.0.0:4242 | xargs -n 1 convert-photo";
