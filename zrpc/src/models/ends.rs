//! Ends: whoever waits is told, whichever side ends and however it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use shuttle::future::yield_now;

use super::network::{Counter, Pair, Tasks, explore};
use crate::server::Concurrency;
use crate::{CallError, Client, Interrupted, Method};

/// A method that answers, one that never does, and a stream that never ends.
fn methods(running: &Counter) -> Vec<Method> {
    let (answers, stays, flows) = (running.clone(), running.clone(), running.clone());
    vec![
        Method::new("answer", move |(): ()| {
            let counted = answers.count();
            async move {
                yield_now().await;
                drop(counted);
                1_u32
            }
        }),
        Method::new("stay", move |(): ()| {
            let counted = stays.count();
            async move {
                let _counted = counted;
                std::future::pending::<u32>().await
            }
        }),
        Method::stream("flow", move |(): ()| {
            let counted = flows.count();
            let items = stream::iter(0..COUNT).chain(stream::pending());
            items.map(move |item| {
                let _ = &counted;
                item
            })
        }),
    ]
}

/// As many calls as a caller makes that is answered, and as many items as there are in a stream
/// that goes on without them: a scheduler that is not fair would have no end of more.
const COUNT: usize = 3;

/// Calls a method that answers, and then one that never does. Returns how that fails.
async fn until_error(client: Client) -> CallError {
    for _ in 0..COUNT {
        match client.call::<u32>("answer", ()).await {
            Ok(answer) => assert_eq!(answer, 1),
            Err(error) => return error,
        }
    }
    stay(client).await
}

async fn stay(client: Client) -> CallError {
    client.call::<u32>("stay", ()).await.unwrap_err()
}

/// Takes items until there are no more. Returns how the stream failed.
async fn flow(client: Client) -> CallError {
    let mut items = client.request("flow", ()).slots(2).stream().await.unwrap();
    loop {
        match items.next_item().await {
            Ok(item) => assert!(item < Some(COUNT), "{item:?}"),
            Err(error) => return error,
        }
    }
}

/// A caller of each method, who expects that it ends with one of these errors.
fn callers(client: &Client, errors: &'static [CallError]) -> Tasks {
    let mut tasks = Tasks::default();
    let answered = client.clone();
    tasks.spawn(async move {
        let error = until_error(answered).await;
        assert!(errors.contains(&error), "{error:?}");
    });
    let waiting = client.clone();
    tasks.spawn(async move {
        let error = stay(waiting).await;
        assert!(errors.contains(&error), "{error:?}");
    });
    let client = client.clone();
    tasks.spawn(async move {
        let error = flow(client).await;
        assert!(errors.contains(&error), "{error:?}");
    });
    tasks
}

async fn client_closes() {
    let running = Counter::new();
    let pair = Pair::new(methods(&running), Concurrency::Unlimited);
    let callers = callers(&pair.client, &[CallError::Closed]);
    pair.client.clone().close().await;
    callers.join().await;
    let late = pair.client.call::<u32>("answer", ()).await;
    assert_eq!(late, Err(CallError::Closed));
    pair.finish().await;
    assert_eq!(running.now(), 0);
}

#[test]
fn every_caller_learns_that_the_client_closes() {
    explore(client_closes);
}

async fn client_crashes() {
    let running = Counter::new();
    let pair = Pair::new(methods(&running), Concurrency::Unlimited);
    let callers = callers(&pair.client, &[CallError::Closed]);
    pair.client_io.abort();
    callers.join().await;
    pair.server.shutdown().await;
    pair.server_io.await.unwrap();
    assert_eq!(running.now(), 0);
}

#[test]
fn every_caller_learns_that_the_io_task_is_gone() {
    explore(client_crashes);
}

/// How a server ends at once.
#[derive(Clone, Copy)]
enum End {
    Closed,
    Crashed,
}

async fn server_ends(end: End) {
    let running = Counter::new();
    let pair = Pair::new(methods(&running), Concurrency::Limited(2));
    let mut callers = Tasks::default();
    let client = pair.client.clone();
    callers.spawn(async move {
        assert_eq!(stay(client).await, CallError::Disconnected);
    });
    let client = pair.client.clone();
    callers.spawn(async move {
        assert_eq!(flow(client).await, CallError::Disconnected);
    });
    running.begun(2).await;
    match end {
        End::Closed => pair.server.close().await,
        End::Crashed => {
            pair.server_io.abort();
            let drained = pair.server.drain(Duration::MAX).await;
            assert_eq!(drained, Err(Interrupted));
        }
    }
    callers.join().await;
    running.ended().await;
    drop(pair.client);
    pair.client_io.await.unwrap();
}

#[test]
fn callers_and_handlers_learn_that_the_server_closes() {
    explore(|| server_ends(End::Closed));
}

#[test]
fn callers_and_handlers_learn_that_the_io_task_of_the_server_is_gone() {
    explore(|| server_ends(End::Crashed));
}

async fn server_drains() {
    let running = Counter::new();
    let pair = Pair::new(methods(&running), Concurrency::Limited(1));
    let (answered, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut callers = Tasks::default();
    for _ in 0..2 {
        let (client, answered, closed) = (pair.client.clone(), answered.clone(), closed.clone());
        callers.spawn(async move {
            for _ in 0..COUNT {
                match client.call("answer", ()).await {
                    Ok(1_u32) => answered.fetch_add(1, Ordering::Relaxed),
                    Err(CallError::Remote(error)) => {
                        return assert_eq!(error.name, "ServerStopping");
                    }
                    // The server had gone when the request came.
                    Err(CallError::Disconnected) => return,
                    // It waits for another server, or the answer is on its way to nobody.
                    Err(CallError::Closed) => closed.fetch_add(1, Ordering::Relaxed),
                    other => panic!("{other:?}"),
                };
            }
        });
    }
    yield_now().await;
    let drained = pair.server.drain(Duration::MAX).await.unwrap();
    assert!(drained.is_complete());
    pair.server_io.await.unwrap();
    pair.client.close().await;
    pair.client_io.await.unwrap();
    callers.join().await;
    assert_eq!(running.now(), 0);
    let (answered, closed) = (
        answered.load(Ordering::Relaxed),
        closed.load(Ordering::Relaxed),
    );
    let ran = answered..=answered + closed;
    assert!(ran.contains(&running.total()), "{running:?}, not {ran:?}");
}

#[test]
fn a_server_that_is_drained_answers_what_it_has_begun() {
    explore(server_drains);
}
