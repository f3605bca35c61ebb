//! The `zerorpc` command line of Python and our server.

use interop::{Failure, Output, Python, TestResult, run_to_end};

use crate::{
    our_service::{Served, serve},
    support::{printed, python},
};

/// Runs `zerorpc <options> <endpoint> <command> <params>`.
async fn zerorpc(
    python: &Python,
    options: &[&str],
    server: &Served,
    rest: &[&str],
) -> Result<Output, Failure> {
    let mut command = python.command("zerorpc_command.py");
    command.args(options).arg(&server.endpoint).args(rest);
    Ok(run_to_end(command).await?)
}

#[tokio::test]
async fn results_and_streams_are_printed() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;

    let hello = printed(zerorpc(python, &[], &server, &["hello", "RPC"]).await?);
    assert_eq!(hello, "'Hello, RPC'\n");
    let sum = printed(zerorpc(python, &["-j"], &server, &["add", "2", "40"]).await?);
    assert_eq!(sum, "42\n");
    let items = printed(zerorpc(python, &["-j", "-pj"], &server, &["count", "100000"]).await?);
    assert!(items.starts_with("[0,1,2,"), "{:.200}", items);
    assert!(items.ends_with(",99999]"), "{} bytes", items.len());
    Ok(())
}

#[tokio::test]
async fn an_error_is_shown_as_a_remote_error() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;

    let failed = zerorpc(python, &[], &server, &["fail", "because"]).await?;

    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("RemoteError"), "{failed:?}");
    assert!(failed.stderr.contains("because"), "{failed:?}");
    Ok(())
}

#[tokio::test]
async fn methods_are_listed_with_their_documentation() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;

    let listed = printed(zerorpc(python, &[], &server, &[]).await?);
    assert!(listed.starts_with("[Probe]\n"), "{listed}");
    let line = listed.lines().find(|line| line.starts_with("hello "));
    assert!(
        line.is_some_and(|line| line.ends_with("Greets somebody.")),
        "{listed}"
    );
    let signatures = printed(zerorpc(python, &["-?"], &server, &[]).await?);
    assert!(
        signatures.lines().any(|line| line == "add(a, b=1)"),
        "{signatures}"
    );
    let described = printed(zerorpc(python, &["-?"], &server, &["hello"]).await?);
    assert_eq!(
        described,
        "[Probe]\nhello(name)\n\nGreets somebody.\n\nThe greeting is in English.\n\n"
    );
    Ok(())
}

// Q11.
#[tokio::test]
async fn its_passive_heartbeat_survives_a_long_call() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;

    let answer = printed(
        zerorpc(
            python,
            &["-j", "--heartbeat", "1", "--timeout", "20"],
            &server,
            &["block", "4.5"],
        )
        .await?,
    );

    assert_eq!(answer, "4.5\n");
    Ok(())
}
