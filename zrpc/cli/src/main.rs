//! The `zrpc` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    zrpc_cli::run(std::env::args_os())
}
