//! Rules that a service as a whole must keep.

use std::collections::HashMap;

use syn::{GenericParam, Generics};

use super::method::check_self_types;
use crate::model::{Method, Service};
use crate::problems::Problems;

/// What every client can do, whatever the service is.
const OF_EVERY_CLIENT: [&str; 7] = [
    "new",
    "connect",
    "from_stub",
    "stub",
    "with",
    "with_prefix",
    "with_timeout",
];

/// Holds a service against the rules.
pub(super) fn check(service: &Service, problems: &mut Problems) {
    check_names(&service.methods, problems);
    check_generics(&service.generics, problems);
    if service.clients.is_empty() {
        return;
    }
    for method in &service.methods {
        check_self_types(method, problems);
        if OF_EVERY_CLIENT.iter().any(|name| method.ident == name) {
            let name = &method.ident;
            let message = format!(
                "every client has a function `{name}` of its own; call the method something else \
                 and say `#[zrpc(name = \"{}\")]`, or leave out the client with \
                 `#[zrpc::service(no_client)]`",
                method.name
            );
            problems.add(name, &message);
        }
    }
}

fn check_names(methods: &[Method], problems: &mut Problems) {
    let mut seen = HashMap::new();
    for method in methods {
        let conditional = method
            .attributes
            .iter()
            .any(|attribute| attribute.path().is_ident("cfg"));
        // Of two that depend on a condition, there may be one at a time.
        if seen.insert(&method.name, ()).is_some() && !conditional {
            let message = format!(
                "there is a method `{}` already; give one of the two another name with \
                 `#[zrpc(name = \"…\")]`",
                method.name
            );
            problems.add(&method.ident, &message);
        }
    }
}

fn check_generics(generics: &Generics, problems: &mut Problems) {
    for parameter in &generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            problems.add(
                lifetime,
                "a service lives as long as its server and cannot borrow; share what it needs \
                 through an `Arc`",
            );
        }
    }
}
