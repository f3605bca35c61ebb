//! Calls and streams in every form of output.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use super::support::{Directory, Run, command, serve, zrpc};

fn ok(stdout: &str) -> (Option<i32>, String) {
    (Some(0), stdout.to_owned())
}

fn outcome(run: Run) -> (Option<i32>, String) {
    (run.code, run.stdout)
}

#[test]
fn params_are_strings_and_results_are_python() {
    let address = serve();
    assert_eq!(
        outcome(zrpc(&[&address, "echo", "1", "it's"])),
        ok("['1', \"it's\"]\n")
    );
    assert_eq!(outcome(zrpc(&[&address, "nothing"])), ok("None\n"));
    assert_eq!(outcome(zrpc(&[&address, "echo", "-5"])), ok("['-5']\n"));
    assert_eq!(
        outcome(zrpc(&[&address, "echo", "--", "-pj"])),
        ok("['-pj']\n")
    );
}

#[test]
fn the_address_is_announced_on_stderr() {
    let address = serve();
    let run = zrpc(&[&address, "nothing"]);
    assert_eq!(run.stderr, format!("connecting to \"{address}\"\n"));
}

#[test]
fn json_params_keep_their_types() {
    let address = serve();
    let params = [
        "[1, 2.0, \"\\u00e9\"]",
        "{\"b\": null, \"a\": true}",
        "18446744073709551615",
    ];
    let line = [&["-j", &address, "echo"], &params[..]].concat();
    let expected = "[[1, 2.0, 'é'], {'a': True, 'b': None}, 18446744073709551615]\n";
    assert_eq!(outcome(zrpc(&line)), ok(expected));
}

#[test]
fn print_json_is_one_document_without_a_line_end() {
    let address = serve();
    let line = [
        "-j",
        "-pj",
        &address,
        "echo",
        "{\"b\":[1,\"é\"],\"a\":null}",
    ];
    assert_eq!(
        outcome(zrpc(&line)),
        ok("[{\"b\": [1, \"\\u00e9\"], \"a\": null}]")
    );
    let line = ["--print-json", &address, "nothing"];
    assert_eq!(outcome(zrpc(&line)), ok("null"));
}

#[test]
fn json_lines_end_each_document() {
    let address = serve();
    let line = ["--output", "json", &address, "echo", "x"];
    assert_eq!(outcome(zrpc(&line)), ok("[\"x\"]\n"));
    let line = ["--output", "json", "-j", &address, "count", "3"];
    assert_eq!(outcome(zrpc(&line)), ok("0\n1\n2\n"));
}

#[test]
fn streams_are_printed_item_by_item() {
    let address = serve();
    assert_eq!(
        outcome(zrpc(&["-j", &address, "count", "3"])),
        ok("0\n1\n2\n")
    );
    assert_eq!(outcome(zrpc(&["-j", &address, "count", "0"])), ok(""));
    assert_eq!(
        outcome(zrpc(&["-j", "-pj", &address, "count", "3"])),
        ok("[0,1,2]")
    );
    assert_eq!(
        outcome(zrpc(&["-j", "-pj", &address, "count", "0"])),
        ok("[]")
    );
}

#[test]
fn a_long_stream_is_complete() {
    let address = serve();
    let run = zrpc(&["-j", &address, "count", "20000"]);
    let expected: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(outcome(run), ok(&expected));
}

