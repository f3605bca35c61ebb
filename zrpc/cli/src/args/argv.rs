//! What kind of command line it is, and spellings that clap has no notion of.

use std::ffi::{OsStr, OsString};

use clap::{Command, CommandFactory};

use super::options::Options;
use super::tools::Tools;

/// A command line, by who reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The grammar of Python's `zerorpc`: an address, and what to call there.
    Call(Vec<OsString>),
    /// One of the tools that `zrpc` has beside it.
    Tool(Vec<OsString>),
}

impl Line {
    /// Tells the two apart by the first word that is neither an option nor its value: an address
    /// has `://` in it, so the name of a tool is none.
    ///
    /// After `--connect`, `--bind` or `--client` the first word is a command of the service, as in
    /// Python, and after `--` it is what Python takes it for.
    pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Self {
        let args = normalize(args);
        let definition = definition();
        if is_tool(&args, &definition) {
            Self::Tool(args)
        } else {
            Self::Call(args)
        }
    }
}

/// Everything that the command understands, as help, completions and manual show it.
pub(crate) fn definition() -> Command {
    let tools = Tools::command();
    Options::command()
        .subcommands(tools.get_subcommands().cloned())
        .disable_help_subcommand(true)
        .subcommand_help_heading("Tools")
}

fn is_tool(args: &[OsString], definition: &Command) -> bool {
    let mut rest = args.iter().skip(1);
    while let Some(arg) = rest.next() {
        let Some(text) = arg.to_str() else {
            return false;
        };
        let Some(option) = text.strip_prefix('-').filter(|option| !option.is_empty()) else {
            return definition
                .get_subcommands()
                .any(|tool| tool.get_name() == text);
        };
        if takes_value(option, definition).is_some_and(|takes| takes == Value::Next) {
            rest.next();
        }
        if ["-", "-connect", "-bind", "-client", "-server"]
            .contains(&option.split('=').next().unwrap_or(option))
        {
            return false;
        }
    }
    false
}

/// Where the value of an option stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    /// There is none, or it is part of the word.
    Here,
    /// It is the next word.
    Next,
}

/// Finds an option, without its first dash. The tools have their own; those come after their name.
fn takes_value(option: &str, definition: &Command) -> Option<Value> {
    let (name, has_value) = match option.split_once('=') {
        Some((name, _)) => (name, true),
        None => (option, false),
    };
    let argument = definition.get_arguments().find(|argument| {
        match (name.strip_prefix('-'), argument.get_long()) {
            (Some(name), Some(long)) => long == name,
            _ => false,
        }
    })?;
    let takes = argument.get_action().takes_values();
    Some(if takes && !has_value {
        Value::Next
    } else {
        Value::Here
    })
}

/// Rewrites what Python's `argparse` accepts and clap does not: the option of two letters, `-pj`,
/// and every abbreviation that is one among Python's options, whatever others there are here.
///
/// Whatever follows `--` is left alone.
fn normalize(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut is_option = true;
    let rewrite = |arg: OsString| {
        is_option = is_option && arg != OsStr::new("--");
        if !is_option {
            return arg;
        }
        match arg.to_str() {
            Some("-pj" | "-p") => OsString::from("--print-json"),
            Some(text) => unabbreviated(text).map_or(arg, OsString::from),
            None => arg,
        }
    };
    args.into_iter().map(rewrite).collect()
}

/// Returns the option that a word abbreviates, if it is one of Python's and it alone.
fn unabbreviated(text: &str) -> Option<String> {
    let option = text.strip_prefix("--")?;
    let (name, value) = match option.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (option, None),
    };
    let mut meant = PYTHON.iter().filter(|long| long.starts_with(name));
    let (long, None) = (meant.next()?, meant.next()) else {
        return None;
    };
    Some(match value {
        Some(value) => format!("--{long}={value}"),
        None => format!("--{long}"),
    })
}

/// The options of Python's command.
const PYTHON: [&str; 13] = [
    "help",
    "client",
    "server",
    "connect",
    "bind",
    "timeout",
    "heartbeat",
    "pool-size",
    "json",
    "print-json",
    "inspect",
    "active-hb",
    "debug",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn words(args: &[&str]) -> Vec<OsString> {
        args.iter().map(OsString::from).collect()
    }

    fn is_tool(line: &str) -> bool {
        let args = ["zrpc"].into_iter().chain(line.split_whitespace());
        matches!(Line::read(args.map(OsString::from)), Line::Tool(_))
    }

    #[test]
    fn the_option_of_two_letters_is_recognised() {
        assert_eq!(
            normalize(words(&["zrpc", "-pj", "a"])),
            words(&["zrpc", "--print-json", "a"])
        );
        assert_eq!(
            normalize(words(&["zrpc", "-p"])),
            words(&["zrpc", "--print-json"])
        );
    }

    #[test]
    fn parameters_behind_two_dashes_are_kept() {
        let line = words(&["zrpc", "--", "-pj", "--co"]);
        assert_eq!(normalize(line.clone()), line);
    }

    #[test]
    fn abbreviations_of_python_mean_what_they_mean_there() {
        for (short, long) in [
            ("--co", "--connect"),
            ("--s", "--server"),
            ("--ti=3", "--timeout=3"),
            ("--a", "--active-hb"),
        ] {
            assert_eq!(unabbreviated(short).as_deref(), Some(long));
        }
        // Ambiguous in Python, or none of its options.
        for text in ["--c", "--p", "--he", "--output", "--color", "-j", "x"] {
            assert_eq!(unabbreviated(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_word_decides() {
        for line in ["keygen", "--color never keygen", "--debug man", "man -h"] {
            assert!(is_tool(line), "{line}");
        }
        for line in [
            "",
            "tcp://127.0.0.1:1 man",
            "--timeout 3 tcp://127.0.0.1:1 keygen",
            "--connect tcp://127.0.0.1:1 keygen",
            "--connect=tcp://127.0.0.1:1 keygen",
            "--co tcp://127.0.0.1:1 keygen",
            "--bind tcp://127.0.0.1:1 keygen",
            "--client man",
            "-- man",
            "--output man",
            "-x",
            "nothing",
        ] {
            assert!(!is_tool(line), "{line}");
        }
    }
}
