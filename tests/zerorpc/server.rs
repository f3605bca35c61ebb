//! What a server does with what raw clients send.

use std::time::Duration;

use rmpv::Value;
use serde_bytes::ByteBuf;
use tests::bytes::message;
use tests::raw_peer::RawPeer;
use tests::recorder::Recorder;
use tests::rpc::{self, RawEvent};
use tokio::time::{sleep, timeout};
use zrpc::Heartbeat;

use crate::support::{BEATS, Running, expect_good_call, methods, steady_heartbeat};

async fn ask(peer: &mut RawPeer, payload: &[u8]) -> RawEvent {
    rpc::send(peer, payload).await.unwrap();
    rpc::recv(peer).await.unwrap()
}

fn map(entries: &[(&str, Value)]) -> Value {
    let entries = entries.iter();
    Value::Map(
        entries
            .map(|(key, value)| (Value::from(*key), value.clone()))
            .collect(),
    )
}

/// The id of the requests that are malformed.
fn malformed() -> Value {
    rpc::id(0xbad)
}

fn without_event() -> Vec<(&'static str, Vec<u8>)> {
    let header = rpc::header(malformed(), None);
    let encoded = rpc::encode(&header);
    let none = || Value::Array(vec![]);
    let array = |elements: Vec<Value>| rpc::encode(&Value::Array(elements));
    let whole = rpc::request(malformed(), "echo", vec![Value::from("cut short")]);
    let with_args = |args: &[u8]| [&[0x93], &encoded[..], &[0xa4], b"echo", args].concat();
    let bad_version = map(&[("message_id", malformed()), ("v", Value::from("three"))]);
    vec![
        ("nothing", vec![]),
        ("no msgpack", vec![0xc1]),
        ("text", b"GET / HTTP/1.1".to_vec()),
        ("a map", rpc::encode(&header)),
        (
            "two elements",
            array(vec![header.clone(), Value::from("echo")]),
        ),
        (
            "four elements",
            array(vec![header.clone(), Value::from("echo"), none(), none()]),
        ),
        (
            "a header that is nil",
            array(vec![Value::Nil, Value::from("echo"), none()]),
        ),
        (
            "a name that is a number",
            rpc::event(header.clone(), 7, none()),
        ),
        (
            "no id",
            rpc::event(map(&[("v", Value::from(3))]), "echo", none()),
        ),
        (
            "a version that is text",
            rpc::event(bad_version, "echo", none()),
        ),
        ("cut short", whole[..whole.len() - 1].to_vec()),
        (
            "2^32-1 arguments",
            with_args(&[0xdd, 0xff, 0xff, 0xff, 0xff]),
        ),
        (
            "2^32-1 octets",
            with_args(&[0xc6, 0xff, 0xff, 0xff, 0xff, 0]),
        ),
        ("2^32-1 entries", with_args(&[0xdf, 0xff, 0xff, 0xff, 0xff])),
        (
            "2^32-1 header entries",
            [0x93, 0xdf, 0xff, 0xff, 0xff, 0xff].to_vec(),
        ),
        ("a million levels", with_args(&[0x91; 1_000_000])),
        ("a reserved octet", with_args(&[0x91, 0xc1])),
    ]
}

#[tokio::test]
async fn payloads_that_are_no_event_harm_nobody_and_are_reported_once() {
    let server = Running::start(methods()).await;
    let healthy = server.client().await;
    let mut peer = server.raw_client().await;
    for (number, (name, payload)) in (0..).zip(without_event()) {
        let recorder = Recorder::start();
        rpc::send(&mut peer, &payload).await.unwrap();
        expect_refusal_or_nothing(&mut peer, number).await;
        let sum: i64 = healthy.call("add", (1, 2)).await.unwrap();
        assert_eq!(sum, 3);
        assert_eq!(recorder.count("no event"), 1, "{name}");
    }
}

/// Makes a good call; before its reply may come an error for the malformed request, so that its
/// caller does not wait in vain.
async fn expect_refusal_or_nothing(peer: &mut RawPeer, number: u32) {
    let args = vec![Value::from(number)];
    let request = rpc::request(rpc::id(number), "echo", args.clone());
    let mut reply = ask(peer, &request).await;
    if reply.entry("response_to") == Some(&malformed()) {
        assert!(reply.is("ERR"), "{reply:?}");
        assert_eq!(reply.args[0], Value::from("ProtocolError"));
        reply = rpc::recv(peer).await.unwrap();
    }
    assert!(reply.is("OK"), "{reply:?}");
    assert_eq!(reply.args, Value::Array(args));
}

