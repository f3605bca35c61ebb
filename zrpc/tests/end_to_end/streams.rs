//! Streams of results.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;
use zrpc::{CallError, Client, Fault, Server};

use crate::support::{Counter, in_time, pair, pair_with};

fn counting() -> zrpc::ServerBuilder {
    Server::builder()
        .stream("count", |(to,): (u64,)| stream::iter(0..to))
        .blocking_stream("count_blocking", |(to,): (u64,)| 0..to)
        .method("one", |(): ()| async { 1_u8 })
}

#[tokio::test]
async fn a_hundred_thousand_items_arrive_in_order() {
    let (_server, client) = pair(counting()).await;
    let items = client.stream::<u64>("count", (100_000,)).await.unwrap();
    let received: Vec<u64> = in_time(items.try_collect()).await.unwrap();
    assert!(received.into_iter().eq(0..100_000));
}

#[tokio::test]
async fn an_iterator_that_holds_its_thread_is_a_stream_too() {
    let (_server, client) = pair(counting()).await;
    let items = client
        .stream::<u64>("count_blocking", (5_000,))
        .await
        .unwrap();
    let received: Vec<u64> = in_time(items.try_collect()).await.unwrap();
    assert!(received.into_iter().eq(0..5_000));
}

#[tokio::test]
async fn slots_of_any_size_let_a_stream_through() {
    let (_server, client) = pair(counting()).await;
    for slots in [1, 2, 3, 4, 5, 8, 9, 16, 1000] {
        let request = client.request("count", (500,)).slots(slots);
        let items = request.stream::<u64>().await.unwrap();
        let received: Vec<u64> = in_time(items.try_collect()).await.unwrap();
        assert!(received.into_iter().eq(0..500), "{slots} slots");
    }
}

#[tokio::test]
async fn an_empty_stream_is_complete_at_once() {
    let (_server, client) = pair(counting()).await;
    let mut items = client.stream::<u64>("count", (0,)).await.unwrap();
    assert_eq!(in_time(items.next_item()).await.unwrap(), None);
    assert_eq!(in_time(items.next_item()).await.unwrap(), None);
}

#[tokio::test]
async fn a_reader_that_stops_stops_the_server() {
    let made = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&made);
    let (_server, client) = pair(
        Server::builder()
            .stream("endless", move |(): ()| {
                let counted = Arc::clone(&counted);
                stream::iter(0_u64..).inspect(move |_| {
                    counted.fetch_add(1, Ordering::Relaxed);
                })
            })
            .method("one", |(): ()| async { 1_u8 }),
    )
    .await;
    let endless = client.request("endless", ()).slots(100);
    let mut items = endless.stream::<u64>().await.unwrap();
    for expected in 0..200 {
        assert_eq!(in_time(items.next_item()).await.unwrap(), Some(expected));
    }
    // Other calls go on meanwhile, and give the server time to run ahead if it could.
    for _ in 0..50 {
        in_time(client.call::<u8>("one", ())).await.unwrap();
    }
    // 200 taken, 100 slots, 256 on their way to the I/O task, one in the handler.
    let made = made.load(Ordering::Relaxed);
    assert!(made <= 200 + 100 + 256 + 2, "{made} items were made");
}

#[tokio::test]
async fn many_streams_share_a_connection() {
    let (_server, client) = pair(counting()).await;
    let streams = (0..50_u64).map(|number| {
        let client = client.clone();
        async move {
            let items = client.stream::<u64>("count", (number * 20,)).await.unwrap();
            items
                .try_fold(0, |sum, item| async move { Ok(sum + item) })
                .await
        }
    });
    let sums = in_time(futures_util::future::join_all(streams)).await;
    for (number, sum) in (0_u64..).zip(sums) {
        assert_eq!(sum.unwrap(), (0..number * 20).sum::<u64>());
    }
}

#[tokio::test]
async fn b1_calls_go_on_after_a_stream_is_dropped() {
    let dropped = Counter::new();
    let counter = dropped.clone();
    let (_server, client) = pair(
        Server::builder()
            .stream("endless", move |(): ()| {
                let guard = counter.on_drop();
                stream::iter(0_u64..).inspect(move |_| {
                    let _alive = &guard;
                })
            })
            .method("one", |(): ()| async { 1_u8 }),
    )
    .await;
    for _ in 0..20 {
        let mut items = client.stream::<u64>("endless", ()).await.unwrap();
        for _ in 0..3 {
            in_time(items.next_item()).await.unwrap();
        }
        drop(items);
        assert_eq!(in_time(client.call::<u8>("one", ())).await.unwrap(), 1);
    }
    // Well before any heartbeat is missed.
    dropped.wait_for(20).await;
}

#[tokio::test]
async fn a_stream_that_fails_gives_its_items_first() {
    let (_server, client) = pair(Server::builder().stream("fail", |(after,): (u64,)| {
        stream::iter(0..=after).map(move |item| match item == after {
            true => Err(Fault::new("ValueError", "enough")),
            false => Ok(item),
        })
    }))
    .await;
    let mut items = client.stream::<u64>("fail", (150,)).await.unwrap();
    for expected in 0..150 {
        assert_eq!(in_time(items.next_item()).await.unwrap(), Some(expected));
    }
    let error = in_time(items.next_item()).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Remote(error) if error.name == "ValueError" && error.message == "enough"),
        "{error:?}"
    );
    assert_eq!(in_time(items.next_item()).await.unwrap(), None);
}

