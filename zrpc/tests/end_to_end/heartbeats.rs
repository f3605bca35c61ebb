//! Who is believed to be alive, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use zmtp::{RouterSocket, Socket};
use zrpc::{CallError, Client, ClientBuilder, DisconnectReason, Heartbeat, Server, ServerBuilder};

use crate::support::{Counter, ReservedPort, in_time, pair_with};

/// Long enough that a busy machine keeps up, short enough for a test.
const INTERVAL: Duration = Duration::from_millis(800);

/// Longer than any side waits for a heartbeat.
const LONG: Duration = Duration::from_secs(2);

fn server() -> ServerBuilder {
    Server::builder()
        .heartbeat(Heartbeat::every(INTERVAL))
        .method("one", |(): ()| async { 1_u8 })
        .blocking("block", |(): ()| thread::sleep(LONG))
        .method("wait", |(): ()| tokio::time::sleep(LONG))
        .method("burn", |(): ()| async {
            let start = Instant::now();
            while start.elapsed() < LONG {
                std::hint::spin_loop();
            }
        })
}

fn client() -> ClientBuilder {
    Client::builder().heartbeat(Heartbeat::every(INTERVAL))
}

#[tokio::test]
async fn a_method_that_holds_its_thread_loses_no_heartbeat() {
    let (_server, client) = pair_with(server(), client()).await;
    let blocked = client.call::<()>("block", ());
    let others = join_all((0..100).map(|_| client.call::<u8>("one", ())));
    let (blocked, others) = in_time(async { tokio::join!(blocked, others) }).await;
    blocked.unwrap();
    assert!(others.into_iter().all(|reply| reply == Ok(1)));
}

#[tokio::test]
async fn a_method_that_burns_the_only_thread_of_the_runtime_loses_no_heartbeat() {
    let (_server, client) = pair_with(server(), client()).await;
    in_time(client.call::<()>("burn", ())).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_blocks_its_runtime_loses_no_heartbeat() {
    let (_server, client) = pair_with(server(), client()).await;
    let mut call = std::pin::pin!(client.call::<()>("block", ()));
    // The first poll sends the request.
    assert!(futures_util::poll!(&mut call).is_pending());
    thread::sleep(2 * LONG);
    in_time(call).await.unwrap();
}

#[tokio::test]
async fn heartbeats_may_be_off_on_either_side() {
    let (on, off) = (Heartbeat::every(INTERVAL), Heartbeat::off());
    let passive = Heartbeat::passive(INTERVAL);
    let pairs = [(off, off), (off, on), (on, off), (on, passive)];
    let calls = pairs.map(|(server_heartbeat, client_heartbeat)| async move {
        let server = server().heartbeat(server_heartbeat);
        let client = client().heartbeat(client_heartbeat);
        let (_server, client) = pair_with(server, client).await;
        client.call::<()>("wait", ()).await
    });
    for reply in in_time(join_all(calls)).await {
        reply.unwrap();
    }
}

#[tokio::test]
async fn waiting_calls_keep_their_heartbeats() {
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (gate, started) = (Arc::new(Semaphore::new(0)), Counter::new());
    let (seen, opened, counter) = (Arc::clone(&most), Arc::clone(&gate), started.clone());
    let limited = server().max_concurrency(2).method("work", move |(): ()| {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        let (gate, started) = (Arc::clone(&gate), counter.clone());
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            started.count();
            gate.acquire().await.unwrap().forget();
            running.fetch_sub(1, Ordering::SeqCst);
        }
    });
    let (_server, client) = pair_with(limited, client()).await;
    let calls = join_all((0..6).map(|_| client.call::<()>("work", ())));
    let release = async {
        started.wait_for(2).await;
        tokio::time::sleep(LONG).await;
        opened.add_permits(6);
    };
    let (replies, ()) = in_time(async { tokio::join!(calls, release) }).await;
    assert!(replies.into_iter().all(|reply| reply == Ok(())));
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

/// A socket that takes requests and never answers.
async fn silent_server() -> (RouterSocket, String) {
    let socket = RouterSocket::new();
    let endpoint = socket.bind("tcp://127.0.0.1:*").await.unwrap();
    (socket, endpoint.to_string())
}

#[tokio::test]
async fn q26_a_silent_server_is_lost() {
    let (_socket, endpoint) = silent_server().await;
    let client = client().connect(endpoint).build().await.unwrap();
    let error = in_time(client.call::<()>("any", ())).await.unwrap_err();
    assert_eq!(error.to_string(), "Lost remote after 1.6s heartbeat");
}

#[tokio::test]
async fn a_server_that_never_comes_is_lost() {
    let client = client().connect("tcp://127.0.0.1:1").build().await.unwrap();
    let error = in_time(client.call::<()>("any", ())).await.unwrap_err();
    let CallError::LostRemote { after, cause } = error else {
        panic!("{error:?}");
    };
    assert_eq!(after, 2 * INTERVAL);
    let cause = cause.unwrap();
    assert_eq!(cause.endpoint, "tcp://127.0.0.1:1");
    assert!(matches!(cause.reason, DisconnectReason::Io(_)), "{cause}");
    // Nobody else counts what never reaches a server.
    let stats = client.stats().await.unwrap();
    assert_eq!((stats.calls_made, stats.lost_remotes), (1, 1));
}

#[tokio::test]
async fn a_call_without_timeout_and_heartbeat_waits_for_its_server() {
    let port = ReservedPort::new();
    let client = client().connect(port.endpoint()).build().await.unwrap();
    let call = tokio::spawn(async move {
        let request = client.request("one", ()).no_timeout();
        request.heartbeat(Heartbeat::off()).call::<u8>().await
    });
    // Longer than a silent server is believed to live.
    tokio::time::sleep(4 * INTERVAL).await;
    let _server = server().bind(port.endpoint()).build().await.unwrap();
    assert_eq!(in_time(call).await.unwrap(), Ok(1));
}

#[tokio::test]
async fn q26_a_call_that_takes_too_long_times_out() {
    let timeout = Duration::from_millis(100);
    let (_socket, silent) = silent_server().await;
    for endpoint in [silent.as_str(), "tcp://127.0.0.1:1"] {
        let client = Client::builder().connect(endpoint).timeout(timeout).build();
        let client = client.await.unwrap();
        let error = in_time(client.call::<()>("foo", ())).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "timeout after 0.1s, when calling remote method foo"
        );
    }
}

#[tokio::test]
async fn a_call_may_have_no_timeout() {
    let (_server, without) = pair_with(server(), client().timeout(None)).await;
    in_time(without.call::<()>("wait", ())).await.unwrap();
    let (_server, client) = pair_with(server(), client().timeout(INTERVAL)).await;
    let timed = in_time(client.call::<()>("wait", ())).await.unwrap_err();
    assert!(matches!(timed, CallError::Timeout { after, .. } if after == INTERVAL));
    in_time(client.request("wait", ()).no_timeout().call::<()>())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_passive_client_does_not_give_up_on_a_silent_server() {
    let (_socket, endpoint) = silent_server().await;
    let client = client().connect(endpoint).build().await.unwrap();
    let request = client.request("any", ()).passive_heartbeat().timeout(LONG);
    let error = in_time(request.call::<()>()).await.unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
}
