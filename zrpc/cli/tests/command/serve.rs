//! Programs as methods.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rmpv::Value;
use rustix::process::{Pid, Signal, test_kill_process};
use zrpc::{CallError, Client, Heartbeat};

use super::running::Running;
use super::support::{Directory, zrpc};

const FREE: &str = "tcp://127.0.0.1:*";

/// Far longer than anything here takes.
const TOO_LONG: Duration = Duration::from_secs(60);

fn script(directory: &Directory, name: &str, body: &str) {
    let path = directory.path(name);
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

async fn serve(line: &[&str]) -> (Running, Client) {
    let mut service = Running::start(&[&["serve", FREE], line].concat());
    let client = Client::connect(service.address()).await.unwrap();
    (service, client)
}

fn remote(error: CallError) -> (String, String) {
    match error {
        CallError::Remote(remote) => (remote.name, remote.message),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn executable_files_are_methods() {
    let directory = Directory::new();
    script(&directory, "greet.sh", "echo \"Hello, $1\"");
    script(&directory, ".hidden", "echo no");
    script(&directory, "_private", "echo no");
    fs::write(directory.path("data.txt"), "no program").unwrap();
    let (service, client) = serve(&["--directory", directory.root(), "--name", "Scripts"]).await;

    let names: Vec<String> = client.call("_zerorpc_list", ()).await.unwrap();
    let own: Vec<_> = names.iter().filter(|name| !name.starts_with('_')).collect();
    assert_eq!(own, ["greet"]);
    let greeting: String = client.call("greet", ("RPC; exit 1",)).await.unwrap();
    assert_eq!(greeting, "Hello, RPC; exit 1");
    let doc: String = client.call("_zerorpc_help", ("greet",)).await.unwrap();
    assert!(doc.starts_with("Runs greet.sh."), "{doc}");
    assert_eq!(service.stop(Signal::TERM).code, Some(0));
}

#[tokio::test]
async fn a_command_gets_its_params_behind_its_own_arguments() {
    let command = ["--method", "show", "--", "/bin/echo", "-n", "a"];
    let (_service, client) = serve(&command).await;
    let args = (1, "x  y", Value::Array(vec![Value::Nil]));
    let shown: String = client.call("show", args).await.unwrap();
    assert_eq!(shown, "a 1 x  y [null]");
}

#[tokio::test]
async fn json_goes_in_and_comes_out() {
    let line = ["--params", "json", "--result", "json", "--", "/bin/cat"];
    let (_service, client) = serve(&line).await;
    let answer: (u64, String) = client.call("cat", (u64::MAX, "é")).await.unwrap();
    assert_eq!(answer, (u64::MAX, "é".to_owned()));
    // More than any pipe holds, so reading and writing must go on at the same time.
    let large = "x".repeat(1 << 20);
    let (answer,): (String,) = client.call("cat", (&large,)).await.unwrap();
    assert_eq!(answer, large);
}

#[tokio::test]
async fn lines_are_items_as_they_come() {
    let directory = Directory::new();
    let gate = directory.path("gate");
    let wait = format!("while [ ! -e {gate} ]; do sleep 0.05; done");
    script(
        &directory,
        "slow",
        &format!("echo '[1]'\n{wait}\nprintf '{{\"a\": null}}'"),
    );
    let line = ["--result", "json-lines", "--directory", directory.root()];
    let (_service, client) = serve(&line).await;
    let mut items = client.stream::<Value>("slow", ()).await.unwrap();
    let first = items.next_item().await.unwrap();
    assert_eq!(first, Some(Value::Array(vec![1.into()])));
    fs::write(&gate, "").unwrap();
    let last = Value::Map(vec![("a".into(), Value::Nil)]);
    assert_eq!(items.next_item().await.unwrap(), Some(last));
    assert_eq!(items.next_item().await.unwrap(), None);
}

#[tokio::test]
async fn a_failure_has_the_exit_code_and_what_was_said() {
    let directory = Directory::new();
    script(&directory, "fail", "echo out\necho 'bad thing' >&2\nexit 3");
    script(&directory, "die", "kill -9 $$");
    let (_service, client) = serve(&["--directory", directory.root()]).await;
    let (name, message) = remote(client.call::<Value>("fail", ()).await.unwrap_err());
    assert_eq!(name, "CalledProcessError");
    assert_eq!(message, "fail exited with 3: bad thing");
    let (_, message) = remote(client.call::<Value>("die", ()).await.unwrap_err());
    assert!(
        message.starts_with("die was killed (signal: 9"),
        "{message}"
    );
}

#[tokio::test]
async fn what_a_program_may_do_is_limited() {
    let directory = Directory::new();
    script(&directory, "flood", "exec yes");
    script(&directory, "sleep", "exec sleep 1000");
    script(&directory, "text", "echo no JSON");
    let limits = [
        "--timeout",
        "0.3",
        "--max-output",
        "1000",
        "--result",
        "json",
    ];
    let line = [&limits[..], &["--directory", directory.root()]].concat();
    let (_service, client) = serve(&line).await;
    let (name, message) = remote(client.call::<Value>("flood", ()).await.unwrap_err());
    assert_eq!(
        (name.as_str(), message.as_str()),
        ("OverflowError", "flood printed more than 1000 bytes")
    );
    let (name, message) = remote(client.call::<Value>("sleep", ()).await.unwrap_err());
    assert_eq!(
        (name.as_str(), message.as_str()),
        ("TimeoutExpired", "sleep was stopped after 0.3 seconds")
    );
    let (name, message) = remote(client.call::<Value>("text", ()).await.unwrap_err());
    assert_eq!(name, "ValueError");
    assert!(
        message.starts_with("text printed no JSON: expected"),
        "{message}"
    );
}

#[tokio::test]
async fn a_program_and_its_children_die_with_their_caller() {
    let directory = Directory::new();
    let pids = directory.path("pids");
    script(
        &directory,
        "slow",
        &format!("sleep 1000 & echo $$ $! > {pids}.new\nmv {pids}.new {pids}\nwait"),
    );
    // A server that has not answered yet notices by the heartbeats that its caller is gone.
    let line = [
        "serve",
        FREE,
        "--heartbeat",
        "0.3",
        "--directory",
        directory.root(),
    ];
    let mut service = Running::start(&line);
    let heartbeat = Heartbeat::every(Duration::from_millis(300));
    let client = Client::builder()
        .heartbeat(heartbeat)
        .connect(service.address());
    let client = client.build().await.unwrap();
    let call = client.request("slow", ()).send::<Value>();
    tokio::select! {
        _ = call => panic!("the call ended"),
        () = until(|| Path::new(&pids).exists()) => {}
    }
    let pids = fs::read_to_string(&pids).unwrap();
    let pids: Vec<i32> = pids
        .split_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect();
    assert_eq!(pids.len(), 2);
    until(|| pids.iter().all(|&pid| !is_alive(pid))).await;
}

#[tokio::test]
async fn the_environment_is_what_was_asked_for() {
    let directory = Directory::new();
    script(&directory, "environment", "env");
    let env = ["--env", "COLOR=red", "--directory", directory.root()];
    let (_service, client) = serve(&env).await;
    let text: String = client.call("environment", ()).await.unwrap();
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    assert!(
        names.contains(&"PATH") && text.contains("COLOR=red\n"),
        "{text}"
    );
    assert!(text.contains("ZRPC_METHOD=environment"), "{text}");
    assert!(
        !names.iter().any(|name| name.starts_with("CARGO")),
        "{text}"
    );
}

#[tokio::test]
async fn a_signal_lets_running_programs_end() {
    let directory = Directory::new();
    let (started, gate) = (directory.path("started"), directory.path("gate"));
    let wait = format!("while [ ! -e {gate} ]; do sleep 0.05; done");
    script(
        &directory,
        "slow",
        &format!("touch {started}\n{wait}\necho done"),
    );
    let (mut service, client) = serve(&["--directory", directory.root()]).await;
    let call = tokio::spawn(async move { client.call::<String>("slow", ()).await });
    until(|| Path::new(&started).exists()).await;
    service.signal(Signal::INT);
    fs::write(&gate, "").unwrap();
    assert_eq!(call.await.unwrap().unwrap(), "done");
    assert_eq!(service.end().code, Some(130));
}

#[test]
fn secured_services_let_in_who_is_known() {
    let directory = Directory::new();
    for name in ["server", "client"] {
        assert_eq!(
            zrpc(&["keygen", &directory.path(&format!("{name}.key"))]).code,
            Some(0)
        );
    }
    let keys = Directory::new();
    fs::copy(directory.path("client.key"), keys.path("client.key")).unwrap();
    let secret = directory.path("server.key_secret");
    let line = [
        "serve",
        FREE,
        "--curve-secret",
        &secret,
        "--authorized-keys",
        keys.root(),
    ];
    let mut service = Running::start(&[&line[..], &["--", "/bin/echo"]].concat());
    let address = service.address();
    let (server, client) = (
        directory.path("server.key"),
        directory.path("client.key_secret"),
    );
    let known = [
        "--server-key",
        &server,
        "--secret-key-file",
        &client,
        &address,
        "echo",
        "hi",
    ];
    let run = zrpc(&known);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(0), "'hi'\n"),
        "{}",
        run.stderr
    );
    let unknown = zrpc(&["--server-key", &server, "--timeout", "1", &address, "echo"]);
    assert_eq!(unknown.code, Some(1));
    let plain = zrpc(&["--timeout", "1", &address, "echo"]);
    assert_eq!(plain.code, Some(1));
}

#[test]
fn passwords_are_asked_for_and_shown() {
    let directory = Directory::new();
    let (known, right) = (directory.path("known"), directory.path("right"));
    fs::write(&known, "ann:secret\n").unwrap();
    fs::write(&right, "secret\n").unwrap();
    let mut service = Running::start(&["serve", FREE, "--passwords", &known, "--", "/bin/echo"]);
    let address = service.address();
    let run = zrpc(&["--plain", &format!("ann:{right}"), &address, "echo", "hi"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(0), "'hi'\n"),
        "{}",
        run.stderr
    );
    let wrong = format!("bob:{right}");
    assert_eq!(
        zrpc(&["--plain", &wrong, "--timeout", "1", &address, "echo"]).code,
        Some(1)
    );
}

#[test]
fn what_cannot_be_served_is_refused() {
    let empty = Directory::new();
    let twice = Directory::new();
    script(&twice, "a.sh", "");
    script(&twice, "a.py", "");
    let secret = empty.path("none");
    for (line, code, expected) in [
        (&["serve", FREE][..], 2, "nothing to serve"),
        (&["serve", "--", "/bin/echo"], 2, "no address"),
        (&["serve", FREE, "--directory", empty.root()], 1, "chmod +x"),
        (
            &["serve", FREE, "--directory", twice.root()],
            1,
            "both be the method a",
        ),
        (&["serve", "here", "--", "/bin/echo"], 1, "here"),
        (
            &["serve", FREE, "--any-key", "--", "/bin/echo"],
            1,
            "--curve-secret",
        ),
        (
            &[
                "serve",
                FREE,
                "--curve-secret",
                &secret,
                "--any-key",
                "--",
                "x",
            ],
            1,
            "cannot read",
        ),
    ] {
        let run = zrpc(line);
        assert_eq!(run.code, Some(code), "{line:?}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{line:?}: {}", run.stderr);
    }
}

/// Whether a process is there and has not ended.
fn is_alive(pid: i32) -> bool {
    let process = Pid::from_raw(pid).unwrap();
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    test_kill_process(process).is_ok() && !state.contains(") Z ")
}

async fn until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < TOO_LONG, "it does not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
