//! The `zrpc` command: calls methods of zerorpc services, and lists them.
//!
//! A drop-in for the `zerorpc` command of Python: the same options, the same output on stdout.
//! It exits with 0 if all went well, 1 if the call failed, 2 if the command line is wrong, and 255
//! after the help that answers a missing address.

mod args;
mod call;
mod client;
mod error;
mod inspect;
mod logging;
mod output;
mod params;
mod render;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    run::run(std::env::args_os())
}