// B4: one such event used to end a Python server.
#[tokio::test]
async fn replies_to_ids_of_any_type_are_dropped() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    let ids = [
        Value::Array(vec![Value::from(1)]),
        Value::Map(vec![(Value::from(1), Value::from(2))]),
        Value::from(1.5),
        Value::from(true),
        Value::Ext(5, vec![1, 2]),
        Value::from("x".repeat(200)),
    ];
    for id in &ids {
        for name in ["OK", "STREAM", "_zpc_hb", "_zpc_more", "echo"] {
            let event = rpc::on_channel(id, name, Value::Array(vec![]));
            rpc::send(&mut peer, &event).await.unwrap();
        }
    }
    expect_good_call(&mut peer, 1).await;
}

// Q1: Python compares ids by type as well.
#[tokio::test]
async fn an_id_comes_back_as_it_was_sent() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    let ids = [
        rpc::id(7),
        Value::from("deadbeef1234"),
        Value::from(7),
        Value::from(-7),
        Value::Binary(vec![0, 0xff]),
        Value::Array(vec![Value::from(1)]),
    ];
    for id in ids {
        let request = rpc::request(id.clone(), "echo", vec![Value::from("x")]);
        let reply = ask(&mut peer, &request).await;
        assert!(reply.is("OK"), "{reply:?}");
        assert_eq!(reply.entry("response_to"), Some(&id));
        assert_eq!(reply.entry("v"), Some(&Value::from(3)));
        assert!(reply.entry("message_id").is_some_and(Value::is_bin));
    }
}

// Q21: forked Python processes share their ids.
#[tokio::test]
async fn two_clients_may_use_the_same_id() {
    let server = Running::start(methods()).await;
    let mut first = server.raw_client().await;
    let mut second = server.raw_client().await;
    let waiting = rpc::request(rpc::id(1), "wait", vec![]);
    rpc::send(&mut first, &waiting).await.unwrap();
    expect_good_call(&mut second, 1).await;
    expect_good_call(&mut first, 2).await;
}

// Q16.
#[tokio::test]
async fn envelopes_come_back_as_they_were_sent() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    let payload = rpc::request(rpc::id(1), "echo", vec![Value::Nil]);
    type Frames = &'static [&'static [u8]];
    let envelopes: [(Frames, Frames); 4] = [
        (&[], &[b""]),
        (&[b""], &[b""]),
        (&[b"", b""], &[b"", b""]),
        (
            &[b"hop", b"", b"other hop", b""],
            &[b"hop", b"", b"other hop", b""],
        ),
    ];
    for (sent, expected) in envelopes {
        let parts = [sent, &[&payload[..]]].concat();
        peer.send(&message(&parts)).await.unwrap();
        let (envelope, reply) = rpc::recv_enveloped(&mut peer).await.unwrap();
        assert_eq!(envelope, expected);
        assert!(reply.is("OK"), "{reply:?}");
    }
    let endless = vec![&b"hop"[..]; 1000];
    peer.send(&message(&endless)).await.unwrap();
    let long = vec![b'x'; 10_000];
    let long = [&long[..], b"", &payload];
    peer.send(&message(&long)).await.unwrap();
    expect_good_call(&mut peer, 2).await;
}

// Q25.
#[tokio::test]
async fn an_unknown_method_is_a_name_error_with_its_name() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    let request = rpc::request(rpc::id(1), "nothing", vec![]);
    let reply = ask(&mut peer, &request).await;
    assert!(reply.is("ERR"), "{reply:?}");
    assert_eq!(reply.args[0], Value::from("NameError"));
    assert_eq!(reply.args[1], Value::from("nothing"));
    assert_eq!(reply.args.as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn unfit_arguments_are_a_type_error_that_names_the_method() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    let unfit = [
        Value::Nil,
        Value::from(7),
        Value::from("ab"),
        Value::Binary(vec![1, 2]),
        Value::Map(vec![(Value::from(1), Value::from(2))]),
        Value::Array(vec![]),
        Value::Array(vec![Value::from(1)]),
        Value::Array(vec![Value::from(1), Value::from("two")]),
        Value::Array(vec![Value::from(1), Value::from(2), Value::from(3)]),
        Value::Array(vec![Value::from(u64::MAX), Value::from(2)]),
    ];
    for args in unfit {
        let request = rpc::event(rpc::header(rpc::id(1), None), "add", args.clone());
        let reply = ask(&mut peer, &request).await;
        assert!(reply.is("ERR"), "{args}: {reply:?}");
        assert_eq!(reply.args[0], Value::from("TypeError"), "{args}");
        let text = reply.args[1].as_str().unwrap();
        assert!(text.contains("add"), "{args}: {text}");
    }
}

// Q12: clients without a version know errors of one element.
#[tokio::test]
async fn errors_have_the_form_of_the_clients_version() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    for (version, elements) in [
        (None, 1),
        (Some(1), 1),
        (Some(2), 3),
        (Some(3), 3),
        (Some(9), 3),
    ] {
        let mut entries = vec![("message_id", rpc::id(1))];
        entries.extend(version.map(|version| ("v", Value::from(version))));
        let request = rpc::event(map(&entries), "nothing", Value::Array(vec![]));
        let reply = ask(&mut peer, &request).await;
        assert!(reply.is("ERR"), "{reply:?}");
        let count = reply.args.as_array().map(Vec::len);
        assert_eq!(count, Some(elements), "{version:?}");
    }
}

