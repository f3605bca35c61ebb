//! Calls, streams and events: nothing is lost, and nothing happens twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::stream;
use tokio::task::yield_now;
use zrpc::{Puller, Pusher, Server};

use super::{COUNT, POLLS, expect_idle, insist, polled};
use crate::support::{Counter, in_time, pair};

#[tokio::test]
async fn a_call_that_is_dropped_at_any_point_runs_once_at_most() {
    let runs = Arc::new(Mutex::new(BTreeMap::<u32, u32>::new()));
    let seen = Arc::clone(&runs);
    let (_server, client) = pair(Server::builder().method("echo", move |(number,): (u32,)| {
        *seen.lock().unwrap().entry(number).or_default() += 1;
        async move { number }
    }))
    .await;
    let mut answered = Vec::new();
    for number in 0..COUNT {
        // Some in which the I/O task has time to answer.
        let call = client.call::<u32>("echo", (number,));
        if let Some(result) = polled(call, number % 40).await {
            assert_eq!(result, Ok(number));
            answered.push(number);
        }
    }
    assert_eq!(in_time(client.call("echo", (COUNT,))).await, Ok(COUNT));
    expect_idle(&client).await;
    let runs = runs.lock().unwrap();
    assert!(runs.values().all(|&count| count == 1), "{runs:?}");
    assert!(answered.iter().all(|number| runs.contains_key(number)));
}

#[tokio::test]
async fn an_item_whose_future_is_dropped_comes_with_the_next() {
    let (_server, client) =
        pair(Server::builder().stream("count", |(to,): (u32,)| stream::iter(0..to))).await;
    let request = client.request("count", (COUNT,));
    let mut items = request.slots(4).stream::<u32>().await.unwrap();
    for number in 0..COUNT {
        let item = in_time(insist(async || items.next_item().await)).await;
        assert_eq!(item, Ok(Some(number)));
    }
    let end = in_time(insist(async || items.next_item().await)).await;
    assert_eq!(end, Ok(None));
    expect_idle(&client).await;
}

#[tokio::test]
async fn a_stream_that_is_dropped_after_any_item_ends_on_the_server() {
    let ended = Counter::new();
    let counter = ended.clone();
    let (_server, client) = pair(Server::builder().stream("endless", move |(): ()| {
        let guard = counter.on_drop();
        stream::unfold((0_u32, guard), |(number, guard)| async move {
            Some((number, (number + 1, guard)))
        })
    }))
    .await;
    for taken in 0..20 {
        let request = client.request("endless", ());
        let mut items = request.slots(2).stream::<u32>().await.unwrap();
        for number in 0..taken {
            assert_eq!(in_time(items.next_item()).await, Ok(Some(number)));
        }
        polled(items.next_item(), taken % POLLS).await;
        if taken == 0 {
            // The server has to know of the call, to end it.
            assert_eq!(in_time(items.next_item()).await, Ok(Some(0)));
        }
        drop(items);
        ended.wait_for(1).await;
    }
    expect_idle(&client).await;
}

#[tokio::test]
async fn an_event_whose_future_is_dropped_is_pushed_once_or_not_at_all() {
    let mut puller = Puller::builder()
        .receive_high_water_mark(2)
        .bind("tcp://127.0.0.1:*")
        .build()
        .await
        .unwrap();
    let pusher = Pusher::builder()
        .send_high_water_mark(2)
        .connect(&puller.endpoints()[0])
        .build()
        .await
        .unwrap();
    let pushing = tokio::spawn(async move {
        let mut pushed = Vec::new();
        for number in 0..COUNT {
            if let Some(result) = polled(pusher.push("event", (number,)), number % POLLS).await {
                result.unwrap();
                pushed.push(number);
            }
        }
        pusher.push("end", (COUNT,)).await.unwrap();
        pusher.close().await;
        pushed
    });
    let mut pulled = Vec::new();
    loop {
        let event = in_time(insist(async || puller.recv().await)).await.unwrap();
        let (number,): (u32,) = event.args().unwrap();
        if event.method() == "end" {
            break;
        }
        pulled.push(number);
    }
    assert_eq!(pulled, pushing.await.unwrap());
}

#[tokio::test]
async fn a_handler_ends_once_wherever_its_caller_goes_away() {
    let (begun, ended) = (Counter::new(), Counter::new());
    let (begin, ends) = (begun.clone(), ended.clone());
    let server = Server::builder()
        .method("walk", move |(steps,): (u32,)| {
            let guard = ends.on_drop();
            begin.count();
            async move {
                let _guard = guard;
                for _ in 0..steps {
                    yield_now().await;
                }
                steps
            }
        })
        .method("stay", {
            let (begun, ended) = (begun.clone(), ended.clone());
            move |(): ()| {
                let guard = ended.on_drop();
                begun.count();
                async move {
                    let _guard = guard;
                    std::future::pending::<()>().await;
                }
            }
        });
    let (server, client) = pair(server).await;
    // From the first reply on a server is told of calls that nobody waits for any more.
    assert_eq!(in_time(client.call("walk", (0,))).await, Ok(0));
    for number in 0..COUNT {
        // The caller goes away before, while and after the handler runs.
        let steps = number % 7;
        if let Some(result) = polled(client.call::<u32>("walk", (steps,)), number % 40).await {
            assert_eq!(result, Ok(steps));
        }
        polled(client.call::<()>("stay", ()), number % 40).await;
    }
    expect_idle(&client).await;
    // What was called before this one has begun before it.
    assert_eq!(in_time(client.call("walk", (0,))).await, Ok(0));
    let count = begun.pending();
    assert!(count > 1, "no handler was ever reached");
    ended.wait_for(u32::try_from(count).unwrap()).await;
    let handle = server.handle();
    in_time(async {
        while handle.stats().await.unwrap().open_channels != 0 {
            yield_now().await;
        }
    })
    .await;
    assert_eq!((begun.pending(), ended.pending()), (count, 0));
}

#[tokio::test]
async fn handles_whose_futures_are_dropped_go_on() {
    let (server, client) = pair(Server::builder().method("one", |(): ()| async { 1_u8 })).await;
    let handle = server.handle();
    for polls in 0..POLLS {
        polled(client.connected(), polls).await;
        polled(client.stats(), polls).await;
        polled(handle.stats(), polls).await;
        polled(client.bind("tcp://127.0.0.1:*"), polls).await;
        polled(handle.bind("tcp://127.0.0.1:*"), polls).await;
        polled(client.stream::<u8>("one", ()), polls).await;
        assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    }
    expect_idle(&client).await;
    polled(handle.shutdown(), 1).await;
    in_time(handle.shutdown()).await;
}
