//! Makes calls through one step of the protocol, for a program that counts instructions.
//!
//! `instructions <case> <calls>`, or `instructions --list`; `bench/instructions` calls it.

mod cases;

use std::process::ExitCode;

use cases::CASES;

#[expect(clippy::print_stdout, reason = "the list is for a script")]
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    if name == "--list" {
        for case in CASES {
            println!("{}", case.name);
        }
        return ExitCode::SUCCESS;
    }
    let calls = arguments.next().and_then(|number| number.parse().ok());
    match (CASES.iter().find(|case| case.name == name), calls) {
        (Some(case), Some(calls)) => {
            (case.prepare)()(calls);
            ExitCode::SUCCESS
        }
        // Also when `cargo bench` calls it without a case.
        _ => ExitCode::SUCCESS,
    }
}
