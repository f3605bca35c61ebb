//! Publishing, subscribing, pushing and pulling, with Python on either side.

use std::time::Duration;

use futures_util::future::try_join_all;
use interop::{Failure, PYTHON_VERSIONS, Peer, Program, Python, TestResult, python_of_version};
use rmpv::Value;
use serde_json::{Value as Json, json};
use zmtp::Socket as _;
use zrpc::{Publisher, Puller, Pusher, ReceiveError, Subscriber};

use crate::support::{python, soon};

const ANYWHERE: &str = "tcp://127.0.0.1:*";

async fn peer(python: &Python, settings: Json) -> Result<Peer, Failure> {
    Ok(Peer::start(python, Program::ZerorpcOneWay, settings).await?)
}

/// Publishes until a subscriber answers: what is published before it has subscribed is not for it.
async fn publish_until_noted(publisher: &Publisher, subscriber: &mut Peer) -> TestResult {
    while publisher.topic_count() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    publisher.publish("note", ("first",)).await?;
    let noted = subscriber
        .request(json!({"op": "wait", "count": 1}))
        .await?;
    assert_eq!(noted, json!([["first"]]));
    Ok(())
}

// The scenarios "push/pull by inheritance and by composition", with either side bound.
#[tokio::test]
async fn python_pulls_what_we_push() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for by in ["inheritance", "composition"] {
        let mut bound = peer(python, json!({"role": "Puller", "by": by})).await?;
        let to_bound = Pusher::connect(bound.endpoint()?).await?;
        let from_bound = Pusher::bind(ANYWHERE).await?;
        let settings = json!({"role": "Puller", "by": by, "connect": from_bound.endpoints()[0]});
        let mut connected = peer(python, settings).await?;
        for (pusher, puller) in [(to_bound, &mut bound), (from_bound, &mut connected)] {
            for number in 0..1000 {
                soon(pusher.push("note", (number, "déjà vu"))).await??;
            }
            let noted = puller.request(json!({"op": "wait", "count": 1000})).await?;
            let expected: Vec<Json> = (0..1000).map(|number| json!([number, "déjà vu"])).collect();
            assert_eq!(noted, Json::from(expected));
            soon(pusher.close()).await?;
        }
    }
    Ok(())
}

// The scenarios "pub/sub by inheritance and by composition", with either side bound.
#[tokio::test]
async fn python_hears_what_we_publish_with_a_topic_or_without() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    for by in ["inheritance", "composition"] {
        let mut bound = peer(python, json!({"role": "Subscriber", "by": by})).await?;
        let to_bound = Publisher::connect(bound.endpoint()?).await?;
        let from_bound = Publisher::bind(ANYWHERE).await?;
        let endpoint = &from_bound.endpoints()[0];
        let settings = json!({"role": "Subscriber", "by": by, "connect": endpoint});
        let mut connected = peer(python, settings).await?;
        for (publisher, subscriber) in [(to_bound, &mut bound), (from_bound, &mut connected)] {
            soon(publish_until_noted(&publisher, subscriber)).await??;
            publisher
                .event("note", (1,))
                .topic("a topic")
                .send()
                .await?;
            publisher.publish("note", (2,)).await?;
            let noted = subscriber
                .request(json!({"op": "wait", "count": 2}))
                .await?;
            assert_eq!(noted, json!([[1], [2]]));
        }
    }
    Ok(())
}

#[tokio::test]
async fn we_pull_what_python_pushes() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let bound = Puller::builder().bind(ANYWHERE).build().await?;
    let settings = json!({"role": "Pusher", "connect": bound.endpoints()[0],
        "context": {"trace": "abc"}});
    let to_bound = peer(python, settings).await?;
    let from_bound = peer(python, json!({"role": "Pusher"})).await?;
    let connected = Puller::builder().connect(from_bound.endpoint()?);
    let connected = connected.build().await?;
    for (mut pusher, mut puller, trace) in [
        (to_bound, bound, Some("abc")),
        (from_bound, connected, None),
    ] {
        let request = json!({"op": "emit", "method": "note",
            "args": [1, "déjà vu", {"$bytes": "00ff"}, {"k": [null]}], "count": 1000});
        pusher.request(request).await?;
        for _ in 0..1000 {
            let Some(event) = soon(puller.recv()).await? else {
                panic!("the puller is open");
            };
            assert_eq!(event.method(), "note");
            let args: (u8, String, Vec<u8>, Value) = event.args()?;
            let map = Value::Map(vec![("k".into(), Value::Array(vec![Value::Nil]))]);
            assert_eq!(args, (1, "déjà vu".to_owned(), vec![0, 255], map));
            assert_eq!(event.header::<String>("trace")?.as_deref(), trace);
        }
    }
    Ok(())
}

