//! Values over several lines, as Python's `pprint` lays them out on 80 columns.

use std::io::{self, Write};

use rmpv::Value;

use super::repr::{repr, repr_within};
use super::text::{split_lines, split_words};
use super::view::{View, sorted};

/// Writes a value the way `pprint.pprint` does, without the final line end.
///
/// # Errors
///
/// Whatever the writer reports.
pub(crate) fn write_pprint<W: Write>(value: &Value, out: &mut W) -> io::Result<()> {
    let whole = Place {
        indent: 0,
        allowance: 0,
        depth: Depth::Top,
    };
    format(value, whole, out)
}

/// Where a value is written: what stands left of it, and what must still fit to its right.
#[derive(Clone, Copy, Debug)]
struct Place {
    indent: usize,
    allowance: usize,
    depth: Depth,
}

/// Only the outermost string is put into parentheses when it is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Top,
    Nested,
}

impl Place {
    /// The columns left for a value that ends here; nothing fits where there are none.
    fn room(self) -> Option<usize> {
        WIDTH.checked_sub(self.indent + self.allowance)
    }

    fn inside(self, indent: usize, allowance: usize) -> Self {
        Self {
            indent: self.indent + indent,
            allowance,
            depth: Depth::Nested,
        }
    }
}

fn format<W: Write>(value: &Value, place: Place, out: &mut W) -> io::Result<()> {
    if let Some(text) = place.room().and_then(|room| repr_within(value, room)) {
        return out.write_all(text.as_bytes());
    }
    match View::of(value) {
        View::List(items) => format_list(items, place, out),
        View::Dict(entries) => format_dict(entries, place, out),
        View::Str(text) => format_chunks(&str_chunks(text, place.in_parentheses()), place, out),
        View::Bytes(bytes) => format_bytes(bytes, place, out),
        _ => out.write_all(repr(value).as_bytes()),
    }
}

fn format_list<W: Write>(items: &[Value], place: Place, out: &mut W) -> io::Result<()> {
    out.write_all(b"[")?;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
            new_line(place.indent + 1, out)?;
        }
        let is_last = at + 1 == items.len();
        let allowance = if is_last { place.allowance + 1 } else { 1 };
        format(item, place.inside(1, allowance), out)?;
    }
    out.write_all(b"]")
}

fn format_dict<W: Write>(entries: &[(Value, Value)], place: Place, out: &mut W) -> io::Result<()> {
    let entries = sorted(entries);
    out.write_all(b"{")?;
    for (at, (key, item)) in entries.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
            new_line(place.indent + 1, out)?;
        }
        let is_last = at + 1 == entries.len();
        let allowance = if is_last { place.allowance + 1 } else { 1 };
        let key = repr(key);
        write!(out, "{key}: ")?;
        let indent = key.chars().count() + 3;
        format(item, place.inside(indent, allowance), out)?;
    }
    out.write_all(b"}")
}

fn format_bytes<W: Write>(bytes: &[u8], place: Place, out: &mut W) -> io::Result<()> {
    // Up to four bytes are never split, nor put into parentheses.
    if bytes.len() <= 4 {
        return out.write_all(bytes_repr(bytes).as_bytes());
    }
    let chunks = bytes_chunks(bytes, place.in_parentheses());
    write_chunks(&chunks, place, out)
}

/// Writes a split string; one that could not be split has no parentheses.
fn format_chunks<W: Write>(chunks: &[String], place: Place, out: &mut W) -> io::Result<()> {
    match chunks {
        [] => out.write_all(b"''"),
        [only] => out.write_all(only.as_bytes()),
        _ => write_chunks(chunks, place, out),
    }
}

fn write_chunks<W: Write>(chunks: &[String], place: Place, out: &mut W) -> io::Result<()> {
    let (open, close) = match place.depth {
        Depth::Top => ("(", ")"),
        Depth::Nested => ("", ""),
    };
    out.write_all(open.as_bytes())?;
    for (at, chunk) in chunks.iter().enumerate() {
        if at > 0 {
            new_line(place.in_parentheses().indent, out)?;
        }
        out.write_all(chunk.as_bytes())?;
    }
    out.write_all(close.as_bytes())
}

impl Place {
    /// The place of the chunks of a split string, parentheses taken off at the top.
    fn in_parentheses(self) -> Self {
        let parenthesis = usize::from(self.depth == Depth::Top);
        Self {
            indent: self.indent + parenthesis,
            allowance: self.allowance + parenthesis,
            depth: self.depth,
        }
    }
}

/// Splits a text at line ends, and lines that do not fit between words.
fn str_chunks(text: &str, place: Place) -> Vec<String> {
    let lines = split_lines(text);
    let mut chunks = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let is_last_line = at + 1 == lines.len();
        let reserved = if is_last_line { place.allowance } else { 0 };
        let whole = str_repr(line);
        if whole.chars().count() <= columns(place, reserved) {
            chunks.push(whole);
            continue;
        }
        let words = split_words(line);
        let mut current = String::new();
        for (at, word) in words.iter().enumerate() {
            let is_last_word = at + 1 == words.len();
            let reserved = if is_last_word { reserved } else { 0 };
            let before = current.len();
            current.push_str(word);
            if str_repr(&current).chars().count() > columns(place, reserved) {
                current.truncate(before);
                if !current.is_empty() {
                    chunks.push(str_repr(&current));
                }
                current.clear();
                current.push_str(word);
            }
        }
        if !current.is_empty() {
            chunks.push(str_repr(&current));
        }
    }
    chunks
}

/// Splits bytes between groups of four.
fn bytes_chunks(bytes: &[u8], place: Place) -> Vec<String> {
    let mut chunks = Vec::new();
    let mut start = 0;
    let mut end = 0;
    // The last group is the incomplete one; of complete groups none counts as the last.
    let last = bytes.len() / 4 * 4;
    for group in bytes.chunks(4) {
        let candidate = bytes.get(start..end + group.len()).unwrap_or_default();
        let reserved = if end == last { place.allowance } else { 0 };
        if bytes_repr(candidate).len() > columns(place, reserved) {
            if end > start {
                chunks.push(bytes_repr(bytes.get(start..end).unwrap_or_default()));
            }
            start = end;
        }
        end += group.len();
    }
    chunks.push(bytes_repr(bytes.get(start..end).unwrap_or_default()));
    chunks
}

/// The columns of a chunk, `reserved` ones kept for what follows it.
fn columns(place: Place, reserved: usize) -> usize {
    WIDTH.saturating_sub(place.indent + reserved)
}

fn str_repr(text: &str) -> String {
    let mut repr = String::with_capacity(text.len() + 2);
    // A `String` takes whatever is written to it.
    let _ = super::text::write_str(text, &mut repr);
    repr
}

fn bytes_repr(bytes: &[u8]) -> String {
    let mut repr = String::with_capacity(bytes.len() + 3);
    let _ = super::text::write_bytes(bytes, &mut repr);
    repr
}

/// Begins a line. Deep structures indent far beyond the width, so the indent is not formatted.
fn new_line<W: Write>(indent: usize, out: &mut W) -> io::Result<()> {
    out.write_all(b"\n")?;
    let mut left = indent;
    while left > 0 {
        let step = left.min(SPACES.len());
        out.write_all(SPACES.get(..step).unwrap_or_default())?;
        left -= step;
    }
    Ok(())
}

/// The width that `pprint` uses unless told otherwise.
const WIDTH: usize = 80;

const SPACES: &[u8] = &[b' '; 64];
