//! The `zrpc` command and an unmodified `zerorpc.Server`.

use interop::{Failure, Output, Peer, TestResult, run_to_end, zrpc_command};
use serde_json::json;

use crate::support::{printed, python, python_server};

/// Runs `zrpc <options> <endpoint> <command> <params>`.
async fn zrpc(options: &[&str], server: &Peer, rest: &[&str]) -> Result<Output, Failure> {
    let mut command = zrpc_command()?;
    command.args(options).arg(server.endpoint()?).args(rest);
    Ok(run_to_end(command).await?)
}

#[tokio::test]
async fn a_result_is_printed_as_python_prints_it() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;

    let hello = printed(zrpc(&[], &server, &["hello", "RPC"]).await?);
    assert_eq!(hello, "'Hello, RPC'\n");
    let sum = printed(zrpc(&["-j"], &server, &["add", "2", "40"]).await?);
    assert_eq!(sum, "42\n");
    let json = printed(zrpc(&["-j", "-pj"], &server, &["echo", r#"{"a":[1,null]}"#]).await?);
    assert_eq!(json, r#"{"a": [1, null]}"#);
    Ok(())
}

#[tokio::test]
async fn a_stream_is_printed_item_by_item() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;

    let lines = printed(zrpc(&["-j"], &server, &["count", "3"]).await?);
    assert_eq!(lines, "0\n1\n2\n");
    let json = printed(zrpc(&["-j", "-pj"], &server, &["count", "3"]).await?);
    assert_eq!(json, "[0,1,2]");
    let many = printed(zrpc(&["-j"], &server, &["count", "100000"]).await?);
    assert_eq!(many.lines().count(), 100_000);
    assert_eq!(many.lines().last(), Some("99999"));
    Ok(())
}

#[tokio::test]
async fn an_exception_is_shown_on_standard_error_and_ends_with_one() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;

    let failed = zrpc(&[], &server, &["fail", "because"]).await?;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert_eq!(failed.stdout, "");
    assert!(failed.stderr.contains("ValueError"), "{failed:?}");
    assert!(failed.stderr.contains("because"), "{failed:?}");

    let unknown = zrpc(&[], &server, &["no_such_method"]).await?;
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.stderr.contains("no_such_method"), "{unknown:?}");
    Ok(())
}

#[tokio::test]
async fn methods_are_listed_whether_the_server_can_inspect_itself_or_not() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for getargspec in ["restored", "removed"] {
        let server = python_server(python, json!({"getargspec": getargspec})).await?;

        let listed = printed(zrpc(&[], &server, &[]).await?);

        assert!(listed.starts_with("[Probe]\n"), "{getargspec}: {listed}");
        let line = listed.lines().find(|line| line.starts_with("hello "));
        assert!(
            line.is_some_and(|line| line.ends_with("Greets somebody.")),
            "{getargspec}: {listed}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn signatures_are_shown_as_far_as_the_server_knows_them() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"getargspec": "restored"})).await?;
    let described = printed(zrpc(&["-?"], &server, &["add"]).await?);
    assert!(described.contains("add(self, a, b=1)"), "{described}");
    assert!(described.contains("Adds two numbers."), "{described}");

    let server = python_server(python, json!({"getargspec": "removed"})).await?;
    let described = printed(zrpc(&["-?"], &server, &["add"]).await?);
    assert!(described.contains("add("), "{described}");
    assert!(described.contains("Adds two numbers."), "{described}");
    Ok(())
}

#[tokio::test]
async fn a_call_that_takes_too_long_ends_with_one() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;

    let late = zrpc(&["-j", "--timeout", "1"], &server, &["wait", "20"]).await?;

    assert_eq!(late.code, Some(1), "{late:?}");
    assert!(late.stderr.contains("timeout after 1s"), "{late:?}");
    Ok(())
}
