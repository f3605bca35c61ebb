//! What a raw peer sees of Python's server and of ours, and what a Python client makes of raw
//! replies: the quirks that are about frames, ids and headers.

use std::time::Duration;

use interop::{Failure, Peer, Program, TestResult};
use rmpv::Value;
use serde_json::json;
use tests::{bytes::message, raw_peer::RawPeer, rpc};
use zmtp::{DealerSocket, Proxy, RouterSocket, Socket};
use zrpc::Client;

use crate::{
    our_service::serve,
    support::{
        Both, RawServer, python, python_call, python_client, python_server, raw_client, soon,
    },
};

const INTERVAL: Duration = Duration::from_secs(5);

/// How long nothing must come.
const SILENCE: Duration = Duration::from_millis(400);

fn array(value: impl Into<Value>) -> Value {
    Value::Array(vec![value.into()])
}

fn map(entries: &[(&str, Value)]) -> Value {
    let entries = entries.iter();
    Value::Map(
        entries
            .map(|(key, value)| (Value::from(*key), value.clone()))
            .collect(),
    )
}

/// Calls `add` with a number and 1, and checks the sum.
async fn expect_sum(peer: &mut RawPeer, number: u32) -> TestResult {
    let args = vec![Value::from(number), Value::from(1)];
    rpc::send(peer, &rpc::request(rpc::id(number), "add", args)).await?;
    let reply = rpc::recv(peer).await?;
    assert!(reply.is("OK"), "{reply:?}");
    assert_eq!(reply.args, array(number + 1));
    Ok(())
}

// Q1: an id of another type is another id. Q2: a binary name is another name. Q17: a reply needs
// neither id nor version.
#[tokio::test]
async fn a_python_client_knows_a_reply_by_the_type_of_its_id_and_name() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (server, endpoint) = RawServer::bind().await?;
    let mut client = python_client(python, &endpoint, json!({"timeout": 1})).await?;
    let mut server = server.accept().await?;
    let mut outcomes = Vec::new();
    for attempt in 0..3 {
        client
            .begin(json!({"op": "call", "client": "c", "method": "m", "args": []}))
            .await?;
        let request = rpc::recv(&mut server).await?;
        let id = request.entry("message_id").cloned().unwrap_or(Value::Nil);
        let digits = id.as_slice().unwrap_or_default().to_vec();
        assert!(id.is_bin(), "{request:?}");
        let name = match attempt {
            1 => Value::Binary(b"OK".to_vec()),
            _ => Value::from("OK"),
        };
        let channel = match attempt {
            0 => Value::from(String::from_utf8_lossy(&digits).into_owned()),
            _ => id,
        };
        let header = map(&[("response_to", channel)]);
        rpc::send(&mut server, &rpc::event(header, name, array(7))).await?;
        outcomes.push(client.finish().await?);
    }
    assert_eq!(outcomes[0]["raised"]["kind"], "TimeoutExpired");
    assert_eq!(outcomes[1]["raised"]["kind"], "RuntimeError");
    assert_eq!(outcomes[2]["result"], 7, "{outcomes:?}");
    Ok(())
}

// Q1, Q17.
#[tokio::test]
async fn every_server_answers_an_id_as_it_came_and_with_an_id_of_its_own() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        for id in [rpc::id(7), Value::from("text"), Value::from(7)] {
            let args = vec![Value::from(2), Value::from(40)];
            rpc::send(&mut peer, &rpc::request(id.clone(), "add", args)).await?;
            let reply = rpc::recv(&mut peer).await?;
            assert!(reply.is("OK"), "{whose}: {reply:?}");
            assert_eq!(reply.entry("response_to"), Some(&id), "{whose}");
            assert_eq!(reply.entry("v"), Some(&Value::from(3)), "{whose}");
            let own = reply.entry("message_id");
            assert!(own.is_some_and(Value::is_bin), "{whose}: {reply:?}");
        }
    }
    Ok(())
}

// Q15: what the program added goes to the method; nil opens a channel.
#[tokio::test]
async fn our_server_sees_the_task_context_of_a_python_client() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let options = json!({"header": {"trace": {"id": 7}}});
    let mut client = python_client(python, &server.endpoint, options).await?;

    let seen = python_call(&mut client, "header", json!(["trace"])).await?;

    assert_eq!(seen["result"], json!({"id": 7}), "{seen}");
    let mut dotnet = raw_client(&server.endpoint).await?;
    let header = map(&[
        ("message_id", rpc::id(1)),
        ("v", Value::from(3)),
        ("response_to", Value::Nil),
        ("access_key", Value::from("k")),
    ]);
    rpc::send(
        &mut dotnet,
        &rpc::event(header, "header", array("access_key")),
    )
    .await?;
    let reply = rpc::recv(&mut dotnet).await?;
    assert_eq!(reply.args, array("k"), "{reply:?}");
    Ok(())
}

