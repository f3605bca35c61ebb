//! The order of the hooks is that of Python's zerorpc.

use std::time::Duration;

use zrpc::{CallError, Client, Heartbeat, RemoteError, Server};

use super::recorder::Recorder;
use crate::support::{in_time, pair_with};

const BEGIN: [&str; 3] = [
    "C.get_task_context",
    "C.client_before_request",
    "S.load_task_context",
];

fn order(rest: &[&'static str]) -> Vec<&'static str> {
    [&BEGIN, rest].concat()
}

async fn recorded() -> (Recorder, Server, Client) {
    let recorder = Recorder::default();
    let (server, client) = pair_with(recorder.service(), recorder.client()).await;
    (recorder, server, client)
}

#[tokio::test]
async fn hooks_of_a_call_run_in_the_order_of_python() {
    let (recorder, _server, client) = recorded().await;
    let expected = order(&[
        "S.server_before_exec",
        "method",
        "S.get_task_context",
        "S.server_after_exec",
        "C.client_patterns_list",
        "C.client_after_request(completed)",
    ]);
    for method in ["echo", "slow"] {
        assert_eq!(in_time(client.call::<u8>(method, (7,))).await, Ok(7));
        assert_eq!(recorder.take(), expected, "{method}");
    }
}

#[tokio::test]
async fn hooks_of_a_failed_call_run_in_the_order_of_python() {
    let (recorder, _server, client) = recorded().await;
    let failed = |exception| {
        order(&[
            "S.server_before_exec",
            "S.get_task_context",
            "S.get_task_context",
            exception,
            "C.client_patterns_list",
            "C.client_handle_remote_error",
            "C.client_after_request(remote error)",
        ])
    };
    for (method, name, exception) in [
        (
            "fail",
            "ValueError",
            "S.server_inspect_exception(ValueError)",
        ),
        (
            "panic",
            "RuntimeError",
            "S.server_inspect_exception(RuntimeError)",
        ),
        ("slow", "TypeError", "S.server_inspect_exception(TypeError)"),
    ] {
        let error = in_time(client.call::<()>(method, ())).await.unwrap_err();
        assert!(
            matches!(&error, CallError::Remote(remote) if remote.name == name),
            "{error}"
        );
        assert_eq!(recorder.take(), failed(exception), "{method}");
    }
}

#[tokio::test]
async fn hooks_of_an_unknown_method_run_in_the_order_of_python() {
    let (recorder, _server, client) = recorded().await;
    let error = in_time(client.call::<()>("nothing", ())).await.unwrap_err();
    // Q25
    let remote = RemoteError::new("NameError", "nothing");
    assert_eq!(error, CallError::Remote(remote));
    assert_eq!(
        recorder.take(),
        order(&[
            "S.get_task_context",
            "S.get_task_context",
            "S.server_inspect_exception(NameError)",
            "C.client_patterns_list",
            "C.client_handle_remote_error",
            "C.client_after_request(remote error)",
        ])
    );
}

#[tokio::test]
async fn hooks_of_a_stream_run_in_the_order_of_python() {
    let (recorder, _server, client) = recorded().await;
    let mut items = client.stream::<u8>("count", (2,)).await.unwrap();
    while in_time(items.next_item()).await.unwrap().is_some() {}
    // The two sides run at the same time from the first item on.
    let calls = recorder.take();
    let of_server = |call: &&str| call.starts_with("S.") || *call == "item";
    let (server, client): (Vec<_>, Vec<_>) = calls.iter().map(String::as_str).partition(of_server);
    assert_eq!(
        server,
        [
            "S.load_task_context",
            "S.server_before_exec",
            "S.get_task_context",
            "item",
            "item",
            "S.server_after_exec"
        ]
    );
    assert_eq!(
        client,
        [
            "C.get_task_context",
            "C.client_before_request",
            "C.client_patterns_list",
            "C.client_after_request(completed)"
        ]
    );
}

#[tokio::test]
async fn a_blocking_stream_has_the_hooks_of_a_stream() {
    let (recorder, _server, client) = recorded().await;
    let mut items = client.stream::<u8>("count_slowly", (0,)).await.unwrap();
    assert_eq!(in_time(items.next_item()).await, Ok(None));
    assert_eq!(
        recorder.take(),
        order(&[
            "S.server_before_exec",
            "S.get_task_context",
            "S.server_after_exec",
            "C.client_patterns_list",
            "C.client_after_request(completed)",
        ])
    );
}

#[tokio::test]
async fn a_call_that_is_not_answered_has_its_last_hook() {
    let (recorder, server, client) = recorded().await;
    let timeout = client
        .request("hang", ())
        .timeout(Duration::from_millis(100));
    in_time(timeout.call::<()>()).await.unwrap_err();
    let after = recorder.take();
    assert_eq!(after.last().unwrap(), "C.client_after_request(timeout)");

    // Python's client says nothing of servers that it lost.
    let lost = tokio::spawn({
        let client = client.clone();
        async move { client.call::<()>("hang", ()).await }
    });
    while recorder.calls.lock().unwrap().len() < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(server);
    in_time(lost).await.unwrap().unwrap_err();
    let after = recorder.take();
    assert_eq!(
        after.last().unwrap(),
        "C.client_after_request(disconnected)"
    );
    assert!(!after.iter().any(|call| call.contains("inspect")));
}

#[tokio::test]
async fn a_silent_server_has_its_last_hook() {
    let recorder = Recorder::default();
    let client = recorder
        .client()
        .bind("tcp://127.0.0.1:*")
        .heartbeat(Heartbeat::every(Duration::from_millis(50)))
        .build()
        .await
        .unwrap();
    let error = in_time(client.call::<()>("hang", ())).await.unwrap_err();
    assert!(matches!(error, CallError::LostRemote { .. }), "{error}");
    let after = recorder.take();
    assert_eq!(after.last().unwrap(), "C.client_after_request(lost remote)");
}

#[tokio::test]
async fn what_is_dropped_has_its_last_hook_once() {
    let (recorder, _server, client) = recorded().await;
    // Python's client says nothing of streams that are given up.
    let mut items = client.stream::<u8>("count", (200,)).await.unwrap();
    assert_eq!(in_time(items.next_item()).await, Ok(Some(0)));
    drop(items);
    let of_client = |calls: Vec<String>| -> Vec<String> {
        calls
            .into_iter()
            .filter(|call| call.starts_with('C'))
            .collect()
    };
    assert_eq!(
        of_client(recorder.take()),
        [
            "C.get_task_context",
            "C.client_before_request",
            "C.client_patterns_list",
            "C.client_after_request(dropped)"
        ]
    );
    let unread = client.stream::<u8>("count", (200,)).await.unwrap();
    drop(unread);
    let calls = of_client(recorder.take());
    assert_eq!(calls.last().unwrap(), "C.client_after_request(dropped)");
    assert_eq!(calls.len(), 3);
}

#[tokio::test]
async fn a_call_that_is_answered_with_something_else_fails_once() {
    let (recorder, _server, client) = recorded().await;
    let error = in_time(client.call::<u8>("count", (3,))).await.unwrap_err();
    assert!(
        matches!(error, CallError::UnexpectedStream { .. }),
        "{error}"
    );
    let calls = recorder.take();
    let ends: Vec<_> = calls
        .iter()
        .filter(|call| call.contains("after_request"))
        .collect();
    assert_eq!(ends, ["C.client_after_request(unexpected stream)"]);

    in_time(client.call::<String>("echo", (3,)))
        .await
        .unwrap_err();
    let calls = recorder.take();
    assert_eq!(calls.last().unwrap(), "C.client_after_request(decode)");
}

#[tokio::test]
async fn clones_of_a_client_share_its_middleware() {
    let (recorder, _server, client) = recorded().await;
    let clone = client.clone();
    drop(client);
    assert_eq!(in_time(clone.call::<u8>("echo", (7,))).await, Ok(7));
    assert!(!recorder.take().is_empty());
}
