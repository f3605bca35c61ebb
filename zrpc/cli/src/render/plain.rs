//! Text of a peer that is shown as it is, made harmless for terminals.

use std::borrow::Cow;
use std::fmt::Write;

/// Returns the text with every control character escaped, so that it stays on one line.
pub(crate) fn on_one_line(text: &str) -> Cow<'_, str> {
    escape(text, |_, _| false)
}

/// An error and its sources on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Returns the text with its lines and tabs, and every other control character escaped.
pub(crate) fn on_lines(text: &str) -> Cow<'_, str> {
    escape(text, |character, next| match character {
        '\n' | '\t' => true,
        '\r' => next == Some('\n'),
        _ => false,
    })
}

fn escape(text: &str, keeps: impl Fn(char, Option<char>) -> bool) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if !character.is_control() || keeps(character, characters.peek().copied()) {
            escaped.push(character);
        } else {
            // A `String` takes whatever is written to it.
            let _ = match character {
                '\n' => escaped.write_str("\\n"),
                '\r' => escaped.write_str("\\r"),
                '\t' => escaped.write_str("\\t"),
                _ => write!(escaped, "\\x{:02x}", u32::from(character)),
            };
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_of_a_terminal_lose_their_power() {
        assert_eq!(on_one_line("a\x1b[2J\u{9b}é\n"), "a\\x1b[2J\\x9bé\\n");
        assert_eq!(
            on_lines("one\r\n\ttwo\rthree\x07"),
            "one\r\n\ttwo\\rthree\\x07"
        );
    }
}