#[test]
fn an_item_appears_while_the_stream_goes_on() {
    let address = serve();
    let mut child = command(&[&address, "first_then_wait"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(line, "'first'\n");
}

#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let address = serve();
    let mut child = command(&["-j", &address, "count", "1000000000"])
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let run = Run::of(child);
    assert_eq!(line, "0\n");
    assert_eq!(run.stderr, format!("connecting to \"{address}\"\n"));
    assert_eq!(run.code, Some(0));
}

#[test]
fn the_options_of_heartbeats_and_timeouts_are_accepted() {
    let address = serve();
    for options in [
        &["--heartbeat", "0.5", "--active-hb"][..],
        &["--heartbeat", "off", "--timeout", "none"],
        &["--timeout", "7.5"],
    ] {
        let line = [options, &[&address, "nothing"]].concat();
        assert_eq!(outcome(zrpc(&line)), ok("None\n"), "{options:?}");
    }
}

#[test]
fn debug_logs_on_stderr_alone() {
    let address = serve();
    let run = zrpc(&["-d", &address, "echo", "a\nb"]);
    let result = "<-- echo OK [\"a\\nb\"]\n";
    for expected in ["DEBUG", "--> echo [\"a\\nb\"]\n", result] {
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    assert_eq!(outcome(run), ok("['a\\nb']\n"));
    let run = zrpc(&["-d", "-j", &address, "count", "2"]);
    let items = run.stderr.lines().filter(|line| line.contains("<-- count"));
    let items: Vec<_> = items.filter_map(|line| line.split("<-- ").nth(1)).collect();
    let expected = ["count STREAM 0", "count STREAM 1", "count STREAM_DONE"];
    assert_eq!(items, expected, "{}", run.stderr);
    assert_eq!(outcome(run), ok("0\n1\n"));
    let run = zrpc(&["-d", &address, "fail"]);
    assert!(
        run.stderr.contains("<-- fail ValueError: "),
        "{}",
        run.stderr
    );
}

#[test]
fn every_format_has_its_notation() {
    let address = serve();
    let params = ["-j", &address, "echo", "\"it's\"", "[1.5]"];
    for (format, expected) in [
        ("python", "[\"it's\", [1.5]]\n"),
        ("yaml", "---\n- \"it's\"\n- - 1.5\n"),
        ("raw", "[\"it's\", [1.5]]\n"),
    ] {
        let line = [&["--output", format], &params[..]].concat();
        assert_eq!(outcome(zrpc(&line)), ok(expected), "{format}");
    }
    let line = ["--output", "yaml", "-j", &address, "count", "2"];
    assert_eq!(outcome(zrpc(&line)), ok("---\n0\n---\n1\n"));
    let line = ["--output", "raw", &address, "first_of", "it's"];
    assert_eq!(outcome(zrpc(&line)), ok("it's\n"));
}

#[test]
fn params_come_from_files_and_stdin_where_asked_for() {
    let address = serve();
    let directory = Directory::new();
    let file = format!("@{}", directory.path("param.json"));
    fs::write(directory.path("param.json"), "{\"id\": [1]}\n").unwrap();
    let line = ["-j", "--read-params", &address, "echo", &file, "-"];
    let mut child = command(&line).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"2.5").unwrap();
    assert_eq!(outcome(Run::of(child)), ok("[{'id': [1]}, 2.5]\n"));

    let plain = zrpc(&[&address, "echo", &file, "-"]);
    assert_eq!(outcome(plain), ok(&format!("['{file}', '-']\n")));
    let missing = zrpc(&["--read-params", &address, "echo", "@/nowhere/x"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("/nowhere/x"), "{}", missing.stderr);
}

#[test]
fn colours_are_there_if_asked_for_and_not_in_a_pipe() {
    let address = serve();
    let line = ["--color", "always", "-j", &address, "echo", "1"];
    assert_eq!(outcome(zrpc(&line)), ok("[\x1b[36m1\x1b[0m]\n"));
    let failed = zrpc(&["--color", "always", &address, "fail"]);
    assert!(failed.stderr.contains("\x1b[1;31mzrpc:\x1b[0m ValueError"));
    assert!(!zrpc(&[&address, "fail"]).stderr.contains('\x1b'));
}

#[test]
fn settings_come_from_the_environment() {
    let address = serve();
    let mut child = command(&[&address, "echo", "x"]);
    child.env("ZRPC_OUTPUT", "json");
    assert_eq!(outcome(Run::of(child.spawn().unwrap())), ok("[\"x\"]\n"));
    // What is typed counts more.
    let mut child = command(&["-pj", &address, "echo", "x"]);
    child.env("ZRPC_OUTPUT", "yaml");
    assert_eq!(outcome(Run::of(child.spawn().unwrap())), ok("[\"x\"]"));
    let mut child = command(&[&address, "never"]);
    child.env("ZRPC_TIMEOUT", "0.2");
    assert_eq!(Run::of(child.spawn().unwrap()).code, Some(1));
}
