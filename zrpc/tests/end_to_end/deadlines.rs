//! How long callers wait is known to those whom they call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::sync::Semaphore;
use zmtp::{DealerSocket, Message, Part, Socket};
use zrpc::middleware::{ClientRequest, HookFuture, Middleware};
use zrpc::{CallContext, CallError, Client, Fault, Server, ServerBuilder};

use crate::support::{Counter, in_time, pair, pair_with};

/// What is left until the deadline of the call, in milliseconds.
fn left() -> Option<u64> {
    let deadline = CallContext::current()?.deadline()?;
    let left = deadline.saturating_duration_since(Instant::now());
    u64::try_from(left.as_millis()).ok()
}

fn service() -> ServerBuilder {
    Server::builder()
        .method("left", |(): ()| async { left() })
        .blocking("left_thread", |(): ()| left())
}

#[tokio::test]
async fn a_method_knows_how_long_its_caller_waits() {
    let (_server, client) = pair(service()).await;
    for method in ["left", "left_thread"] {
        let request = client.request(method, ()).timeout(Duration::from_secs(25));
        let left = in_time(request.call::<Option<u64>>()).await.unwrap();
        assert!(
            left.is_some_and(|left| (1..=25_000).contains(&left)),
            "{left:?}"
        );
        let request = client.request(method, ()).no_timeout();
        assert_eq!(in_time(request.call::<Option<u64>>()).await, Ok(None));
    }
}

#[tokio::test]
async fn nested_calls_inherit_what_is_left() {
    let (_inner, nested) = pair(service()).await;
    let outer = Server::builder()
        .method("ask", {
            let nested = nested.clone();
            move |(): ()| {
                let nested = nested.clone();
                async move {
                    let longer = nested
                        .request("left", ())
                        .timeout(Duration::from_secs(3600));
                    let shorter = nested.request("left", ()).timeout(Duration::from_secs(10));
                    let free = nested.request("left", ()).no_timeout();
                    Ok::<_, CallError>((
                        longer.call::<Option<u64>>().await?,
                        shorter.call::<Option<u64>>().await?,
                        free.call::<Option<u64>>().await?,
                    ))
                }
            }
        })
        .stream("ask_often", move |(): ()| {
            let nested = nested.clone();
            futures_util::stream::iter(0..2).then(move |_| {
                let nested = nested.clone();
                async move { nested.call::<Option<u64>>("left", ()).await }
            })
        });
    let (_outer, client) = pair(outer).await;
    let request = client.request("ask", ()).timeout(Duration::from_secs(20));
    let (longer, shorter, free): (Option<u64>, Option<u64>, Option<u64>) =
        in_time(request.call()).await.unwrap();
    assert!(longer.is_some_and(|left| left <= 20_000), "{longer:?}");
    assert!(shorter.is_some_and(|left| left <= 10_000), "{shorter:?}");
    assert_eq!(free, None);
    // Before the first item somebody waits for it, and then for as long as it takes.
    let request = client.request("ask_often", ());
    let mut items = request
        .timeout(Duration::from_secs(20))
        .stream::<Option<u64>>()
        .await
        .unwrap();
    let first = in_time(items.next_item()).await.unwrap().flatten();
    assert!(first.is_some_and(|left| left <= 20_000), "{first:?}");
    let second = in_time(items.next_item()).await.unwrap().flatten();
    assert!(second.is_some_and(|left| left > 20_000), "{second:?}");
}