#[tokio::test]
async fn we_hear_what_python_publishes() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let bound = Subscriber::builder().bind(ANYWHERE).build().await?;
    let endpoint = &bound.endpoints()[0];
    let to_bound = peer(python, json!({"role": "Publisher", "connect": endpoint})).await?;
    let from_bound = peer(python, json!({"role": "Publisher"})).await?;
    let connected = Subscriber::builder().connect(from_bound.endpoint()?);
    let connected = connected.build().await?;
    for (mut publisher, mut subscriber) in [(to_bound, bound), (from_bound, connected)] {
        // What is published before the subscription is there is for nobody.
        let emit = json!({"op": "emit", "method": "note", "args": ["x"]});
        let heard = soon(async {
            loop {
                publisher.request(emit.clone()).await?;
                let next = tokio::time::timeout(Duration::from_millis(50), subscriber.recv());
                if let Ok(event) = next.await {
                    break Ok::<_, Failure>(event);
                }
            }
        });
        let Some(event) = heard.await?? else {
            panic!("the subscriber is open");
        };
        assert_eq!(event.args::<(String,)>()?, ("x".to_owned(),));
        assert_eq!(event.topic(), None);
    }
    Ok(())
}

// B13: ours goes on, and Python's ends.
#[tokio::test]
async fn b13_malformed_messages_end_pythons_puller_and_not_ours() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let (reporter, mut errors) = tokio::sync::mpsc::unbounded_channel();
    let ours = Puller::builder()
        .on_error(move |error| drop(reporter.send(error.clone())))
        .bind(ANYWHERE)
        .build()
        .await?;
    let mut theirs = peer(python, json!({"role": "Puller"})).await?;
    let mut raw = zmtp::PushSocket::new();
    raw.connect(&ours.endpoints()[0]).await?;
    soon(raw.send("garbage")).await??;
    let mut raw_to_theirs = zmtp::PushSocket::new();
    raw_to_theirs.connect(theirs.endpoint()?).await?;
    soon(raw_to_theirs.send("garbage")).await??;

    let settings = json!({"role": "Pusher", "connect": ours.endpoints()[0]});
    let mut pusher = peer(python, settings).await?;
    let handle = ours.handle();
    tokio::spawn(ours.run());
    assert!(matches!(
        soon(errors.recv()).await?,
        Some(ReceiveError::Malformed(_))
    ));
    let emit = json!({"op": "emit", "method": "nothing", "args": []});
    pusher.request(emit).await?;
    assert!(matches!(
        soon(errors.recv()).await?,
        Some(ReceiveError::UnknownMethod { .. })
    ));
    assert_eq!(handle.stats().malformed, 1);

    let ended = soon(async {
        loop {
            let journal = theirs.request(json!({"op": "journal"})).await?;
            if !journal["ended"].is_null() {
                break Ok::<_, Failure>(journal);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    ended.await??;
    Ok(())
}

#[tokio::test]
async fn python_sees_our_header_and_goes_on_after_what_fails() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut puller = peer(python, json!({"role": "Puller"})).await?;
    let pusher = Pusher::connect(puller.endpoint()?).await?;
    pusher.push("fail", ("why",)).await?;
    pusher.push("unknown", ()).await?;
    pusher.push("count", (3,)).await?;
    let event = pusher.event("note", ()).header("trace", "abc");
    event.header("depth", &2).send().await?;
    let noted = puller.request(json!({"op": "wait", "count": 1})).await?;
    assert_eq!(noted, json!([[]]));
    let journal = puller.request(json!({"op": "journal"})).await?;
    assert_eq!(journal["errors"], json!(["ValueError", "NameError"]));
    assert_eq!(journal["headers"][2], json!({"trace": "abc", "depth": 2}));
    assert_eq!(journal["iterated"], 0);
    assert_eq!(journal["ended"], Json::Null);
    Ok(())
}

#[tokio::test]
async fn every_python_pushes_to_us_and_pulls_from_us() -> TestResult {
    let found = PYTHON_VERSIONS
        .map(|version| tokio::task::spawn_blocking(move || (version, python_of_version(version))));
    let mut pythons = Vec::new();
    for found in found {
        let (version, python) = found.await?;
        pythons.extend(python?.map(|python| (version, python)));
    }
    try_join_all(pythons.into_iter().map(|(version, python)| async move {
        let mut ours = Puller::builder().bind(ANYWHERE).build().await?;
        let settings = json!({"role": "Pusher", "connect": ours.endpoints()[0]});
        let mut pusher = peer(python, settings).await?;
        let emit = json!({"op": "emit", "method": "note", "args": [42, "text", {"$bytes": "ff"}]});
        pusher.request(emit).await?;
        let Some(event) = soon(ours.recv()).await? else {
            panic!("{version}: the puller is open");
        };
        let args: (u8, String, serde_bytes::ByteBuf) = event.args()?;
        assert_eq!((args.0, &*args.1, &args.2[..]), (42, "text", &[255][..]));

        let mut puller = peer(python, json!({"role": "Puller"})).await?;
        let ours = Pusher::connect(puller.endpoint()?).await?;
        soon(ours.push("note", (42, "text"))).await??;
        let noted = puller.request(json!({"op": "wait", "count": 1})).await?;
        assert_eq!(noted, json!([[42, "text"]]), "{version}");
        Ok::<_, Failure>(())
    }))
    .await?;
    Ok(())
}
