//! Servers and clients that end, and what becomes of their calls.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_bytes::ByteBuf;
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, Semaphore};
use zmtp::{DealerSocket, Message, Part, Socket};
use zrpc::{
    CallError, Client, Interrupted, IoRuntime, ReplyStream, Server, ServerBuilder, ServerHandle,
};

use crate::support::{Counter, ReservedPort, in_time, pair};

/// A service whose method `wait` answers when the gate opens.
fn gated() -> (ServerBuilder, Counter, Arc<Semaphore>) {
    let (begun, gate) = (Counter::new(), Arc::new(Semaphore::new(0)));
    let (begin, opened) = (begun.clone(), Arc::clone(&gate));
    let server = Server::builder()
        .method("one", |(): ()| async { 1_u8 })
        .stream("count", |(to,): (u64,)| stream::iter(0..to))
        .method("wait", move |(): ()| {
            let gate = Arc::clone(&opened);
            begin.count();
            async move {
                gate.acquire().await.unwrap().forget();
                "waited"
            }
        });
    (server, begun, gate)
}

#[tokio::test]
async fn a_shutdown_answers_the_calls_that_are_open() {
    let (server, begun, gate) = gated();
    let (server, client) = pair(server).await;
    let handle = server.handle();
    let run = tokio::spawn(server.run());
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call::<String>("wait", ()).await }
    });
    begun.wait_for(1).await;
    let shutdown = tokio::spawn(async move { handle.shutdown().await });
    // Calls that come too late are told so, from some moment on.
    let late = loop {
        match in_time(client.call::<u8>("one", ())).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(&late, CallError::Remote(error) if error.name == "ServerStopping"),
        "{late:?}"
    );
    assert!(!shutdown.is_finished());
    gate.add_permits(1);
    assert_eq!(in_time(waiting).await.unwrap(), Ok("waited".to_owned()));
    in_time(shutdown).await.unwrap();
    assert_eq!(in_time(run).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_shutdown_lets_streams_end() {
    let (server, ..) = gated();
    let (server, client) = pair(server).await;
    let mut items = client.stream::<u64>("count", (20_000,)).await.unwrap();
    assert_eq!(in_time(items.next_item()).await, Ok(Some(0)));
    let handle = server.handle();
    let shutdown = tokio::spawn(async move { handle.shutdown().await });
    let rest: Vec<u64> = in_time(items.try_collect()).await.unwrap();
    assert!(rest.into_iter().eq(1..20_000));
    in_time(shutdown).await.unwrap();
}

#[tokio::test]
async fn a_handler_can_shut_its_server_down() {
    let own = Arc::new(OnceCell::<ServerHandle>::new());
    let handle = Arc::clone(&own);
    let (server, client) = pair(Server::builder().method("quit", move |(): ()| {
        let handle = Arc::clone(&handle);
        async move {
            let handle = handle.get().unwrap().clone();
            tokio::spawn(async move { handle.shutdown().await });
            "bye"
        }
    }))
    .await;
    own.set(server.handle()).unwrap();
    let reply = in_time(client.call::<String>("quit", ())).await;
    assert_eq!(reply, Ok("bye".to_owned()));
    assert_eq!(in_time(server.run()).await, Ok(()));
}

#[tokio::test]
async fn closing_a_server_cancels_its_calls() {
    let (server, begun, _gate) = gated();
    let (server, client) = pair(server).await;
    let waiting = tokio::spawn(async move { client.call::<String>("wait", ()).await });
    begun.wait_for(1).await;
    in_time(server.handle().close()).await;
    assert_eq!(
        in_time(waiting).await.unwrap(),
        Err(CallError::Disconnected)
    );
}

#[tokio::test]
async fn dropping_a_server_closes_it() {
    let (server, begun, _gate) = gated();
    let (server, client) = pair(server).await;
    let waiting = tokio::spawn(async move { client.call::<String>("wait", ()).await });
    begun.wait_for(1).await;
    drop(server);
    assert_eq!(
        in_time(waiting).await.unwrap(),
        Err(CallError::Disconnected)
    );
}

#[tokio::test]
async fn a_client_finds_its_server_again() {
    let port = ReservedPort::new();
    let (server, ..) = gated();
    let first = server.bind(port.endpoint()).build().await.unwrap();
    let client = Client::connect(port.endpoint()).await.unwrap();
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
    in_time(first.handle().close()).await;
    let (server, ..) = gated();
    let _second = server.bind(port.endpoint()).build().await.unwrap();
    // A call may still meet the end of the first connection.
    while in_time(client.call::<u8>("one", ())).await != Ok(1) {}
}

#[tokio::test]
async fn closing_a_client_ends_the_calls_of_its_clones() {
    let (server, begun, _gate) = gated();
    let (_server, client) = pair(server).await;
    let clone = client.clone();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call::<String>("wait", ()).await }
    });
    begun.wait_for(1).await;
    in_time(client.close()).await;
    assert_eq!(in_time(waiting).await.unwrap(), Err(CallError::Closed));
    assert_eq!(
        in_time(clone.call::<u8>("one", ())).await,
        Err(CallError::Closed)
    );
}

