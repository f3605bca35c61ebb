//! Events from one run of the command to another.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use tests::reserved_port::ReservedPort;
use zmtp::{PubSocket, PushSocket, Socket};

use super::running::Running;
use super::support::{Directory, Run, command, zrpc};

const FREE: &str = "tcp://127.0.0.1:*";

#[test]
fn published_events_are_printed_as_calls() {
    let mut subscriber = Running::start(&["subscribe", "--bind", FREE, "-n", "2"]);
    let address = subscriber.address();
    let publish = |line: &[&str]| {
        let run = zrpc(&[&["publish", "--connect", &address], line].concat());
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(0), ""),
            "{}",
            run.stderr
        );
    };
    publish(&["rain", "London", "it's"]);
    publish(&["-j", "rain", "[1, null]", "2.5"]);
    let run = subscriber.end();
    assert_eq!(run.code, Some(0));
    assert_eq!(
        run.stdout,
        "rain('London', \"it's\")\nrain([1, None], 2.5)\n"
    );
}

#[test]
fn a_publisher_waits_for_its_subscriber() {
    let port = ReservedPort::new().unwrap();
    let address = port.endpoint();
    // The address behind `publish` is listened on, the one behind `subscribe` connected to.
    let publisher = command(&["publish", &address, "rain", "x"])
        .spawn()
        .unwrap();
    let run = zrpc(&["subscribe", "-n", "1", "--output", "json", &address]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(0), "{\"method\": \"rain\", \"args\": [\"x\"]}\n")
    );
    assert_eq!(Run::of(publisher).code, Some(0));
}

#[test]
fn lines_are_pushed_one_by_one_and_none_is_lost() {
    let mut puller = Running::start(&["pull", "--bind", FREE, "-n", "3000", "--output", "raw"]);
    let address = puller.address();
    let line = ["push", "--connect", &address, "--lines", "job"];
    let mut pusher = command(&line).stdin(Stdio::piped()).spawn().unwrap();
    let lines: String = (0..3000).map(|number| format!("line {number}\n")).collect();
    pusher
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let run = puller.end();
    assert_eq!(run.code, Some(0));
    assert_eq!(run.stdout, lines);
    assert_eq!(Run::of(pusher).code, Some(0));
}

#[test]
fn topics_choose_events() {
    let line = [
        "subscribe",
        "--bind",
        FREE,
        "-n",
        "1",
        "--topic",
        "b",
        "--output",
        "json",
    ];
    let mut subscriber = Running::start(&line);
    let address = subscriber.address();
    for topic in ["a", "b/c"] {
        let line = ["publish", "--connect", &address, "--topic", topic, "m"];
        assert_eq!(zrpc(&line).code, Some(0));
    }
    let run = subscriber.end();
    assert_eq!(
        run.stdout,
        "{\"method\": \"m\", \"args\": [], \"topic\": \"b/c\"}\n"
    );
}

#[test]
fn what_does_not_come_in_time_ends_with_4() {
    for line in [
        &["subscribe", "--bind", FREE, "--timeout", "0.2"][..],
        &["pull", "--bind", FREE, "--timeout", "0.2"],
        &["publish", FREE, "--timeout", "0.2", "m"],
        &["push", FREE, "--timeout", "0.2", "m"],
    ] {
        let run = zrpc(line);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(4), ""),
            "{line:?}: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains("within 0.2 s"),
            "{line:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn whoever_is_missing_is_named() {
    let port = ReservedPort::new().unwrap();
    let nobody = port.endpoint();
    let why = format!("(cannot connect to {nobody}: nobody listens there)\n");
    for line in [
        &["subscribe", &nobody][..],
        &["pull", &nobody],
        &["publish", "--connect", &nobody, "m"],
        &["push", "--connect", &nobody, "m"],
    ] {
        let run = zrpc(&[line, &["--timeout", "0.2"]].concat());
        assert_eq!(run.code, Some(4), "{line:?}: {}", run.stderr);
        assert!(run.stderr.ends_with(&why), "{line:?}: {}", run.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_there_and_silent_is_not_missing() {
    let (publisher, pusher) = (PubSocket::new(), PushSocket::new());
    let published = publisher.bind(FREE).await.unwrap().to_string();
    let pushed = pusher.bind(FREE).await.unwrap().to_string();
    for (tool, address) in [("subscribe", &published), ("pull", &pushed)] {
        let run = zrpc(&[tool, "--timeout", "0.2", address]);
        assert_eq!(run.code, Some(4), "{tool}: {}", run.stderr);
        assert!(
            run.stderr.ends_with("within 0.2 s\n"),
            "{tool}: {}",
            run.stderr
        );
    }
}

#[tokio::test]
async fn what_is_no_event_is_told_and_skipped() {
    let mut puller = Running::start(&["pull", "--bind", FREE, "-n", "1"]);
    let mut socket = PushSocket::new();
    let address = puller.address();
    socket.connect(&address).await.unwrap();
    socket.send("garbage").await.unwrap();
    socket.close().await;
    assert_eq!(zrpc(&["push", "--connect", &address, "m"]).code, Some(0));
    let run = puller.end();
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "m()\n"));
    assert!(
        run.stderr.starts_with("zrpc: skipped: malformed event"),
        "{}",
        run.stderr
    );
}

#[test]
fn events_that_make_no_sense_are_refused() {
    let directory = Directory::new();
    let password = directory.path("password");
    fs::write(&password, "secret\n").unwrap();
    let plain = format!("ann:{password}");
    for (line, code, expected) in [
        (&["publish"][..], 2, "no address"),
        (&["push", FREE], 2, "no method"),
        (&["pull"], 2, "no address"),
        (&["pull", "here"], 1, "here"),
        (&["push", "-j", FREE, "m", "bad"], 1, "param 1"),
        (
            &["pull", "--any-key", "--plain", "a:b", FREE],
            1,
            "both sides",
        ),
        (
            &["push", "--plain", &plain, FREE, "m"],
            2,
            "tell the password to whoever connects",
        ),
        (
            &["pull", "--plain", &plain, "--bind", FREE],
            2,
            "tell the password to whoever connects",
        ),
        (
            &["bench", "--plain", &plain, "--bind", FREE, "m"],
            2,
            "tell the password to whoever connects",
        ),
    ] {
        let run = zrpc(line);
        assert_eq!(run.code, Some(code), "{line:?}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{line:?}: {}", run.stderr);
    }
}
