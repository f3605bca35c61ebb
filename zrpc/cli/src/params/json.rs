//! Reads JSON into msgpack values, as Python's `json.loads` reads it.
//!
//! Integers stay integers as long as msgpack has room for them, floats are rounded correctly and
//! may be `NaN`, `Infinity` or `-Infinity`, objects keep their order, and of a repeated key the
//! last value counts.

use std::collections::HashMap;

use rmpv::Value;
use thiserror::Error;

/// Why a text cannot be sent as the JSON that it should be. Characters are counted from one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum JsonError {
    /// Something else should stand here.
    #[error("expected {what} at character {at}")]
    Expected {
        /// What should stand here.
        what: &'static str,
        /// The character.
        at: usize,
    },
    /// An integer has more than 64 bits, for which msgpack has no encoding.
    #[error("integer {digits} does not fit in 64 bits")]
    IntegerTooLarge {
        /// The integer.
        digits: String,
    },
    /// Lists and objects are nested too deeply.
    #[error("nested more than {limit} deep at character {at}")]
    TooDeep {
        /// How deep they may be nested.
        limit: usize,
        /// The character at which they are not any more.
        at: usize,
    },
}

/// Reads one JSON document.
///
/// # Errors
///
/// [`JsonError`] says where the text is no JSON, or what cannot be sent.
pub(crate) fn parse(text: &str) -> Result<Value, JsonError> {
    let mut reader = Reader { text, rest: text };
    let value = reader.value(0)?;
    reader.skip_space();
    match reader.rest {
        "" => Ok(value),
        _ => Err(reader.expected("the end of the text")),
    }
}

