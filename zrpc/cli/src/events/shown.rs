//! What an event looks like.

use std::io::{self, Write};

use rmpv::Value;
use zrpc::Event;

use crate::args::Form;
use crate::output::{Look, Printer};
use crate::render::{on_one_line, repr};
use crate::style::Paint;

/// Prints an event, for people as a call, for programs as a document.
///
/// # Errors
///
/// Whatever the writer reports.
pub(super) fn print_event<W: Write>(
    event: &Event,
    look: Look,
    printer: &mut Printer<W>,
) -> io::Result<()> {
    // The decoder has seen that there is an array of values; what is none is shown as it is.
    let args = event.args::<Vec<Value>>();
    let args = args.unwrap_or_else(|_| vec![Value::Binary(event.encoded_args().to_vec())]);
    match look.form {
        Form::Pretty => printer.print_text(&call(&event.method(), &args, look)),
        Form::Raw => printer.print(&match <[Value; 1]>::try_from(args) {
            Ok([only]) => only,
            Err(args) => Value::Array(args),
        }),
        _ => printer.print(&document(event, args)),
    }
}

fn call(method: &str, args: &[Value], look: Look) -> String {
    let args: Vec<_> = args.iter().map(repr).collect();
    let method = on_one_line(method);
    let method = look.style.paint(Paint::Name, &method);
    format!("{method}({})", args.join(", "))
}

fn document(event: &Event, args: Vec<Value>) -> Value {
    let mut entries = vec![
        ("method".into(), event.method().as_ref().into()),
        ("args".into(), Value::Array(args)),
    ];
    if let Some(topic) = event.topic() {
        let topic = String::from_utf8_lossy(topic);
        entries.push(("topic".into(), topic.as_ref().into()));
    }
    Value::Map(entries)
}
