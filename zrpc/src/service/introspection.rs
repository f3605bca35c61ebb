//! The methods that every server offers about itself, as zerorpc defines them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rmpv::Value;

use super::method::Method;
use super::signature::Signature;
use crate::Fault;

/// What every name of an introspection method begins with.
pub(crate) const PREFIX: &str = "_zerorpc_";

/// What introspection tells about one method.
struct Entry {
    doc: Value,
    /// Python's argspec: names, varargs, keywords, defaults.
    argspec: Value,
    /// A list of maps with `name` and perhaps `default`; nil where any number is accepted.
    args: Value,
}

/// Makes the six introspection methods of a service.
pub(crate) fn methods<'a>(
    service: &Arc<str>,
    methods: impl Iterator<Item = &'a Method>,
) -> Vec<Method> {
    let offered = methods.map(|method| (method.name().to_owned(), Entry::of(method)));
    // Python describes these too, when asked for one by its name.
    let own = OWN.iter().map(|(name, names)| {
        let name = format!("{PREFIX}{name}");
        (name, Entry::undocumented(names))
    });
    let entries: BTreeMap<String, Entry> = offered.chain(own).collect();
    let entries = Arc::new(entries);
    let (list, help) = (Arc::clone(&entries), Arc::clone(&entries));
    let (args, inspect) = (Arc::clone(&entries), entries);
    let (ping_name, name, inspect_name) = (
        Arc::clone(service),
        Arc::clone(service),
        Arc::clone(service),
    );
    vec![
        Method::new("_zerorpc_ping", move |(): ()| {
            std::future::ready(("pong", ping_name.to_string()))
        }),
        Method::new("_zerorpc_name", move |(): ()| {
            std::future::ready(name.to_string())
        }),
        Method::new("_zerorpc_list", move |(): ()| {
            std::future::ready(
                public(&list)
                    .map(|(name, _)| name.clone())
                    .collect::<Vec<_>>(),
            )
        }),
        Method::new("_zerorpc_help", move |(method,): (String,)| {
            std::future::ready(find(&help, &method).map(|entry| entry.doc.clone()))
        })
        .args(["method"]),
        Method::new("_zerorpc_args", move |(method,): (String,)| {
            std::future::ready(find(&args, &method).map(|entry| entry.argspec.clone()))
        })
        .args(["method"]),
        Method::new("_zerorpc_inspect", move |(): ()| {
            std::future::ready(inspection(&inspect_name, &inspect))
        }),
    ]
}

/// The introspection methods, without the prefix, and the names of their arguments.
const OWN: [(&str, &[&str]); 6] = [
    ("ping", &[]),
    ("name", &[]),
    ("list", &[]),
    ("help", &["method"]),
    ("args", &["method"]),
    ("inspect", &[]),
];

impl Entry {
    fn undocumented(names: &[&str]) -> Self {
        let names = names.iter().copied().map(Value::from).collect();
        let argspec = vec![Value::Array(names), Value::Nil, Value::Nil, Value::Nil];
        Self {
            doc: Value::Nil,
            argspec: Value::Array(argspec),
            // Only what is public is inspected.
            args: Value::Nil,
        }
    }

    fn of(method: &Method) -> Self {
        let (argspec, args) = describe(method.signature());
        Self {
            doc: method.documentation().map_or(Value::Nil, Value::from),
            argspec,
            args,
        }
    }
}

/// Returns a signature as an argspec and as the list that `_zerorpc_inspect` shows.
fn describe(signature: &Signature) -> (Value, Value) {
    let parameters = signature.parameters();
    let names = parameters.iter().map(|p| Value::from(p.name())).collect();
    let rest = signature.rest().map_or(Value::Nil, Value::from);
    // Python's defaults belong to the last arguments, so only an unbroken run at the end counts.
    let mut defaults: Vec<Value> = parameters
        .iter()
        .rev()
        .map_while(|parameter| parameter.default().cloned())
        .collect();
    defaults.reverse();
    let required = parameters.len() - defaults.len();
    let args = parameters
        .iter()
        .enumerate()
        .map(|(position, parameter)| {
            let name = (Value::from("name"), Value::from(parameter.name()));
            let default = position
                .checked_sub(required)
                .and_then(|behind| defaults.get(behind))
                .map(|default| (Value::from("default"), default.clone()));
            Value::Map(std::iter::once(name).chain(default).collect())
        })
        .collect();
    // Of a method that takes anything, there is nothing to list.
    let args = match signature.rest() {
        Some(_) if parameters.is_empty() => Value::Nil,
        _ => Value::Array(args),
    };
    let defaults = match defaults.is_empty() {
        true => Value::Nil,
        false => Value::Array(defaults),
    };
    let argspec = vec![Value::Array(names), rest, Value::Nil, defaults];
    (Value::Array(argspec), args)
}

fn inspection(service: &str, entries: &BTreeMap<String, Entry>) -> Value {
    let methods = public(entries)
        .map(|(name, entry)| {
            let description = vec![
                (Value::from("args"), entry.args.clone()),
                (Value::from("doc"), entry.doc.clone()),
            ];
            (Value::from(name.as_str()), Value::Map(description))
        })
        .collect();
    Value::Map(vec![
        (Value::from("name"), Value::from(service)),
        (Value::from("methods"), Value::Map(methods)),
    ])
}

/// Introspection leaves out names that begin with an underscore.
fn public(entries: &BTreeMap<String, Entry>) -> impl Iterator<Item = (&String, &Entry)> {
    entries.iter().filter(|(name, _)| !name.starts_with('_'))
}

fn find<'a>(entries: &'a BTreeMap<String, Entry>, method: &str) -> Result<&'a Entry, Fault> {
    entries
        .get(method)
        .ok_or_else(|| Fault::new("KeyError", format!("'{method}'")))
}
