//! What `--debug` shows, and what services tell without it.

use std::io;

use rmpv::Value;
use tracing::Level;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;
use zrpc::middleware::{CallOutcome, ClientRequest, HookFuture, Middleware};
use zrpc::{ClientBuilder, Fault};

use crate::render::on_one_line;

/// Logs everything down to debug level on stderr.
pub(crate) fn init_debug() {
    init(LevelFilter::DEBUG);
}

/// Logs on stderr whom a service refuses, and what else its owner should know of. Of many at a time
/// few are told.
pub(crate) fn init_warnings() {
    init(LevelFilter::WARN);
}

fn init(level: LevelFilter) {
    let subscriber = fmt()
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_max_level(level)
        .finish();
    // It fails only if logging was set up before, and then there is a log already.
    let _ = subscriber.try_init();
}

/// Lets a client log its calls, if anybody wants to see them.
pub(crate) fn log_calls(builder: ClientBuilder) -> ClientBuilder {
    match tracing::enabled!(target: TARGET, Level::DEBUG) {
        true => builder.middleware(Calls),
        false => builder,
    }
}

/// Logs calls with their arguments, and how they end with what.
struct Calls;

impl Middleware for Calls {
    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        let args = request.args::<Value>().ok().flatten().unwrap_or(Value::Nil);
        let (method, args) = (request.method(), args.to_string());
        tracing::debug!(target: TARGET, "--> {} {}", on_one_line(method), on_one_line(&args));
        HookFuture::ready(Ok(()))
    }

    fn client_after_request(&self, request: &mut ClientRequest, outcome: &CallOutcome<'_>) {
        let end = match outcome {
            CallOutcome::Completed { reply } => match reply.value::<Value>() {
                Ok(Some(value)) => format!("OK {value}"),
                Ok(None) => "STREAM_DONE".to_owned(),
                Err(error) => error.to_string(),
            },
            CallOutcome::Failed { error, .. } => format!("{}: {error}", error.name()),
            _ => "given up".to_owned(),
        };
        let method = request.method();
        tracing::debug!(target: TARGET, "<-- {} {}", on_one_line(method), on_one_line(&end));
    }
}

/// Logs an item of a stream, if anybody wants to see it.
pub(crate) fn log_item(method: &str, item: &Value) {
    if tracing::enabled!(target: TARGET, Level::DEBUG) {
        let item = format!("STREAM {item}");
        tracing::debug!(target: TARGET, "<-- {} {}", on_one_line(method), on_one_line(&item));
    }
}

/// What the lines about calls are called by.
const TARGET: &str = "zrpc::events";
