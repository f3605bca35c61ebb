//! The two command lines side by side: the same words, the same output, the same exit code.
//!
//! Python's works on the versions before 3.10 alone; the newest of them that the machine has is
//! compared with.

use std::{io, process::Stdio};

use interop::{Failure, Output, Python, TestResult, python_of_version, run_to_end, zrpc_command};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::support::{printed, python_server};

/// The versions on which Python's command prints results, the newest first.
const WORKING: [&str; 3] = ["3.9", "3.8", "3.7"];

/// Options, and what stands behind the address.
const TRANSCRIPT: &[(&[&str], &[&str])] = &[
    (&[], &[]),
    (&["-?"], &[]),
    (&["--inspect"], &["add"]),
    (&["-?"], &["count"]),
    (&["-?"], &["no_such_method"]),
    (&[], &["hello", "RPC"]),
    (&[], &["hello", "d\u{e9}j\u{e0} vu \u{1f980}"]),
    (&["--client"], &["hello", "it's \"both\""]),
    (&[], &["arguments", "1", "x", ""]),
    (&["-j"], &["arguments", "1", "1.5", "\"x\"", "[]", "null"]),
    (&["-j"], &["add", "-2", "40"]),
    (&["-j"], &["add", "--", "-2", "40"]),
    (
        &["--json", "--print-json"],
        &["echo", "{\"b\": [1, null, true], \"a\": \"\\u00e9\"}"],
    ),
    (
        &["-j", "-pj"],
        &["echo", "[NaN, 1e400, 1e16, 0.1, 18446744073709551615]"],
    ),
    (
        &["-j"],
        &["echo", "[NaN, 1e400, 1e16, 0.1, 18446744073709551615]"],
    ),
    (
        &["-j"],
        &[
            "echo",
            "{\"key\": [\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\", {\"c\": \"dddddddddddddddddddd\"}]}",
        ],
    ),
    (&["-pj"], &["echo", "line\nend\t\"quoted\" \u{e9}"]),
    (&["-j"], &["types"]),
    (&[], &["nothing"]),
    (&["-pj"], &["nothing"]),
    (&["-j"], &["count", "5"]),
    (&["-j", "-pj"], &["count", "5"]),
    (&["-j"], &["count", "0"]),
    (&["-j", "-pj"], &["count", "0"]),
    (&[], &["no_items"]),
    (&["--ti", "5", "--heart", "5"], &["hello", "abbreviated"]),
    (&["--active-hb"], &["hello", "RPC"]),
    (&[], &["fail", "because"]),
    (&["-pj"], &["fail", "because"]),
    (&[], &["no_such_method"]),
    (&["-j"], &["hello", "bad json"]),
    (&["-j"], &["echo", "[1,]"]),
    (&["-j", "--timeout", "1"], &["wait", "20"]),
    (&["--timeout", "x"], &["hello", "RPC"]),
    (&["--nonsense"], &["hello", "RPC"]),
    (&["--client", "--server"], &["hello", "RPC"]),
];

#[tokio::test]
async fn both_commands_print_the_same_and_end_the_same() -> TestResult {
    let Some(python) = working().await? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let address = server.endpoint()?;
    for (options, rest) in TRANSCRIPT {
        let line = [options, &[address][..], rest].concat();
        compare(python, &line).await?;
    }
    // The address may be an option, and then everything behind it moves up.
    compare(python, &["--connect", address, "hello", "RPC"]).await?;
    compare(python, &["-j", "--connect", address, "add", "1", "2"]).await?;
    compare(python, &["--connect", address]).await?;
    Ok(())
}

#[tokio::test]
async fn without_an_address_both_end_with_255() -> TestResult {
    let Some(python) = working().await? else {
        return Ok(());
    };
    let (theirs, ours) = both(python, &[]).await?;
    assert_eq!((theirs.code, ours.code), (Some(255), Some(255)));
    Ok(())
}

