//! Results on stdout.

use std::io::{self, BufWriter, Write};

use rmpv::Value;

use crate::args::Form;
use crate::render::{write_json, write_pprint};

/// Prints the results of one call in the form that was asked for.
#[derive(Debug)]
pub(crate) struct Printer<W: Write> {
    out: BufWriter<W>,
    form: Form,
}

/// How many items of a stream were printed.
#[derive(Debug, Default)]
pub(crate) struct StreamPosition {
    count: u64,
}

impl<W: Write> Printer<W> {
    pub(crate) fn new(out: W, form: Form) -> Self {
        Self {
            out: BufWriter::new(out),
            form,
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

    /// Begins to print a stream.
    ///
    /// # Errors
    ///
    /// Whatever the writer reports.
    pub(crate) fn begin_stream(&mut self) -> io::Result<StreamPosition> {
        if self.form == Form::JsonDocument {
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
        if self.form == Form::JsonDocument && position.count > 0 {
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
        if self.form == Form::JsonDocument {
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
        match self.form {
            Form::Pretty => write_pprint(value, &mut self.out)?,
            Form::JsonLines | Form::JsonDocument => write_json(value, &mut self.out)?,
        }
        match self.form {
            Form::Pretty | Form::JsonLines => self.out.write_all(b"\n"),
            Form::JsonDocument => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(form: Form, items: &[Value]) -> String {
        let mut out = Vec::new();
        let mut printer = Printer::new(&mut out, form);
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
}
