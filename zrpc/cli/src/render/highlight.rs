//! Colours for values that were written as Python or JSON writes them.

use std::io::{self, Write};

use crate::style::Paint;

/// Copies a rendered value with its strings, numbers and words coloured.
///
/// # Errors
///
/// Whatever the writer reports.
pub(crate) fn highlight<W: Write>(rendered: &str, out: &mut W) -> io::Result<()> {
    let mut rest = rendered;
    while let Some(first) = rest.chars().next() {
        let (len, paint) = match first {
            '"' | '\'' => (string_len(rest, first), Some(Paint::Text)),
            '0'..='9' | '-' => (span(rest, is_number), Some(Paint::Number)),
            'a'..='z' | 'A'..='Z' => (span(rest, |c| c.is_ascii_alphanumeric()), Some(Paint::Word)),
            _ => (first.len_utf8(), None),
        };
        let (token, tail) = rest.split_at_checked(len).unwrap_or((rest, ""));
        match paint {
            Some(paint) => write!(out, "\x1b[{}m{token}\x1b[0m", paint.code())?,
            None => out.write_all(token.as_bytes())?,
        }
        rest = tail;
    }
    Ok(())
}

/// The octets of a string in quotes, both included.
fn string_len(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn span(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|character| !belongs(character))
        .unwrap_or(text.len())
}

fn is_number(character: char) -> bool {
    character.is_ascii_digit() || matches!(character, '-' | '+' | '.' | 'e' | 'E')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn highlighted(text: &str) -> String {
        let mut out = Vec::new();
        highlight(text, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.replace("\x1b[0m", ">").replace("\x1b[", "<")
    }

    #[test]
    fn tokens_are_coloured_and_nothing_is_lost() {
        assert_eq!(
            highlighted("{'a\\'b': [1, -2.5e+16, None]}"),
            "{<32m'a\\'b'>: [<36m1>, <36m-2.5e+16>, <35mNone>]}"
        );
        assert_eq!(highlighted("\"é\" x"), "<32m\"é\"> <35mx>");
        assert_eq!(highlighted("'open"), "<32m'open>");
    }
}
