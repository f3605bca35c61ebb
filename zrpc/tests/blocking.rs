//! Clients, servers and events for programs without a runtime, on threads of all kinds.

#![cfg(feature = "blocking")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use zrpc::blocking::{Client, Publisher, Pusher, Response, Server};
use zrpc::{CallError, ConnectError, Heartbeat, IoRuntime, OptionError, ReceiverBuilder};

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fails a test that would hang.
fn in_time<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, waits) = mpsc::channel();
    let runs = thread::spawn(move || {
        let result = test();
        let _ = done.send(());
        result
    });
    if let Err(mpsc::RecvTimeoutError::Timeout) = waits.recv_timeout(PATIENCE) {
        panic!("the test takes too long");
    }
    runs.join().unwrap()
}

fn server() -> Server {
    zrpc::Server::builder()
        .blocking("add", |(a, b): (i64, i64)| a + b)
        .method("wait", |(millis,): (u64,)| async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            millis
        })
        .blocking_stream("count", |(to,): (u64,)| 0..to)
        .method("hang", |(): ()| std::future::pending::<()>())
        .bind("tcp://127.0.0.1:*")
        .build_blocking()
        .unwrap()
}

fn pair() -> (Server, Client) {
    let server = server();
    let client = Client::connect(&server.endpoints()[0]).unwrap();
    (server, client)
}

#[test]
fn calls_and_streams_work_without_a_runtime() {
    in_time(|| {
        let (_server, client) = pair();
        client.connected().unwrap();
        assert_eq!(client.call::<i64>("add", (1, 2)), Ok(3));
        assert_eq!(client.call::<u64>("wait", (5,)), Ok(5));
        let items: Result<Vec<u64>, _> = client.stream("count", (5000,)).unwrap().collect();
        assert_eq!(items.unwrap(), (0..5000).collect::<Vec<_>>());
        match client.request("count", (2,)).blocking_send::<u64>() {
            Ok(Response::Items(items)) => assert_eq!(items.count(), 2),
            other => panic!("items were expected: {other:?}"),
        }
        let request = client
            .request("hang", ())
            .timeout(Duration::from_millis(50));
        let error = request.blocking_call::<()>().unwrap_err();
        assert!(matches!(error, CallError::Timeout { .. }), "{error}");
        let request = client.request("count", (1,));
        let mut items = request.blocking_stream::<u64>().unwrap();
        assert_eq!(items.next(), Some(Ok(0)));
        assert_eq!((items.next(), items.next()), (None, None));
    });
}

