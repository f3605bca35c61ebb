//! The arguments of a method, in the notation of Python.

use rmpv::Value;

use super::decode::{field, text};
use crate::render::repr;

/// Formats the list of argument objects that `_zerorpc_inspect` gives.
///
/// Defaults are shown without quotes, and one that is nil like none at all. An empty list is
/// what servers that know nothing about arguments send.
pub(super) fn format_arguments(arguments: Option<&Value>) -> String {
    let arguments = arguments.and_then(Value::as_array);
    let Some(arguments) = arguments.filter(|arguments| !arguments.is_empty()) else {
        return "(??)".to_owned();
    };
    let arguments: Vec<_> = arguments.iter().map(format_argument).collect();
    format!("({})", arguments.join(", "))
}

/// Formats Python's `[names, varargs, keywords, defaults]`, which `_zerorpc_args` gives.
pub(super) fn format_argspec(argspec: Option<&Value>) -> String {
    match argspec.and_then(Value::as_array).map(Vec::as_slice) {
        Some([Value::Array(names), varargs, keywords, defaults]) => {
            let defaults = defaults.as_array().map_or(&[][..], Vec::as_slice);
            let without_default = names.len().saturating_sub(defaults.len());
            let named = names.iter().enumerate().map(|(at, name)| {
                let default = at
                    .checked_sub(without_default)
                    .and_then(|at| defaults.get(at));
                match default {
                    Some(default) => format!("{}={}", shown(name), repr(default)),
                    None => shown(name),
                }
            });
            let starred = [("*", varargs), ("**", keywords)]
                .into_iter()
                .filter(|(_, name)| !name.is_nil())
                .map(|(stars, name)| format!("{stars}{}", shown(name)));
            let arguments: Vec<_> = named.chain(starred).collect();
            format!("({})", arguments.join(", "))
        }
        _ => "(...)".to_owned(),
    }
}

fn format_argument(argument: &Value) -> String {
    // Some servers give bare names instead of objects.
    let name = field(argument, "name").unwrap_or(argument);
    match field(argument, "default").filter(|default| !default.is_nil()) {
        Some(default) => format!("{}={}", shown(name), shown(default)),
        None => shown(name),
    }
}

/// Shows text as it is and everything else as Python would.
fn shown(value: &Value) -> String {
    text(value).map_or_else(|| repr(value), str::to_owned)
}