#[derive(Debug)]
struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.skip_space();
        if depth > MAX_DEPTH {
            let (limit, at) = (MAX_DEPTH, self.position());
            return Err(JsonError::TooDeep { limit, at });
        }
        match self.rest.as_bytes().first() {
            Some(b'"') => self.string().map(Value::from),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.object(depth),
            Some(b'-' | b'0'..=b'9') if !self.rest.starts_with("-I") => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Value, JsonError> {
        let words = [
            ("null", Value::Nil),
            ("true", Value::Boolean(true)),
            ("false", Value::Boolean(false)),
            ("NaN", Value::F64(f64::NAN)),
            ("Infinity", Value::F64(f64::INFINITY)),
            ("-Infinity", Value::F64(f64::NEG_INFINITY)),
        ];
        for (word, value) in words {
            if self.skip(word) {
                return Ok(value);
            }
        }
        Err(self.expected("a JSON value"))
    }

    fn list(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut items = Vec::new();
        self.skip("[");
        self.skip_space();
        if self.skip("]") {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.skip("]") {
                return Ok(Value::Array(items));
            }
            self.expect(",", "',' or ']'")?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut places = HashMap::new();
        let mut entries: Vec<(Value, Value)> = Vec::new();
        self.skip("{");
        self.skip_space();
        if self.skip("}") {
            return Ok(Value::Map(entries));
        }
        loop {
            self.skip_space();
            let key = self.string()?;
            self.skip_space();
            self.expect(":", "':'")?;
            let item = self.value(depth + 1)?;
            let place = *places.entry(key.clone()).or_insert(entries.len());
            match entries.get_mut(place) {
                Some(earlier) => earlier.1 = item,
                None => entries.push((Value::from(key), item)),
            }
            self.skip_space();
            if self.skip("}") {
                return Ok(Value::Map(entries));
            }
            self.expect(",", "',' or '}'")?;
        }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.rest;
        self.skip("-");
        if !self.skip("0") && self.skip_digits() == 0 {
            return Err(self.expected("a digit"));
        }
        let mut is_integer = true;
        // A point or an exponent without digits is not part of the number.
        for marks in [&["."][..], &["e+", "e-", "e", "E+", "E-", "E"]] {
            let before = self.rest;
            if marks.iter().any(|mark| self.skip(mark)) {
                match self.skip_digits() {
                    0 => self.rest = before,
                    _ => is_integer = false,
                }
            }
        }
        let digits = start.get(..start.len() - self.rest.len()).unwrap_or(start);
        if !is_integer {
            let number = digits.parse::<f64>();
            return number
                .map(Value::F64)
                .map_err(|_| self.expected("a number"));
        }
        let signed = digits.parse::<i64>().map(Value::from);
        signed
            .or_else(|_| digits.parse::<u64>().map(Value::from))
            .map_err(|_| JsonError::IntegerTooLarge {
                digits: digits.to_owned(),
            })
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.expect("\"", "a string in double quotes")?;
        let mut text = String::new();
        loop {
            let plain = self.rest.find(|c| c == '"' || c == '\\' || c < ' ');
            let (plain, rest) = self.rest.split_at(plain.unwrap_or(self.rest.len()));
            text.push_str(plain);
            self.rest = rest;
            if self.skip("\"") {
                return Ok(text);
            }
            self.expect("\\", "the closing '\"' (control characters need escapes)")?;
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let character = self.rest.chars().next();
        let character = match character {
            Some('"' | '\\' | '/') => character,
            Some('b') => Some('\x08'),
            Some('f') => Some('\x0c'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => return self.unicode_escape(),
            _ => None,
        };
        let character = character.ok_or_else(|| self.expected("an escape of JSON"))?;
        self.advance(1);
        Ok(character)
    }

    /// Reads what follows the backslash: one unit of UTF-16, or a pair of surrogates.
    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let start = self.rest;
        let first = self.unit()?;
        let is_pair = (0xd800..0xdc00).contains(&first) && self.skip("\\");
        let second = is_pair.then(|| self.unit()).transpose()?;
        let mut decoded = char::decode_utf16([Some(first), second].into_iter().flatten());
        match (decoded.next(), decoded.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => {
                self.rest = start;
                Err(self.expected("both halves of a surrogate pair"))
            }
        }
    }

    fn unit(&mut self) -> Result<u16, JsonError> {
        self.expect("u", "an escape of JSON")?;
        let digits = self.rest.get(..4);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.advance(4);
        Ok(unit)
    }

    fn expect(&mut self, token: &str, what: &'static str) -> Result<(), JsonError> {
        match self.skip(token) {
            true => Ok(()),
            false => Err(self.expected(what)),
        }
    }

    fn skip(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_digits(&mut self) -> usize {
        let rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let count = self.rest.len() - rest.len();
        self.rest = rest;
        count
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn expected(&self, what: &'static str) -> JsonError {
        let at = self.position();
        JsonError::Expected { what, at }
    }

    fn position(&self) -> usize {
        let read = self.text.len() - self.rest.len();
        self.text
            .get(..read)
            .map_or(read, |read| read.chars().count())
            + 1
    }
}

/// How deep lists and objects may be nested: as deep as a peer in Python, which is limited to about
/// a thousand, surely unpacks.
const MAX_DEPTH: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::write_json;

    #[test]
    fn types_and_order_are_kept() {
        let value = parse(r#" {"b": [1, -1, 1.0, 1e3, "é", true, null], "a": {} , "c":[ ]} "#);
        let items = vec![
            Value::from(1),
            Value::from(-1),
            Value::F64(1.0),
            Value::F64(1000.0),
            Value::from("é"),
            Value::from(true),
            Value::Nil,
        ];
        let entries = vec![
            (Value::from("b"), Value::Array(items)),
            (Value::from("a"), Value::Map(vec![])),
            (Value::from("c"), Value::Array(vec![])),
        ];
        assert_eq!(value, Ok(Value::Map(entries)));
    }

    #[test]
    fn integers_are_exact_up_to_64_bits() {
        assert_eq!(parse("18446744073709551615"), Ok(Value::from(u64::MAX)));
        assert_eq!(parse("-9223372036854775808"), Ok(Value::from(i64::MIN)));
        assert_eq!(parse("-0"), Ok(Value::from(0)));
        for text in ["18446744073709551616", "[1,-9223372036854775809 ]"] {
            let error = parse(text).unwrap_err();
            assert!(
                matches!(error, JsonError::IntegerTooLarge { .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn floats_are_rounded_correctly_and_overflow_to_infinity() {
        assert_eq!(
            parse("12.100000000000001"),
            Ok(Value::F64(12.100000000000001))
        );
        assert_eq!(parse("-0.0"), Ok(Value::F64(-0.0)));
        assert_eq!(
            parse("[1e400, -1E+400]").unwrap(),
            parse("[Infinity,-Infinity]").unwrap()
        );
        assert!(matches!(parse("NaN"), Ok(Value::F64(number)) if number.is_nan()));
    }

    #[test]
    fn escapes_are_decoded() {
        let text = r#""\"\\\/\b\f\n\r\t\u00e9\ud83e\udd80\u0000""#;
        assert_eq!(parse(text), Ok(Value::from("\"\\/\x08\x0c\n\r\té🦀\0")));
    }

    #[test]
    fn of_a_repeated_key_the_last_value_counts() {
        let expected = parse(r#"{"a": 3, "b": 2}"#);
        assert_eq!(parse(r#"{"a": 1, "b": 2, "a": 3}"#), expected);
    }

    #[test]
    fn errors_say_where_they_are() {
        let cases = [
            ("", "a JSON value", 1),
            ("nul", "a JSON value", 1),
            ("[1,]", "a JSON value", 4),
            ("[1 2]", "',' or ']'", 4),
            ("{\"é\" 1}", "':'", 6),
            ("{a: 1}", "a string in double quotes", 2),
            ("{\"a\": 1,}", "a string in double quotes", 9),
            ("'a'", "a JSON value", 1),
            ("1.", "the end of the text", 2),
            ("1.e5", "the end of the text", 2),
            ("01", "the end of the text", 2),
            ("-", "a digit", 2),
            ("+1", "a JSON value", 1),
            (
                "\"a",
                "the closing '\"' (control characters need escapes)",
                3,
            ),
            (
                "\"a\n\"",
                "the closing '\"' (control characters need escapes)",
                3,
            ),
            ("\"\\x\"", "an escape of JSON", 3),
            ("\"\\u12", "four hexadecimal digits", 4),
            ("\"\\u+123\"", "four hexadecimal digits", 4),
            ("\"\\ud800\"", "both halves of a surrogate pair", 3),
            ("\"\\udc00\\ud800\"", "both halves of a surrogate pair", 3),
            ("1 1", "the end of the text", 3),
        ];
        for (text, what, at) in cases {
            assert_eq!(
                parse(text),
                Err(JsonError::Expected { what, at }),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_python_dumps_is_read_back() {
        let vectors = include_str!("../../tests/vectors/rendering.jsonl");
        for line in vectors.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let Some(dumped) = line["json"].as_str() else {
                continue;
            };
            let mut out = Vec::new();
            write_json(&parse(dumped).unwrap(), &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), dumped);
        }
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        let error = parse(&nested(100_000)).unwrap_err();
        assert!(matches!(
            error,
            JsonError::TooDeep {
                limit: MAX_DEPTH,
                ..
            }
        ));
    }
}
