//! The command lines that send events.

use std::io::{self, BufRead};
use std::thread;

use clap::Args;
use rmpv::Value;
use tokio::sync::mpsc;

use super::emitter::{Emitter, publisher, pusher};
use super::error::{EventError, explain};
use crate::args::{EventTarget, ParamSource, Params, Timeout};
use crate::diagnosis::EventSide;
use crate::error::CliError;
use crate::params::into_values;
use crate::signals::{Interest, Signals};

/// Publish an event to all subscribers.
///
/// Waits for the first subscriber: events that nobody listens to are lost. Subscribers of zerorpc run
/// the method with the params.
#[derive(Args, Clone, Debug)]
#[command(
    override_usage = "zrpc publish [options] <address> <method> [params]...",
    after_long_help = EXAMPLES
)]
pub(crate) struct PublishOptions {
    /// What the event is about, for subscribers with --topic; Python knows no topics.
    #[arg(long, value_name = "text")]
    topic: Option<String>,

    #[command(flatten)]
    common: EmitOptions,
}

/// Push an event to one of the pullers.
///
/// Waits until there is one that has room for it. Pullers of zerorpc run the method with the params.
#[derive(Args, Clone, Debug)]
#[command(
    override_usage = "zrpc push [options] <address> <method> [params]...",
    after_long_help = PUSH_EXAMPLES
)]
pub(crate) struct PushOptions {
    #[command(flatten)]
    common: EmitOptions,
}

/// What both have in common.
#[derive(Args, Clone, Debug)]
struct EmitOptions {
    /// Send an event for each line of stdin, which is its last param.
    #[arg(long)]
    lines: bool,

    #[command(flatten)]
    target: EventTarget,
}

/// Events of one method.
#[derive(Debug)]
struct Events {
    method: String,
    params: Params,
    source: ParamSource,
    lines: Lines,
    timeout: Timeout,
}

/// Where events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    /// There is one, on the command line.
    None,
    /// There is one for each line of stdin.
    Stdin,
}

impl PublishOptions {
    /// Publishes.
    ///
    /// # Errors
    ///
    /// That an address or a param cannot be used, that nobody listens, or an interruption.
    pub(crate) async fn run(self) -> Result<(), CliError> {
        let mut signals = Signals::new(Interest::Interrupt);
        let security = self.common.target.security().await?;
        let (links, events) = self.common.into_events()?;
        let publish = async {
            let emitter = publisher(&links, security.clone(), self.topic, events.timeout).await?;
            events.emit(emitter).await
        };
        let outcome = signals.end(publish).await;
        explain(
            outcome,
            EventSide::Publisher,
            &links,
            &security,
            &mut signals,
        )
        .await
    }
}

impl PushOptions {
    /// Pushes.
    ///
    /// # Errors
    ///
    /// That an address or a param cannot be used, that nobody pulls, or an interruption.
    pub(crate) async fn run(self) -> Result<(), CliError> {
        let mut signals = Signals::new(Interest::Interrupt);
        let security = self.common.target.security().await?;
        let (links, events) = self.common.into_events()?;
        let push = async {
            let emitter = pusher(&links, security.clone()).await;
            events.emit(emitter.map_err(EventError::from)?).await
        };
        let outcome = signals.end(push).await;
        explain(outcome, EventSide::Pusher, &links, &security, &mut signals).await
    }
}

impl EmitOptions {
    fn into_events(self) -> Result<(Vec<crate::args::Link>, Events), CliError> {
        let lines = match self.lines {
            true => Lines::Stdin,
            false => Lines::None,
        };
        let target = self.target.into_call()?;
        let events = Events {
            method: target.method,
            params: target.params,
            source: target.source,
            lines,
            timeout: target.settings.timeout,
        };
        Ok((target.links, events))
    }
}

impl Events {
    async fn emit(self, emitter: Emitter) -> Result<(), CliError> {
        let args = into_values(&self.params, self.source)?;
        match self.lines {
            Lines::None => emitter.emit(&self.method, &args, self.timeout).await?,
            Lines::Stdin => {
                let mut lines = stdin_lines();
                while let Some(line) = lines.recv().await {
                    let line = vec![line.map_err(EventError::Stdin)?];
                    let line = match self.params {
                        Params::Text(_) => Params::Text(line),
                        Params::Json(_) => Params::Json(line),
                    };
                    let last: Vec<Value> = into_values(&line, ParamSource::Words)?;
                    let args = [&args[..], &last[..]].concat();
                    emitter.emit(&self.method, &args, self.timeout).await?;
                }
            }
        }
        emitter.close().await;
        Ok(())
    }
}

/// Reads stdin on a thread of its own, which nobody waits for: reading cannot be given up.
fn stdin_lines() -> mpsc::Receiver<io::Result<String>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// How many lines are read ahead of the events.
const AHEAD: usize = 64;

/// What only the long help says.
const EXAMPLES: &str = "\
Examples:
  zrpc publish tcp://0.0.0.0:4242 rain London heavy
  tail -f log | zrpc publish --lines tcp://0.0.0.0:4242 logged
  zrpc publish --connect tcp://127.0.0.1:4243 -j rain '\"London\"' 2.5   to a proxy";

/// The same of `push`.
const PUSH_EXAMPLES: &str = "\
Examples:
  zrpc push tcp://0.0.0.0:4242 resize photo.jpg
  ls *.jpg | zrpc push --lines tcp://0.0.0.0:4242 resize         an event for each file
  zrpc push --connect tcp://127.0.0.1:4242 --timeout 5 resize photo.jpg";
