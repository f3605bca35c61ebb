//! Publishers, subscribers, pushers and pullers that bind and connect while they run, and endpoints
//! that are given twice.

use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use zrpc::{
    Client, ConnectError, Publisher, Puller, Pusher, ReceiverBuilder, ReceiverHandle, Server,
    Subscriber,
};

use crate::support::{ReservedPort, in_time};

const ANYWHERE: &str = "tcp://127.0.0.1:*";

/// What was received, and by whom.
type Notes = UnboundedReceiver<(&'static str, u64)>;

/// Tells who got which event for `note`.
fn noting<R>(
    builder: ReceiverBuilder<R>,
    name: &'static str,
    notes: &mpsc::UnboundedSender<(&'static str, u64)>,
) -> ReceiverBuilder<R> {
    let notes = notes.clone();
    builder.method("note", move |(number,): (u64,)| {
        let notes = notes.clone();
        async move { notes.send((name, number)).is_ok() }
    })
}

/// A subscriber that runs, and is told what to do by its handle.
async fn subscriber() -> (ReceiverHandle, String, Notes) {
    let (sender, notes) = mpsc::unbounded_channel();
    let builder = noting(Subscriber::builder(), "subscriber", &sender).bind(ANYWHERE);
    let subscriber = builder.build().await.unwrap();
    let (handle, endpoint) = (subscriber.handle(), subscriber.endpoints()[0].clone());
    tokio::spawn(subscriber.run());
    (handle, endpoint, notes)
}

async fn puller(name: &'static str, sender: &mpsc::UnboundedSender<(&'static str, u64)>) -> String {
    let builder = noting(Puller::builder(), name, sender).bind(ANYWHERE);
    let puller = builder.build().await.unwrap();
    let endpoint = puller.endpoints()[0].clone();
    tokio::spawn(puller.run());
    endpoint
}

/// Publishes until something was received.
async fn publish_until_received(publisher: &Publisher, number: u64, notes: &mut Notes) {
    in_time(async {
        while notes.try_recv().is_err() {
            publisher.publish("note", (number,)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    // Later ones that were on their way are no news.
    in_time(async {
        publisher.publish("note", (u64::MAX,)).await.unwrap();
        while notes.recv().await.unwrap().1 != u64::MAX {}
    })
    .await;
}

async fn topics(publisher: &Publisher, count: usize) {
    in_time(async {
        while publisher.topic_count() != count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn publishers_and_subscribers_bind_and_connect_while_they_run() {
    let (handle, endpoint, mut notes) = subscriber().await;
    let publisher = Publisher::bind(ANYWHERE).await.unwrap();
    // The publisher comes to the subscriber, and leaves it.
    publisher.connect_to(&endpoint).await.unwrap();
    publish_until_received(&publisher, 1, &mut notes).await;
    publisher.disconnect(&endpoint).unwrap();
    topics(&publisher, 0).await;
    // The subscriber comes to the publisher, and leaves it.
    let second = publisher.bind_to(ANYWHERE).await.unwrap();
    assert!(!second.contains('*'), "{second}");
    handle.connect(&second).await.unwrap();
    publish_until_received(&publisher, 2, &mut notes).await;
    handle.disconnect(&second).unwrap();
    topics(&publisher, 0).await;
    // Either is left by who was bound to.
    handle.connect(&second).await.unwrap();
    publish_until_received(&publisher, 3, &mut notes).await;
    in_time(publisher.unbind(&second)).await.unwrap();
    topics(&publisher, 0).await;
    let third = handle.bind(ANYWHERE).await.unwrap();
    publisher.connect_to(&third).await.unwrap();
    publish_until_received(&publisher, 4, &mut notes).await;
    in_time(handle.unbind(&third)).await.unwrap();
    topics(&publisher, 0).await;
}

#[tokio::test]
async fn pushers_and_pullers_bind_and_connect_while_they_run() {
    let (sender, mut notes) = mpsc::unbounded_channel();
    let first = puller("first", &sender).await;
    let second = puller("second", &sender).await;
    let pusher = Pusher::connect(&first).await.unwrap();
    pusher.connect_to(&second).await.unwrap();
    pusher.disconnect(&first).unwrap();
    for number in 0..4 {
        in_time(pusher.push("note", (number,))).await.unwrap();
        assert_eq!(in_time(notes.recv()).await, Some(("second", number)));
    }
    // One that comes to the pusher.
    let builder = noting(Puller::builder(), "third", &sender).bind(ANYWHERE);
    let third = builder.build().await.unwrap();
    let handle = third.handle();
    tokio::spawn(third.run());
    let extra = pusher.bind_to(ANYWHERE).await.unwrap();
    pusher.disconnect(&second).unwrap();
    handle.connect(&extra).await.unwrap();
    in_time(pusher.push("note", (5,))).await.unwrap();
    assert_eq!(in_time(notes.recv()).await, Some(("third", 5)));
    in_time(pusher.unbind(&extra)).await.unwrap();
    let unknown = in_time(pusher.unbind(&extra)).await;
    assert!(matches!(unknown, Err(ConnectError::Endpoint { .. })));
    let unknown = handle.disconnect("tcp://127.0.0.1:1");
    assert!(matches!(unknown, Err(ConnectError::Endpoint { .. })));
}

#[tokio::test]
async fn handles_of_receivers_keep_nothing_open() {
    let port = ReservedPort::new();
    let puller = Puller::builder().bind(port.endpoint()).build();
    let puller = puller.await.unwrap();
    let handle = puller.handle();
    drop(puller);
    let late = in_time(handle.bind(ANYWHERE)).await;
    assert_eq!(late, Err(ConnectError::Closed));
    let late = in_time(handle.connect("tcp://127.0.0.1:1")).await;
    assert_eq!(late, Err(ConnectError::Closed));
    // What it was bound to is free for others.
    in_time(async {
        let puller = || Puller::builder().bind(port.endpoint()).build();
        while puller().await.is_err() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

// As in Python, where libzmq makes one connection for clients and subscribers, and two for the others.
#[tokio::test]
async fn a_server_is_connected_to_once_however_often_it_is_given() {
    let server = |name: &'static str| async move {
        let server = Server::builder().method("name", move |(): ()| async move { name });
        server.bind(ANYWHERE).build().await.unwrap()
    };
    let (a, b) = (server("a").await, server("b").await);
    let client = Client::builder()
        .connect(&a.endpoints()[0])
        .connect(&a.endpoints()[0])
        .connect(&b.endpoints()[0])
        .build()
        .await
        .unwrap();
    client.connect_to(&b.endpoints()[0]).await.unwrap();
    in_time(async {
        while client.connection_count() < 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    let mut calls_of_a = 0;
    for _ in 0..8 {
        let name: String = in_time(client.call("name", ())).await.unwrap();
        calls_of_a += u32::from(name == "a");
    }
    assert_eq!((calls_of_a, client.connection_count()), (4, 2));
    client.disconnect(&a.endpoints()[0]).unwrap();
    client.disconnect(&a.endpoints()[0]).unwrap_err();
}

#[tokio::test]
async fn a_worker_that_connects_twice_gets_two_shares() {
    let client = Client::builder().bind(ANYWHERE).build().await.unwrap();
    let place = &client.endpoints()[0];
    let worker =
        |name: &'static str| Server::builder().method("name", move |(): ()| async move { name });
    let twice = worker("twice").connect(place).connect(place);
    let _twice = twice.build().await.unwrap();
    let _once = worker("once").connect(place).build().await.unwrap();
    in_time(async {
        while client.connection_count() < 3 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    let mut calls_of_twice = 0;
    for _ in 0..9 {
        let name: String = in_time(client.call("name", ())).await.unwrap();
        calls_of_twice += u32::from(name == "twice");
    }
    assert_eq!(calls_of_twice, 6);
}

#[tokio::test]
async fn events_of_a_publisher_that_is_given_twice_come_once() {
    let publisher = Publisher::bind(ANYWHERE).await.unwrap();
    let endpoint = &publisher.endpoints()[0];
    let (sender, mut notes) = mpsc::unbounded_channel();
    let builder = noting(Subscriber::builder(), "subscriber", &sender);
    let subscriber = builder.connect(endpoint).connect(endpoint).build().await;
    tokio::spawn(subscriber.unwrap().run());
    topics(&publisher, 1).await;
    for number in 0..4 {
        in_time(publisher.publish("note", (number,))).await.unwrap();
        assert_eq!(in_time(notes.recv()).await, Some(("subscriber", number)));
    }
}

#[tokio::test]
async fn a_puller_that_is_given_twice_gets_two_shares() {
    let (sender, mut notes) = mpsc::unbounded_channel();
    let (twice, once) = (
        puller("twice", &sender).await,
        puller("once", &sender).await,
    );
    let pusher = Pusher::builder()
        .connect(&twice)
        .connect(&twice)
        .connect(&once);
    let pusher = pusher.build().await.unwrap();
    let mut events_of_twice = 0;
    for number in 0..9 {
        in_time(pusher.push("note", (number,))).await.unwrap();
    }
    for _ in 0..9 {
        let (name, _) = in_time(notes.recv()).await.unwrap();
        events_of_twice += u32::from(name == "twice");
    }
    assert_eq!(events_of_twice, 6);
}
