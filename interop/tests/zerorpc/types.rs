//! Types that languages have differently: moments, extensions, integers, bytes and strings.
//!
//! What `Compat` refuses is shown to be dropped or changed by the peer that it is refused for.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::future::try_join_all;
use interop::{Failure, PYTHON_VERSIONS, Peer, TestResult, python_of_version};
use rmpv::Value;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_json::json;
use zrpc::{CallError, Client, Compat, CompatFault, Ext, JsDate, Server, Timestamp};

use crate::support::{our_client, python, python_call, python_client, python_server, soon};

/// How long a call is waited for that the other side does not answer.
const UNANSWERED: Duration = Duration::from_millis(700);

/// An echo that is not kept from sending what its peer does not take.
async fn unguarded(client: &Client, value: &impl Serialize) -> Result<Value, CallError> {
    let request = client.request("echo", (value,)).compat(Compat::ANY);
    request.timeout(UNANSWERED).call().await
}

fn fault(refused: Result<Value, CallError>) -> CompatFault {
    match refused {
        Err(CallError::NotPortable { detail, .. }) => detail.fault,
        other => panic!("it was not refused: {other:?}"),
    }
}

async fn node_client() -> Result<Option<(Peer, Client)>, Failure> {
    let Some(node) = tokio::task::spawn_blocking(interop::node).await?? else {
        return Ok(None);
    };
    let server = Peer::start_node(node, json!({})).await?;
    let client = Client::connect(server.endpoint()?).await?;
    Ok(Some((server, client)))
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Record {
    at: Timestamp,
    shape: Ext,
    raw: ByteBuf,
    text: String,
    large: (i64, u64),
    nothing: Option<u8>,
}

fn record() -> Record {
    Record {
        at: Timestamp::new(-62_135_596_800, 999_999_999).expect("less than a second"),
        shape: Ext::new(5, &b"abc"[..]),
        raw: ByteBuf::from([0, 255]),
        text: "déjà vu".to_owned(),
        large: (i64::MIN, u64::MAX),
        nothing: None,
    }
}

// Q13: bytes and strings of Python 2 and 3.
#[tokio::test]
async fn every_python_gives_records_back_as_they_were() -> TestResult {
    let found = PYTHON_VERSIONS
        .map(|version| tokio::task::spawn_blocking(move || (version, python_of_version(version))));
    let mut pythons = Vec::new();
    for found in found {
        let (version, python) = found.await?;
        pythons.extend(python?.map(|python| (version, python)));
    }
    try_join_all(pythons.into_iter().map(|(version, python)| async move {
        let server = python_server(python, json!({})).await?;
        let client = our_client(&server).await?;
        let echoed: Record = client.call("echo", (record(),)).await?;
        assert_eq!(echoed, record(), "{version}");
        for moment in [(0, 0), (1 << 32, 5), (1 << 34, 0), (-1, 1)] {
            let moment = Timestamp::new(moment.0, moment.1)?;
            let echoed: Timestamp = client.call("echo", (moment,)).await?;
            assert_eq!(echoed, moment, "{version}");
        }
        // Its own strings are binary in Python 2, and text in Python 3; either is a `String`, and
        // either is a `ByteBuf`.
        let hello: String = client.call("hello", ("RPC",)).await?;
        assert_eq!(hello, "Hello, RPC", "{version}");
        let hello: ByteBuf = client.call("hello", ("RPC",)).await?;
        assert_eq!(hello, &b"Hello, RPC"[..], "{version}");
        let bytes: Vec<u8> = client.call("binary", (3,)).await?;
        assert_eq!(bytes, [7, 38, 69], "{version}");
        // Sets of names are maps with keys of either kind.
        let echoed: BTreeMap<String, u8> = client
            .call(
                "echo",
                (Value::Map(vec![(Value::Binary(b"k".to_vec()), 1.into())]),),
            )
            .await?;
        assert_eq!(echoed["k"], 1, "{version}");
        Ok::<_, Failure>(())
    }))
    .await?;
    Ok(())
}

#[tokio::test]
async fn our_methods_take_the_types_of_python() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = Server::builder()
        .method("later", |(at, by): (Timestamp, i64)| async move {
            Timestamp::new(at.seconds() + by, at.nanoseconds())
        })
        .method("double", |(ext,): (Ext,)| async move {
            Ext::new(ext.tag(), [&ext.content()[..], ext.content()].concat())
        })
        .method("lengths", |(text, bytes): (String, ByteBuf)| async move {
            (text.len(), bytes.len())
        })
        .method("wide", |(number,): (i128,)| async move { -number })
        .bind("tcp://127.0.0.1:*")
        .build()
        .await?;
    let mut client = python_client(python, &server.endpoints()[0], json!({})).await?;
    for (method, args, expected) in [
        (
            "later",
            json!([{"$timestamp": [1_700_000_000, 5]}, -1]),
            json!({"$timestamp": [1_699_999_999, 5]}),
        ),
        (
            "double",
            json!([{"$ext": [7, "0aff"]}]),
            json!({"$ext": [7, "0aff0aff"]}),
        ),
        (
            "lengths",
            json!(["déjà", {"$bytes": "00ff"}]),
            json!([6, 2]),
        ),
        // Bytes for text and text for bytes, where nothing is lost.
        (
            "lengths",
            json!([{"$bytes": "6869"}, "déjà"]),
            json!([2, 6]),
        ),
        ("wide", json!([i64::MAX]), json!(-i64::MAX)),
    ] {
        let outcome = python_call(&mut client, method, args).await?;
        assert_eq!(outcome["result"], expected, "{method}: {outcome}");
    }
    // Q14: bytes that are no text are no string.
    let outcome = python_call(&mut client, "lengths", json!([{"$bytes": "ff"}, ""])).await?;
    assert_eq!(outcome["raised"]["name"], "TypeError", "{outcome}");
    // What has no form of 64 bits is an error that says so.
    let outcome = python_call(&mut client, "wide", json!([u64::MAX])).await?;
    let message = outcome["raised"]["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("-18446744073709551615 is out of the range"),
        "{outcome}"
    );
    Ok(())
}

