//! Our client and an unmodified `zerorpc.Server`.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use interop::TestResult;
use rmpv::Value;
use serde_bytes::ByteBuf;
use serde_json::json;
use zrpc::{CallError, Client, Heartbeat};

use crate::support::{
    LARGE, crc32, our_client, pattern, python, python_call, python_client, python_server, soon,
};

#[tokio::test]
async fn a_method_is_called() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let sum: i64 = client.call("add", (2, 40)).await?;
    let defaulted: i64 = client.call("add", (2,)).await?;
    let hello: String = client.call("hello", ("déjà vu",)).await?;
    let nothing: () = client.call("nothing", ()).await?;

    assert_eq!((sum, defaulted, nothing), (42, 3, ()));
    assert_eq!(hello, "Hello, déjà vu");
    Ok(())
}

#[tokio::test]
async fn strings_arrive_as_strings_and_binary_as_binary() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let types: Vec<String> = client
        .call(
            "arguments",
            ("text", ByteBuf::from([0xff]), 1, 1.5, true, (), vec![1]),
        )
        .await?;

    let expected = ["str", "bytes", "int", "float", "bool", "NoneType", "list"];
    assert_eq!(types, expected);
    Ok(())
}

#[tokio::test]
async fn an_exception_has_its_name_message_and_traceback() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let raised = client.call::<()>("fail", ("why",)).await;
    let Err(CallError::Remote(raised)) = raised else {
        panic!("{raised:?}");
    };
    assert_eq!(raised.name, "ValueError");
    assert_eq!(raised.message, "why");
    let traceback = raised.traceback.unwrap_or_default();
    assert!(
        traceback.starts_with("Traceback (most recent call last)"),
        "{traceback}"
    );
    assert!(
        traceback.contains("raise ValueError(message)"),
        "{traceback}"
    );

    let raised = client.call::<()>("fail_custom", ()).await;
    assert!(matches!(raised, Err(CallError::Remote(raised))
        if raised.name == "CustomError" && raised.message == "déjà vu"));
    let raised = client.call::<Value>("unserializable", ()).await;
    assert!(matches!(raised, Err(CallError::Remote(raised)) if raised.name == "TypeError"));
    Ok(())
}

// Q25.
#[tokio::test]
async fn an_unknown_method_is_a_name_error() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let raised = client.call::<()>("no_such_method", ()).await;

    assert!(matches!(raised, Err(CallError::Remote(raised))
        if raised.name == "NameError" && raised.message == "no_such_method"));
    Ok(())
}

// Q23: middleware of Python may give a reply any shape, such as those of Go's server.
#[tokio::test]
async fn replies_that_middleware_of_python_has_reshaped_are_understood() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({"reshape": true})).await?;
    let client = our_client(&server).await?;

    let nothing: Option<Value> = client.call("nothing", ()).await?;
    assert_eq!(nothing, None);
    for message in ["nils", "alone"] {
        let raised = client.call::<()>("fail", (message,)).await;
        let Err(CallError::Remote(raised)) = raised else {
            panic!("{message}: {raised:?}");
        };
        assert_eq!(raised.message, message);
        assert_eq!(raised.traceback, None, "{message}");
    }
    // Python's own client does not understand any of them.
    let mut theirs = python_client(python, server.endpoint()?, json!({})).await?;
    for (method, args, kind) in [
        ("nothing", json!([]), "IndexError"),
        ("fail", json!(["alone"]), "ValueError"),
    ] {
        let outcome = python_call(&mut theirs, method, args).await?;
        assert_eq!(outcome["raised"]["kind"], kind, "{outcome}");
    }
    Ok(())
}

#[tokio::test]
async fn wrong_arguments_are_a_type_error_that_names_them() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let raised = client.call::<()>("hello", ()).await;

    assert!(matches!(raised, Err(CallError::Remote(raised))
        if raised.name == "TypeError" && raised.message.contains("name")));
    Ok(())
}

#[tokio::test]
async fn ten_mebibytes_go_and_come() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;
    let large = pattern(LARGE, 3);

    let measured: (usize, u32) = client
        .call("measure", (serde_bytes::Bytes::new(&large),))
        .await?;
    assert_eq!(measured, (LARGE, crc32(&large)));
    let received: ByteBuf = client.call("binary", (LARGE,)).await?;
    assert!(received == pattern(LARGE, 7), "{} bytes", received.len());
    Ok(())
}

#[tokio::test]
async fn a_hundred_calls_are_in_flight_on_one_connection() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;
    let began = Instant::now();

    let answers = join_all((0..100).map(|_| client.call::<f64>("wait", (1.0,)))).await;

    for answer in answers {
        assert_eq!(answer?, 1.0);
    }
    // One after the other they would take 100 s.
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    Ok(())
}

