//! Calls and streams in every form of output.

use std::io::{BufRead, BufReader};

use super::support::{Run, command, serve, zrpc};

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
    let run = zrpc(&["-d", &address, "nothing"]);
    assert!(run.stderr.contains("DEBUG"), "{}", run.stderr);
    assert_eq!(outcome(run), ok("None\n"));
}