// Q16.
#[tokio::test]
async fn every_server_echoes_the_envelope() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    type Frames = &'static [&'static [u8]];
    let envelopes: [(Frames, Frames); 3] = [
        (&[], &[b""]),
        (&[b"", b""], &[b"", b""]),
        (&[b"hop", b"", b"other", b""], &[b"hop", b"", b"other", b""]),
    ];
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        for (number, (sent, expected)) in (0..).zip(envelopes) {
            let args = vec![Value::from(1), Value::from(1)];
            let payload = rpc::request(rpc::id(number), "add", args);
            peer.send(&message(&[sent, &[&payload[..]]].concat()))
                .await?;
            let (envelope, reply) = rpc::recv_enveloped(&mut peer).await?;
            assert_eq!(envelope, expected, "{whose}");
            assert_eq!(reply.args, array(2), "{whose}");
        }
    }
    Ok(())
}

// Q16: a proxy adds a hop to the envelope.
#[tokio::test]
async fn calls_and_streams_pass_through_a_proxy_in_both_directions() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let their_server = python_server(python, json!({})).await?;
    let our_server = serve().await?;
    let (to_theirs, _first) = proxy_to(their_server.endpoint()?).await?;
    let (to_ours, _second) = proxy_to(&our_server.endpoint).await?;

    let our_client = Client::connect(to_theirs).await?;
    let sum: i64 = our_client.call("add", (2, 40)).await?;
    assert_eq!(sum, 42);
    let mut items = our_client.stream::<u64>("count", (1000,)).await?;
    let mut expected = 0;
    while let Some(item) = soon(items.next_item()).await?? {
        assert_eq!(item, expected);
        expected += 1;
    }
    assert_eq!(expected, 1000);

    let mut their_client = python_client(python, &to_ours, json!({})).await?;
    let sum = python_call(&mut their_client, "add", json!([2, 40])).await?;
    assert_eq!(sum["result"], 42, "{sum}");
    let counted = their_client
        .request(json!({"op": "stream", "client": "c", "method": "count", "args": [1000]}))
        .await?;
    assert_eq!(counted["count"], 1000, "{counted}");
    assert_eq!(counted["in_order"], true, "{counted}");
    Ok(())
}

/// Puts a proxy before a server; returns where clients find it.
async fn proxy_to(
    endpoint: &str,
) -> Result<
    (
        String,
        tokio::task::JoinHandle<Result<(), zmtp::ProxyError>>,
    ),
    Failure,
> {
    let front = RouterSocket::new();
    let back = DealerSocket::new();
    let bound = front.bind("tcp://127.0.0.1:*").await?.to_string();
    back.connect(endpoint).await?;
    let mut proxy = Proxy::new(front, back);
    Ok((bound, tokio::spawn(async move { proxy.run().await })))
}

// Q18: nobody does it, and both understand it.
#[tokio::test]
async fn every_server_takes_a_request_on_a_channel_that_a_heartbeat_opened() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        let channel = rpc::id(1);
        let opening = rpc::event(rpc::header(channel.clone(), None), "_zpc_hb", array(0));
        rpc::send(&mut peer, &opening).await?;
        // Python takes note of a channel some time after it has read its first event.
        tokio::time::sleep(SILENCE).await;
        let args = Value::Array(vec![Value::from(2), Value::from(40)]);
        rpc::send(&mut peer, &rpc::on_channel(&channel, "add", args)).await?;
        let mut reply = rpc::recv(&mut peer).await?;
        while reply.is("_zpc_hb") {
            reply = rpc::recv(&mut peer).await?;
        }
        assert!(reply.is("OK"), "{whose}: {reply:?}");
        assert_eq!(reply.args, array(42), "{whose}");
    }
    Ok(())
}

