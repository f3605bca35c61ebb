//! Strings and bytes as Python's `repr` writes them.

use std::fmt;

use super::printable::BOUNDS;

/// Writes a string in Python's quotes and escapes.
pub(super) fn write_str(text: &str, out: &mut dyn fmt::Write) -> fmt::Result {
    let quote = quote_for(|quote| text.contains(quote));
    out.write_char(quote)?;
    for character in text.chars() {
        match character {
            '\t' => out.write_str("\\t")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\\' => out.write_str("\\\\")?,
            _ if character == quote => write!(out, "\\{quote}")?,
            _ if is_printable(character) => out.write_char(character)?,
            _ => match u32::from(character) {
                code @ 0..=0xff => write!(out, "\\x{code:02x}")?,
                code @ 0x100..=0xffff => write!(out, "\\u{code:04x}")?,
                code => write!(out, "\\U{code:08x}")?,
            },
        }
    }
    out.write_char(quote)
}

/// Writes bytes as Python's `b'…'`.
pub(super) fn write_bytes(bytes: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
    let quote = quote_for(|quote| bytes.iter().any(|&byte| char::from(byte) == quote));
    write!(out, "b{quote}")?;
    for &byte in bytes {
        match byte {
            b'\t' => out.write_str("\\t")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\\' => out.write_str("\\\\")?,
            _ if char::from(byte) == quote => write!(out, "\\{quote}")?,
            b' '..=b'~' => out.write_char(char::from(byte))?,
            _ => write!(out, "\\x{byte:02x}")?,
        }
    }
    out.write_char(quote)
}

/// Returns a text up to its first line end, wherever Python sees one.
pub(crate) fn first_line(text: &str) -> &str {
    text.split(is_line_end).next().unwrap_or(text)
}

/// Returns the lines of a text with their ends, at every boundary that Python knows.
pub(super) fn split_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if !is_line_end(character) {
            continue;
        }
        let mut end = at + character.len_utf8();
        if character == '\r' && characters.next_if(|&(_, next)| next == '\n').is_some() {
            end += 1;
        }
        lines.extend(text.get(start..end));
        start = end;
    }
    lines.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    lines
}

/// Returns the pieces of a line that a break may separate: words with the space behind them.
pub(super) fn split_words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut in_space = false;
    for (at, character) in line.char_indices() {
        let space = is_space(character);
        if in_space && !space {
            words.extend(line.get(start..at));
            start = at;
        }
        in_space = space;
    }
    words.extend(line.get(start..).filter(|rest| !rest.is_empty()));
    words
}

/// Single quotes, unless only double ones spare the escapes.
fn quote_for(holds: impl Fn(char) -> bool) -> char {
    if holds('\'') && !holds('"') {
        '"'
    } else {
        '\''
    }
}

/// Whether Python's `str.isprintable` holds for the character.
pub(super) fn is_printable(character: char) -> bool {
    let changes = BOUNDS.partition_point(|&bound| bound <= u32::from(character));
    changes % 2 == 1
}

fn is_line_end(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Python also counts the four information separators as space.
fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\x1c'..='\x1f')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_ends() {
        let lines = split_lines("a\nb\r\nc\rd\u{2028}\x1ce");
        assert_eq!(lines, ["a\n", "b\r\n", "c\r", "d\u{2028}", "\x1c", "e"]);
        assert!(split_lines("").is_empty());
    }

    #[test]
    fn words_keep_the_space_behind_them() {
        assert_eq!(
            split_words("  a b\t\tc\x1fd"),
            ["  ", "a ", "b\t\t", "c\x1f", "d"]
        );
        assert!(split_words("").is_empty());
    }
}
