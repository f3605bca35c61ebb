//! The text format of certificates: sections of named values, one per line.
//!
//! ```text
//! # a comment
//! section
//!     name = "value"
//! ```
//!
//! This is as much of ZPL (RFC 4) as the certificates of CZMQ, libzmq and pyzmq use: one level of
//! sections. It is read without copies, so that no second copy of a secret key is left behind.

use thiserror::Error;

/// A value and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Property<'a> {
    /// The number of the line, from 1.
    pub(super) line: usize,
    /// The name of the section; empty in front of the first one.
    pub(super) section: &'a str,
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SyntaxError {
    /// A name is empty, or has a character other than letters, digits and `$-_@.&+/`.
    #[error("illegal name")]
    Name,
    /// A line inside a section has no `=`.
    #[error("name without a value")]
    MissingValue,
    /// A value begins with a quotation mark and does not end with it.
    #[error("quotation mark without its counterpart")]
    Quotation,
    /// Something other than a comment follows a quoted value.
    #[error("text behind the value")]
    Trailing,
    /// A value has a control character.
    #[error("control character")]
    Control,
}

/// Returns the values of `text` in their order; an error comes with the number of its line.
pub(super) fn properties(
    text: &str,
) -> impl Iterator<Item = Result<Property<'_>, (usize, SyntaxError)>> {
    let mut section = "";
    (1..).zip(text.lines()).filter_map(move |(line, text)| {
        let content = text.trim_start_matches([' ', '\t']);
        let is_indented = content.len() < text.len();
        match read_line(content.trim_end()) {
            Ok(Line::Empty) => None,
            Ok(Line::Name(_)) if is_indented => Some(Err((line, SyntaxError::MissingValue))),
            Ok(Line::Name(name)) => {
                section = name;
                None
            }
            Ok(Line::Value { name, value }) => {
                if !is_indented {
                    section = "";
                }
                Some(Ok(Property {
                    line,
                    section,
                    name,
                    value,
                }))
            }
            Err(error) => Some(Err((line, error))),
        }
    })
}

/// Whether a property of this name can be written.
pub(super) fn is_name(name: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "$-_@.&+/".contains(c);
    !name.is_empty() && name.chars().all(is_legal)
}

/// Returns the quotation mark that `value` can be written in, if there is one.
pub(super) fn quotation_mark(value: &str) -> Option<char> {
    if value.contains(char::is_control) {
        return None;
    }
    ['"', '\''].into_iter().find(|mark| !value.contains(*mark))
}

enum Line<'a> {
    Empty,
    Name(&'a str),
    Value { name: &'a str, value: &'a str },
}

fn read_line(content: &str) -> Result<Line<'_>, SyntaxError> {
    if content.is_empty() || content.starts_with('#') {
        return Ok(Line::Empty);
    }
    // A comment of a section may have any characters.
    let has_value = without_comment(content).contains('=');
    let Some((name, value)) = content.split_once('=').filter(|_| has_value) else {
        let name = without_comment(content);
        return if is_name(name) {
            Ok(Line::Name(name))
        } else {
            Err(SyntaxError::Name)
        };
    };
    let name = name.trim_end();
    if !is_name(name) {
        return Err(SyntaxError::Name);
    }
    let value = read_value(value.trim_start())?;
    if value.contains(char::is_control) {
        return Err(SyntaxError::Control);
    }
    Ok(Line::Value { name, value })
}

fn read_value(text: &str) -> Result<&str, SyntaxError> {
    let Some(mark) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Ok(without_comment(text));
    };
    let (value, rest) = text
        .strip_prefix(mark)
        .and_then(|text| text.split_once(mark))
        .ok_or(SyntaxError::Quotation)?;
    if !without_comment(rest.trim_start()).is_empty() {
        return Err(SyntaxError::Trailing);
    }
    Ok(value)
}

fn without_comment(text: &str) -> &str {
    text.split_once('#')
        .map_or(text, |(text, _)| text)
        .trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Owned = (String, String, String);

    fn read(text: &str) -> Result<Vec<Owned>, (usize, SyntaxError)> {
        properties(text)
            .map(|property| property.map(|p| (p.section.into(), p.name.into(), p.value.into())))
            .collect()
    }

    fn property(section: &str, name: &str, value: &str) -> Owned {
        (section.into(), name.into(), value.into())
    }

    #[test]
    fn sections_hold_values() {
        let text = "# comment\r\n\r\nroot = 1\na\n    one = \"1\"\n\ttwo='2'\r\nb # of = comment\n  c = d # e\n";
        assert_eq!(
            read(text).unwrap(),
            [
                property("", "root", "1"),
                property("a", "one", "1"),
                property("a", "two", "2"),
                property("b", "c", "d"),
            ]
        );
    }

    #[test]
    fn quoted_values_are_taken_as_they_are() {
        let text = "a\n    b = \"#'= \" # comment\n    c = ''\n";
        assert_eq!(
            read(text).unwrap(),
            [property("a", "b", "#'= "), property("a", "c", "")]
        );
    }

    #[test]
    fn faults_are_told_with_their_line() {
        for (text, error) in [
            ("a\n    b", SyntaxError::MissingValue),
            ("\na b", SyntaxError::Name),
            ("\n= c", SyntaxError::Name),
            ("\nü = c", SyntaxError::Name),
            ("\nb = \"c", SyntaxError::Quotation),
            ("\nb = \"", SyntaxError::Quotation),
            ("\nb = \"c\" d", SyntaxError::Trailing),
            ("\nb = \"\x07\"", SyntaxError::Control),
            ("\nb = c\0d", SyntaxError::Control),
        ] {
            assert_eq!(read(text), Err((2, error)), "{text:?}");
        }
    }
}
