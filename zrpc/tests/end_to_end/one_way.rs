//! Events that nobody answers: publishing, pushing, subscribing and pulling.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Barrier, Notify, mpsc};
use zrpc::security::{Passwords, Security};
use zrpc::{
    CallContext, Compat, EmitError, EmitterBuilder, Method, Publisher, Puller, Pusher,
    ReceiverBuilder, Service, Subscriber, Timestamp,
};

use crate::support::{Counter, ReservedPort, in_time};

const ANYWHERE: &str = "tcp://127.0.0.1:*";

/// Waits until somebody subscribed.
async fn subscribed(publisher: &Publisher) {
    in_time(async {
        while publisher.topic_count() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Tells the test of each event for `note`.
fn noting<R>(builder: ReceiverBuilder<R>) -> (ReceiverBuilder<R>, mpsc::UnboundedReceiver<u64>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let builder = builder.method("note", move |(number,): (u64,)| {
        let sender = sender.clone();
        async move { sender.send(number).is_ok() }
    });
    (builder, receiver)
}

#[tokio::test]
async fn subscribers_run_what_is_published_whoever_binds() {
    let (builder, mut first) = noting(Subscriber::builder());
    let publisher = Publisher::bind(ANYWHERE).await.unwrap();
    let connected = builder.connect(&publisher.endpoints()[0]);
    let running = tokio::spawn(connected.build().await.unwrap().run());
    subscribed(&publisher).await;
    in_time(publisher.publish("note", (1,))).await.unwrap();
    assert_eq!(in_time(first.recv()).await, Some(1));
    running.abort();

    let (builder, mut second) = noting(Subscriber::builder());
    let bound = builder.bind(ANYWHERE).build().await.unwrap();
    let publisher = Publisher::connect(&bound.endpoints()[0]).await.unwrap();
    let handle = bound.handle();
    let running = tokio::spawn(bound.run());
    subscribed(&publisher).await;
    publisher.try_publish("note", (2,)).unwrap();
    assert_eq!(in_time(second.recv()).await, Some(2));
    in_time(handle.shutdown()).await;
    in_time(running).await.unwrap();
}

#[tokio::test]
async fn pullers_share_what_is_pushed_whoever_binds() {
    let pusher = Pusher::bind(ANYWHERE).await.unwrap();
    let mut queues = Vec::new();
    for _ in 0..2 {
        let (builder, notes) = noting(Puller::builder());
        let puller = builder.connect(&pusher.endpoints()[0]).build().await;
        tokio::spawn(puller.unwrap().run());
        queues.push(notes);
    }
    // Each has its share when both are connected; until then one of them has all.
    in_time(async {
        for number in 0.. {
            pusher.push("note", (number,)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            if queues.iter().all(|notes| !notes.is_empty()) {
                break;
            }
        }
    })
    .await;

    let (builder, mut notes) = noting(Puller::builder());
    let puller = builder.bind(ANYWHERE).build().await.unwrap();
    let pusher = Pusher::connect(&puller.endpoints()[0]).await.unwrap();
    tokio::spawn(puller.run());
    in_time(pusher.push("note", (7,))).await.unwrap();
    assert_eq!(in_time(notes.recv()).await, Some(7));
}

#[tokio::test]
async fn events_are_handled_one_after_the_other_and_in_order() {
    let (sender, mut order) = mpsc::unbounded_channel();
    let puller = Puller::builder()
        .method("slow", move |(number,): (u64,)| {
            let sender = sender.clone();
            async move {
                sender.send((number, "begins")).unwrap();
                tokio::time::sleep(Duration::from_millis(20 - 10 * number)).await;
                sender.send((number, "ends")).unwrap();
            }
        })
        .bind(ANYWHERE)
        .build()
        .await
        .unwrap();
    let pusher = Pusher::connect(&puller.endpoints()[0]).await.unwrap();
    tokio::spawn(puller.run());
    for number in 0..2_u64 {
        in_time(pusher.push("slow", (number,))).await.unwrap();
    }
    for expected in [(0, "begins"), (0, "ends"), (1, "begins"), (1, "ends")] {
        assert_eq!(in_time(order.recv()).await, Some(expected));
    }
}

#[tokio::test]
async fn as_many_events_are_handled_at_a_time_as_was_asked_for() {
    let together = Arc::new(Barrier::new(3));
    let passed = Counter::new();
    let puller = Puller::builder()
        .method("meet", {
            let (together, passed) = (Arc::clone(&together), passed.clone());
            move |(): ()| {
                let (together, passed) = (Arc::clone(&together), passed.clone());
                async move {
                    together.wait().await;
                    passed.count();
                }
            }
        })
        .max_concurrency(2)
        .bind(ANYWHERE)
        .build()
        .await
        .unwrap();
    let pusher = Pusher::connect(&puller.endpoints()[0]).await.unwrap();
    let handle = puller.handle();
    tokio::spawn(puller.run());
    for _ in 0..4 {
        in_time(pusher.push("meet", ())).await.unwrap();
    }
    // The test is the third at the barrier, both times.
    for _ in 0..2 {
        in_time(together.wait()).await;
        passed.wait_for(2).await;
    }
    in_time(handle.shutdown()).await;
    assert_eq!(handle.stats().handled, 4);
}

#[tokio::test]
async fn a_subscriber_gets_the_topics_that_it_asked_for() {
    let publisher = Publisher::bind(ANYWHERE).await.unwrap();
    let endpoint = &publisher.endpoints()[0];
    let london = Subscriber::builder().topic("weather.london").topic("news");
    let mut london = london.connect(endpoint).build().await.unwrap();
    let mut all = Subscriber::builder()
        .connect(endpoint)
        .build()
        .await
        .unwrap();
    in_time(async {
        while publisher.topic_count() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;

    for topic in ["weather.paris", "weather.london", "news.world"] {
        let event = publisher.event("told", (topic,)).topic(topic);
        in_time(event.send()).await.unwrap();
    }
    publisher.event("told", ("last",)).try_send().unwrap();
    for expected in ["weather.london", "news.world"] {
        let event = in_time(london.recv()).await.unwrap();
        assert_eq!(event.topic(), Some(expected.as_bytes()));
        assert_eq!(event.args::<(String,)>(), Ok((expected.to_owned(),)));
    }
    for expected in ["weather.paris", "weather.london", "news.world", "last"] {
        let event = in_time(all.recv()).await.unwrap();
        assert_eq!(event.args::<(String,)>(), Ok((expected.to_owned(),)));
        assert_eq!(event.topic().is_none(), expected == "last");
    }

    london.unsubscribe("weather.london");
    london.subscribe("weather.paris");
    in_time(async {
        loop {
            let event = publisher.event("told", ()).topic("weather.paris");
            event.send().await.unwrap();
            let next = tokio::time::timeout(Duration::from_millis(10), london.recv()).await;
            if let Ok(Some(event)) = next {
                assert_eq!(event.topic(), Some(&b"weather.paris"[..]));
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_service_is_the_same_as_that_of_a_server() {
    struct Gauge(mpsc::UnboundedSender<String>);

    impl Service for Gauge {
        fn name(&self) -> String {
            "Gauge".to_owned()
        }

        fn into_methods(self: Arc<Self>) -> Vec<Method> {
            let blocking = Arc::clone(&self);
            vec![
                Method::new("set", move |(value, at): (f64, Option<Timestamp>)| {
                    let this = Arc::clone(&self);
                    async move { this.0.send(format!("{value} at {at:?}")).is_ok() }
                }),
                Method::blocking("reset", move |(): ()| {
                    let context = CallContext::current().unwrap();
                    let why: Option<String> = context.header("why").unwrap();
                    blocking
                        .0
                        .send(format!("{} {why:?}", context.method()))
                        .is_ok()
                }),
            ]
        }
    }

    let (sender, mut told) = mpsc::unbounded_channel();
    let puller = Puller::builder().service(Gauge(sender)).bind(ANYWHERE);
    let puller = puller.build().await.unwrap();
    let pusher = Pusher::connect(&puller.endpoints()[0]).await.unwrap();
    tokio::spawn(puller.run());
    let at = Timestamp::new(5, 6).unwrap();
    in_time(pusher.push("set", (1.5, at))).await.unwrap();
    in_time(pusher.push("set", (2,))).await.unwrap();
    let reset = pusher.event("reset", ()).header("why", "full");
    in_time(reset.send()).await.unwrap();
    for expected in [
        "1.5 at Some(Timestamp { seconds: 5, nanoseconds: 6 })",
        "2 at None",
        "reset Some(\"full\")",
    ] {
        assert_eq!(in_time(told.recv()).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn closing_sends_what_was_accepted() {
    let (builder, mut notes) = noting(Puller::builder());
    let puller = builder.bind(ANYWHERE).build().await.unwrap();
    let pusher = Pusher::connect(&puller.endpoints()[0]).await.unwrap();
    let other = pusher.clone();
    for number in 0..500 {
        in_time(pusher.push("note", (number,))).await.unwrap();
    }
    in_time(pusher.close()).await;
    let closed = in_time(other.push("note", (0,))).await;
    assert_eq!(closed, Err(EmitError::Closed));
    tokio::spawn(puller.run());
    for number in 0..500 {
        assert_eq!(in_time(notes.recv()).await, Some(number));
    }
}

#[tokio::test]
async fn a_pusher_without_a_puller_says_that_there_is_no_room() {
    let pusher = Pusher::bind(ANYWHERE).await.unwrap();
    let method = "note".to_owned();
    assert_eq!(
        pusher.try_push("note", (1,)),
        Err(EmitError::Full { method })
    );
    // One that waits for room is not in the way of others who only try.
    let waiting = tokio::spawn({
        let pusher = pusher.clone();
        async move { pusher.push("note", (2,)).await }
    });
    tokio::task::yield_now().await;
    assert!(pusher.try_push("note", (3,)).is_err());
    let (builder, mut notes) = noting(Puller::builder());
    let puller = builder.connect(&pusher.endpoints()[0]).build().await;
    tokio::spawn(puller.unwrap().run());
    assert_eq!(in_time(notes.recv()).await, Some(2));
    in_time(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_immediate_pusher_keeps_nothing_for_a_puller_that_is_not_there() {
    let port = ReservedPort::new();
    let build = |builder: EmitterBuilder<Pusher>| builder.connect(port.endpoint()).build();
    let patient = build(Pusher::builder()).await.unwrap();
    patient.try_push("note", (1,)).unwrap();
    let immediate = build(Pusher::builder().immediate()).await.unwrap();
    let method = "note".to_owned();
    assert_eq!(
        immediate.try_push("note", (1,)),
        Err(EmitError::Full { method })
    );
}

#[tokio::test]
async fn a_publisher_drops_what_is_too_much_for_a_subscriber_or_waits_if_told_to() {
    let quick = Publisher::builder().bind(ANYWHERE).send_high_water_mark(5);
    let quick = quick.build().await.unwrap();
    let patient = Publisher::builder()
        .bind(ANYWHERE)
        .wait_for_slow_subscribers();
    let patient = patient.send_high_water_mark(5).build().await.unwrap();
    let large = "x".repeat(1 << 20);
    for publisher in [&quick, &patient] {
        let subscriber = Subscriber::builder()
            .receive_high_water_mark(5)
            .connect(&publisher.endpoints()[0])
            .build()
            .await
            .unwrap();
        subscribed(publisher).await;
        // Nobody reads, and the kernel takes some megabytes.
        let flood = async {
            for _ in 0..200 {
                publisher.publish("note", (&large,)).await.unwrap();
            }
        };
        let flooded = tokio::time::timeout(Duration::from_secs(2), flood).await;
        assert_eq!(flooded.is_ok(), publisher.dropped() > 0);
        drop(subscriber);
    }
    assert!(quick.dropped() > 0 && patient.dropped() == 0);
}

#[tokio::test]
async fn shutting_down_waits_for_the_method_that_runs_and_dropping_ends_it() {
    let (started, goes_on, ended) = (Counter::new(), Arc::new(Notify::new()), Counter::new());
    let service = || {
        let (started, goes_on, ended) = (started.clone(), Arc::clone(&goes_on), ended.clone());
        Puller::builder()
            .method("wait", move |(): ()| {
                let (started, goes_on) = (started.clone(), Arc::clone(&goes_on));
                let guard = ended.on_drop();
                async move {
                    started.count();
                    goes_on.notified().await;
                    drop(guard);
                }
            })
            .bind(ANYWHERE)
    };
    let puller = service().build().await.unwrap();
    let pusher = Pusher::connect(&puller.endpoints()[0]).await.unwrap();
    let handle = puller.handle();
    let running = tokio::spawn(puller.run());
    in_time(pusher.push("wait", ())).await.unwrap();
    started.wait_for(1).await;
    let shutdown = tokio::spawn({
        let handle = handle.clone();
        async move { handle.shutdown().await }
    });
    tokio::task::yield_now().await;
    assert!(!shutdown.is_finished());
    goes_on.notify_one();
    in_time(shutdown).await.unwrap();
    in_time(running).await.unwrap();
    ended.wait_for(1).await;
    assert_eq!(handle.stats().handled, 1);

    let puller = service().max_concurrency(2).build().await.unwrap();
    let pusher = Pusher::connect(&puller.endpoints()[0]).await.unwrap();
    let handle = puller.handle();
    let running = tokio::spawn(puller.run());
    for _ in 0..2 {
        in_time(pusher.push("wait", ())).await.unwrap();
    }
    started.wait_for(2).await;
    running.abort();
    ended.wait_for(2).await;
    in_time(handle.shutdown()).await;
}

#[tokio::test]
async fn shutting_down_ends_the_wait_for_an_event() {
    let mut puller = Puller::builder().bind(ANYWHERE).build().await.unwrap();
    let handle = puller.handle();
    let waiting = tokio::spawn(async move { puller.recv().await.is_none() });
    in_time(handle.shutdown()).await;
    assert!(in_time(waiting).await.unwrap());
}

#[tokio::test]
async fn events_are_secured_as_calls_are() {
    let mut passwords = Passwords::new();
    passwords.insert("ann", "secret").unwrap();
    let mut puller = Puller::builder()
        .security(Security::plain_server(passwords))
        .bind(ANYWHERE)
        .build()
        .await
        .unwrap();
    let pusher = |password: &str| {
        Pusher::builder()
            .security(Security::plain_client("ann", password).unwrap())
            .connect(&puller.endpoints()[0])
            .linger(Duration::ZERO)
    };
    let stranger = pusher("guess").build().await.unwrap();
    in_time(stranger.push("enter", ())).await.unwrap();
    let friend = pusher("secret").build().await.unwrap();
    in_time(friend.push("welcome", ())).await.unwrap();
    let event = in_time(puller.recv()).await.unwrap();
    assert_eq!(event.method(), "welcome");
    let user = event.peer().user_id.as_ref().unwrap();
    assert_eq!(user.as_slice(), b"ann");
    assert_eq!(puller.stats().received, 1);
}

#[tokio::test]
async fn q22_what_others_would_drop_is_not_sent_and_the_error_says_where_it_is() {
    let pusher = Pusher::bind(ANYWHERE).await.unwrap();
    let keyed = || std::collections::HashMap::from([(1, 2)]);
    let error = pusher.try_push("note", ("first", keyed())).unwrap_err();
    let EmitError::NotPortable { detail, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(detail.path.to_string(), "value[1][key 0]");
    let event = pusher.event("note", ()).header("trace", &keyed());
    let error = event.try_send().unwrap_err();
    assert!(matches!(error, EmitError::NotPortable { .. }), "{error:?}");
    let event = pusher.event("note", (keyed(),)).compat(Compat::ANY);
    assert!(matches!(event.try_send(), Err(EmitError::Full { .. })));
    for wrong in [
        pusher.event("note", "no tuple").try_send(),
        pusher.event("note", ()).header("message_id", &1).try_send(),
    ] {
        assert!(matches!(wrong, Err(EmitError::Encode { .. })), "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushers_that_are_busy_are_not_taken_for_full() {
    const EVENTS: u64 = 5000;
    let puller = Puller::builder().receive_high_water_mark(0).bind(ANYWHERE);
    let mut puller = puller.build().await.unwrap();
    let pusher = Pusher::builder()
        .send_high_water_mark(0)
        .connect(&puller.endpoints()[0]);
    let pusher = pusher.build().await.unwrap();
    let waiting = pusher.clone();
    let pushing = tokio::spawn(async move {
        for number in 0..EVENTS {
            waiting.push("note", (number,)).await.unwrap();
        }
    });
    let trying = tokio::spawn(async move {
        for number in 0..EVENTS {
            pusher.try_push("note", (number,)).unwrap();
        }
    });
    for _ in 0..2 * EVENTS {
        in_time(puller.recv()).await.unwrap();
    }
    pushing.await.unwrap();
    trying.await.unwrap();
}
