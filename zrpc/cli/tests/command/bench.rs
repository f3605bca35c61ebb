//! Load on a method, and what is told about it.

use std::io::{BufRead, BufReader};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tests::reserved_port::ReservedPort;

use super::support::{Run, command, serve, zrpc};

fn bench(line: &[&str]) -> (Option<i32>, Value) {
    let run = zrpc(&[&["bench", "--output", "json"], line].concat());
    let report = serde_json::from_str(&run.stdout);
    (run.code, report.unwrap_or_else(|_| panic!("{run:?}")))
}

#[test]
fn a_number_of_calls_is_made_and_measured() {
    let address = serve();
    let (code, report) = bench(&[
        "-n",
        "500",
        "-c",
        "8",
        "--connections",
        "2",
        "-j",
        &address,
        "add",
        "1",
        "2",
    ]);
    assert_eq!(code, Some(0));
    assert_eq!(
        (&report["calls"], &report["failed"]),
        (&500.into(), &0.into())
    );
    assert_eq!(report["unfinished"], 0);
    let latency = &report["latency_seconds"];
    let time = |name: &str| latency[name].as_f64().unwrap();
    assert!(0.0 < time("min") && time("min") <= time("p50"), "{latency}");
    assert!(
        time("p50") <= time("p99") && time("p99") <= time("max"),
        "{latency}"
    );
    let histogram = report["histogram"].as_array().unwrap();
    let counted: u64 = histogram
        .iter()
        .filter_map(|bucket| bucket["count"].as_u64())
        .sum();
    assert_eq!(counted, 500);
}

#[test]
fn items_of_streams_are_counted() {
    let address = serve();
    let (code, report) = bench(&["-n", "10", "-j", &address, "count", "20"]);
    assert_eq!((code, &report["items"]), (Some(0), &200.into()));
    assert!(report["first_item_seconds"]["p50"].as_f64().unwrap() > 0.0);
}

#[test]
fn failures_are_counted_by_kind_and_end_with_1() {
    let address = serve();
    let (code, report) = bench(&["-n", "7", &address, "fail"]);
    assert_eq!(code, Some(1));
    assert_eq!(report["failures"], serde_json::json!({"ValueError": 7}));
    assert_eq!(report["latency_seconds"], Value::Null);
    let port = ReservedPort::new().unwrap();
    let nobody = port.endpoint();
    let (_, report) = bench(&["-n", "2", "--timeout", "0.2", &nobody, "x"]);
    assert_eq!(report["failures"], serde_json::json!({"TimeoutExpired": 2}));
}

#[test]
fn the_time_is_limited_and_what_is_open_then_is_unfinished() {
    let address = serve();
    let (code, report) = bench(&["--duration", "0.3", "-c", "3", &address, "never"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        (&report["calls"], &report["unfinished"]),
        (&0.into(), &3.into())
    );
    assert!(report["seconds"].as_f64().unwrap() >= 0.3);
    let (code, _) = bench(&["--duration", "1", &address, "nothing"]);
    assert_eq!(code, Some(0));
}

#[test]
fn a_measurement_without_an_answer_fails_and_says_why() {
    let port = ReservedPort::new().unwrap();
    let nobody = port.endpoint();
    let why = format!("(cannot connect to {nobody}: nobody listens there)");
    for (line, text) in [
        (&["--duration", "0.2"][..], "no call was answered"),
        (&["-n", "2", "--timeout", "0.2"], "2 of the calls failed"),
    ] {
        let run = zrpc(&[&["bench"], line, &[&nobody, "x"]].concat());
        assert_eq!(run.code, Some(1), "{line:?}");
        let expected = format!("zrpc: {text} {why}\n");
        assert!(run.stderr.ends_with(&expected), "{line:?}: {}", run.stderr);
    }
    // Whoever is there and does not answer is no riddle of the network.
    let run = zrpc(&["bench", "--duration", "0.2", &serve(), "never"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.ends_with("zrpc: no call was answered\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_rate_is_never_exceeded() {
    let address = serve();
    let (_, report) = bench(&[
        "-n", "21", "--rate", "50", "--warmup", "0.1", &address, "nothing",
    ]);
    assert_eq!(report["calls"], 21);
    // The last of 21 calls begins after 20 fiftieths of a second.
    assert!(report["seconds"].as_f64().unwrap() >= 0.4, "{report}");
}

#[test]
fn people_get_a_table() {
    let address = serve();
    let run = zrpc(&["bench", "-n", "20", "-c", "1", &address, "nothing"]);
    assert_eq!(run.code, Some(0));
    assert!(
        run.stdout
            .starts_with("nothing: 1 call in flight over 1 connection for ")
    );
    for word in ["answered", "p99.9", "histogram", "#"] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
    // A pipe gets no progress.
    assert_eq!(run.stderr, format!("connecting to \"{address}\"\n"));
}

#[test]
fn an_interrupted_measurement_still_reports() {
    let address = serve();
    let line = [
        "bench",
        "--duration",
        "100",
        "--output",
        "json",
        &address,
        "nothing",
    ];
    let mut child = command(&line).spawn().unwrap();
    // Signals are waited for when this is said.
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut String::new()).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::of(child);
    assert_eq!(run.code, Some(130), "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(report["seconds"].as_f64().unwrap() < 100.0);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        &["bench"][..],
        &["bench", "tcp://127.0.0.1:1"],
        &["bench", "-c", "0", "tcp://127.0.0.1:1", "x"],
        &["bench", "--rate", "0", "tcp://127.0.0.1:1", "x"],
        &["bench", "--duration", "-1", "tcp://127.0.0.1:1", "x"],
    ] {
        let run = zrpc(line);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{line:?}");
        assert!(!run.stderr.is_empty(), "{line:?}");
    }
}
