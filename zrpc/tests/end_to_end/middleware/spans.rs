//! Spans, log lines and the trace context.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use tracing_subscriber::fmt::format::FmtSpan;
use zrpc::middleware::{
    ClientRequest, HeaderEntries, HookFuture, Logging, Middleware, ServerReply, ServerRequest,
    TraceContext, Tracing,
};
use zrpc::{Client, Fault, Server};

use crate::support::{in_time, pair, pair_with};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

thread_local! {
    /// What was logged on this thread, where callers and handlers of a test run.
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes what is logged on a thread where only its test reads it.
struct OwnThread;

impl io::Write for OwnThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what is logged from here on. It is the same for all tests, because `tracing` remembers for
/// each line of code whether anybody wants to hear of it.
fn collect() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_env_filter("off,end_to_end=debug,zrpc::calls=debug")
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(|| OwnThread)
            .init();
    });
    LINES.with_borrow_mut(Vec::clear);
}

/// Returns the lines with this text in them.
fn lines_with(text: &str) -> Vec<String> {
    let all = LINES.with_borrow(|bytes| String::from_utf8(bytes.clone()).unwrap());
    let found = all.lines().filter(|line| line.contains(text));
    found.map(str::to_owned).collect()
}

/// A server whose method gives its trace and span id.
fn traced() -> zrpc::ServerBuilder {
    Server::builder()
        .middleware(Tracing::new())
        .method("trace", |(): ()| async {
            tracing::info!("in the handler");
            let context = TraceContext::current().unwrap();
            (
                context.trace_id().to_string(),
                context.span_id().to_string(),
            )
        })
        .method("fail", |(): ()| async {
            Err::<(), _>(Fault::new("ValueError", "private detail"))
        })
}

#[tokio::test]
async fn a_handler_continues_the_trace_of_its_caller() {
    let (_server, client) = pair(traced()).await;
    let request = client.request("trace", ()).header("traceparent", PARENT);
    let (trace, span): (String, String) = in_time(request.call()).await.unwrap();
    assert_eq!(trace, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_ne!(span, "00f067aa0ba902b7");
}

#[tokio::test]
async fn a_trace_context_that_is_garbage_begins_a_new_trace() {
    let (_server, client) = pair(traced()).await;
    let zero = "00-00000000000000000000000000000000-0000000000000000-00";
    for garbage in ["", "garbage", &PARENT[..54], zero, &"0".repeat(10_000)] {
        let request = client.request("trace", ()).header("traceparent", garbage);
        let (trace, _): (String, String) = in_time(request.call()).await.unwrap();
        assert_eq!(trace.len(), 32);
        assert_ne!(trace, zero[3..35]);
    }
    let request = client.request("trace", ()).header("traceparent", &7);
    let (trace, _): (String, String) = in_time(request.call()).await.unwrap();
    assert_eq!(trace.len(), 32);
}

#[tokio::test]
async fn one_trace_spans_all_servers_along_the_way() {
    collect();
    let client = || Client::builder().middleware(Tracing::new());
    let (_inner, next) = pair_with(traced(), client()).await;
    let outer = Server::builder()
        .middleware(Tracing::new())
        .method("relay", move |(): ()| {
            let next = next.clone();
            async move { next.call::<(String, String)>("trace", ()).await }
        });
    let (_outer, client) = pair_with(outer, client()).await;
    let (trace, span): (String, String) = in_time(client.call("relay", ())).await.unwrap();

    // A client and a server of each hop.
    let closed = lines_with("close");
    assert_eq!(closed.len(), 4, "{closed:#?}");
    for line in &closed {
        assert!(line.contains(&format!("trace_id={trace}")), "{line}");
    }
    // Each but the first says what caused it.
    let causes = closed
        .iter()
        .filter(|line| line.contains("parent_span_id="));
    assert_eq!(causes.count(), 3);
    let handler = lines_with("in the handler");
    let in_span = format!("span_id={span}");
    assert!(handler[0].contains(&in_span), "{handler:?}");
}

#[tokio::test]
async fn a_program_can_be_part_of_a_trace_that_began_elsewhere() {
    let client = Client::builder().middleware(Tracing::new());
    let (_server, client) = pair_with(traced(), client).await;
    let context = TraceContext::parse(PARENT, Some("vendor=1")).unwrap();
    let call = client.call::<(String, String)>("trace", ());
    let (trace, _) = in_time(context.scope(call).unwrap()).await.unwrap();
    assert_eq!(trace, context.trace_id().to_string());
}

#[tokio::test]
async fn spans_and_log_lines_say_what_failed_and_nothing_of_its_content() {
    collect();
    let server = traced().middleware(Logging::new());
    let client = Client::builder()
        .middleware(Tracing::new())
        .middleware(Logging::new());
    let (_server, client) = pair_with(server, client).await;
    in_time(client.call::<()>("fail", ())).await.unwrap_err();
    in_time(client.call::<(String, String)>("trace", ()))
        .await
        .unwrap();

    let spans = lines_with("error.type=\"ValueError\"");
    assert!(
        spans.iter().any(|line| line.contains("zrpc.server")),
        "{spans:#?}"
    );
    assert!(
        spans.iter().any(|line| line.contains("zrpc.client")),
        "{spans:#?}"
    );
    let failed = lines_with("call failed");
    assert_eq!(failed.len(), 2, "{failed:#?}");
    assert!(
        failed
            .iter()
            .all(|line| line.contains("error=\"ValueError\""))
    );
    assert_eq!(lines_with("call was answered").len(), 2);
    assert!(lines_with("private detail").is_empty());
}

/// Fails calls whose methods succeeded, and lets some requests not out.
struct Strict;

impl Middleware for Strict {
    fn server_after_exec<'a>(
        &'a self,
        _: &'a mut ServerRequest,
        _: Option<&'a mut ServerReply>,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(Err(Fault::new("Refused", "after all")))
    }

    fn client_before_request<'a>(
        &'a self,
        request: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::ready(match request.method() {
            "secret" => Err(Fault::new("PermissionError", "not out")),
            _ => Ok(()),
        })
    }
}

