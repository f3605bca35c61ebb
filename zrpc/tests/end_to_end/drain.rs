//! Servers that end while calls are open.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Semaphore;
use zrpc::{CallError, Client, Server, ServerBuilder};

use crate::support::{Counter, in_time, pair};

/// Longer than any drain of these tests takes.
const LONG: Duration = Duration::from_secs(60);

/// A service whose method `work` runs until the gate opens.
fn gated() -> (ServerBuilder, Counter, Arc<Semaphore>) {
    let (begun, gate) = (Counter::new(), Arc::new(Semaphore::new(0)));
    let (begin, opened) = (begun.clone(), Arc::clone(&gate));
    let server = Server::builder()
        .method("work", move |(): ()| {
            begin.count();
            let gate = Arc::clone(&opened);
            async move {
                gate.acquire().await.unwrap().forget();
                "done"
            }
        })
        .method("hang", |(): ()| std::future::pending::<()>())
        .stream("count", |(to,): (u64,)| futures_util::stream::iter(0..to));
    (server, begun, gate)
}

fn calling(
    client: &Client,
    method: &'static str,
) -> tokio::task::JoinHandle<Result<String, CallError>> {
    let client = client.clone();
    tokio::spawn(async move { client.call(method, ()).await })
}

#[tokio::test]
async fn a_drained_server_answers_what_it_has_and_refuses_the_rest_by_name() {
    let (server, begun, gate) = gated();
    let (server, client) = pair(server.max_concurrency(1)).await;
    let running = calling(&client, "work");
    begun.wait_for(1).await;
    let waiting = calling(&client, "work");
    let mut items = client.stream::<u64>("count", (2000,)).await.unwrap();
    // Behind the others on the same connection.
    in_time(client.call::<String>("_zerorpc_name", ()))
        .await
        .unwrap();
    let handle = server.handle();
    let draining = tokio::spawn(async move { handle.drain(LONG).await });
    // Until the server drains, introspection answers.
    let refused = loop {
        match in_time(client.call::<String>("_zerorpc_name", ())).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, CallError::Remote(error) if error.name == "ServerStopping"));
    gate.add_permits(2);
    for expected in 0..2000 {
        assert_eq!(in_time(items.next_item()).await, Ok(Some(expected)));
    }
    assert_eq!(in_time(items.next_item()).await, Ok(None));
    assert_eq!(in_time(running).await.unwrap(), Ok("done".to_owned()));
    assert_eq!(in_time(waiting).await.unwrap(), Ok("done".to_owned()));
    let drained = in_time(draining).await.unwrap().unwrap();
    assert!(drained.is_complete(), "{drained:?}");
}

#[tokio::test]
async fn what_takes_too_long_is_cut_off_and_named() {
    let (server, begun, _gate) = gated();
    let (server, client) = pair(server).await;
    let cut = [
        calling(&client, "work"),
        calling(&client, "work"),
        calling(&client, "hang"),
    ];
    begun.wait_for(2).await;
    in_time(client.call::<String>("_zerorpc_name", ()))
        .await
        .unwrap();
    // Its caller takes nothing.
    let unread = client.stream::<u64>("count", (100_000,)).await.unwrap();
    in_time(client.call::<String>("_zerorpc_name", ()))
        .await
        .unwrap();
    let drained = in_time(server.handle().drain(Duration::from_millis(50)))
        .await
        .unwrap();
    let methods: Vec<_> = drained.cut.iter().collect();
    let expected = [
        (&"count".to_owned(), &1),
        (&"hang".to_owned(), &1),
        (&"work".to_owned(), &2),
    ];
    assert_eq!(methods, expected);
    assert_eq!(drained.cut_count(), 4);
    for call in cut {
        let error = in_time(call).await.unwrap().unwrap_err();
        assert_eq!(error, CallError::Disconnected);
    }
    let mut unread = unread;
    while let Some(item) = in_time(unread.next()).await {
        if let Err(error) = item {
            assert_eq!(error, CallError::Disconnected);
        }
    }
    in_time(server.run()).await.unwrap();
}

#[tokio::test]
async fn a_server_without_calls_is_drained_at_once_and_twice_is_no_more() {
    let (server, _begun, _gate) = gated();
    let (server, client) = pair(server).await;
    in_time(client.call::<String>("_zerorpc_name", ()))
        .await
        .unwrap();
    let (first, second) = (server.handle(), server.handle());
    let (first, second) =
        in_time(async { tokio::join!(first.drain(LONG), second.drain(LONG)) }).await;
    assert!(first.unwrap().is_complete() && second.unwrap().is_complete());
    let late = in_time(server.handle().drain(LONG)).await.unwrap();
    assert!(late.is_complete());
}

#[tokio::test]
async fn closing_ends_a_drain_and_says_what_it_cut_off() {
    let (server, begun, _gate) = gated();
    let (server, client) = pair(server).await;
    let running = calling(&client, "work");
    begun.wait_for(1).await;
    let handle = server.handle();
    let mut draining = Box::pin(handle.drain(LONG));
    assert!(futures_util::poll!(&mut draining).is_pending());
    in_time(server.handle().close()).await;
    let drained = in_time(draining).await.unwrap();
    assert_eq!(drained.cut.get("work"), Some(&1));
    in_time(running).await.unwrap().unwrap_err();
}
