//! Takes messages through one step of their path, for a program that counts instructions.
//!
//! `instructions <case> <messages>`, or `instructions --list`; `bench/instructions` calls it.

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
    let messages = arguments.next().and_then(|number| number.parse().ok());
    match (CASES.iter().find(|case| case.name == name), messages) {
        (Some(case), Some(messages)) => {
            (case.prepare)()(messages);
            ExitCode::SUCCESS
        }
        // Also when `cargo bench` calls it without a case.
        _ => ExitCode::SUCCESS,
    }
}
