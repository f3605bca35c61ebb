//! The arguments of a call, from the words of the command line.

use rmpv::Value;
use thiserror::Error;

use crate::args::Params;

/// A param that is not the JSON it was said to be.
#[derive(Debug, Error)]
pub(crate) enum ParamError {
    /// The text is not JSON.
    #[error("param {number} is not JSON: {source}: quote strings, as in '\"text\"', or drop -j")]
    NotJson {
        /// Which param, counted from one.
        number: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The text holds an integer that msgpack has no encoding for.
    #[error("param {number} holds the integer {digits}, which does not fit in 64 bits")]
    IntegerTooLarge {
        /// Which param, counted from one.
        number: usize,
        /// The integer.
        digits: String,
    },
}

/// Converts the params into the values that are sent.
///
/// # Errors
///
/// [`ParamError`], if one of them should be JSON and is not, or is too large for msgpack.
pub(crate) fn into_values(params: Params) -> Result<Vec<Value>, ParamError> {
    match params {
        Params::Text(texts) => Ok(texts.into_iter().map(Value::from).collect()),
        Params::Json(texts) => {
            let numbered = texts.iter().enumerate();
            numbered.map(|(at, text)| parse(text, at + 1)).collect()
        }
    }
}

fn parse(text: &str, number: usize) -> Result<Value, ParamError> {
    // Not JSON, but Python reads and writes them.
    match text.trim() {
        "NaN" => return Ok(Value::F64(f64::NAN)),
        "Infinity" => return Ok(Value::F64(f64::INFINITY)),
        "-Infinity" => return Ok(Value::F64(f64::NEG_INFINITY)),
        _ => {}
    }
    let json =
        serde_json::from_str(text).map_err(|source| ParamError::NotJson { number, source })?;
    match oversized_integer(text) {
        Some(digits) => Err(ParamError::IntegerTooLarge {
            number,
            digits: digits.to_owned(),
        }),
        None => Ok(into_msgpack(json)),
    }
}

/// Finds an integer of more than 64 bits, which the parser would round to a float, in valid JSON.
fn oversized_integer(json: &str) -> Option<&str> {
    let mut outside_strings = true;
    let mut escaped = false;
    let is_separator = |character: char| {
        match character {
            '"' if !escaped => outside_strings = !outside_strings,
            _ => {}
        }
        escaped = character == '\\' && !escaped;
        !outside_strings
            || matches!(character, '"' | ',' | ':' | '[' | ']' | '{' | '}')
            || character.is_ascii_whitespace()
    };
    let is_integer = |word: &&str| {
        let digits = word.strip_prefix('-').unwrap_or(word);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    json.split(is_separator)
        .filter(is_integer)
        .find(|word| word.parse::<i64>().is_err() && word.parse::<u64>().is_err())
}

fn into_msgpack(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(truth) => Value::Boolean(truth),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(Value::from)
            .or_else(|| number.as_u64().map(Value::from))
            .or_else(|| number.as_f64().map(Value::from))
            .unwrap_or(Value::Nil),
        serde_json::Value::String(text) => Value::from(text),
        serde_json::Value::Array(items) => {
            Value::Array(items.into_iter().map(into_msgpack).collect())
        }
        serde_json::Value::Object(entries) => {
            let entry = |(key, item)| (Value::from(key), into_msgpack(item));
            Value::Map(entries.into_iter().map(entry).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Value, ParamError> {
        parse(text, 1)
    }

    #[test]
    fn text_params_are_strings() {
        let params = Params::Text(vec!["1".to_owned(), "x".to_owned()]);
        assert_eq!(
            into_values(params).unwrap(),
            [Value::from("1"), Value::from("x")]
        );
    }

    #[test]
    fn json_keeps_types_and_order() {
        let value = json(r#"{"b": [1, -1, 1.0, 1e3, "é", true, null], "a": {}}"#).unwrap();
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
        ];
        assert_eq!(value, Value::Map(entries));
    }

    #[test]
    fn integers_are_exact_up_to_64_bits() {
        assert_eq!(json("18446744073709551615").unwrap(), Value::from(u64::MAX));
        assert_eq!(json("-9223372036854775808").unwrap(), Value::from(i64::MIN));
    }

    #[test]
    fn larger_integers_are_refused_wherever_they_are() {
        for text in [
            "18446744073709551616",
            r#"{"a\"": [1,-9223372036854775809 ]}"#,
        ] {
            let error = json(text).unwrap_err();
            assert!(
                matches!(error, ParamError::IntegerTooLarge { .. }),
                "{error}"
            );
        }
        assert!(json(r#"["x \" 99999999999999999999", 99999999999999999999.0]"#).is_ok());
    }

    #[test]
    fn the_numbers_that_only_python_has_are_read() {
        assert_eq!(json(" -Infinity").unwrap(), Value::F64(f64::NEG_INFINITY));
        assert!(matches!(json("NaN"), Ok(Value::F64(number)) if number.is_nan()));
    }

    #[test]
    fn what_is_not_json_says_which_param() {
        let params = Params::Json(vec!["1".to_owned(), "bad".to_owned()]);
        let error = into_values(params).unwrap_err().to_string();
        assert!(error.starts_with("param 2 is not JSON"), "{error}");
    }
}
