//! Every kind of msgpack value, in both directions and both roles.

use interop::TestResult;
use rmpv::Value;
use serde_json::{Value as Json, json};
use zrpc::CallError;

use crate::{
    our_service::{self, serve},
    support::{our_client, python, python_call, python_client, python_server},
};

/// Values at the borders of the msgpack families, as the Python client reads
/// them.
fn values_for_python() -> Json {
    json!([
        null, true, false, 0, 1, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295_u64,
        4_294_967_296_u64, 18_446_744_073_709_551_615_u64, -1, -32, -33, -128, -129, -32_768,
        -32_769, -2_147_483_648_i64, -2_147_483_649_i64, -9_223_372_036_854_775_808_i64,
        0.0, 1.5, -1e300, {"$float": "nan"}, {"$float": "inf"}, {"$float": "-inf"},
        "", "a", "déjà vu €", "𝄞", {"$repeat": {"text": "s", "count": 31}},
        {"$repeat": {"text": "s", "count": 32}}, {"$repeat": {"text": "s", "count": 256}},
        {"$repeat": {"text": "s", "count": 65_536}}, {"$bytes": ""}, {"$bytes": "00ff"},
        {"$pattern": {"size": 256, "seed": 1}}, {"$pattern": {"size": 65_536, "seed": 2}},
        [], [[]], [1, [2, [3, [4]]]], vec![7; 15], vec![7; 16], vec![7; 65_536],
        {}, {"a": {"b": {"c": null}}}, {"$map": [[{"$bytes": "6b"}, 1], ["k", 2]]},
        {"$ext": [0, ""]}, {"$ext": [5, "61"]}, {"$ext": [127, "616263"]}, {"$ext": [1, "00".repeat(300)]},
        {"$timestamp": [0, 0]}, {"$timestamp": [1_700_000_000, 5]}, {"$timestamp": [-1, 999_999_999]},
    ])
}

#[tokio::test]
async fn python_gets_back_from_us_what_it_sent() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    client
        .request(json!({"op": "echoes", "client": "c", "values": values_for_python()}))
        .await?;
    Ok(())
}

#[tokio::test]
async fn we_get_back_from_python_what_we_sent() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    for value in our_values() {
        // Python knows what a timestamp is and writes it anew, in its shortest form.
        let value = match value {
            Value::Ext(-1, _) => Value::Ext(-1, 1_700_000_000_u32.to_be_bytes().to_vec()),
            value => value,
        };
        let echoed: Value = client.call("echo", (value.clone(),)).await?;
        assert_eq!(echoed, value);
    }
    Ok(())
}

#[tokio::test]
async fn we_read_the_values_that_python_makes() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = python_server(python, json!({})).await?;
    let client = our_client(&server).await?;

    let made: Vec<(String, Value)> = match client.call("types", ()).await? {
        Value::Map(entries) => entries
            .into_iter()
            .map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), value))
            .collect(),
        other => panic!("no map: {other}"),
    };

    let expected = our_service::types();
    assert_eq!(made.len(), expected.len());
    for (name, value) in made {
        // Python writes this timestamp in its shorter form.
        if name != "timestamp" {
            assert_eq!(Some(&value), expected.get(name.as_str()), "{name}");
        } else {
            assert!(
                matches!(&value, Value::Ext(-1, data) if data.len() == 8),
                "{value}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn python_reads_the_values_that_we_make() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;

    let made = python_call(&mut client, "types", json!([])).await?;

    let expected = json!({
        "nil": null, "true": true, "false": false, "zero": 0, "fixint": 127, "negative": -32,
        "u8": 255, "u16": 65_535, "u32": u32::MAX, "u64": u64::MAX, "i8": -128, "i16": i16::MIN,
        "i32": i32::MIN, "i64": i64::MIN, "float": 1.5, "infinity": {"$float": "inf"},
        "str": "déjà vu €", "str8": "s".repeat(200), "str16": "s".repeat(300),
        "bin": {"$bytes": "00fffe"}, "empty": {"$bytes": ""}, "list": [1, [2, []]],
        "tuple": [1, 2], "map": {"k": {"n": null}}, "ext": {"$ext": [5, "616263"]},
        "timestamp": {"$timestamp": [1_700_000_000, 5]},
    });
    assert_eq!(made["result"], expected);
    Ok(())
}

// Q22, B14.
#[tokio::test]
async fn map_keys_that_python_would_not_take_are_taken_from_it() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let server = serve().await?;
    let mut client = python_client(python, &server.endpoint, json!({})).await?;
    let numbered = json!([{"$map": [[1, 2]]}, {"$map": [[null, 2], [[1, 2], 3]]}]);

    let kinds = python_call(&mut client, "kinds", numbered).await?;

    assert_eq!(kinds["result"], json!(["map", "map"]), "{kinds}");
    Ok(())
}

// Q22, B14.
/// Python drops such an event without a word, and its caller would wait in vain.
#[tokio::test]
async fn map_keys_that_python_would_not_take_are_an_error_where_they_are_sent() -> TestResult {
    let Some(python) = python()? else {
        return Ok(());
    };
    let theirs = python_server(python, json!({})).await?;
    let our_client = our_client(&theirs).await?;
    let numbered = Value::Map(vec![(Value::from(1), Value::from(2))]);
    let refused = our_client.call::<Value>("echo", (numbered,)).await;
    assert!(
        matches!(refused, Err(CallError::NotPortable { .. })),
        "{refused:?}"
    );

    let ours = serve().await?;
    let mut their_client = python_client(python, &ours.endpoint, json!({})).await?;
    let numbered = json!([{"$map": [[1, 2]]}]);
    let refused = python_call(&mut their_client, "echo", numbered).await?;
    assert_eq!(refused["raised"]["name"], "TypeError", "{refused}");
    Ok(())
}

fn our_values() -> Vec<Value> {
    let mut values: Vec<Value> = our_service::types().into_values().collect();
    let integers = [
        i64::MIN,
        -2_147_483_649,
        -129,
        -33,
        -1,
        128,
        256,
        65_536,
        i64::MAX,
    ];
    values.extend(integers.map(Value::from));
    values.extend([-0.0, f64::MIN_POSITIVE, f64::MAX].map(Value::from));
    for size in [31, 32, 255, 256, 65_535, 65_536] {
        values.push(Value::from("s".repeat(size)));
        values.push(Value::Binary(vec![7; size]));
        values.push(Value::Array(vec![Value::from(1); size]));
        values.push(Value::Ext(9, vec![8; size]));
    }
    for size in [1, 2, 4, 8, 16] {
        values.push(Value::Ext(127, vec![1; size]));
    }
    values.push(Value::Map(
        (0..70_000)
            .map(|number| (Value::from(format!("key {number}")), Value::from(number)))
            .collect(),
    ));
    values
}