#[test]
fn many_threads_share_a_client() {
    in_time(|| {
        let (_server, client) = pair();
        let threads = (0..8).map(|number: i64| {
            let client = client.clone();
            thread::spawn(move || {
                for step in 0..100 {
                    assert_eq!(client.call::<i64>("add", (number, step)), Ok(number + step));
                }
            })
        });
        let threads: Vec<_> = threads.collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// The runtime has one thread, which is blocked; nothing of the client may need it.
#[test]
fn blocking_within_a_runtime_neither_panics_nor_hangs() {
    for multi_thread in [false, true] {
        in_time(move || {
            let mut builder = match multi_thread {
                false => tokio::runtime::Builder::new_current_thread(),
                true => tokio::runtime::Builder::new_multi_thread(),
            };
            let runtime = builder.enable_all().build().unwrap();
            let tasks = async {
                tokio::spawn(async {
                    let (server, client) = pair();
                    // Several replies come together while all of them are waited for.
                    let others: Vec<_> = (0..4)
                        .map(|number: i64| {
                            let client = client.clone();
                            thread::spawn(move || client.call::<i64>("add", (number, 1)))
                        })
                        .collect();
                    for number in 0..500_i64 {
                        assert_eq!(client.call::<i64>("add", (number, 1)), Ok(number + 1));
                    }
                    for other in others {
                        other.join().unwrap().unwrap();
                    }
                    let items = client.stream::<u64>("count", (3000,)).unwrap();
                    assert_eq!(items.map(Result::unwrap).sum::<u64>(), 4_498_500);
                    client.close();
                    // A runtime is dropped within another one.
                    drop(server);
                })
                .await
                .unwrap();
            };
            runtime.block_on(tasks);
        });
    }
}

#[test]
fn a_server_runs_until_it_is_told_to_stop() {
    in_time(|| {
        let (server, client) = pair();
        let handle = server.handle();
        let runs = thread::spawn(move || server.run());
        let calls = thread::spawn({
            let client = client.clone();
            move || client.call::<u64>("wait", (100,))
        });
        assert_eq!(client.call::<i64>("add", (1, 1)), Ok(2));
        let more = handle.bind("tcp://127.0.0.1:*").unwrap();
        let other = Client::connect(&more).unwrap();
        assert_eq!(other.call::<i64>("add", (1, 1)), Ok(2));
        handle.unbind(&more).unwrap();
        let drained = handle.drain(PATIENCE).unwrap();
        assert!(drained.is_complete(), "{drained:?}");
        assert_eq!(calls.join().unwrap(), Ok(100));
        runs.join().unwrap().unwrap();
    });
}

#[test]
fn closing_a_client_ends_the_calls_of_other_threads() {
    in_time(|| {
        let (server, client) = pair();
        let waiting = thread::spawn({
            let client = client.clone();
            move || {
                client
                    .request("hang", ())
                    .no_timeout()
                    .blocking_call::<()>()
            }
        });
        assert_eq!(client.call::<i64>("add", (1, 1)), Ok(2));
        client.close();
        assert_eq!(waiting.join().unwrap(), Err(CallError::Closed));
        server.handle().close();
    });
}

#[test]
fn heartbeats_go_on_while_the_thread_does_something_else() {
    in_time(|| {
        let interval = Duration::from_secs(1);
        let server = server();
        let client = zrpc::Client::builder()
            .heartbeat(Heartbeat::every(interval))
            .connect(&server.endpoints()[0])
            .build_blocking()
            .unwrap();
        let mut items = client.stream::<u64>("count", (100_000,)).unwrap();
        assert_eq!(items.next(), Some(Ok(0)));
        let busy = Instant::now();
        while busy.elapsed() < 5 * interval / 2 {
            std::hint::spin_loop();
        }
        assert_eq!(items.next(), Some(Ok(1)));
    });
}

#[test]
fn a_client_that_blocks_has_a_thread_of_its_own() {
    let builder = zrpc::Client::builder()
        .io_runtime(IoRuntime::Current)
        .connect("tcp://127.0.0.1:1");
    let error = builder.build_blocking().unwrap_err();
    assert_eq!(error, ConnectError::Option(OptionError::NoOwnThread));
}

/// A method that tells the test what it got.
fn noting<R>(builder: ReceiverBuilder<R>) -> (ReceiverBuilder<R>, mpsc::Receiver<u64>) {
    let (sender, notes) = mpsc::channel();
    let builder = builder.blocking("note", move |(number,): (u64,)| sender.send(number).is_ok());
    (builder, notes)
}

#[test]
fn events_are_published_and_handled_without_a_runtime() {
    in_time(|| {
        let publisher = Publisher::bind("tcp://127.0.0.1:*").unwrap();
        let (builder, notes) = noting(zrpc::Subscriber::builder());
        let subscriber = builder.connect(&publisher.endpoints()[0]);
        let subscriber = subscriber.build_blocking().unwrap();
        let handle = subscriber.handle();
        let runs = thread::spawn(move || subscriber.run());
        while publisher.topic_count() == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        publisher.publish("note", (1,)).unwrap();
        assert_eq!(notes.recv_timeout(PATIENCE), Ok(1));
        publisher.try_publish("note", (2,)).unwrap();
        assert_eq!(notes.recv_timeout(PATIENCE), Ok(2));
        assert_eq!(publisher.dropped(), 0);
        let event = publisher.event("note", (3,)).topic("news");
        event.blocking_send().unwrap();
        assert_eq!(notes.recv_timeout(PATIENCE), Ok(3));
        assert_eq!(handle.stats().received, 3);
        handle.shutdown();
        runs.join().unwrap();
        publisher.close();
    });
}

#[test]
fn events_are_pushed_and_taken_one_by_one_while_endpoints_come_and_go() {
    in_time(|| {
        let mut puller = zrpc::Puller::builder()
            .bind("tcp://127.0.0.1:*")
            .build_blocking()
            .unwrap();
        let handle = puller.handle();
        let pusher = Pusher::connect(&puller.endpoints()[0]).unwrap();
        let clone = pusher.clone();
        thread::spawn(move || clone.push("one", ()).unwrap());
        assert_eq!(puller.recv().unwrap().method(), "one");
        pusher.disconnect(&puller.endpoints()[0]).unwrap();
        let extra = pusher.bind_to("tcp://127.0.0.1:*").unwrap();
        handle.connect(&extra).unwrap();
        pusher.push("two", ()).unwrap();
        assert_eq!(puller.recv().unwrap().method(), "two");
        pusher.unbind(&extra).unwrap();
        handle.disconnect(&extra).unwrap();
        let extra = handle.bind("tcp://127.0.0.1:*").unwrap();
        pusher.connect_to(&extra).unwrap();
        pusher.push("three", (3,)).unwrap();
        let event = puller.recv().unwrap();
        assert_eq!(event.args::<(u8,)>().unwrap(), (3,));
        handle.unbind(&extra).unwrap();
        assert_eq!(puller.stats().handled, 3);
        // Whoever waits hears of the end.
        let waits = thread::spawn(move || puller.recv().is_none());
        handle.shutdown();
        assert!(waits.join().unwrap());
    });
}

#[test]
fn what_was_accepted_is_sent_after_the_last_handle_was_dropped() {
    in_time(|| {
        let mut puller = zrpc::Puller::builder()
            .bind("tcp://127.0.0.1:*")
            .build_blocking()
            .unwrap();
        let pusher = Pusher::connect(&puller.endpoints()[0]).unwrap();
        for number in 0..500 {
            pusher.push("note", (number,)).unwrap();
        }
        drop(pusher);
        for number in 0..500 {
            let event = puller.recv().unwrap();
            assert_eq!(event.args::<(u32,)>().unwrap(), (number,));
        }
    });
}

#[test]
fn events_block_neither_each_other_nor_a_runtime_that_they_are_used_in() {
    in_time(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let (builder, notes) = noting(zrpc::Puller::builder());
            let puller = builder.bind("tcp://127.0.0.1:*").build_blocking().unwrap();
            let (handle, pusher) = (
                puller.handle(),
                Pusher::connect(&puller.endpoints()[0]).unwrap(),
            );
            let runs = thread::spawn(move || puller.run());
            for number in 0..3000 {
                pusher.push("note", (number,)).unwrap();
            }
            assert_eq!(notes.iter().take(3000).sum::<u64>(), 4_498_500);
            handle.shutdown();
            runs.join().unwrap();
            pusher.close();
        });
    });
}
