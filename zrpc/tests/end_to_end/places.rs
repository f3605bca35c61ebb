//! How many handlers run at a time, and whose turn it is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::{Semaphore, SemaphorePermit};
use zrpc::{Client, Server, ServerBuilder};

use crate::support::{Counter, in_time, pair};

#[tokio::test]
async fn whoever_waits_with_one_call_is_not_behind_all_calls_of_another() {
    let (begun, gate) = (Counter::new(), Arc::new(Semaphore::new(0)));
    let (begin, opened) = (begun.clone(), Arc::clone(&gate));
    let order = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&order);
    let server = Server::builder()
        .max_concurrency(1)
        .method("work", move |(who,): (String,)| {
            recorded.lock().unwrap().push(who);
            begin.count();
            let gate = Arc::clone(&opened);
            async move { gate.acquire().await.unwrap().forget() }
        });
    let (server, greedy) = pair(server).await;
    let modest = Client::connect(&server.endpoints()[0]).await.unwrap();
    // Both are known to the server before anything has to wait.
    in_time(modest.call::<String>("_zerorpc_name", ()))
        .await
        .unwrap();
    let many = tokio::spawn(async move {
        join_all((0..20).map(|_| greedy.call::<()>("work", ("greedy",)))).await
    });
    begun.wait_for(1).await;
    let watcher = modest.clone();
    let mut one = Box::pin(modest.call::<()>("work", ("modest",)));
    assert!((&mut one).now_or_never().is_none());
    // Introspection on the same connection comes behind the call, so the call waits by then.
    in_time(watcher.call::<String>("_zerorpc_name", ()))
        .await
        .unwrap();
    gate.add_permits(21);
    in_time(one).await.unwrap();
    in_time(many).await.unwrap();
    let order = order.lock().unwrap();
    let position = order.iter().position(|who| who == "modest").unwrap();
    assert!(position <= 3, "{position} calls were served before");
}

#[tokio::test]
async fn introspection_waits_for_nobody() {
    let begun = Counter::new();
    let begin = begun.clone();
    let (_server, client) = pair(Server::builder().max_concurrency(1).method(
        "hang",
        move |(): ()| {
            begin.count();
            std::future::pending::<()>()
        },
    ))
    .await;
    let hanging = tokio::spawn({
        let client = client.clone();
        async move { client.call::<()>("hang", ()).await }
    });
    begun.wait_for(1).await;
    let list: Vec<String> = in_time(client.call("_zerorpc_list", ())).await.unwrap();
    assert_eq!(list, ["hang"]);
    hanging.abort();
}

/// Lets blocked threads go on, and all of them when a test ends, however it does.
struct Gate(Arc<Semaphore>);

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A service whose method `block` holds its thread until the gate opens.
fn blocking() -> (ServerBuilder, Counter, Gate) {
    let (begun, gate) = (Counter::new(), Gate(Arc::new(Semaphore::new(0))));
    let (begin, opened) = (begun.clone(), Arc::clone(&gate.0));
    let runtime = tokio::runtime::Handle::current();
    let server = Server::builder()
        .blocking("block", move |(): ()| {
            begin.count();
            runtime
                .block_on(opened.acquire())
                .map(SemaphorePermit::forget)
        })
        .method("one", |(): ()| async { 1_u8 });
    (server, begun, gate)
}

#[tokio::test]
async fn methods_that_hold_threads_have_a_limit_of_their_own() {
    let (server, begun, gate) = blocking();
    let (_server, client) = pair(server.max_blocking(2)).await;
    let calls = tokio::spawn({
        let client = client.clone();
        async move { join_all((0..5).map(|_| client.call::<()>("block", ()))).await }
    });
    begun.wait_for(2).await;
    // Others go on, and give a third one time to start if it could.
    for _ in 0..20 {
        assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    }
    assert_eq!(begun.pending(), 0);
    gate.0.add_permits(5);
    assert!(in_time(calls).await.unwrap().iter().all(Result::is_ok));
    begun.wait_for(3).await;
}

#[tokio::test]
async fn a_waiting_call_for_a_thread_never_runs_once_its_caller_is_gone() {
    let (server, begun, gate) = blocking();
    let (_server, client) = pair(server.max_blocking(1)).await;
    // From the first reply on the client tells the server of calls that it gives up.
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.call::<()>("block", ()).await }
    });
    begun.wait_for(1).await;
    let patience = Duration::from_millis(100);
    for _ in 0..3 {
        let request = client.request("block", ()).timeout(patience);
        in_time(request.call::<()>()).await.unwrap_err();
    }
    // By now the server knows that they are gone.
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    gate.0.add_permits(2);
    in_time(first).await.unwrap().unwrap();
    in_time(client.call::<()>("block", ())).await.unwrap();
    begun.wait_for(1).await;
    assert_eq!(begun.pending(), 0);
}
