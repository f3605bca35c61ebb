//! Beginnings, ends and what happens in between: what is left of a future that was dropped stands in
//! nobody's way.

use std::fmt::Debug;
use std::pin::pin;

use tokio::task::yield_now;
use zrpc::middleware::TaskContext;
use zrpc::{CallContext, Client, Publisher, Puller, Pusher, Server, Subscriber};

use super::{COUNT, POLLS, expect_idle, insist, polled};
use crate::support::{Counter, ReservedPort, expect_free, in_time, pair};

const ANYWHERE: &str = "tcp://127.0.0.1:*";

/// Drops what has begun at every point where it can be, each at a port of its own.
async fn dropped_half_way<T, E: Debug>(
    begin: impl AsyncFn(String) -> Result<T, E>,
) -> Vec<ReservedPort> {
    let mut ports = Vec::new();
    for polls in 0..2 * POLLS {
        let port = ReservedPort::new();
        if let Some(done) = polled(begin(port.endpoint().to_owned()), polls).await {
            drop(done.unwrap());
        }
        ports.push(port);
    }
    ports
}

/// As [`dropped_half_way`], and drops what listens when it is done.
async fn dropped<T, E: Debug>(begin: impl AsyncFn(String) -> Result<T, E>) -> Vec<ReservedPort> {
    let mut ports = dropped_half_way(&begin).await;
    let port = ReservedPort::new();
    let done = in_time(begin(port.endpoint().to_owned())).await.unwrap();
    assert!(port.is_in_use(), "nobody listens");
    drop(done);
    ports.push(port);
    ports
}

