//! One run of the command, from the arguments to the exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use zrpc::Client;

use crate::args::{Action, Options, Request, UsageError, normalize};
use crate::call::call;
use crate::client::{RemoteService, connect};
use crate::error::{CliError, USAGE};
use crate::inspect::{Detail, Listing, fetch_listing};
use crate::logging;
use crate::output::Printer;
use crate::params::into_values;

/// Does what the command line asks for.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match Options::try_parse_from(normalize(args)) {
        Ok(options) => options,
        Err(error) => {
            // There is nobody left to tell if the stream is closed.
            let _ = error.print();
            let code = u8::try_from(error.exit_code());
            return ExitCode::from(code.unwrap_or(USAGE));
        }
    };
    if options.is_debug() {
        logging::init_debug();
    }
    if let Some(notice) = options.notice() {
        let _ = writeln!(io::stderr(), "zrpc: {notice}");
    }
    let outcome = match options.into_request() {
        Err(UsageError::NoAddress) => return print_help(),
        Err(error) => Err(error.into()),
        Ok(request) => start(request),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(&mut io::stderr()),
    }
}

/// Answers a missing address as Python's command does.
fn print_help() -> ExitCode {
    let _ = Options::command().print_help();
    ExitCode::from(NO_ADDRESS)
}

fn start(request: Request) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CliError::Start)?;
    runtime.block_on(execute(request))
}

async fn execute(request: Request) -> Result<(), CliError> {
    match request.action {
        Action::Call {
            method,
            params,
            form,
        } => {
            let args = into_values(params)?;
            let client = connect(&request.links, request.settings).await?;
            call(&client, &method, args, Printer::new(io::stdout(), form)).await
        }
        Action::List => {
            let client = connect(&request.links, request.settings).await?;
            let listing = describe(&client, Detail::Names).await?;
            print(|out| listing.write_names(out))
        }
        Action::Signatures => {
            let client = connect(&request.links, request.settings).await?;
            let listing = describe(&client, Detail::Signatures).await?;
            print(|out| listing.write_signatures(out))
        }
        Action::Describe { method } => {
            let client = connect(&request.links, request.settings).await?;
            let listing = describe(&client, Detail::Method(&method)).await?;
            print(|out| listing.write_description(&method, out))
        }
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

/// The exit code of Python's command after it printed its help unasked.
const NO_ADDRESS: u8 = 255;