#[tokio::test]
async fn each_call_is_logged_once_however_it_ends() {
    collect();
    let server = traced().middleware(Logging::new()).middleware(Strict);
    let (server, client) = pair(server).await;
    in_time(client.call::<(String, String)>("trace", ()))
        .await
        .unwrap_err();
    assert_eq!(lines_with("call failed").len(), 1);
    assert!(lines_with("call was answered").is_empty());
    let careful = Client::builder()
        .middleware(Logging::new())
        .middleware(Strict)
        .connect(&server.endpoints()[0]);
    let careful = careful.build().await.unwrap();
    in_time(careful.call::<()>("secret", ())).await.unwrap_err();
    assert_eq!(lines_with("call was not sent").len(), 1);
    assert!(lines_with("caller is gone").is_empty());
}

#[tokio::test]
async fn no_call_fails_because_there_is_no_room_for_its_trace() {
    let client = Client::builder().middleware(Tracing::new());
    let server = Server::builder().method("one", |(): ()| async { 1 });
    let (_server, client) = pair_with(server, client).await;
    let long = "x".repeat(HeaderEntries::MAX_LEN - 32);
    let request = client.request("one", ()).header("long", &long);
    assert_eq!(in_time(request.call::<u8>()).await, Ok(1));
}

#[tokio::test]
async fn what_callers_make_up_is_no_warning_and_not_logged_in_full() {
    collect();
    let server =
        traced()
            .middleware(Logging::new())
            .authorize(|call: &zrpc::CallContext| match call.method() {
                "fail" => Err(Fault::new("PermissionError", "not for you")),
                _ => Ok(()),
            });
    let (_server, client) = pair(server).await;
    let long = "x".repeat(10_000);
    in_time(client.call::<()>(&long, ())).await.unwrap_err();
    in_time(client.call::<()>("fail", ())).await.unwrap_err();
    in_time(client.call::<()>("trace", (1, 2, 3)))
        .await
        .unwrap_err();
    let refused = lines_with("call refused");
    assert_eq!(refused.len(), 3, "{refused:#?}");
    assert!(refused.iter().all(|line| line.contains("DEBUG")));
    assert!(lines_with(&"x".repeat(65)).is_empty());
    assert!(lines_with("call failed").is_empty());
}
