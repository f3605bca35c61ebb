//! The answers to the introspection calls, in all the shapes that servers give them.

use rmpv::Value;

use super::listing::{Listing, Method};
use super::signature::{format_argspec, format_arguments};

/// Understands the answer to `_zerorpc_inspect`.
///
/// `methods` is a map from names to details, or, from servers of the second protocol version, a
/// list of `[name, argspec, doc]`. Strings may be binary, as Python 2 sends them. Without
/// `methods` it is no answer at all.
pub(super) fn decode_inspection(answer: &Value) -> Option<Listing> {
    let methods = match field(answer, "methods")? {
        Value::Map(entries) => entries
            .iter()
            .filter_map(|(name, details)| {
                Some(Method {
                    name: text(name)?.to_owned(),
                    arguments: format_arguments(field(details, "args")),
                    doc: field(details, "doc").and_then(decode_doc),
                })
            })
            .collect(),
        Value::Array(rows) => rows.iter().filter_map(decode_row).collect(),
        _ => return None,
    };
    let service = field(answer, "name").and_then(text).unwrap_or(UNNAMED);
    Some(Listing {
        service: service.to_owned(),
        methods,
    })
}

/// Understands documentation; an empty one counts as none.
pub(super) fn decode_doc(doc: &Value) -> Option<String> {
    text(doc).filter(|doc| !doc.is_empty()).map(str::to_owned)
}

/// Returns a field of a map by its name.
pub(super) fn field<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    let entries = map.as_map()?;
    let named = |(key, _): &&(Value, Value)| text(key) == Some(name);
    entries.iter().find(named).map(|(_, value)| value)
}

/// Returns the text of a string, also of a binary one.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => text.as_str(),
        Value::Binary(bytes) => str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn decode_row(row: &Value) -> Option<Method> {
    let columns = row.as_array()?;
    Some(Method {
        name: columns.first().and_then(text)?.to_owned(),
        arguments: format_argspec(columns.get(1)),
        doc: columns.get(2).and_then(decode_doc),
    })
}

/// What stands where a service has no name.
pub(super) const UNNAMED: &str = "N/A";
