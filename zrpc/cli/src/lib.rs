//! What the `zrpc` command does: calls methods of zerorpc services, and lists them.
//!
//! A drop-in for the `zerorpc` command of Python: the same options, the same output on stdout, and
//! the same exit codes. Beside that, tools of its own. `docs/cli.md` describes all of it.

mod advice;
mod args;
mod bench;
mod call;
mod client;
mod completions;
mod diagnosis;
mod error;
mod events;
#[cfg(any(test, fuzzing))]
pub mod fuzz_targets;
mod inspect;
mod keygen;
mod logging;
mod manual;
mod output;
mod params;
mod proxy;
mod render;
mod run;
mod serve;
mod signals;
mod sockets;
mod style;

pub use run::run;