#[tokio::test]
async fn b4_nothing_that_a_peer_sends_ends_the_server() {
    let (server, ..) = gated();
    let (server, client) = pair(server).await;
    let mut peer = DealerSocket::new();
    peer.connect(&server.endpoints()[0]).await.unwrap();
    let long: Vec<u8> = vec![0xdd, 0xff, 0xff, 0xff, 0xff];
    let payloads: [&[u8]; 9] = [
        b"",
        b"\xc1",
        b"\x93",
        &long,
        b"\x94\x80\xa3one\x90\x90",
        // An array as `response_to`, which ended Python's dispatcher.
        b"\x93\x83\xaamessage_id\xa1x\xa1v\x03\xabresponse_to\x91\x01\xa2OK\x90",
        // No id, an id that is a map, and a version that is a string.
        b"\x93\x80\xa3one\x90",
        b"\x93\x82\xaamessage_id\x80\xa1v\x03\xa3one\x90",
        b"\x93\x82\xaamessage_id\xa1y\xa1v\xa1z\xa3one\x90",
    ];
    for payload in payloads {
        let payload = Part::from(Bytes::copy_from_slice(payload));
        peer.send(Message::from([Part::new(), payload.clone()]))
            .await
            .unwrap();
        peer.send(Message::from([payload])).await.unwrap();
    }
    peer.send((0..200).map(|_| Part::new()).collect::<Message>())
        .await
        .unwrap();
    // The same peer, and others, are still served.
    let request = b"\x93\x82\xaamessage_id\xa1q\xa1v\x03\xa3one\x90";
    let request = Part::from(Bytes::from_static(request));
    peer.send(Message::from([Part::new(), request]))
        .await
        .unwrap();
    loop {
        let reply = in_time(peer.recv()).await.unwrap();
        let payload = reply.last().unwrap().as_slice();
        if payload.ends_with(b"\xa2OK\x91\x01") {
            break;
        }
    }
    assert_eq!(in_time(client.call::<u8>("one", ())).await, Ok(1));
}

#[tokio::test]
async fn an_overrun_of_unread_streams_leaves_others_alone() {
    let (server, ..) = gated();
    let (_server, client) = pair(server).await;
    // Streams that nobody reads hold their credit and nothing else.
    let mut unread = Vec::new();
    for _ in 0..20 {
        unread.push(client.stream::<u64>("count", (1_000_000,)).await.unwrap());
    }
    let items = client.stream::<u64>("count", (10_000,)).await.unwrap();
    assert_eq!(in_time(items.count()).await, 10_000);
    drop(unread);
}

#[tokio::test]
async fn a_shutdown_sends_large_answers() {
    // Far more than fits into the queues between the server and its client.
    const CALLS: usize = 16;
    let (begun, gate) = (Counter::new(), Arc::new(Semaphore::new(0)));
    let (begin, opened) = (begun.clone(), Arc::clone(&gate));
    let (server, client) = pair(Server::builder().method("large", move |(): ()| {
        let gate = Arc::clone(&opened);
        begin.count();
        async move {
            gate.acquire().await.unwrap().forget();
            ByteBuf::from(vec![7; 2 << 20])
        }
    }))
    .await;
    let calls = [(); CALLS].map(|()| {
        let client = client.clone();
        tokio::spawn(async move { client.call::<ByteBuf>("large", ()).await })
    });
    begun.wait_for(16).await;
    let handle = server.handle();
    let shutdown = tokio::spawn(async move { handle.shutdown().await });
    gate.add_permits(CALLS);
    for call in calls {
        let answer = in_time(call).await.unwrap().unwrap();
        assert_eq!(answer.len(), 2 << 20);
    }
    in_time(shutdown).await.unwrap();
    assert_eq!(in_time(server.run()).await, Ok(()));
}

/// A server whose sockets and handlers all run on one runtime, and a client that has taken the first
/// item of an endless stream that holds a thread of it.
fn stalled_on(runtime: &Runtime) -> (Server, ReplyStream<u64>) {
    runtime.block_on(async {
        let server = Server::builder()
            .blocking_stream("endless", |(): ()| 0_u64..)
            .io_runtime(IoRuntime::Current);
        let (server, client) = pair(server).await;
        let mut items = client.stream::<u64>("endless", ()).await.unwrap();
        assert_eq!(in_time(items.next_item()).await, Ok(Some(0)));
        (server, items)
    })
}

#[test]
fn a_stalled_stream_does_not_keep_its_runtime_from_ending() {
    let runtime = Runtime::new().unwrap();
    let stalled = stalled_on(&runtime);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(runtime);
        sender.send(()).unwrap();
    });
    let ended = receiver.recv_timeout(Duration::from_secs(30));
    drop(stalled);
    ended.unwrap();
}

#[test]
fn a_server_whose_runtime_ends_was_interrupted() {
    let runtime = Runtime::new().unwrap();
    let (server, _items) = stalled_on(&runtime);
    runtime.shutdown_background();
    let runtime = Runtime::new().unwrap();
    let ended: Result<(), Interrupted> = runtime.block_on(server.run());
    assert!(ended.is_err());
}
