//! Exit codes, and what is said about failures.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;

use rustix::process::{Pid, Signal, kill_process};
use tests::reserved_port::ReservedPort;

use super::running::Running;
use super::support::{Directory, Run, command, serve, serve_to, zrpc};

#[test]
fn a_remote_error_has_its_name_its_message_and_its_traceback() {
    let address = serve();
    let run = zrpc(&[&address, "fail"]);
    let expected =
        format!("connecting to \"{address}\"\nzrpc: ValueError: bad\nwhere it went wrong\n");
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert_eq!(run.stderr, expected);
}

#[test]
fn an_unknown_method_says_how_to_list_them() {
    let run = zrpc(&[&serve(), "nope"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("NameError: nope (without a command"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_stream_that_fails_keeps_what_was_printed() {
    let address = serve();
    let run = zrpc(&["-pj", &address, "one_then_fail"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), "[1"));
    assert!(
        run.stderr.contains("ValueError: midstream"),
        "{}",
        run.stderr
    );
    let run = zrpc(&[&address, "one_then_fail"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), "1\n"));
}

#[test]
fn a_slow_method_times_out() {
    let run = zrpc(&["--timeout", "0.2", &serve(), "never"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    let expected = "timeout after 0.2s, when calling remote method never (";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[test]
fn a_server_that_is_not_there_times_out() {
    let port = ReservedPort::new().unwrap();
    let address = port.endpoint();
    let run = zrpc(&["--timeout", "0.2", &address, "hello"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("timeout after 0.2s"), "{}", run.stderr);
    let why = format!("(cannot connect to {address}: nobody listens there)");
    assert!(run.stderr.contains(&why), "{}", run.stderr);
    let run = zrpc(&["--timeout", "0.2", &address]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("_zerorpc_inspect"), "{}", run.stderr);
    assert!(run.stderr.contains(&why), "{}", run.stderr);
}

#[test]
fn a_host_that_is_not_known_and_a_listener_that_is_no_peer_are_named() {
    // A name that RFC 6761 sets aside to be unknown. Some networks answer for any name.
    let run = zrpc(&["--timeout", "0.2", "tcp://host.invalid:4242", "hello"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("timeout after 0.2s"), "{}", run.stderr);
    let findings = [
        "(cannot connect to tcp://host.invalid:4242: ",
        "(no connection to tcp://host.invalid:4242 within 1 s)",
        "(no connection to tcp://host.invalid:4242: ",
    ];
    let is_found = findings.iter().any(|finding| run.stderr.contains(finding));
    assert!(is_found, "{}", run.stderr);

    let key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    let line = ["--server-key", key, "--timeout", "0.2", &serve(), "hello"];
    let run = zrpc(&line);
    assert_eq!(run.code, Some(1));
    let expected = ": it knows no security: leave --server-key and --plain out)";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[test]
fn whoever_waits_is_told_soon_that_nobody_is_there() {
    let port = ReservedPort::new().unwrap();
    let nobody = port.endpoint();
    // A minute is there for the case that nothing is told.
    let mut child = command(&["--timeout", "60", &nobody, "x"]).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut lines = [String::new(), String::new()];
    for line in &mut lines {
        stderr.read_line(line).unwrap();
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let expected =
        format!("zrpc: cannot connect to {nobody}: nobody listens there; still trying\n");
    assert_eq!(lines, [format!("connecting to \"{nobody}\"\n"), expected]);
    let run = Run::of(child);
    assert_eq!((run.code, run.stdout.as_str()), (Some(130), ""));
}

#[test]
fn a_client_that_is_not_let_in_learns_what_to_change() {
    let directory = Directory::new();
    let key = |name: &str| directory.path(name);
    for name in ["server.key", "other.key", "client.key"] {
        assert_eq!(zrpc(&["keygen", &key(name)]).code, Some(0));
    }
    fs::create_dir(key("nobody")).unwrap();
    let password = key("password");
    fs::write(&password, "secret\n").unwrap();
    let (plain, secret) = (format!("ann:{password}"), key("server.key_secret"));
    let serve = |options: &[&str]| {
        let line = ["serve", "tcp://127.0.0.1:*", "--curve-secret", &secret];
        Running::start(&[&line, options, &["--", "true"]].concat())
    };
    let (mut open, mut closed) = (serve(&["--any-key"]), {
        serve(&["--authorized-keys", &key("nobody")])
    });
    let (open_at, closed_at) = (open.address(), closed.address());
    let (server, other) = (key("server.key"), key("other.key"));
    for (options, address, expected) in [
        (&[][..], &open_at, "it wants CURVE: give --server-key"),
        (
            &["--plain", &plain],
            &open_at,
            "it wants CURVE: give --server-key",
        ),
        (
            &["--server-key", &other],
            &open_at,
            "the key of this server?",
        ),
        (
            &["--server-key", &server],
            &closed_at,
            "does not know our key",
        ),
    ] {
        let run = zrpc(&[options, &["--timeout", "0.5", address, "true"]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
        assert!(run.stderr.contains(expected), "{options:?}: {}", run.stderr);
    }
    // Nothing is waited for that cannot come.
    let run = zrpc(&["--timeout", "none", &open_at, "true"]);
    assert!(run.stderr.contains("it wants CURVE"), "{}", run.stderr);
    let run = zrpc(&["bench", "--duration", "1000", &open_at, "true"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("it wants CURVE"), "{}", run.stderr);
    // The other side tells of it, too.
    let told = closed.stop(Signal::TERM).stderr;
    assert!(told.contains("WARN") && told.contains("denied"), "{told}");
}

#[test]
fn every_address_is_tried_if_and_only_if_there_is_no_connection() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = ReservedPort::new().unwrap();
    let nobody = port.endpoint();
    let silent = format!("tcp://{}", silent.local_addr().unwrap());
    for (first, second) in [(&silent, &nobody), (&nobody, &silent)] {
        let line = ["--timeout", "0.2", "--connect", first, "--connect", second];
        let run = zrpc(&[&line[..], &["x"]].concat());
        assert_eq!(run.code, Some(1));
        let expected = match first == &silent {
            true => format!("(no connection to {silent} within 1 s)"),
            false => format!("(cannot connect to {nobody}: nobody listens there)"),
        };
        assert!(run.stderr.contains(&expected), "{}", run.stderr);
    }
    // The method is slow; the other address has nothing to do with that.
    let (served, line) = (serve(), ["--timeout", "1", "--connect", &nobody]);
    let run = zrpc(&[&line[..], &["--connect", &served, "never"]].concat());
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("timeout after 1s"), "{}", run.stderr);
    assert!(!run.stderr.contains("cannot connect"), "{}", run.stderr);
}

#[test]
fn an_interruption_of_the_diagnosis_keeps_the_error() {
    // Somebody who accepts connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", silent.local_addr().unwrap());
    let line = [
        "--exit-codes",
        "detailed",
        "--timeout",
        "0.2",
        &address,
        "x",
    ];
    let child = command(&line).spawn().unwrap();
    // The second connection is that of the diagnosis.
    let connections = [silent.accept().unwrap(), silent.accept().unwrap()];
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::of(child);
    drop(connections);
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert!(run.stderr.contains("timeout after 0.2s"), "{}", run.stderr);
}

#[test]
fn strings_where_numbers_are_wanted_lead_to_json() {
    let address = serve();
    let run = zrpc(&[&address, "add", "1", "2"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("TypeError: "), "{}", run.stderr);
    assert!(
        run.stderr.contains("with -j they are JSON"),
        "{}",
        run.stderr
    );
    for line in [
        &["-j", &address, "add", "1", "[]"][..],
        &[&address, "add", "one", "two"],
    ] {
        let run = zrpc(line);
        assert!(run.stderr.contains("TypeError: "), "{}", run.stderr);
        assert!(!run.stderr.contains("with -j"), "{}", run.stderr);
    }
}

#[test]
fn a_silent_server_is_lost_when_heartbeats_are_active() {
    let port = ReservedPort::new().unwrap();
    let address = port.endpoint();
    let line = [
        "--active-hb",
        "--heartbeat",
        "0.1",
        "--timeout",
        "none",
        &address,
        "hello",
    ];
    let run = zrpc(&line);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("Lost remote after 0.2s heartbeat"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_client_that_binds_is_found_by_its_server() {
    let port = ReservedPort::new().unwrap();
    let address = port.endpoint();
    serve_to(&address);
    let run = zrpc(&["--bind", &address, "nothing"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "None\n"));
    assert_eq!(run.stderr, format!("binding to \"{address}\"\n"));
}

#[test]
fn params_that_are_not_json_are_refused() {
    let run = zrpc(&["-j", &serve(), "echo", "1", "bad"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(
        run.stderr.starts_with("zrpc: param 2 cannot be used"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_address_that_is_none_is_refused() {
    let run = zrpc(&["nowhere", "hello"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("nowhere"), "{}", run.stderr);
}

#[test]
fn wrong_command_lines_exit_with_2() {
    for line in [
        &["--timeout", "soon", "tcp://127.0.0.1:1"][..],
        &["--nope", "tcp://127.0.0.1:1"],
        &["-pj", "--output", "json", "tcp://127.0.0.1:1", "hello"],
        &["--server", "tcp://127.0.0.1:1", "time"],
        &["--server", "--client", "tcp://127.0.0.1:1"],
    ] {
        let run = zrpc(line);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{line:?}");
        assert!(!run.stderr.is_empty(), "{line:?}");
    }
}

#[test]
fn help_and_version_are_on_stdout() {
    for line in [&["-h"][..], &["--help"], &["--version"]] {
        let run = zrpc(line);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{line:?}");
        assert!(run.stdout.contains("zrpc"), "{line:?}");
    }
}

#[test]
fn without_an_address_the_help_is_printed() {
    let run = zrpc(&[]);
    assert_eq!(run.code, Some(255));
    assert!(run.stdout.contains("Usage: zrpc"), "{}", run.stdout);
}

#[test]
fn scripts_can_tell_failures_apart() {
    let address = serve();
    let detailed = |line: &[&str]| {
        let line = [&["--exit-codes", "detailed"], line].concat();
        zrpc(&line).code
    };
    assert_eq!(detailed(&[&address, "nothing"]), Some(0));
    assert_eq!(detailed(&[&address, "fail"]), Some(3));
    assert_eq!(detailed(&["--timeout", "0.2", &address, "never"]), Some(4));
    let port = ReservedPort::new().unwrap();
    let nobody = port.endpoint();
    let lost = [
        "--active-hb",
        "--heartbeat",
        "0.1",
        "--timeout",
        "none",
        &nobody,
        "x",
    ];
    assert_eq!(detailed(&lost), Some(5));
    assert_eq!(detailed(&["nowhere", "x"]), Some(1));
}

#[test]
fn an_interruption_ends_with_130_and_keeps_what_was_printed() {
    let address = serve();
    let mut child = command(&[&address, "first_then_wait"]).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let run = Run::of(child);
    assert_eq!((run.code, line.as_str()), (Some(130), "'first'\n"));
    assert_eq!(run.stderr, format!("connecting to \"{address}\"\n"));
}

#[test]
fn a_mistyped_method_or_tool_is_guessed() {
    let run = zrpc(&[&serve(), "ecoh", "x"]);
    assert_eq!(run.code, Some(1));
    let expected = "zrpc: NameError: ecoh (did you mean echo?)\n";
    assert!(run.stderr.ends_with(expected), "{}", run.stderr);
    let run = zrpc(&["benhc"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("did you mean the tool bench?"),
        "{}",
        run.stderr
    );
    let run = zrpc(&["serve", "127.0.0.1:1", "--", "/bin/echo"]);
    assert!(
        run.stderr.contains("looks like tcp://127.0.0.1:4242"),
        "{}",
        run.stderr
    );
}
