//! What becomes of methods whose callers are gone.

use std::sync::Arc;

use futures_util::stream::{self, Stream};
use tokio::sync::Semaphore;
use zrpc::CallContext;

use crate::support::{in_time, serve};

/// Counts what has ended.
#[derive(Debug, Clone)]
struct Endings(Arc<Semaphore>);

/// Counts when it is dropped.
struct Ending(Endings);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.0.add_permits(1);
    }
}

impl Endings {
    fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Waits for one more.
    async fn one(&self) {
        in_time(self.0.acquire()).await.unwrap().forget();
    }
}

/// Nothing that it does ends by itself.
struct Endless {
    endings: Endings,
    first: u64,
}

#[zrpc::service]
impl Endless {
    async fn call(&self) {
        let _ending = Ending(self.endings.clone());
        std::future::pending::<()>().await;
    }

    /// Borrows from the service.
    fn items(&self) -> impl Stream<Item = &u64> {
        let ending = Ending(self.endings.clone());
        stream::unfold(
            ending,
            move |ending| async move { Some((&self.first, ending)) },
        )
    }

    /// The same on a thread.
    #[zrpc(blocking)]
    fn blocking_items(&self) -> impl Iterator<Item = &u64> {
        let ending = Ending(self.endings.clone());
        std::iter::repeat_with(move || {
            let _held = &ending;
            &self.first
        })
    }

    /// Asks whether it is still waited for.
    #[zrpc(blocking)]
    fn work(&self, context: &CallContext) {
        let _ending = Ending(self.endings.clone());
        while !context.is_cancelled() {
            std::thread::yield_now();
        }
    }
}

async fn endless() -> (zrpc::Server, EndlessClient, Endings) {
    let endings = Endings::new();
    let service = Endless {
        endings: endings.clone(),
        first: 7,
    };
    let (server, client) = serve(service).await;
    let client = EndlessClient::new(client);
    // The server is known to understand that a call is over from its first reply.
    let mut items = client.items().await.unwrap();
    assert_eq!(in_time(items.next_item()).await.unwrap(), Some(7));
    drop(items);
    endings.one().await;
    (server, client, endings)
}

#[tokio::test]
async fn a_stream_that_borrows_is_dropped_when_its_caller_is_gone() {
    let (_server, client, endings) = endless().await;
    let mut items = client.items().await.unwrap();
    for _ in 0..5000 {
        assert_eq!(in_time(items.next_item()).await.unwrap(), Some(7));
    }
    drop(items);
    endings.one().await;
}

#[tokio::test]
async fn a_blocking_iterator_that_borrows_stops_when_its_caller_is_gone() {
    let (_server, client, endings) = endless().await;
    let mut items = client.blocking_items().await.unwrap();
    assert_eq!(in_time(items.next_item()).await.unwrap(), Some(7));
    drop(items);
    endings.one().await;
}

#[tokio::test]
async fn a_method_is_dropped_when_its_caller_is_gone() {
    let (_server, client, endings) = endless().await;
    let call = tokio::spawn(async move { client.call().await });
    let waits = tokio::time::timeout(std::time::Duration::from_millis(100), endings.0.acquire());
    assert!(waits.await.is_err(), "the method ended by itself");
    call.abort();
    endings.one().await;
}

#[tokio::test]
async fn a_blocking_method_learns_that_its_caller_is_gone() {
    let (_server, client, endings) = endless().await;
    let hasty = client.with_timeout(std::time::Duration::from_millis(100));
    in_time(hasty.work()).await.unwrap_err();
    endings.one().await;
}