#[tokio::test]
async fn their_command_calls_the_programs_that_ours_serves() -> TestResult {
    let Some(python) = working().await? else {
        return Ok(());
    };
    let (_service, address) = serve_program(&["--method", "say", "--", "/bin/echo", "-n"]).await?;
    let said = printed(zerorpc(python, &[&address, "say", "hi", "there"]).await?);
    assert_eq!(said, "'hi there'\n");
    let listed = printed(zerorpc(python, &[&address]).await?);
    assert_eq!(listed, "[zrpc]\nsay Runs echo.\n");

    let line = [
        "--result",
        "json-lines",
        "--params",
        "json",
        "--",
        "/bin/cat",
    ];
    let (_service, address) = serve_program(&line).await?;
    let items = printed(zerorpc(python, &["-j", "-pj", &address, "cat", "1", "[2]"]).await?);
    assert_eq!(items, "[[1, [2]]]");

    let (_service, address) = serve_program(&["--", "/bin/false"]).await?;
    let failed = zerorpc(python, &[&address, "false"]).await?;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(
        failed
            .stderr
            .contains("CalledProcessError: false exited with 1"),
        "{failed:?}"
    );
    Ok(())
}

// Q13: on Python 2 even names and documentation are binary, with which Python 3's command fails.
#[tokio::test]
async fn our_command_lists_and_calls_a_service_of_python_2() -> TestResult {
    let found = tokio::task::spawn_blocking(|| python_of_version("2.7")).await??;
    let Some(python) = found else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let address = server.endpoint()?;
    let listed = printed(zrpc(&[address]).await?);
    assert!(listed.starts_with("[Probe]\n"), "{listed}");
    assert!(
        listed.contains("\nadd") && listed.contains(" Adds two numbers.\n"),
        "{listed}"
    );
    let described = printed(zrpc(&["-?", address, "add"]).await?);
    assert_eq!(
        described,
        "[Probe]\nadd(self, a, b=1)\n\nAdds two numbers.\n\n"
    );
    let hello = printed(zrpc(&["-pj", address, "hello", "RPC"]).await?);
    assert_eq!(hello, "\"Hello, RPC\"");
    let failed = zrpc(&[address, "fail", "because"]).await?;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(
        failed.stderr.contains("zrpc: ValueError: because\n"),
        "{failed:?}"
    );
    Ok(())
}

async fn working() -> Result<Option<&'static Python>, Failure> {
    for version in WORKING {
        let python = tokio::task::spawn_blocking(move || python_of_version(version)).await??;
        if python.is_some() {
            return Ok(python);
        }
    }
    Ok(None)
}

async fn zerorpc(python: &Python, line: &[&str]) -> Result<Output, Failure> {
    let mut command = python.command("zerorpc_command.py");
    command.args(line);
    Ok(run_to_end(command).await?)
}

async fn zrpc(line: &[&str]) -> Result<Output, Failure> {
    let mut command = zrpc_command()?;
    command.args(line);
    Ok(run_to_end(command).await?)
}

async fn both(python: &Python, line: &[&str]) -> Result<(Output, Output), Failure> {
    Ok((zerorpc(python, line).await?, zrpc(line).await?))
}

/// Asserts that both print the same on stdout, to the last byte, and end with the same code; and
/// that they tell the same of the address, unless they do not get that far.
async fn compare(python: &Python, line: &[&str]) -> TestResult {
    let (theirs, ours) = both(python, line).await?;
    assert_eq!(ours.stdout, theirs.stdout, "{line:?}\n{theirs:?}\n{ours:?}");
    assert_eq!(ours.code, theirs.code, "{line:?}\n{theirs:?}\n{ours:?}");
    if theirs.code == Some(0) {
        assert_eq!(ours.stderr, theirs.stderr, "{line:?}");
    }
    Ok(())
}

/// Starts `zrpc serve` on a free port.
async fn serve_program(line: &[&str]) -> Result<(Child, String), Failure> {
    let mut command = zrpc_command()?;
    command.args(["serve", "tcp://127.0.0.1:*"]).args(line);
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = child
        .stderr
        .take()
        .ok_or_else(|| io::Error::other("there is no stderr"))?;
    let first = BufReader::new(stderr).lines().next_line().await?;
    let address = first.as_deref().and_then(|line| line.split('"').nth(1));
    let address = address.ok_or_else(|| io::Error::other(format!("no address: {first:?}")))?;
    Ok((child, address.to_owned()))
}
