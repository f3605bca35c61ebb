//! The bodies of the fuzz targets of the command, whose tests replay the seeds.
//!
//! Each takes any octets and panics if a property does not hold.

#![expect(
    clippy::missing_panics_doc,
    reason = "to panic is how a fuzz target says what it found"
)]

use std::ffi::OsString;

use clap::Parser;
use rmpv::Value;

use crate::args::{
    Action, Form, Line, Link, Options, ParamSource, Params, Request, Timeout, Tools,
};
use crate::params::{into_values, parse_json};
use crate::render::{highlight, on_one_line, repr, write_json, write_pprint, write_yaml};

/// Lines are the words of a command line: each is understood in one way, and what comes of it was
/// typed.
pub fn cli_args(data: &[u8]) {
    let words = data.split(|octet| *octet == b'\n').map(word);
    let words: Vec<OsString> = [OsString::from("zrpc")].into_iter().chain(words).collect();
    let line = Line::read(words.clone());
    let (Line::Call(read) | Line::Tool(read)) = line.clone();
    assert_eq!(read.len(), words.len(), "no word appears or vanishes");
    assert_eq!(Line::read(read.clone()), line, "once more changes nothing");
    match line {
        Line::Tool(args) => drop(Tools::try_parse_from(args)),
        Line::Call(args) => {
            let Ok(options) = Options::read(args) else {
                return;
            };
            if let Ok(request) = options.into_request() {
                check_request(&request, &words);
            }
        }
    }
}

fn check_request(request: &Request, words: &[OsString]) {
    let is_typed = |text: &String| {
        let typed = |word: &OsString| word.to_str().is_some_and(|word| word.ends_with(&**text));
        assert!(words.iter().any(typed), "{text:?} was not typed");
    };
    assert!(!request.links.is_empty());
    for Link::Bind(address) | Link::Connect(address) in &request.links {
        is_typed(address);
    }
    assert!(!matches!(request.settings.timeout, Timeout::After(after) if after.is_zero()));
    match &request.action {
        Action::List | Action::Signatures => {}
        Action::Describe { method } => is_typed(method),
        Action::Call {
            method,
            params: Params::Text(texts),
            ..
        } => {
            is_typed(method);
            texts.iter().for_each(is_typed);
            let params = Params::Text(texts.clone());
            let values = into_values(&params, ParamSource::Words).unwrap_or_default();
            let texts: Vec<Value> = texts.iter().map(|text| Value::from(&**text)).collect();
            assert_eq!(values, texts);
        }
        Action::Call {
            method,
            params: Params::Json(texts),
            form,
            ..
        } => {
            is_typed(method);
            texts.iter().for_each(is_typed);
            let params = Params::Json(texts.clone());
            let values = into_values(&params, ParamSource::Words);
            let are_json = texts.iter().all(|text| parse_json(text).is_ok());
            assert_eq!(values.is_ok(), are_json);
            assert_ne!(*form, Form::Python, "which has an option of its own");
        }
    }
}

#[cfg(unix)]
fn word(octets: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(octets.to_vec())
}

#[cfg(not(unix))]
fn word(octets: &[u8]) -> OsString {
    String::from_utf8_lossy(octets).into_owned().into()
}

/// Text that is read as JSON is written as JSON for the same value.
pub fn cli_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(value) = parse_json(text) {
        let again = parse_json(&json(&value));
        assert_eq!(again.as_ref().map(encoded), Ok(encoded(&value)), "{text}");
    }
}

/// A value that a peer may send is shown in every form, as JSON that can be read again, and
/// without power over a terminal.
pub fn cli_values(data: &[u8]) {
    let mut rest = data;
    let Ok(value) = rmpv::decode::read_value_with_max_depth(&mut rest, MAX_DEPTH) else {
        return;
    };
    let text = json(&value);
    // Keys that differ in type alone, such as 1 and "1", are one key from here on.
    let read = parse_json(&text).map(|read| json(&read));
    let again = read
        .as_ref()
        .map(|text| parse_json(text).map(|read| json(&read)));
    assert_eq!(again, Ok(read.clone()), "written, read and written");
    let written = [
        text,
        repr(&value),
        written(&value, write_pprint),
        written(&value, write_yaml),
    ];
    for text in written {
        let is_harmless = |c: char| c == '\n' || !c.is_control();
        assert!(text.chars().all(is_harmless), "{text:?}");
        assert!(!on_one_line(&text).contains('\n'));
        let mut colored = Vec::new();
        assert!(highlight(&text, &mut colored).is_ok());
        assert_eq!(without_colors(&colored), text, "colours alone are added");
    }
}

/// How deep the values are nested that are tried.
const MAX_DEPTH: usize = 64;

fn json(value: &Value) -> String {
    written(value, write_json)
}

fn written(
    value: &Value,
    write: impl FnOnce(&Value, &mut Vec<u8>) -> std::io::Result<()>,
) -> String {
    let mut out = Vec::new();
    assert!(write(value, &mut out).is_ok(), "a vector takes everything");
    String::from_utf8(out).expect("output is text")
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let result = rmpv::encode::write_value(&mut out, value);
    assert!(result.is_ok(), "a vector takes everything");
    out
}

/// Leaves out the sequences that begin with an escape character and end with an `m`.
fn without_colors(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut parts = text.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| {
        let (_, rest) = part.split_once('m').unwrap_or_default();
        plain + rest
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn replay(name: &str, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
        let seeds = fs::read_dir(folder.join(name)).expect("every target has a folder of seeds");
        let mut count = 0;
        for seed in seeds.flatten() {
            run(&fs::read(seed.path()).expect("a seed can be read"));
            count += 1;
        }
        assert!(count > 0, "{name} has seeds");
    }

    #[test]
    fn seeds_of_command_lines() {
        replay("cli_args", cli_args);
    }

    #[test]
    fn seeds_of_json() {
        replay("cli_json", cli_json);
    }

    #[test]
    fn seeds_of_values() {
        replay("cli_values", cli_values);
    }
}
