//! Values as JSON, character for character as Python's `json.dumps` writes them.
//!
//! Python refuses what JSON has no notation for; here it gets one:
//!
//! - bytes that are UTF-8 are a string (a Python 2 peer sends its strings so), other bytes an
//!   object `{"base64": "…"}`;
//! - an extension is `{"ext": code, "base64": "…"}`, a timestamp
//!   `{"seconds": s, "nanoseconds": n}`;
//! - a map key that is not a string is its own JSON text in a string, as Python does it for
//!   numbers, booleans and null; of a list or map that is a key inside of such a key, it is the
//!   base64 of its msgpack, for text in text in text doubles with each level.
//!
//! Of a key that is repeated the last value is written, as readers of JSON take it. Keys that are
//! different, and the same as text, are written both, as Python does it.
//!
//! As in Python, not-a-number and the infinities are `NaN`, `Infinity` and `-Infinity`.

use std::io::{self, Write};
use std::str;

use rmpv::Value;

use super::number::write_float;
use super::view::{View, unique};

/// Writes a value as one JSON document, without a line end.
///
/// # Errors
///
/// Whatever the writer reports.
pub(crate) fn write_json<W: Write>(value: &Value, out: &mut W) -> io::Result<()> {
    write_value(value, Place::Document, out)
}

/// Where a value stands.
#[derive(Clone, Copy)]
enum Place {
    Document,
    /// In a key that is a list or a map.
    Key,
}

fn write_value(value: &Value, place: Place, out: &mut dyn Write) -> io::Result<()> {
    match View::of(value) {
        View::None => out.write_all(b"null"),
        View::Bool(truth) => write!(out, "{truth}"),
        View::Int(number) => write!(out, "{number}"),
        View::Float(number) => out.write_all(float_text(number).as_bytes()),
        View::Str(text) => write_string(text, out),
        View::Bytes(bytes) => match str::from_utf8(bytes) {
            Ok(text) => write_string(text, out),
            Err(_) => write!(out, "{{\"base64\": \"{}\"}}", base64(bytes)),
        },
        View::List(items) => write_list(items, place, out),
        View::Dict(entries) => write_dict(entries, place, out),
        View::Time {
            seconds,
            nanoseconds,
        } => {
            write!(
                out,
                "{{\"seconds\": {seconds}, \"nanoseconds\": {nanoseconds}}}"
            )
        }
        View::Ext { code, data } => {
            write!(out, "{{\"ext\": {code}, \"base64\": \"{}\"}}", base64(data))
        }
    }
}

fn write_list(items: &[Value], place: Place, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"[")?;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.write_all(b", ")?;
        }
        write_value(item, place, out)?;
    }
    out.write_all(b"]")
}

fn write_dict(entries: &[(Value, Value)], place: Place, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{")?;
    for (at, (key, item)) in unique(entries).into_iter().enumerate() {
        if at > 0 {
            out.write_all(b", ")?;
        }
        write_key(key, place, out)?;
        out.write_all(b": ")?;
        write_value(item, place, out)?;
    }
    out.write_all(b"}")
}

fn write_key(key: &Value, place: Place, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    match (place, View::of(key)) {
        (Place::Key, View::List(_) | View::Dict(_)) => {
            let mut encoded = Vec::new();
            rmpv::encode::write_value(&mut encoded, key)?;
            text.extend(base64(&encoded).into_bytes());
        }
        _ => write_value(key, Place::Key, &mut text)?,
    }
    // A key that is a string already has its quotes.
    if text.first() == Some(&b'"') {
        return out.write_all(&text);
    }
    write_string(&String::from_utf8_lossy(&text), out)
}

/// Writes a string in ASCII alone: everything else is escaped in UTF-16 units.
fn write_string(text: &str, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut plain_from = 0;
    for (at, character) in text.char_indices() {
        if matches!(character, ' ' | '!' | '#'..='[' | ']'..='~') {
            continue;
        }
        out.write_all(text.get(plain_from..at).unwrap_or_default().as_bytes())?;
        plain_from = at + character.len_utf8();
        match character {
            '"' => out.write_all(b"\\\"")?,
            '\\' => out.write_all(b"\\\\")?,
            '\n' => out.write_all(b"\\n")?,
            '\r' => out.write_all(b"\\r")?,
            '\t' => out.write_all(b"\\t")?,
            '\x08' => out.write_all(b"\\b")?,
            '\x0c' => out.write_all(b"\\f")?,
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
    }
    out.write_all(text.get(plain_from..).unwrap_or_default().as_bytes())?;
    out.write_all(b"\"")
}

fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        let sign = if number > 0.0 { "" } else { "-" };
        return format!("{sign}Infinity");
    }
    let mut text = String::new();
    // A `String` takes whatever is written to it.
    let _ = write_float(number, &mut text);
    text
}