#[tokio::test]
async fn a_call_whose_caller_has_given_up_is_not_passed_on() {
    let asked = Counter::new();
    let count = asked.clone();
    let inner = Server::builder().method("count", move |(): ()| {
        count.count();
        async {}
    });
    let (_inner, nested) = pair(inner).await;
    let (report, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let outer = Server::builder().blocking("late", move |(): ()| {
        let context = CallContext::current().unwrap();
        // Long enough for the caller to give up, of which a thread hears when it asks.
        while context
            .deadline()
            .is_some_and(|deadline| Instant::now() < deadline)
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        let runtime = tokio::runtime::Handle::current();
        let outcome = runtime.block_on(nested.call::<()>("count", ()));
        report.send(outcome).unwrap();
    });
    let (_outer, client) = pair(outer).await;
    in_time(client.connected()).await.unwrap();
    let request = client.request("late", ()).timeout(Duration::from_secs(1));
    in_time(request.call::<()>()).await.unwrap_err();
    let outcome = in_time(reports.recv()).await.unwrap();
    assert!(
        matches!(outcome, Err(CallError::Timeout { .. })),
        "{outcome:?}"
    );
    assert_eq!(asked.pending(), 0);
}

/// Takes as long as it is told, and then lets the request out.
struct Slow(Duration);

impl Middleware for Slow {
    fn client_before_request<'a>(
        &'a self,
        _: &'a mut ClientRequest,
    ) -> HookFuture<'a, Result<(), Fault>> {
        HookFuture::new(async {
            tokio::time::sleep(self.0).await;
            Ok(())
        })
    }
}

#[tokio::test]
async fn hooks_take_of_the_time_that_is_left() {
    let asked = Counter::new();
    let count = asked.clone();
    let inner = Server::builder().method("count", move |(): ()| {
        count.count();
        async {}
    });
    let slow = Client::builder().middleware(Slow(Duration::from_millis(1300)));
    let (_inner, nested) = pair_with(inner, slow).await;
    let (report, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let outer = Server::builder().blocking("late", move |(): ()| {
        let runtime = tokio::runtime::Handle::current();
        let outcome = runtime.block_on(nested.call::<()>("count", ()));
        report.send(outcome).unwrap();
    });
    let (_outer, client) = pair(outer).await;
    in_time(client.connected()).await.unwrap();
    let request = client.request("late", ()).timeout(Duration::from_secs(1));
    in_time(request.call::<()>()).await.unwrap_err();
    let outcome = in_time(reports.recv()).await.unwrap();
    assert!(
        matches!(outcome, Err(CallError::Timeout { .. })),
        "{outcome:?}"
    );
    assert_eq!(asked.pending(), 0);
}

#[tokio::test]
async fn a_call_that_waited_past_its_deadline_never_runs() {
    let (begun, gate) = (Counter::new(), Arc::new(Semaphore::new(0)));
    let (begin, opened) = (begun.clone(), Arc::clone(&gate));
    let server = Server::builder()
        .max_concurrency(1)
        .method("work", move |(): ()| {
            begin.count();
            let gate = Arc::clone(&opened);
            async move { gate.acquire().await.unwrap().forget() }
        })
        .bind("tcp://127.0.0.1:*");
    let server = server.build().await.unwrap();
    let first = Client::connect(&server.endpoints()[0]).await.unwrap();
    let busy = tokio::spawn(async move { first.call::<()>("work", ()).await });
    begun.wait_for(1).await;
    // A client of another kind, which does not say that it gives up.
    let mut second = DealerSocket::new();
    second.connect(&server.endpoints()[0]).await.unwrap();
    let patience = Duration::from_millis(50);
    for request in [
        &b"\x93\x83\xaamessage_id\xa1a\xa1v\x03\xac_zpc_timeout\x32\xa4work\x90"[..],
        b"\x93\x82\xaamessage_id\xa1b\xa1v\x03\xad_zerorpc_name\x90",
    ] {
        let message = Message::from([Part::new(), Part::from(request)]);
        in_time(second.send(message)).await.unwrap();
    }
    // The reply to the second request says that the first has come.
    in_time(second.recv()).await.unwrap();
    tokio::time::sleep(patience).await;
    gate.add_permits(1);
    in_time(busy).await.unwrap().unwrap();
    gate.add_permits(1);
    let third = Client::connect(&server.endpoints()[0]).await.unwrap();
    in_time(third.call::<()>("work", ())).await.unwrap();
    begun.wait_for(1).await;
    assert_eq!(begun.pending(), 0);
}
