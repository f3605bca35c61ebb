//! What clients and servers count.

use std::time::Duration;

use futures_util::stream;
use zrpc::Server;

use crate::support::{in_time, pair};

#[tokio::test]
async fn calls_channels_stalls_and_timeouts_are_counted() {
    let server = Server::builder()
        .method("one", |(): ()| async { 1 })
        .method("hang", |(): ()| std::future::pending::<()>())
        .stream("count", |(): ()| stream::iter(0_u64..));
    let (server, client) = pair(server).await;
    for _ in 0..3 {
        assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    }
    let hang = client
        .request("hang", ())
        .timeout(Duration::from_millis(50));
    in_time(hang.call::<()>()).await.unwrap_err();
    let mut items = client.stream::<u64>("count", ()).await.unwrap();
    assert_eq!(in_time(items.next_item()).await, Ok(Some(0)));

    let ours = client.stats().await.unwrap();
    assert_eq!((ours.calls_made, ours.calls_accepted), (5, 0));
    assert_eq!((ours.open_channels, ours.timed_out), (1, 1));
    // The stream goes on until its credit is used up.
    let theirs = loop {
        let stats = server.handle().stats().await.unwrap();
        if stats.credit_stalls > 0 {
            break stats;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!((theirs.calls_made, theirs.calls_accepted), (0, 5));
    assert!(theirs.events_sent >= 4, "{theirs:?}");

    let handle = server.handle();
    drop(server);
    while handle.stats().await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
