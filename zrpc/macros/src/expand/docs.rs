//! Documentation, carried over.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// Returns an expression for the text of documentation comments, if there are any.
pub(super) fn text(docs: &[Attribute]) -> Option<TokenStream> {
    let mut parts = docs.iter().filter_map(value).peekable();
    parts.peek()?;
    Some(quote!(::std::concat!(#(#parts, "\n",)*)))
}

/// Whether documentation has a section of its own on errors.
pub(super) fn has_errors_section(docs: &[Attribute]) -> bool {
    docs.iter().filter_map(value).any(|value| match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => text.value().trim() == "# Errors",
        _ => false,
    })
}

fn value(attribute: &Attribute) -> Option<&Expr> {
    match &attribute.meta {
        Meta::NameValue(meta) => Some(&meta.value),
        // Such as `#[doc(hidden)]`.
        Meta::Path(_) | Meta::List(_) => None,
    }
}