// Q22, B14: each is dropped by Python without a word, and refused here.
#[tokio::test]
async fn q22_python_drops_what_is_refused_for_it() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;
    let map = |key: Value| Value::Map(vec![(key, Value::Nil)]);
    let dropped = [
        map(1.into()),
        map(Value::Nil),
        Value::Array(vec![map(Value::Array(vec![]))]),
        Value::Ext(-2, vec![0]),
        Value::Ext(i8::MIN, vec![]),
        Value::Ext(-1, vec![0; 5]),
        Value::Ext(-1, vec![0xff; 8]),
    ];
    let client = &client;
    let checks = dropped.iter().map(|value| async move {
        let refused = client.call::<Value>("echo", (value,)).await;
        let _what = fault(refused);
        let unanswered = unguarded(client, value).await;
        assert!(
            matches!(unanswered, Err(CallError::Timeout { .. })),
            "{value}: {unanswered:?}"
        );
        Ok::<_, Failure>(())
    });
    soon(try_join_all(checks)).await??;
    // The connection is none the worse for it.
    let answered: u8 = client.call("echo", (1,)).await?;
    assert_eq!(answered, 1);
    Ok(())
}

// Q20: each is changed by Node without a word, and refused here.
#[tokio::test]
async fn q20_node_changes_what_is_refused_for_it() -> TestResult {
    let Some((_server, client)) = node_client().await? else {
        return Ok(());
    };
    let keyed = Value::Map(vec![(1.into(), 2.into())]);
    let binary_key = Value::Map(vec![(Value::Binary(b"k".to_vec()), 2.into())]);
    for value in [
        Value::from((1_i64 << 53) + 1),
        Value::from(u64::MAX),
        Value::from(i64::MIN + 1),
        keyed,
        binary_key,
        Value::Ext(0x05, b"abc".to_vec()),
    ] {
        let request = client.request("echo", (&value,)).compat(Compat::NODE);
        let refused = request.call::<Value>().await;
        let _what = fault(refused);
        let Ok(changed) = unguarded(&client, &value).await else {
            assert!(
                value.is_ext(),
                "{value}: only what it cannot build is dropped"
            );
            continue;
        };
        assert_ne!(changed, value);
        // An integer comes back as a float, and not even as the same number.
        if let Some(float) = changed.as_f64() {
            assert_ne!(format!("{float:.0}"), value.to_string());
        }
    }
    // What only comes back as a float is refused where it shall come back.
    for value in [1_i64 << 31, -(1 << 31) - 1, (1 << 53) - 1] {
        let request = client.request("echo", (value,));
        let refused = request.compat(Compat::NODE_ROUND_TRIP).call().await;
        assert!(matches!(fault(refused), CompatFault::NodeFloat { .. }));
        let request = client.request("echo", (value,)).compat(Compat::NODE);
        assert!(request.call::<Value>().await?.is_f64());
        let typed: i64 = client.call("echo", (value,)).await?;
        assert_eq!(typed, value, "a float that is an integer is taken for one");
    }
    Ok(())
}

#[tokio::test]
async fn node_takes_what_suits_it_for_what_it_is() -> TestResult {
    let Some((_server, client)) = node_client().await? else {
        return Ok(());
    };
    let echoed = |value: Value| {
        let request = client.request("echo", (value,));
        request.compat(Compat::NODE_ROUND_TRIP).call::<Value>()
    };
    for value in [
        Value::from(i32::MIN),
        Value::from(i32::MAX),
        Value::from(-0.5),
        Value::from("déjà vu"),
        Value::from(&b"\0\xff"[..]),
        Value::Map(vec![("k".into(), Value::Array(vec![Value::Nil]))]),
        Value::Ext(42, b"abc".to_vec()),
        Value::Ext(127, vec![0; 300]),
    ] {
        assert_eq!(echoed(value.clone()).await?, value);
    }
    // A timestamp goes through as what it is, although Node does not know it.
    let moment = Timestamp::new(1_700_000_000, 5)?;
    assert_eq!(client.call::<Timestamp>("echo", (moment,)).await?, moment);

    let date = JsDate::from_milliseconds(1_700_000_000_500.0);
    assert_eq!(client.call::<JsDate>("echo", (date,)).await?, date);
    let theirs: JsDate = client.call("date", ()).await?;
    assert_eq!(theirs.milliseconds(), 86_400_000.0);
    assert_eq!(Timestamp::try_from(theirs)?, Timestamp::new(86_400, 0)?);
    let kind: String = client.call("kind", (ByteBuf::from([1]),)).await?;
    assert_eq!(kind, "buffer");
    let numbers: HashMap<String, u64> = client
        .call("echo", (HashMap::from([("k", 1_u64 << 40)]),))
        .await?;
    assert_eq!(numbers["k"], 1 << 40);
    Ok(())
}