#[tokio::test]
async fn what_is_built_for_nobody_closes() {
    let serve = async |at| Server::builder().bind(at).serve().await;
    let mut ports = [
        dropped(async |at| Server::builder().bind(at).build().await).await,
        dropped(async |at| Client::builder().bind(at).build().await).await,
        dropped(async |at| Publisher::bind(at).await).await,
        dropped(async |at| Pusher::bind(at).await).await,
        dropped(async |at| Subscriber::builder().bind(at).build().await).await,
        dropped(async |at| Puller::builder().bind(at).build().await).await,
        dropped_half_way(serve).await,
        dropped_half_way(async |at| Client::connect(at).await).await,
        dropped_half_way(async |at| Publisher::connect(at).await).await,
        dropped_half_way(async |at| Pusher::connect(at).await).await,
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>();
    // It is never done before it is dropped.
    let port = ReservedPort::new();
    {
        let mut serving = pin!(serve(port.endpoint().to_owned()));
        in_time(async {
            while !port.is_in_use() {
                assert!(futures_util::poll!(serving.as_mut()).is_pending());
                yield_now().await;
            }
        })
        .await;
    }
    ports.push(port);
    for port in ports {
        expect_free(port.endpoint()).await;
    }
}

#[tokio::test]
async fn what_runs_closes_when_it_is_dropped() {
    for polls in 0..POLLS {
        let server = Server::builder().bind(ANYWHERE).build().await.unwrap();
        let endpoint = server.endpoints()[0].clone();
        assert!(polled(server.run(), polls).await.is_none());
        expect_free(&endpoint).await;
        let puller = Puller::builder().bind(ANYWHERE).build().await.unwrap();
        let endpoint = puller.endpoints()[0].clone();
        assert!(polled(puller.run(), polls).await.is_none());
        expect_free(&endpoint).await;
        let subscriber = Subscriber::builder().bind(ANYWHERE).build().await.unwrap();
        let endpoint = subscriber.endpoints()[0].clone();
        assert!(polled(subscriber.run(), polls).await.is_none());
        expect_free(&endpoint).await;
    }
}

#[tokio::test]
async fn ends_that_nobody_waits_for_come_all_the_same() {
    for polls in 1..POLLS {
        let (server, client) = pair(Server::builder()).await;
        let (handle, endpoint) = (server.handle(), server.endpoints()[0].clone());
        let running = tokio::spawn(server.run());
        polled(client.close(), polls).await;
        match polls % 3 {
            0 => drop(polled(handle.close(), polls).await),
            1 => drop(polled(handle.shutdown(), polls).await),
            _ => drop(polled(handle.drain(std::time::Duration::MAX), polls).await),
        }
        assert_eq!(in_time(running).await.unwrap(), Ok(()));
        expect_free(&endpoint).await;

        let publisher = Publisher::bind(ANYWHERE).await.unwrap();
        let endpoint = publisher.endpoints()[0].clone();
        polled(publisher.close(), polls).await;
        expect_free(&endpoint).await;
        let pusher = Pusher::bind(ANYWHERE).await.unwrap();
        let endpoint = pusher.endpoints()[0].clone();
        polled(pusher.close(), polls).await;
        expect_free(&endpoint).await;
        let puller = Puller::builder().bind(ANYWHERE).build().await.unwrap();
        let handle = puller.handle();
        let running = tokio::spawn(puller.run());
        polled(handle.shutdown(), polls).await;
        in_time(running).await.unwrap();
    }
}

#[tokio::test]
async fn endpoints_that_change_for_nobody_hold_up_nobody() {
    let (server, client) = pair(Server::builder().method("one", |(): ()| async { 1_u8 })).await;
    let handle = server.handle();
    let publisher = Publisher::bind(ANYWHERE).await.unwrap();
    let pusher = Pusher::bind(ANYWHERE).await.unwrap();
    let puller = Puller::builder().bind(ANYWHERE).build().await.unwrap();
    let receiver = puller.handle();
    let nobody: Vec<_> = (0..POLLS).map(|_| ReservedPort::new()).collect();
    for (polls, port) in (0..).zip(&nobody) {
        let endpoint = port.endpoint();
        polled(client.connect_to(&server.endpoints()[0]), polls).await;
        polled(handle.connect(endpoint), polls).await;
        polled(publisher.connect_to(endpoint), polls).await;
        polled(pusher.connect_to(endpoint), polls).await;
        polled(receiver.connect(endpoint), polls).await;
        polled(publisher.bind_to(ANYWHERE), polls).await;
        polled(pusher.bind_to(ANYWHERE), polls).await;
        polled(receiver.bind(ANYWHERE), polls).await;
        // What was begun ends: the endpoint is free again.
        let bound = client.bind(ANYWHERE).await.unwrap();
        polled(client.unbind(&bound), 1 + polls).await;
        expect_free(&bound).await;
        let bound = handle.bind(ANYWHERE).await.unwrap();
        polled(handle.unbind(&bound), 1 + polls).await;
        expect_free(&bound).await;
        let bound = publisher.bind_to(ANYWHERE).await.unwrap();
        polled(publisher.unbind(&bound), 1 + polls).await;
        expect_free(&bound).await;
        let bound = pusher.bind_to(ANYWHERE).await.unwrap();
        polled(pusher.unbind(&bound), 1 + polls).await;
        expect_free(&bound).await;
        let bound = receiver.bind(ANYWHERE).await.unwrap();
        polled(receiver.unbind(&bound), 1 + polls).await;
        expect_free(&bound).await;
        assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    }
}

#[tokio::test]
async fn requests_that_are_dropped_before_it_is_known_what_they_give_leave_nothing() {
    let (_server, client) = pair(Server::builder().method("one", |(): ()| async { 1_u8 })).await;
    for number in 0..COUNT {
        polled(client.request("one", ()).send::<u8>(), number % 40).await;
    }
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    expect_idle(&client).await;
}

#[tokio::test]
async fn an_event_whose_future_is_dropped_is_published_once_or_not_at_all() {
    let publisher = Publisher::bind(ANYWHERE).await.unwrap();
    let mut subscriber = Subscriber::builder()
        .connect(&publisher.endpoints()[0])
        .build()
        .await
        .unwrap();
    in_time(async {
        while publisher.topic_count() == 0 {
            yield_now().await;
        }
    })
    .await;
    let mut published = Vec::new();
    for number in 0..COUNT {
        let done = match number % 2 {
            0 => polled(publisher.publish("event", (number,)), number % POLLS).await,
            _ => {
                let event = publisher.event("event", (number,));
                polled(event.send(), number % POLLS).await
            }
        };
        if let Some(result) = done {
            result.unwrap();
            published.push(number);
        }
    }
    for expected in published {
        let event = in_time(insist(async || subscriber.recv().await))
            .await
            .unwrap();
        let (number,): (u32,) = event.args().unwrap();
        assert_eq!(number, expected);
    }
}

#[tokio::test]
async fn a_handler_that_asks_again_hears_that_its_caller_is_gone() {
    let heard = Counter::new();
    let hears = heard.clone();
    let (_server, client) = pair(
        Server::builder()
            .method("answer", |(): ()| async {})
            .method("wait", move |(): ()| {
                let context = CallContext::current().expect("a handler runs");
                let hears = hears.clone();
                tokio::spawn(async move {
                    for polls in 0..POLLS {
                        assert!(polled(context.cancelled(), polls).await.is_none());
                    }
                    hears.count();
                    context.cancelled().await;
                    hears.count();
                });
                std::future::pending::<()>()
            }),
    )
    .await;
    // From the first reply on a server is told of calls that nobody waits for any more.
    in_time(client.call::<()>("answer", ())).await.unwrap();
    let mut call = std::pin::pin!(client.call::<()>("wait", ()));
    in_time(async {
        while heard.pending() == 0 {
            assert!(futures_util::poll!(call.as_mut()).is_pending());
            yield_now().await;
        }
    })
    .await;
    client.clone().close().await;
    heard.wait_for(2).await;
}

#[tokio::test]
async fn a_context_ends_with_a_future_that_is_dropped() {
    let context = || TaskContext::current().with("key", &1_u8).unwrap();
    let inside = || async {
        loop {
            assert_eq!(TaskContext::current().get::<u8>("key"), Ok(Some(1)));
            yield_now().await;
        }
    };
    for polls in 0..POLLS {
        assert!(polled(context().scope(inside()), polls).await.is_none());
        assert!(TaskContext::current().is_empty());
        let forked = context().sync_scope(|| TaskContext::fork(inside()));
        assert!(polled(forked, polls).await.is_none());
        assert!(TaskContext::current().is_empty());
    }
}
