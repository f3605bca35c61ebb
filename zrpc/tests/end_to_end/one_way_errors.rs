//! What subscribers and pullers go on after, and what they are not built with.

use std::time::Duration;

use tokio::sync::mpsc;
use zmtp::{Message, PushSocket, Socket};
use zrpc::{
    BuildError, ConnectError, OptionError, Puller, Pusher, ReceiveError, ReceiverHandle, Subscriber,
};

use crate::support::in_time;

const ANYWHERE: &str = "tcp://127.0.0.1:*";

/// A puller with a method that succeeds, and others that do not.
struct Fixture {
    raw: PushSocket,
    handle: ReceiverHandle,
    numbers: mpsc::UnboundedReceiver<u64>,
    errors: mpsc::UnboundedReceiver<ReceiveError>,
}

impl Fixture {
    async fn new() -> Self {
        let (sender, numbers) = mpsc::unbounded_channel();
        let (reporter, errors) = mpsc::unbounded_channel();
        let puller = Puller::builder()
            .method("note", move |(number,): (u64,)| {
                let sender = sender.clone();
                async move { sender.send(number).is_ok() }
            })
            .method("fail", |(): ()| async { "x".parse::<u64>() })
            .method("panic", |(): ()| async {
                assert!(std::process::id() == 0, "oh");
            })
            .blocking("panic_on_thread", |(): ()| {
                assert!(std::process::id() == 0, "oh");
            })
            .on_error(move |error| {
                reporter.send(error.clone()).unwrap();
                // Not even this ends the run.
                assert!(!error.to_string().contains("panic"), "the hook panics too");
            })
            .max_event_len(1000)
            .bind(ANYWHERE)
            .build()
            .await
            .unwrap();
        let raw = PushSocket::new();
        raw.connect(&puller.endpoints()[0]).await.unwrap();
        let handle = puller.handle();
        tokio::spawn(puller.run());
        Self {
            raw,
            handle,
            numbers,
            errors,
        }
    }

    async fn send(&mut self, message: impl Into<Message>) {
        in_time(self.raw.send(message)).await.unwrap();
    }

    async fn error(&mut self) -> ReceiveError {
        in_time(self.errors.recv()).await.unwrap()
    }
}

/// Encodes an event for `method`.
fn event(method: &str, args: &[u8]) -> Vec<u8> {
    let name = [
        &[0xa0 | u8::try_from(method.len()).unwrap()],
        method.as_bytes(),
    ]
    .concat();
    [
        b"\x93\x82\xaamessage_id\xa1x\xa1v\x03".as_slice(),
        &name,
        args,
    ]
    .concat()
}

// B13
#[tokio::test]
async fn b13_malformed_messages_are_reported_and_skipped() {
    let mut puller = Fixture::new().await;
    let malformed: [Message; 9] = [
        Message::from(""),
        Message::from("no event"),
        Message::from(&b"\xc1"[..]),
        Message::from(&b"\x93\x80"[..]),
        Message::from(&b"\x92\x80\xa1x"[..]),
        Message::from(&b"\x93\x80\x01\x90"[..]),
        Message::from(&b"\xdd\xff\xff\xff\xff"[..]),
        Message::from(event(
            "note",
            &[&[0x91, 0xda, 0x07, 0xd0][..], &[b'x'; 2000]].concat(),
        )),
        std::iter::repeat_n("", 40).collect(),
    ];
    let count = malformed.len();
    for message in malformed {
        puller.send(message).await;
    }
    puller.send(event("note", b"\x91\x07")).await;
    assert_eq!(in_time(puller.numbers.recv()).await, Some(7));
    for index in 0..count {
        let error = puller.error().await;
        let is_frames = matches!(error, ReceiveError::Frames(_));
        assert_eq!(is_frames, index == count - 1, "{index}: {error:?}");
        assert!(is_frames || matches!(error, ReceiveError::Malformed(_)));
    }
    let stats = puller.handle.stats();
    assert_eq!(stats.malformed, count as u64);
    assert_eq!(stats.received, count as u64 + 1);
}

// Q16
#[tokio::test]
async fn q16_payloads_behind_an_empty_frame_a_topic_or_hops_are_taken() {
    let mut puller = Fixture::new().await;
    let payload = || event("note", b"\x91\x01");
    puller.send([payload()]).await;
    puller.send([Vec::new(), payload()]).await;
    puller.send([b"topic".to_vec(), payload()]).await;
    puller.send([b"hop".to_vec(), Vec::new(), payload()]).await;
    for _ in 0..4 {
        assert_eq!(in_time(puller.numbers.recv()).await, Some(1));
    }
}