#[tokio::test]
async fn a_stream_of_a_hundred_thousand_items_arrives_in_order() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let mut items = client.stream::<u64>("count", (100_000,)).await?;
    let mut expected = 0;
    while let Some(item) = soon(items.next_item()).await?? {
        assert_eq!(item, expected);
        expected += 1;
    }

    assert_eq!(expected, 100_000);
    Ok(())
}

#[tokio::test]
async fn the_python_producer_waits_for_a_consumer_that_does_not_read() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let produced = client.request("produced", (10_000,)).slots(100);
    let mut items = produced.stream::<u64>().await?;
    for expected in 0..300 {
        assert_eq!(soon(items.next_item()).await??, Some(expected));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;

    let journal = server.request(json!({"op": "journal"})).await?;
    let produced = journal.as_array().map(Vec::len).unwrap_or_default();
    // Read, plus a window of 100, plus the item that waits for credit.
    assert!((300..=410).contains(&produced), "{produced}");
    Ok(())
}

#[tokio::test]
async fn streams_give_any_value_or_none_at_all() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let mut empty = client.stream::<Value>("no_items", ()).await?;
    assert_eq!(empty.next_item().await?, None);
    let mut words = client.stream::<Value>("words", ()).await?;
    let mut seen = Vec::new();
    while let Some(word) = words.next_item().await? {
        seen.push(word.to_string());
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
    assert_eq!(seen[1], "nil");
    Ok(())
}

#[tokio::test]
async fn a_stream_that_breaks_gives_its_items_first() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let mut items = client.stream::<u64>("fail_after", (250,)).await?;
    for expected in 0..250 {
        assert_eq!(items.next_item().await?, Some(expected));
    }
    let end = items.next_item().await;

    assert!(matches!(end, Err(CallError::Remote(raised))
        if raised.name == "CustomError" && raised.message == "after 250"));
    Ok(())
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_on_the_server() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let mut server = python_server(python, json!({"heartbeat": 1})).await?;
    let client = Client::builder()
        .heartbeat(Heartbeat::every(Duration::from_secs(1)))
        .connect(server.endpoint()?)
        .build()
        .await?;

    let mut items = client.stream::<u64>("endless", ()).await?;
    for expected in 0..10 {
        assert_eq!(items.next_item().await?, Some(expected));
    }
    drop(items);

    let ended = soon(async {
        loop {
            let journal = server.request(json!({"op": "journal"})).await?;
            if let Some(end) = journal.as_array().and_then(|all| all.first()) {
                return Ok::<_, interop::Failure>(end.clone());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await??;
    assert!(
        ended["produced"].as_u64().is_some_and(|items| items < 300),
        "{ended}"
    );
    let sum: i64 = client.call("add", (1, 1)).await?;
    assert_eq!(sum, 2);
    Ok(())
}

#[tokio::test]
async fn a_plain_result_asked_for_as_a_stream_and_the_other_way_round() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let mut single = client.stream::<i64>("add", (1, 2)).await?;
    assert_eq!(single.next_item().await?, Some(3));
    assert_eq!(single.next_item().await?, None);
    let streamed = client.call::<u64>("count", (1000,)).await;
    assert!(
        matches!(streamed, Err(CallError::UnexpectedStream { ref method }) if method == "count"),
        "{streamed:?}"
    );
    let sum: i64 = client.call("add", (1, 1)).await?;
    assert_eq!(sum, 2);
    Ok(())
}

// Q19: the late reply is for nobody.
#[tokio::test]
async fn a_call_that_takes_too_long_times_out_and_others_go_on() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = Client::builder()
        .timeout(Duration::from_millis(500))
        .connect(server.endpoint()?)
        .build()
        .await?;
    let began = Instant::now();

    let late = client.call::<f64>("wait", (5.0,)).await;

    assert!(matches!(late, Err(CallError::Timeout { .. })), "{late:?}");
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    let sum: i64 = client.call("add", (1, 1)).await?;
    assert_eq!(sum, 2);
    let patient: f64 = client.request("wait", (1.0,)).no_timeout().call().await?;
    assert_eq!(patient, 1.0);
    Ok(())
}

#[tokio::test]
async fn a_python_worker_connects_to_our_client() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let client = Client::builder().bind("tcp://127.0.0.1:*").build().await?;
    let endpoint = client.endpoints().first().cloned().unwrap_or_default();
    let _worker = python_server(python, json!({"connect": endpoint})).await?;

    let sum: i64 = client.call("add", (2, 40)).await?;

    assert_eq!(sum, 42);
    Ok(())
}
