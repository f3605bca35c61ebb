//! One run of the command, from the arguments to the exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use rmpv::Value;
use zrpc::security::Security;
use zrpc::{CallError, Client};

use crate::advice::{about_params, nearest};
use crate::args::{
    Action, ColorChoice, Display, ExitCodes, Form, Line, Options, Request, Tool, Tools, UsageError,
    definition,
};
use crate::call::call;
use crate::client::{RemoteService, connect};
use crate::diagnosis::{diagnose, tell_meanwhile};
use crate::error::{CliError, USAGE};
use crate::inspect::{Detail, Listing, fetch_listing};
use crate::logging;
use crate::output::{Look, Printer};
use crate::params::into_values;
use crate::signals::{Interest, Signals};
use crate::style::Style;

/// Does what the command line asks for, and returns with what code to exit.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Line::read(args) {
        Line::Call(args) => run_call(args),
        Line::Tool(args) => run_tool(args),
    }
}

fn run_call(args: Vec<OsString>) -> ExitCode {
    let options = match Options::read(args.clone()) {
        Ok(options) => options,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            // Help also lists the tools, of which the grammar of calls knows nothing.
            let _ = match args.iter().any(|arg| arg == "--help") {
                true => definition().print_long_help(),
                false => definition().print_help(),
            };
            return ExitCode::SUCCESS;
        }
        Err(error) => return report_usage(&error),
    };
    if options.is_debug() {
        logging::init_debug();
    }
    if let Some(notice) = options.notice() {
        let _ = writeln!(io::stderr(), "zrpc: {notice}");
    }
    let (display, exit_codes) = (options.display(), options.exit_codes());
    let security = options.security().read();
    let outcome = match options.into_request() {
        Err(UsageError::NoAddress) => {
            let _ = definition().print_help();
            return ExitCode::from(NO_ADDRESS);
        }
        Err(error) => Err(error.into()),
        Ok(request) => match security {
            Ok(security) => block_on(execute(request, security, display)),
            Err(error) => Err(error.into()),
        },
    };
    finish(outcome, display.color, exit_codes)
}

fn run_tool(args: Vec<OsString>) -> ExitCode {
    let tools = match Tools::try_parse_from(args) {
        Ok(tools) => tools,
        Err(error) => return report_usage(&error),
    };
    match tools.tool {
        _ if tools.debug => logging::init_debug(),
        Tool::Serve(_) | Tool::Proxy(_) => logging::init_warnings(),
        _ => {}
    }
    let display = tools.display;
    let look = Look::on_stdout(display, Form::from(display.output));
    let outcome = match tools.tool {
        Tool::Bench(options) => block_on(options.run(look)),
        Tool::Serve(options) => block_on(options.run()),
        Tool::Publish(options) => block_on(options.run()),
        Tool::Subscribe(options) => block_on(options.run(look)),
        Tool::Push(options) => block_on(options.run()),
        Tool::Pull(options) => block_on(options.run(look)),
        Tool::Proxy(options) => block_on(options.run(look)),
        Tool::Keygen(options) => options.run(look),
        Tool::Completions(options) => options.run().map_err(CliError::from),
        Tool::Man(options) => options.run(),
    };
    finish(outcome, display.color, ExitCodes::Detailed)
}

fn finish(outcome: Result<(), CliError>, color: ColorChoice, exit_codes: ExitCodes) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut stderr = io::stderr();
            let style = Style::of(color, &stderr);
            error.report(&mut stderr, style, exit_codes)
        }
    }
}

/// Prints what clap says about a command line, be it an error or what was asked for.
fn report_usage(error: &clap::Error) -> ExitCode {
    // There is nobody left to tell if the stream is closed.
    let _ = error.print();
    let code = u8::try_from(error.exit_code());
    ExitCode::from(code.unwrap_or(USAGE))
}

fn block_on(work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Start)?;
    runtime.block_on(work)
}

async fn execute(request: Request, security: Security, display: Display) -> Result<(), CliError> {
    let Request {
        links,
        settings,
        action,
    } = request;
    // What cannot be sent is found before anybody is asked.
    let args = match &action {
        Action::Call { params, source, .. } => into_values(params, *source)?,
        Action::List | Action::Signatures | Action::Describe { .. } => Vec::new(),
    };
    let mut signals = Signals::new(Interest::Interrupt);
    let about_params = about_params(&action);
    let client = connect(&links, settings, security.clone()).await?;
    let work = carry_out(&client, action, args, display);
    let is_connected = || client.connection_count() > 0;
    let work = tell_meanwhile(&links, &security, is_connected, work);
    let outcome = signals.end(work).await;
    let outcome = match outcome {
        Err(CliError::Call(error)) => {
            let advising = advise(&client, &error, about_params, diagnose(&links, &security));
            // Whoever is impatient does without, and still learns what the error was.
            let advice = tokio::select! {
                biased;
                advice = advising => advice,
                _ = signals.stop() => None,
            };
            Err(match advice {
                Some(advice) => CliError::Explained { error, advice },
                None => CliError::Call(error),
            })
        }
        outcome => outcome,
    };
    if outcome.is_err() {
        // The server learns that nobody waits any more.
        client.close().await;
    }
    outcome
}

async fn carry_out(
    client: &Client,
    action: Action,
    args: Vec<Value>,
    display: Display,
) -> Result<(), CliError> {
    let style = Style::of(display.color, &io::stdout());
    match action {
        Action::Call { method, form, .. } => {
            let look = Look::on_stdout(display, form);
            call(client, &method, args, Printer::new(io::stdout(), look)).await
        }
        Action::List => {
            let listing = describe(client, Detail::Names).await?;
            print(|out| listing.write_names(style, out))
        }
        Action::Signatures => {
            let listing = describe(client, Detail::Signatures).await?;
            print(|out| listing.write_signatures(style, out))
        }
        Action::Describe { method } => {
            let listing = describe(client, Detail::Method(&method)).await?;
            print(|out| listing.write_description(&method, style, out))
        }
    }
}

/// Finds out more about the reason: a method that was probably meant, what params are, or that nobody
/// can be reached. A server that is connected can be, so that there is nothing to find out.
async fn advise(
    client: &Client,
    error: &CallError,
    about_params: Option<&'static str>,
    diagnosis: impl Future<Output = Option<String>>,
) -> Option<String> {
    match error {
        CallError::Remote(remote) if remote.name == "NameError" => {
            let list = client.request("_zerorpc_list", ()).timeout(PATIENCE);
            // A service that does not list its methods has said enough.
            let names: Vec<String> = list.call().await.unwrap_or_default();
            let nearest = nearest(&remote.message, names.iter().map(String::as_str));
            nearest.map(|name| format!("did you mean {name}?"))
        }
        CallError::Remote(remote) if remote.name == "TypeError" => about_params.map(str::to_owned),
        CallError::Timeout { .. } | CallError::LostRemote { .. } | CallError::Unreachable(_)
            if client.connection_count() == 0 =>
        {
            diagnosis.await
        }
        _ => None,
    }
}

async fn describe(client: &Client, detail: Detail<'_>) -> Result<Listing, CliError> {
    let listing = fetch_listing(&RemoteService::new(client), detail).await?;
    listing.ok_or(CliError::NoListing)
}

fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CliError> {
    let mut out = io::BufWriter::new(io::stdout());
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

/// How long the user waits for a suggestion.
const PATIENCE: Duration = Duration::from_secs(1);

/// The exit code of Python's command after it printed its help unasked.
const NO_ADDRESS: u8 = 255;