/// Encodes bytes in the standard alphabet of RFC 4648 §4, padded.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| group.get(at).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let sextet = (bits >> (18 - 6 * at)) & 0x3f;
            let digit = ALPHABET.get(sextet as usize).copied().unwrap_or(b'=');
            text.push(if at > group.len() {
                '='
            } else {
                char::from(digit)
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &Value) -> String {
        let mut out = Vec::new();
        write_json(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn bytes_that_are_text_are_a_string() {
        assert_eq!(json(&Value::Binary("é".into())), "\"\\u00e9\"");
    }

    #[test]
    fn other_bytes_are_base64() {
        let cases: [(&[u8], &str); 4] = [
            (b"\xff", "/w=="),
            (b"\xff\xfe", "//4="),
            (b"\xff\xfe\xfd", "//79"),
            (b"\xff\xfe\xfd\x00", "//79AA=="),
        ];
        for (bytes, expected) in cases {
            let expected = format!("{{\"base64\": \"{expected}\"}}");
            assert_eq!(json(&Value::Binary(bytes.to_vec())), expected);
        }
    }

    #[test]
    fn extensions_and_timestamps_are_objects() {
        let ext = Value::Ext(5, vec![1, 2]);
        assert_eq!(json(&ext), "{\"ext\": 5, \"base64\": \"AQI=\"}");
        let time = Value::Ext(-1, vec![0, 0, 0, 9]);
        assert_eq!(json(&time), "{\"seconds\": 9, \"nanoseconds\": 0}");
    }

    #[test]
    fn keys_are_always_strings() {
        let map = Value::Map(vec![
            (Value::from(2), Value::Nil),
            (Value::from(true), Value::Nil),
            (Value::Nil, Value::Nil),
            (Value::from(1.5), Value::Nil),
            (Value::Binary(b"b".to_vec()), Value::Nil),
            (Value::Array(vec!["a".into()]), Value::Nil),
        ]);
        assert_eq!(
            json(&map),
            "{\"2\": null, \"true\": null, \"null\": null, \"1.5\": null, \"b\": null, \
             \"[\\\"a\\\"]\": null}"
        );
    }

    #[test]
    fn the_last_value_of_a_repeated_key_is_written() {
        let entry = |key: Value, item: u8| (key, Value::from(item));
        let map = Value::Map(vec![
            entry(Value::from(1), 1),
            entry(Value::from("b"), 2),
            entry(Value::from(1), 3),
            entry(Value::from("1"), 4),
        ]);
        assert_eq!(json(&map), r#"{"1": 3, "b": 2, "1": 4}"#);
    }

    #[test]
    fn keys_in_keys_do_not_double_with_each_level() {
        let mut value = Value::from("a");
        for _ in 0..200 {
            value = Value::Map(vec![(value, Value::Nil)]);
        }
        assert!(json(&value).len() < 1000);
        // {{{"a": nil}: nil}: nil}
        let bytes = [0x81, 0x81, 0x81, 0xa1, b'a', 0xc0, 0xc0, 0xc0];
        let value = rmpv::decode::read_value(&mut &bytes[..]).unwrap();
        assert_eq!(json(&value), r#"{"{\"gaFhwA==\": null}": null}"#);
    }
}