// Q21, B12: processes that were forked make the same ids.
#[tokio::test]
async fn python_clients_with_the_same_ids_do_not_meet_on_our_server() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let forked = json!({"ids": "0123456789abcdef01234567"});
    let mut first = python_client(python, &server.endpoint, forked.clone()).await?;
    let mut second = python_client(python, &server.endpoint, forked).await?;
    for _ in 0..3 {
        for (client, to) in [(&mut first, 3000), (&mut second, 2000)] {
            client
                .begin(json!({"op": "stream", "client": "c", "method": "count", "args": [to]}))
                .await?;
        }
        for (client, to) in [(&mut first, 3000), (&mut second, 2000)] {
            let counted = client.finish().await?;
            assert_eq!(counted["count"], to, "{counted}");
            assert_eq!(counted["in_order"], true, "{counted}");
        }
    }
    Ok(())
}

// B12.
#[tokio::test]
async fn a_forked_python_makes_the_ids_of_its_parent() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut process = Peer::start(python, Program::ZerorpcClient, json!({})).await?;

    let ids = process.request(json!({"op": "fork", "count": 1})).await?;

    let [parent, child] = [&ids[0], &ids[1]];
    assert_eq!(parent.as_str().map(str::len), Some(32), "{ids}");
    assert_eq!(parent, child);
    Ok(())
}

// B12: clients of ours share nothing that could be forked.
#[tokio::test]
async fn no_two_clients_of_ours_make_the_same_ids() -> TestResult {
    let mut digits = Vec::new();
    for _ in 0..2 {
        let (server, endpoint) = RawServer::bind().await?;
        let client = Client::connect(endpoint).await?;
        let calling = tokio::spawn(async move { client.call::<()>("m", ()).await });
        let request = rpc::recv(&mut server.accept().await?).await?;
        let id = request.entry("message_id").cloned().unwrap_or(Value::Nil);
        digits.push(id.as_slice().unwrap_or_default()[8..].to_vec());
        calling.abort();
    }
    assert_ne!(digits[0], digits[1]);
    Ok(())
}

// Q24: an unknown channel, as PHP's swapped ids name one, is noise. Q19: so is one that has ended.
#[tokio::test]
async fn every_server_ignores_events_for_channels_that_are_not_there() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    for (whose, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        expect_sum(&mut peer, 1).await?;
        for channel in [rpc::id(1), rpc::id(99), Value::from("other")] {
            for name in ["_zpc_hb", "_zpc_more", "OK"] {
                rpc::send(&mut peer, &rpc::on_channel(&channel, name, array(1))).await?;
            }
        }
        let answer = peer.recv_for(SILENCE).await?;
        assert!(answer.is_empty(), "{whose}");
        expect_sum(&mut peer, 2).await?;
    }
    Ok(())
}

// Q14, Q22, B14: what Python drops without a word, so that its caller waits for the timeout, is
// answered by ours, with a result or with an error.
#[tokio::test]
async fn what_python_drops_is_answered_by_our_server() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let both = Both::start(python, INTERVAL).await?;
    let head = rpc::encode(&rpc::header(rpc::id(1), None));
    let with_args = |args: &[u8]| [&[0x93], &head[..], b"\xa4echo", args].concat();
    let text_version = map(&[("message_id", rpc::id(1)), ("v", Value::from("three"))]);
    let cases = [
        ("text that is not UTF-8", with_args(b"\x91\xa2\xff\xfe")),
        ("a key that is a number", with_args(&[0x91, 0x81, 1, 2])),
        (
            "a fourth element",
            [&[0x94], &head[..], b"\xa4echo\x91\x01\x01"].concat(),
        ),
        (
            "a version that is text",
            rpc::event(text_version, "echo", array(1)),
        ),
    ];
    for (case, payload) in &cases {
        let mut peer = raw_client(both.python.endpoint()?).await?;
        rpc::send(&mut peer, payload).await?;
        let answer = peer.recv_for(SILENCE).await?;
        assert!(answer.is_empty(), "Python answered {case}");
    }
    for (case, payload) in cases {
        let mut peer = raw_client(&both.ours.endpoint).await?;
        rpc::send(&mut peer, &payload).await?;
        let answer = rpc::recv(&mut peer).await?;
        assert_eq!(answer.entry("response_to"), Some(&rpc::id(1)), "{case}");
        assert!(answer.is("OK") || answer.is("ERR"), "{case}: {answer:?}");
    }
    // A request without an id cannot be answered by anybody, and does no harm.
    for (_, endpoint) in both.endpoints()? {
        let mut peer = raw_client(endpoint).await?;
        let header = map(&[("v", Value::from(3))]);
        rpc::send(&mut peer, &rpc::event(header, "echo", array(1))).await?;
        expect_sum(&mut peer, 2).await?;
    }
    Ok(())
}
