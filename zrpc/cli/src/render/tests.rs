//! Every committed vector, and what a hostile value may cost.

use rmpv::Value;

use super::{write_json, write_pprint};

const VECTORS: &str = include_str!("../../tests/vectors/rendering.jsonl");

#[derive(Debug)]
struct Vector {
    value: Value,
    pprint: String,
    json: Option<String>,
}

fn vectors() -> Vec<Vector> {
    let decode = |line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| line[name].as_str().map(str::to_owned);
        let packed = from_hex(&field("msgpack").unwrap());
        Vector {
            value: rmpv::decode::read_value(&mut packed.as_slice()).unwrap(),
            pprint: field("pprint").unwrap(),
            json: field("json"),
        }
    };
    VECTORS.lines().map(decode).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn pprint(value: &Value) -> String {
    let mut out = Vec::new();
    write_pprint(value, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn pprint_is_what_python_prints() {
    for vector in vectors() {
        assert_eq!(pprint(&vector.value), vector.pprint, "{:?}", vector.value);
    }
}

#[test]
fn json_is_what_python_dumps() {
    let mut compared = 0;
    for vector in vectors() {
        let mut out = Vec::new();
        write_json(&vector.value, &mut out).unwrap();
        if let Some(expected) = vector.json {
            assert_eq!(String::from_utf8(out).unwrap(), expected);
            compared += 1;
        }
    }
    assert!(compared > 150, "only {compared} vectors have JSON");
}

#[test]
fn text_that_is_not_utf8_is_bytes() {
    let mut packed: &[u8] = b"\xa3\xff\xfea";
    let value = rmpv::decode::read_value(&mut packed).unwrap();
    assert_eq!(pprint(&value), "b'\\xff\\xfea'");
}

#[test]
fn a_wide_and_deep_value_is_laid_out_in_linear_time() {
    let entry = |number: u32| {
        (
            Value::from(format!("key {number}")),
            Value::from("it's \"both\""),
        )
    };
    let wide = Value::Map((0..2_000).map(entry).collect());
    let mut value = Value::Array(vec![wide; 20]);
    for _ in 0..200 {
        value = Value::Array(vec![value, Value::Nil]);
    }
    let mut out = Vec::new();
    write_pprint(&value, &mut out).unwrap();
    assert!(out.ends_with(b"None]"));
}