#[tokio::test]
async fn large_items_go_through() {
    let (_server, client) = pair(Server::builder().stream("blobs", |(count,): (u8,)| {
        stream::iter(0..count).map(|i| serde_bytes::ByteBuf::from(vec![i; 1 << 20]))
    }))
    .await;
    let items = client
        .stream::<serde_bytes::ByteBuf>("blobs", (16,))
        .await
        .unwrap();
    let blobs: Vec<_> = in_time(items.try_collect()).await.unwrap();
    assert_eq!(blobs.len(), 16);
    assert!(
        (0..16)
            .zip(&blobs)
            .all(|(i, blob)| blob.len() == 1 << 20 && blob[0] == i)
    );
}

#[tokio::test]
async fn large_items_keep_coming_however_many_slots_there_are() {
    let server = Server::builder().stream("blobs", |(count,): (u8,)| {
        stream::iter(0..count).map(|i| serde_bytes::ByteBuf::from(vec![i; 64 * 1024]))
    });
    // There is room for sixteen items, far less than a report for every few of these slots needs.
    let client = Client::builder().max_received_bytes_per_server(1 << 20);
    let (_server, client) = pair_with(server, client).await;
    let request = client.request("blobs", (100,)).slots(10_000);
    let items = request.stream::<serde_bytes::ByteBuf>().await.unwrap();
    let blobs: Vec<_> = in_time(items.try_collect()).await.unwrap();
    assert_eq!(blobs.len(), 100);
}

#[tokio::test]
async fn a_single_result_is_a_stream_of_one() {
    let (_server, client) = pair(counting()).await;
    let items = client.stream::<u8>("one", ()).await.unwrap();
    assert_eq!(in_time(items.try_collect::<Vec<_>>()).await.unwrap(), [1]);
}

#[tokio::test]
async fn a_stream_is_an_error_where_a_single_result_is_wanted() {
    let (_server, client) = pair(counting()).await;
    let error = in_time(client.call::<u64>("count", (1_000_000,)))
        .await
        .unwrap_err();
    assert_eq!(
        error,
        CallError::UnexpectedStream {
            method: "count".to_owned()
        }
    );
    assert_eq!(in_time(client.call::<u8>("one", ())).await.unwrap(), 1);
}

/// A stream whose items come when the gate lets them.
fn gated() -> (zrpc::ServerBuilder, Arc<Semaphore>, Counter) {
    let (gate, dropped) = (Arc::new(Semaphore::new(0)), Counter::new());
    let (opened, counter) = (Arc::clone(&gate), dropped.clone());
    let server = Server::builder()
        .stream("gated", move |(): ()| {
            let (gate, guard) = (Arc::clone(&opened), counter.on_drop());
            stream::unfold((0_u64, guard), move |(number, guard)| {
                let gate = Arc::clone(&gate);
                async move {
                    gate.acquire().await.unwrap().forget();
                    Some((number, (number + 1, guard)))
                }
            })
        })
        .method("one", |(): ()| async { 1_u8 });
    (server, gate, dropped)
}

// B27.
#[tokio::test]
async fn b27_an_item_that_does_not_come_in_time_ends_the_stream() {
    let (server, gate, dropped) = gated();
    let (_server, client) = pair(server).await;
    let timeout = Duration::from_secs(1);
    let request = client.request("gated", ()).item_timeout(timeout);
    let mut items = request.stream::<u64>().await.unwrap();
    // The first item is not a matter of this timeout.
    tokio::time::sleep(timeout + timeout / 5).await;
    gate.add_permits(1);
    assert_eq!(in_time(items.next_item()).await, Ok(Some(0)));
    // Whoever does not ask does not wait.
    tokio::time::sleep(timeout + timeout / 5).await;
    gate.add_permits(2);
    assert_eq!(in_time(items.next_item()).await, Ok(Some(1)));
    assert_eq!(in_time(items.next_item()).await, Ok(Some(2)));
    let error = in_time(items.next_item()).await.unwrap_err();
    let expected = CallError::ItemTimeout {
        after: timeout,
        method: "gated".to_owned(),
    };
    assert_eq!(error, expected);
    assert_eq!(in_time(items.next_item()).await, Ok(None));
    // The server hears of it, and others go on.
    dropped.wait_for(1).await;
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
}

#[tokio::test]
async fn a_client_has_an_item_timeout_for_all_streams_and_a_call_may_have_none() {
    let (server, gate, dropped) = gated();
    let timeout = Duration::from_millis(100);
    let builder = Client::builder().item_timeout(timeout);
    let (_server, client) = pair_with(server, builder).await;
    let mut patient = client
        .request("gated", ())
        .no_item_timeout()
        .stream::<u64>()
        .await
        .unwrap();
    gate.add_permits(1);
    assert_eq!(in_time(patient.next_item()).await, Ok(Some(0)));
    let waited = tokio::time::timeout(3 * timeout, patient.next_item()).await;
    assert!(waited.is_err(), "{waited:?}");
    drop(patient);
    dropped.wait_for(1).await;
    let mut items = client.stream::<u64>("gated", ()).await.unwrap();
    gate.add_permits(1);
    assert_eq!(in_time(items.next_item()).await, Ok(Some(0)));
    let error = in_time(items.next_item()).await.unwrap_err();
    assert!(matches!(error, CallError::ItemTimeout { .. }), "{error}");
}
