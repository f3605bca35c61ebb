//! Lints that have no business in what the macro writes.
//!
//! The source that the user reads is linted as it would be without the macro.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, Path};

/// Nobody has to use all that is there for others to use, and how much there is follows from the
/// definition.
const WRITTEN: [&str; 7] = [
    "dead_code",
    "unreachable_pub",
    "unused_qualifications",
    "private_interfaces",
    "private_bounds",
    "clippy::too_many_arguments",
    "clippy::too_many_lines",
];

/// Calls of what the user marked as deprecated are the callers' business.
const CALLS: [&str; 3] = [
    "deprecated",
    "unused_qualifications",
    "clippy::too_many_lines",
];

/// Returns the attribute for what others use, such as a client.
pub(super) fn in_written() -> TokenStream {
    attribute(&WRITTEN)
}

/// Returns the attribute for what calls the methods of the user.
pub(super) fn in_calls() -> TokenStream {
    attribute(&CALLS)
}

/// Returns the attribute for a trait whose methods others call.
pub(super) fn in_definition() -> TokenStream {
    attribute(&["dead_code"])
}

/// Whether a lint fires depends on the definition, so it cannot be expected.
fn attribute(lints: &[&str]) -> TokenStream {
    let word = Ident::new("allow", Span::call_site());
    let lints = lints
        .iter()
        .filter_map(|lint| syn::parse_str::<Path>(lint).ok());
    quote!(#[#word(#(#lints,)* reason = "written by `#[zrpc::service]`")])
}