// Q12, Q13, Q14, Q15, Q17, Q20
#[tokio::test]
async fn what_other_implementations_send_is_taken() {
    let mut puller = Fixture::new().await;
    for payload in [
        // No header at all, as version 1 may have it, and trailing bytes.
        &b"\x93\x80\xa4note\x91\x01behind"[..],
        // Another version, unknown entries, and a channel that there cannot be.
        b"\x93\x84\xa1v\x02\xabresponse_to\xa1x\xa3foo\xc0\xaamessage_id\x05\xa4note\x91\x01",
        b"\x93\x82\xabresponse_to\xc0\xa1v\xcb\x40\x08\x00\x00\x00\x00\x00\x00\xa4note\x91\x01",
        // The name, and the keys of the header, as binary.
        b"\x93\x81\xc4\x01v\x03\xc4\x04note\x91\x01",
        // An integer of JavaScript.
        b"\x93\x80\xa4note\x91\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00",
        // A key that is not UTF-8.
        b"\x93\x81\xa1\xff\xa1\xff\xa4note\x91\x01",
    ] {
        puller.send(payload).await;
        assert_eq!(in_time(puller.numbers.recv()).await, Some(1));
    }
    assert_eq!(puller.handle.stats().handled, 6);
}

#[tokio::test]
async fn failures_of_methods_are_reported_and_end_nothing() {
    let mut puller = Fixture::new().await;
    puller.send(event("fail", b"\x90")).await;
    let ReceiveError::Failed { method, fault } = puller.error().await else {
        panic!("a failure was expected");
    };
    assert_eq!((&*method, fault.name()), ("fail", "ParseIntError"));
    for method in ["panic", "panic_on_thread"] {
        puller.send(event(method, b"\x90")).await;
        let error = puller.error().await.to_string();
        let expected = format!("{method}() failed with RuntimeError: {method}() panicked");
        assert_eq!(error, expected);
    }
    puller.send(event("note", b"\x91\xa1x")).await;
    let ReceiveError::Failed { fault, .. } = puller.error().await else {
        panic!("a failure was expected");
    };
    assert_eq!(fault.name(), "TypeError");
    puller.send(event("note", b"\x91\x07")).await;
    assert_eq!(in_time(puller.numbers.recv()).await, Some(7));
    assert_eq!(puller.handle.stats().failed, 4);
}

#[tokio::test]
async fn unknown_methods_are_reported_and_introspection_is_one_of_them() {
    let mut puller = Fixture::new().await;
    for name in ["what", "_zerorpc_ping", "_zpc_hb", "OK"] {
        puller.send(event(name, b"\x90")).await;
        let method = name.to_owned();
        assert_eq!(puller.error().await, ReceiveError::UnknownMethod { method });
    }
    puller.send(&b"\x93\x80\xa1\xff\x90"[..]).await;
    let method = "\u{fffd}".to_owned();
    assert_eq!(puller.error().await, ReceiveError::UnknownMethod { method });
    assert_eq!(puller.handle.stats().unknown, 5);
}

#[tokio::test]
async fn a_stream_is_made_and_not_iterated() {
    let (sender, mut made) = mpsc::unbounded_channel();
    let method = zrpc::Method::stream("count", move |(to,): (u64,)| {
        sender.send(to).unwrap();
        futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<u64>> {
            unreachable!("nobody takes the items")
        })
    });
    let puller = Puller::builder().register(method).bind(ANYWHERE);
    let puller = puller.build().await.unwrap();
    let pusher = Pusher::connect(&puller.endpoints()[0]).await.unwrap();
    let handle = puller.handle();
    tokio::spawn(puller.run());
    in_time(pusher.push("count", (5,))).await.unwrap();
    assert_eq!(in_time(made.recv()).await, Some(5));
    in_time(handle.shutdown()).await;
    assert_eq!(handle.stats().handled, 1);
}

#[tokio::test]
async fn mistakes_are_found_when_something_is_built() {
    let none = Pusher::builder().build().await;
    assert!(matches!(none, Err(ConnectError::NoEndpoint)));
    let twice = Subscriber::builder()
        .method("note", |(): ()| async {})
        .method("note", |(): ()| async {})
        .bind(ANYWHERE);
    assert!(matches!(
        twice.build().await,
        Err(BuildError::DuplicateMethod { .. })
    ));
    let idle = Puller::builder().max_concurrency(0).bind(ANYWHERE);
    assert!(matches!(
        idle.build().await,
        Err(BuildError::Option(OptionError::Zero {
            option: "max_concurrency"
        }))
    ));
    let nowhere = zrpc::Publisher::bind("nowhere").await;
    assert!(matches!(nowhere, Err(ConnectError::Endpoint { .. })));
}

#[test]
fn without_a_runtime_there_is_an_error() {
    let mut build = Box::pin(Pusher::builder().bind(ANYWHERE).build());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(
        build.as_mut().poll(&mut context),
        std::task::Poll::Ready(Err(ConnectError::NoRuntime))
    ));
}

#[tokio::test]
async fn a_flood_of_garbage_lets_others_have_their_turn() {
    let puller = Puller::builder().bind(ANYWHERE).build().await.unwrap();
    let endpoint = puller.endpoints()[0].clone();
    let handle = puller.handle();
    let running = tokio::spawn(puller.run());
    let flood = tokio::spawn(async move {
        let mut raw = PushSocket::new();
        raw.connect(&endpoint).await.unwrap();
        loop {
            raw.send("garbage").await.unwrap();
        }
    });
    in_time(async {
        while handle.stats().malformed < 10_000 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    flood.abort();
    in_time(handle.shutdown()).await;
    in_time(running).await.unwrap();
}
