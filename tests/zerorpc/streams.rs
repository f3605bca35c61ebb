//! Credit: who may send how much, and what happens to those who send more.

use std::time::Duration;

use rmpv::Value;
use tests::raw_peer::RawPeer;
use tests::rpc;
use zrpc::CallError;

use crate::support::{Running, expect_good_call, methods, raw_server};

/// How long to wait for events that must not come.
const WINDOW: Duration = Duration::from_millis(50);

async fn expect_items(peer: &mut RawPeer, items: std::ops::Range<u64>) {
    for expected in items {
        let item = rpc::recv(peer).await.unwrap();
        assert!(item.is("STREAM"), "{item:?}");
        assert_eq!(item.args, Value::from(expected));
    }
    let more = peer.recv_for(WINDOW).await.unwrap();
    assert!(more.is_empty(), "more than was granted");
}

fn grant(args: Value) -> Vec<u8> {
    rpc::on_channel(&rpc::id(1), "_zpc_more", args)
}

fn array(count: impl Into<Value>) -> Value {
    Value::Array(vec![count.into()])
}

// Q5, Q6: one item is free, and grants come in several forms.
#[tokio::test]
async fn a_server_sends_what_it_was_granted() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    let request = rpc::request(rpc::id(1), "count", vec![Value::from(1000)]);
    rpc::send(&mut peer, &request).await.unwrap();
    expect_items(&mut peer, 0..1).await;
    let grants = [
        (array(2), 1..3),
        (array("2"), 3..5),
        (array(2.0), 5..7),
        (Value::from(2), 7..9),
        (array(0), 9..9),
        (array(-5), 9..9),
        (Value::Nil, 9..9),
        (array("many"), 9..9),
        (array(2), 9..11),
    ];
    for (args, items) in grants {
        rpc::send(&mut peer, &grant(args)).await.unwrap();
        expect_items(&mut peer, items).await;
    }
    expect_good_call(&mut peer, 2).await;
}

// B2: a flood of grants ends Python's back-pressure.
#[tokio::test]
async fn repeated_grants_do_not_add_up_beyond_the_largest() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    let request = rpc::request(rpc::id(1), "count", vec![Value::from(100_000)]);
    rpc::send(&mut peer, &request).await.unwrap();
    let first = rpc::recv(&mut peer).await.unwrap();
    assert!(first.is("STREAM"), "{first:?}");
    let flood: Vec<u8> = (0..100)
        .flat_map(|_| tests::bytes::message(&[b"", &grant(array(10))]))
        .collect();
    peer.send(&flood).await.unwrap();
    let mut count = 0;
    while count < 10 {
        assert!(rpc::recv(&mut peer).await.unwrap().is("STREAM"));
        count += 1;
    }
    while let Ok(item) = tokio::time::timeout(WINDOW, rpc::recv(&mut peer)).await {
        assert!(item.unwrap().is("STREAM"));
        count += 1;
    }
    assert!(count <= 1000, "{count} items");
}

// Q3, Q6: the end of a stream needs credit too.
#[tokio::test]
async fn the_end_of_a_stream_waits_for_credit() {
    let server = Running::start(methods()).await;
    let mut peer = server.raw_client().await;
    let request = rpc::request(rpc::id(1), "count", vec![Value::from(1)]);
    rpc::send(&mut peer, &request).await.unwrap();
    expect_items(&mut peer, 0..1).await;
    rpc::send(&mut peer, &grant(array(1))).await.unwrap();
    let done = rpc::recv(&mut peer).await.unwrap();
    assert!(done.is("STREAM_DONE"), "{done:?}");
}

async fn recv_grant(server: &mut RawPeer, channel: &Value) -> u64 {
    loop {
        let event = rpc::recv(server).await.unwrap();
        assert_eq!(event.entry("response_to"), Some(channel));
        if event.is("_zpc_more") {
            return event.args[0].as_u64().unwrap();
        }
        // On a busy machine this may take as long as a heartbeat.
        assert!(event.is("_zpc_hb"), "{event:?}");
    }
}

// Q7, Q8: nothing before the server has spoken, then a window of a hundred, then one grant for at
// least half a window each.
#[tokio::test]
async fn a_client_grants_by_half_windows() {
    const COUNT: u64 = 2000;
    let (client, mut server) = raw_server(|builder| builder.slots(100)).await;
    let stream = tokio::spawn(async move {
        let mut items = client.stream::<u64>("count", (COUNT,)).await?;
        let mut sum = 0;
        while let Some(item) = items.next_item().await? {
            sum += item;
        }
        Ok::<u64, CallError>(sum)
    });
    let request = rpc::recv(&mut server).await.unwrap();
    let channel = request.entry("message_id").unwrap().clone();
    assert!(server.recv_for(WINDOW).await.unwrap().is_empty());
    let (mut credit, mut outstanding) = (1, 1);
    for item in 0..COUNT {
        if credit == 0 {
            credit = recv_grant(&mut server, &channel).await;
            let first = outstanding == 1;
            assert!(if first {
                credit == 100
            } else {
                (51..=100).contains(&credit)
            });
            outstanding = credit;
        }
        credit -= 1;
        let event = rpc::on_channel(&channel, "STREAM", Value::from(item));
        rpc::send(&mut server, &event).await.unwrap();
    }
    let done = rpc::on_channel(&channel, "STREAM_DONE", Value::Nil);
    rpc::send(&mut server, &done).await.unwrap();
    assert_eq!(stream.await.unwrap(), Ok((0..COUNT).sum()));
}

// B3: one such channel used to freeze a whole Python client.
#[tokio::test]
async fn a_server_that_ignores_credit_ends_that_stream_alone() {
    let (client, mut server) = raw_server(|builder| builder.slots(100)).await;
    let mut items = {
        let opening = client.stream::<u64>("count", (1,));
        let first = async {
            let request = rpc::recv(&mut server).await.unwrap();
            let channel = request.entry("message_id").unwrap().clone();
            let item = rpc::on_channel(&channel, "STREAM", Value::from(0));
            let flood = tests::bytes::message(&[b"", &item]).repeat(1000);
            server.send(&flood).await.unwrap();
        };
        let (stream, ()) = tokio::join!(opening, first);
        stream.unwrap()
    };
    let call = client.call::<u64>("other", ());
    let serve = async {
        let mut request = rpc::recv(&mut server).await.unwrap();
        while !request.is("other") {
            request = rpc::recv(&mut server).await.unwrap();
        }
        let channel = request.entry("message_id").unwrap().clone();
        let reply = rpc::on_channel(&channel, "OK", array(7));
        rpc::send(&mut server, &reply).await.unwrap();
    };
    let (other, ()) = tokio::join!(call, serve);
    assert_eq!(other, Ok(7));
    let end = loop {
        match items.next_item().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(matches!(end, Err(CallError::Overrun { .. })), "{end:?}");
}
