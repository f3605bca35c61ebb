//! Values on one line, as Python's `repr` writes them.

use std::fmt;

use rmpv::Value;

use super::number::write_float;
use super::text::{write_bytes, write_str};
use super::view::{View, sorted};

/// Returns the representation of a value, dicts sorted by key.
pub(crate) fn repr(value: &Value) -> String {
    let mut text = String::new();
    // A `String` takes whatever is written to it.
    let _ = write_repr(value, &mut text);
    text
}

/// Returns the representation if it has at most `width` characters, without building a longer one.
pub(super) fn repr_within(value: &Value, width: usize) -> Option<String> {
    let mut bounded = Bounded {
        text: String::new(),
        room: width,
    };
    write_repr(value, &mut bounded).ok().map(|()| bounded.text)
}

/// A text that may refuse to grow further.
trait Sink: fmt::Write {
    /// How many more characters are accepted.
    fn room(&self) -> usize;
}

/// Writes the representation of a value.
fn write_repr(value: &Value, out: &mut dyn Sink) -> fmt::Result {
    let view = View::of(value);
    // Looking at a huge value must not cost more than what can be said of it.
    if least_width(view, out.room()) > out.room() {
        return Err(fmt::Error);
    }
    match view {
        View::None => out.write_str("None"),
        View::Bool(true) => out.write_str("True"),
        View::Bool(false) => out.write_str("False"),
        View::Int(number) => write!(out, "{number}"),
        View::Float(number) => write_float(number, out),
        View::Str(text) => write_str(text, out),
        View::Bytes(bytes) => write_bytes(bytes, out),
        View::List(items) => {
            out.write_char('[')?;
            for (at, item) in items.iter().enumerate() {
                out.write_str(if at == 0 { "" } else { ", " })?;
                write_repr(item, out)?;
            }
            out.write_char(']')
        }
        View::Dict(entries) => {
            out.write_char('{')?;
            for (at, (key, item)) in sorted(entries).into_iter().enumerate() {
                out.write_str(if at == 0 { "" } else { ", " })?;
                write_repr(key, out)?;
                out.write_str(": ")?;
                write_repr(item, out)?;
            }
            out.write_char('}')
        }
        View::Time {
            seconds,
            nanoseconds,
        } => {
            write!(
                out,
                "Timestamp(seconds={seconds}, nanoseconds={nanoseconds})"
            )
        }
        View::Ext { code, data } => {
            write!(out, "ExtType(code={code}, data=")?;
            write_bytes(data, out)?;
            out.write_char(')')
        }
    }
}

/// Returns a width that the representation has at the very least, found without walking the value.
fn least_width(view: View<'_>, room: usize) -> usize {
    match view {
        View::Str(text) => text.chars().take(room).count() + 2,
        View::Bytes(bytes) => bytes.len() + 3,
        View::List(items) => items.len() * 3,
        View::Dict(entries) => entries.len() * 6,
        _ => 1,
    }
}

impl Sink for String {
    fn room(&self) -> usize {
        usize::MAX
    }
}

/// A text that refuses to grow beyond a number of characters.
#[derive(Debug)]
struct Bounded {
    text: String,
    room: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.room = self
            .room
            .checked_sub(text.chars().count())
            .ok_or(fmt::Error)?;
        self.text.push_str(text);
        Ok(())
    }
}

impl Sink for Bounded {
    fn room(&self) -> usize {
        self.room
    }
}
