//! Values as YAML, in block style.
//!
//! Every string that another type could be meant by is in double quotes. What YAML has no notation
//! for is written as JSON is, see [`super::json`]; bytes are `!!binary`.

use std::fmt::Write as _;
use std::io::{self, Write};

use rmpv::Value;

use super::json::{base64, write_json};
use super::number::write_float;
use super::text::is_printable;
use super::view::{View, unique};

/// Writes a value as one document, with a line end but without the line that begins it.
///
/// # Errors
///
/// Whatever the writer reports.
pub(crate) fn write_yaml<W: Write>(value: &Value, out: &mut W) -> io::Result<()> {
    write_block(value, 0, Start::Line, out)
}

/// Where a value begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// At the beginning of a line, behind the indentation.
    Line,
    /// Behind the dash of a list.
    Dash,
    /// Behind the colon of a key.
    Colon,
}

fn write_block(value: &Value, indent: usize, start: Start, out: &mut dyn Write) -> io::Result<()> {
    match View::of(value) {
        View::List(items) if !items.is_empty() => write_list(items, indent, start, out),
        View::Dict(entries) if !entries.is_empty() => write_dict(entries, indent, start, out),
        view => {
            if start != Start::Line {
                out.write_all(b" ")?;
            }
            write_scalar(view, value, out)?;
            out.write_all(b"\n")
        }
    }
}

fn write_list(items: &[Value], indent: usize, start: Start, out: &mut dyn Write) -> io::Result<()> {
    for (at, item) in items.iter().enumerate() {
        begin_line(at, indent, start, out)?;
        out.write_all(b"-")?;
        write_block(item, indent + STEP, Start::Dash, out)?;
    }
    Ok(())
}

fn write_dict(
    entries: &[(Value, Value)],
    indent: usize,
    start: Start,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (at, (key, item)) in unique(entries).into_iter().enumerate() {
        begin_line(at, indent, start, out)?;
        match View::of(key) {
            View::List(_) | View::Dict(_) => {
                out.write_all(b"? ")?;
                write_flow(key, out)?;
                out.write_all(b"\n")?;
                write!(out, "{:indent$}", "")?;
            }
            view => write_scalar(view, key, out)?,
        }
        out.write_all(b":")?;
        write_block(item, indent + STEP, Start::Colon, out)?;
    }
    Ok(())
}

/// Goes to where the next item of a collection begins.
fn begin_line(at: usize, indent: usize, start: Start, out: &mut dyn Write) -> io::Result<()> {
    match (at, start) {
        (0, Start::Line) => Ok(()),
        (0, Start::Dash) => out.write_all(b" "),
        (0, Start::Colon) => write!(out, "\n{:indent$}", ""),
        _ => write!(out, "{:indent$}", ""),
    }
}

fn write_scalar(view: View<'_>, value: &Value, out: &mut dyn Write) -> io::Result<()> {
    match view {
        View::Float(number) => out.write_all(float_text(number).as_bytes()),
        View::Str(text) => out.write_all(string_text(text).as_bytes()),
        View::Bytes(bytes) => write!(out, "!!binary \"{}\"", base64(bytes)),
        _ => write_flow(value, out),
    }
}

/// JSON is YAML, as far as it is valid JSON.
fn write_flow(value: &Value, mut out: &mut dyn Write) -> io::Result<()> {
    write_json(value, &mut out)
}

fn float_text(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let mut text = String::new();
    // A `String` takes whatever is written to it.
    let _ = write_float(number, &mut text);
    // Without a point, readers of YAML 1.1 see a string.
    match text.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => text,
    }
}

fn string_text(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        // A `String` takes whatever is written to it.
        let _ = match character {
            '"' | '\\' => write!(quoted, "\\{character}"),
            '\n' => quoted.write_str("\\n"),
            '\r' => quoted.write_str("\\r"),
            '\t' => quoted.write_str("\\t"),
            _ if is_printable(character) => quoted.write_char(character),
            _ => match u32::from(character) {
                code @ 0..=0xff => write!(quoted, "\\x{code:02x}"),
                code @ 0x100..=0xffff => write!(quoted, "\\u{code:04x}"),
                code => write!(quoted, "\\U{code:08x}"),
            },
        };
    }
    quoted.push('"');
    quoted
}

/// Whether a string needs no quotes: it cannot be taken for a word or a number, nor for punctuation.
fn is_plain(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let ends = text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let is_simple = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ');
    let is_word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    begins && ends && !is_word && text.len() <= LONGEST_PLAIN && text.chars().all(is_simple)
}

/// The words that YAML 1.1 or 1.2 takes for something else than a string.
const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// Longer strings are put into quotes: an implicit key must not have more than 1024 characters.
const LONGEST_PLAIN: usize = 512;

/// The columns by which a collection stands further right than what holds it.
const STEP: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(value: &Value) -> String {
        let mut out = Vec::new();
        write_yaml(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn map(entries: &[(&str, Value)]) -> Value {
        let entries = entries.iter().cloned();
        Value::Map(entries.map(|(key, item)| (key.into(), item)).collect())
    }

    #[test]
    fn collections_are_blocks() {
        let inner = map(&[("a", 1.into()), ("b", Value::Array(vec![2.into()]))]);
        let value = map(&[
            (
                "list",
                Value::Array(vec![inner, Value::Array(vec![3.into(), Value::Nil])]),
            ),
            ("empty", Value::Array(vec![])),
            ("none", Value::Map(vec![])),
        ]);
        let expected = "\
list:
  - a: 1
    b:
      - 2
  - - 3
    - null
empty: []
none: {}
";
        assert_eq!(yaml(&value), expected);
        assert_eq!(yaml(&"top".into()), "top\n");
    }

    #[test]
    fn strings_that_could_be_something_else_have_quotes() {
        for (text, expected) in [
            ("plain text", "plain text"),
            ("", "\"\""),
            ("no", "\"no\""),
            ("True", "\"True\""),
            ("1", "\"1\""),
            ("-x", "\"-x\""),
            ("a: b", "\"a: b\""),
            ("trail ", "\"trail \""),
            ("it's", "\"it's\""),
            ("a\n\x1b\"\\", "\"a\\n\\x1b\\\"\\\\\""),
            ("é🦀", "\"é🦀\""),
        ] {
            assert_eq!(yaml(&text.into()), format!("{expected}\n"));
        }
    }

    #[test]
    fn numbers_and_bytes_keep_their_types() {
        for (value, expected) in [
            (Value::F64(1e16), "1.0e+16"),
            (Value::F64(1.0), "1.0"),
            (Value::F64(f64::NEG_INFINITY), "-.inf"),
            (Value::from(u64::MAX), "18446744073709551615"),
            (Value::Binary(b"\xff".to_vec()), "!!binary \"/w==\""),
        ] {
            assert_eq!(yaml(&value), format!("{expected}\n"));
        }
    }

    #[test]
    fn any_value_may_be_a_key() {
        let key = Value::Array(vec![1.into(), 2.into()]);
        let value = Value::Map(vec![(key, 3.into()), (4.into(), Value::Nil)]);
        assert_eq!(yaml(&value), "? [1, 2]\n: 3\n4: null\n");
    }
}
