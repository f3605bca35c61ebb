//! Calls that nobody waits for any more.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::mpsc;
use zmtp::{DealerSocket, Message, Part, Socket};
use zrpc::{CallContext, Client, Heartbeat, Server, ServerBuilder};

use crate::support::{Counter, in_time, pair};

/// A service whose method `hang` never answers. Counts handlers that begin and that are dropped.
fn hanging() -> (ServerBuilder, Counter, Counter) {
    let (begun, dropped) = (Counter::new(), Counter::new());
    let (begin, drops) = (begun.clone(), dropped.clone());
    let server = Server::builder()
        .method("hang", move |(): ()| {
            let guard = drops.on_drop();
            begin.count();
            async move {
                let _guard = guard;
                std::future::pending::<()>().await;
            }
        })
        .method("one", |(): ()| async { 1_u8 });
    (server, begun, dropped)
}

/// A client tells a server that a call was given up once it knows that the server understands,
/// and it knows that from the first reply.
async fn acquainted(server: ServerBuilder) -> (Server, Client) {
    let (server, client) = pair(server).await;
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    (server, client)
}

#[tokio::test]
async fn a_dropped_call_cancels_its_handler() {
    let (server, begun, dropped) = hanging();
    let (_server, client) = acquainted(server).await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.call::<()>("hang", ()).await }
    });
    begun.wait_for(1).await;
    assert_eq!(dropped.pending(), 0);
    call.abort();
    // Well before any heartbeat is missed.
    dropped.wait_for(1).await;
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
}

#[tokio::test]
async fn b28_a_call_that_times_out_cancels_its_handler() {
    let (server, begun, dropped) = hanging();
    let (_server, client) = acquainted(server).await;
    let request = client
        .request("hang", ())
        .timeout(Duration::from_millis(300));
    in_time(request.call::<()>()).await.unwrap_err();
    begun.wait_for(1).await;
    dropped.wait_for(1).await;
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_handlers() {
    let (server, begun, dropped) = hanging();
    let (_server, client) = pair(server).await;
    for _ in 0..3 {
        let client = client.clone();
        tokio::spawn(async move { client.call::<()>("hang", ()).await });
    }
    begun.wait_for(3).await;
    in_time(client.close()).await;
    dropped.wait_for(3).await;
}

/// Sends one request as a peer of version 3 that then says nothing more.
async fn silent_client(endpoint: &str, method: &str) -> DealerSocket {
    let mut socket = DealerSocket::new();
    socket.connect(endpoint).await.unwrap();
    let mut payload = b"\x93\x82\xaamessage_id\xa11\xa1v\x03".to_vec();
    payload.push(0xa0 | u8::try_from(method.len()).unwrap());
    payload.extend_from_slice(method.as_bytes());
    payload.push(0x90);
    let message = Message::from([Part::new(), Part::from(Bytes::from(payload))]);
    socket.send(message).await.unwrap();
    socket
}

#[tokio::test]
async fn a_silent_caller_cancels_its_handler() {
    let (server, begun, dropped) = hanging();
    let server = server
        .heartbeat(Heartbeat::every(Duration::from_millis(100)))
        .bind("tcp://127.0.0.1:*");
    let server = server.build().await.unwrap();
    let _socket = silent_client(&server.endpoints()[0], "hang").await;
    begun.wait_for(1).await;
    dropped.wait_for(1).await;
}

#[tokio::test]
async fn a_blocking_handler_can_ask_whether_its_caller_is_gone() {
    let (begun, ended) = (Counter::new(), Counter::new());
    let (begin, end) = (begun.clone(), ended.clone());
    let (server, ..) = hanging();
    let (_server, client) = acquainted(server.blocking("search", move |(): ()| {
        let context = CallContext::current().unwrap();
        begin.count();
        while !context.is_cancelled() {
            std::thread::yield_now();
        }
        end.count();
        context.method().to_owned()
    }))
    .await;
    let call = tokio::spawn(async move { client.call::<String>("search", ()).await });
    begun.wait_for(1).await;
    call.abort();
    ended.wait_for(1).await;
}

#[tokio::test]
async fn a_blocking_stream_ends_with_its_caller() {
    let ended = Counter::new();
    let counter = ended.clone();
    let (_server, client) = pair(Server::builder().blocking_stream("endless", move |(): ()| {
        let guard = counter.on_drop();
        (0_u64..).inspect(move |_| {
            let _alive = &guard;
        })
    }))
    .await;
    let mut items = client.stream::<u64>("endless", ()).await.unwrap();
    assert_eq!(in_time(items.next_item()).await, Ok(Some(0)));
    drop(items);
    ended.wait_for(1).await;
}

#[tokio::test]
async fn a_waiting_call_whose_caller_is_gone_never_runs() {
    let (server, begun, _dropped) = hanging();
    let (_server, client) = acquainted(server.max_concurrency(1)).await;
    let spawn = || {
        let client = client.clone();
        tokio::spawn(async move { client.call::<()>("hang", ()).await })
    };
    let first = spawn();
    begun.wait_for(1).await;
    let request = client
        .request("hang", ())
        .timeout(Duration::from_millis(200));
    in_time(request.call::<()>()).await.unwrap_err();
    // The place goes to the next caller that still waits.
    let last = tokio::spawn({
        let client = client.clone();
        async move { client.call::<u8>("one", ()).await }
    });
    first.abort();
    assert_eq!(in_time(last).await.unwrap(), Ok(1));
    assert_eq!(begun.pending(), 0);
}

#[tokio::test]
async fn dropping_the_last_client_ends_its_streams_on_the_server() {
    let (sender, mut receiver) = mpsc::unbounded_channel::<()>();
    let (server, client) = pair(Server::builder().stream("endless", move |(): ()| {
        let sender = sender.clone();
        stream::iter(0_u64..).inspect(move |_| {
            let _alive = &sender;
        })
    }))
    .await;
    let mut items = client.stream::<u64>("endless", ()).await.unwrap();
    drop(client);
    // The stream keeps the connection alive by itself.
    assert_eq!(in_time(items.next_item()).await, Ok(Some(0)));
    drop(items);
    drop(server);
    // All senders are gone: the one of the handler, and the one of the method.
    assert_eq!(in_time(receiver.recv()).await, None);
}
