//! Colours, where they are wanted.

use std::borrow::Cow;
use std::env;
use std::io::IsTerminal;

use crate::args::ColorChoice;

/// Whether text has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// It has none.
    Plain,
    /// It has, as escape sequences of ECMA-48.
    Colored,
}

/// What a text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// What went wrong.
    Error,
    /// A heading.
    Heading,
    /// The name of something that can be called.
    Name,
    /// A string in quotes.
    Text,
    /// A number.
    Number,
    /// A word of the notation, such as `None`.
    Word,
}

impl Style {
    /// Decides for a stream.
    pub(crate) fn of(choice: ColorChoice, stream: &impl IsTerminal) -> Self {
        match choice {
            ColorChoice::Never => Self::Plain,
            ColorChoice::Always => Self::Colored,
            ColorChoice::Auto if stream.is_terminal() && is_welcome() => Self::Colored,
            ColorChoice::Auto => Self::Plain,
        }
    }

    /// Returns the text with its colour.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> Cow<'_, str> {
        match self {
            Self::Plain => Cow::Borrowed(text),
            Self::Colored => Cow::Owned(format!("\x1b[{}m{text}\x1b[0m", paint.code())),
        }
    }
}

impl Paint {
    /// The parameters of the sequence `SGR`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Error => "1;31",
            Self::Heading => "1",
            Self::Name | Self::Number => "36",
            Self::Text => "32",
            Self::Word => "35",
        }
    }
}

/// Whether the user has nothing against colours on a terminal.
fn is_welcome() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    !refused && !is_dumb
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_colored_text_has_sequences() {
        assert_eq!(Style::Plain.paint(Paint::Error, "no"), "no");
        assert_eq!(
            Style::Colored.paint(Paint::Error, "no"),
            "\x1b[1;31mno\x1b[0m"
        );
    }
}
