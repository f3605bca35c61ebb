//! Results on stdout.

use std::io::{self, BufWriter, IsTerminal, Write};

use rmpv::Value;

use crate::args::{Display, Form};
use crate::render::{highlight, on_lines, repr, write_json, write_pprint, write_yaml};
use crate::style::Style;

/// What values look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Their notation.
    pub(crate) form: Form,
    /// Their colours.
    pub(crate) style: Style,
    /// Who reads it.
    pub(crate) reader: Reader,
}

/// Who reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A terminal, which obeys some characters.
    Terminal,
    /// Something else.
    Program,
}

impl Look {
    /// What is printed on stdout looks like this.
    pub(crate) fn on_stdout(display: Display, form: Form) -> Self {
        let stdout = io::stdout();
        let reader = match stdout.is_terminal() {
            true => Reader::Terminal,
            false => Reader::Program,
        };
        Self {
            form,
            style: Style::of(display.color, &stdout),
            reader,
        }
    }
}

/// Prints the results of one call in the form that was asked for.
#[derive(Debug)]
pub(crate) struct Printer<W: Write> {
    out: BufWriter<W>,
    look: Look,
}

/// How many items of a stream were printed.
#[derive(Debug, Default)]
pub(crate) struct StreamPosition {
    count: u64,
}

impl<W: Write> Printer<W> {
    pub(crate) fn new(out: W, look: Look) -> Self {
        Self {
            out: BufWriter::new(out),
            look,
        }
    }

    /// Prints a single result.
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(crate) fn print(&mut self, value: &Value) -> io::Result<()> {
        self.write_document(value)?;
        self.flush()
    }

    /// Prints a line of text for people.
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(crate) fn print_text(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.flush()
    }

    /// Begins to print a stream.
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(crate) fn begin_stream(&mut self) -> io::Result<StreamPosition> {
        if self.look.form == Form::JsonDocument {
            self.out.write_all(b"[")?;
        }
        Ok(StreamPosition::default())
    }

    /// Prints an item of a stream. It is sure to appear after a [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(crate) fn print_item(
        &mut self,
        position: &mut StreamPosition,
        item: &Value,
    ) -> io::Result<()> {
        if self.look.form == Form::JsonDocument && position.count > 0 {
            self.out.write_all(b",")?;
        }
        position.count += 1;
        self.write_document(item)
    }

    /// Ends a stream that is complete.
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(crate) fn end_stream(&mut self) -> io::Result<()> {
        if self.look.form == Form::JsonDocument {
            self.out.write_all(b"]")?;
        }
        self.flush()
    }

    /// Makes everything appear that was printed.
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn write_document(&mut self, value: &Value) -> io::Result<()> {
        match self.look.form {
            Form::Raw => self.write_raw(value)?,
            // Strings without quotes have no beginning that a colour could be given to.
            Form::Yaml => {
                self.out.write_all(b"---\n")?;
                return write_yaml(value, &mut self.out);
            }
            form => match self.look.style {
                Style::Plain => write_form(value, form, &mut self.out)?,
                Style::Colored => {
                    let mut rendered = Vec::new();
                    write_form(value, form, &mut rendered)?;
                    highlight(&String::from_utf8_lossy(&rendered), &mut self.out)?;
                }
            },
        }
        match self.look.form {
            Form::JsonDocument => Ok(()),
            _ => self.out.write_all(b"\n"),
        }
    }

    fn write_raw(&mut self, value: &Value) -> io::Result<()> {
        let bytes = match value {
            Value::String(text) => text.as_bytes(),
            Value::Binary(bytes) => bytes,
            _ => return write_json(value, &mut self.out),
        };
        match self.look.reader {
            Reader::Program => self.out.write_all(bytes),
            Reader::Terminal => {
                let text = String::from_utf8_lossy(bytes);
                self.out.write_all(on_lines(&text).as_bytes())
            }
        }
    }
}

fn write_form<W: Write>(value: &Value, form: Form, out: &mut W) -> io::Result<()> {
    match form {
        Form::Pretty => write_pprint(value, out),
        Form::Python => out.write_all(repr(value).as_bytes()),
        Form::JsonLines | Form::JsonDocument | Form::Yaml | Form::Raw => write_json(value, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(form: Form, items: &[Value]) -> String {
        let look = Look {
            form,
            style: Style::Plain,
            reader: Reader::Program,
        };
        printed(look, items)
    }

    fn printed(look: Look, items: &[Value]) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, look);
        let mut position = printer.begin_stream().unwrap();
        for item in items {
            printer.print_item(&mut position, item).unwrap();
        }
        printer.end_stream().unwrap();
        drop(printer);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_stream_is_one_json_array_without_spaces_and_line_end() {
        let items = [Value::from(1), Value::from("a"), Value::Nil];
        assert_eq!(stream(Form::JsonDocument, &items), "[1,\"a\",null]");
        assert_eq!(stream(Form::JsonDocument, &[]), "[]");
    }

    #[test]
    fn items_have_lines_of_their_own_otherwise() {
        let items = [Value::from("a"), Value::Nil];
        assert_eq!(stream(Form::Pretty, &items), "'a'\nNone\n");
        assert_eq!(stream(Form::JsonLines, &items), "\"a\"\nnull\n");
        assert_eq!(stream(Form::Pretty, &[]), "");
    }

    #[test]
    fn every_form_ends_its_documents() {
        let items = [
            Value::from("it's"),
            Value::Array(vec![1.into(), Value::Nil]),
        ];
        assert_eq!(
            stream(Form::Yaml, &items),
            "---\n\"it's\"\n---\n- 1\n- null\n"
        );
        assert_eq!(stream(Form::Python, &items), "\"it's\"\n[1, None]\n");
        assert_eq!(stream(Form::Raw, &items), "it's\n[1, null]\n");
    }

    #[test]
    fn raw_bytes_are_harmless_on_a_terminal_alone() {
        let look = |reader| Look {
            form: Form::Raw,
            style: Style::Plain,
            reader,
        };
        let items = [Value::from("\x1b[2J")];
        assert_eq!(printed(look(Reader::Program), &items), "\x1b[2J\n");
        assert_eq!(printed(look(Reader::Terminal), &items), "\\x1b[2J\n");
    }

    #[test]
    fn colours_are_around_the_tokens() {
        let look = Look {
            form: Form::Pretty,
            style: Style::Colored,
            reader: Reader::Terminal,
        };
        assert_eq!(printed(look, &[1.into()]), "\x1b[36m1\x1b[0m\n");
    }
}
