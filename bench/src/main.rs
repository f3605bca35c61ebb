//! Measures `zmtp` and `zrpc` beside their rivals, in one run on one machine.
//!
//! The program starts itself: for every measurement one process serves and another one connects,
//! and one of the two counts. `bench/README.md` says what is measured and how.

mod cli;
mod contender;
mod error;
mod goals;
mod helpers;
mod link;
mod measure;
mod report;
mod run;
mod workload;

use std::process::ExitCode;

use clap::Parser;

use cli::{Options, PeerOptions};
use error::BenchError;

/// The first argument of the processes that do the work.
const PEER: &str = "peer-process";

fn main() -> ExitCode {
    let outcome = if std::env::args().nth(1).as_deref() == Some(PEER) {
        contender::run_peer(PeerOptions::parse_from(std::env::args().skip(1)))
    } else {
        benchmark(&Options::parse())
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn benchmark(options: &Options) -> Result<(), BenchError> {
    let selection = run::Selection::new(options)?;
    if options.list {
        print!("{selection}");
        return Ok(());
    }
    let results = run::run(&selection, options)?;
    report::write(&results, &options.output_directory())?;
    if options.is_complete() {
        report::update_readmes(&results)?;
    }
    print!("{}\n{}", report::table(&results), report::goals(&results));
    Ok(())
}