// Q14: Python drops such a request, and its client waits for the timeout.
#[tokio::test]
async fn text_that_is_not_utf_8_is_answered() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    let head = rpc::encode(&rpc::header(rpc::id(1), None));
    let payload = [&[0x93], &head[..], b"\xa4echo\x91\xa2\xff\xfe"].concat();
    let reply = ask(&mut peer, &payload).await;
    assert_eq!(reply.entry("response_to"), Some(&rpc::id(1)));
}

// B14, Q22: any key is accepted; what Python would drop on the way back is an error instead.
#[tokio::test]
async fn map_keys_of_any_type_are_answered() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    for key in [Value::from(1), Value::Nil, Value::Array(vec![])] {
        let value = Value::Map(vec![(key, Value::from(2))]);
        let request = rpc::request(rpc::id(1), "echo", vec![value]);
        let reply = ask(&mut peer, &request).await;
        assert!(reply.is("ERR"), "{reply:?}");
        assert_eq!(reply.args[0], Value::from("TypeError"));
    }
    for key in [Value::from("text"), Value::Binary(vec![1])] {
        let value = Value::Map(vec![(key, Value::from(2))]);
        let request = rpc::request(rpc::id(1), "echo", vec![value.clone()]);
        let reply = ask(&mut peer, &request).await;
        assert_eq!(reply.args, Value::Array(vec![value]));
    }
}

// Q18.
#[tokio::test]
async fn a_channel_may_be_opened_by_a_heartbeat() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    let channel = rpc::id(1);
    let first = rpc::event(
        rpc::header(channel.clone(), None),
        "_zpc_hb",
        Value::Array(vec![]),
    );
    rpc::send(&mut peer, &first).await.unwrap();
    let args = Value::Array(vec![Value::from("late")]);
    let mut reply = ask(&mut peer, &rpc::on_channel(&channel, "echo", args.clone())).await;
    while reply.is("_zpc_hb") {
        reply = rpc::recv(&mut peer).await.unwrap();
    }
    assert!(reply.is("OK"), "{reply:?}");
    assert_eq!(reply.args, args);
}

#[tokio::test]
async fn a_call_that_takes_long_is_kept_alive_and_given_up_with_its_client() {
    let server = Running::start(methods().heartbeat(steady_heartbeat())).await;
    let mut peer = server.raw_client().await;
    let channel = rpc::id(1);
    let request = rpc::request(channel.clone(), "wait", vec![]);
    rpc::send(&mut peer, &request).await.unwrap();
    for _ in 0..BEATS {
        let beat = rpc::recv(&mut peer).await.unwrap();
        assert!(beat.is("_zpc_hb"), "{beat:?}");
        assert_eq!(beat.entry("response_to"), Some(&channel));
        let answer = rpc::on_channel(&channel, "_zpc_hb", Value::Array(vec![Value::from(0)]));
        rpc::send(&mut peer, &answer).await.unwrap();
    }
    // From here on the client is silent; the heartbeats end, whose pauses may be long on a busy
    // machine.
    let quiet = Duration::from_secs(3);
    while !peer.recv_for(quiet).await.unwrap().is_empty() {}
    expect_good_call(&mut peer, 2).await;
}

/// While the socket of a server that was closed lingers, whoever asks the server learns that it ends.
#[tokio::test]
async fn a_server_that_lingers_keeps_nobody_waiting() {
    // More than the kernel takes for a peer that reads nothing.
    const LARGE: usize = 32 * 1024 * 1024;
    let server = methods()
        .heartbeat(Heartbeat::off())
        .linger(Duration::from_secs(3600))
        .method("large", |(): ()| async { ByteBuf::from(vec![0; LARGE]) })
        .build()
        .await
        .unwrap();
    let handle = server.handle();
    let address = server.endpoints()[0]["tcp://".len()..].parse().unwrap();
    let mut peer = RawPeer::connect(address).await.unwrap();
    peer.handshake("DEALER").await.unwrap();
    let request = rpc::request(rpc::id(1), "large", vec![]);
    rpc::send(&mut peer, &request).await.unwrap();
    // The answer is in the socket.
    while handle.stats().await.unwrap().events_sent == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    let closing = tokio::spawn({
        let handle = handle.clone();
        async move { handle.close().await }
    });
    let until_it_ends = async { while handle.stats().await.is_ok() {} };
    let told = timeout(Duration::from_secs(30), until_it_ends).await;
    assert!(told.is_ok(), "it is not told");
    assert!(!closing.is_finished());
    drop(peer);
}
