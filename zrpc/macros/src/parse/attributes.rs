//! The words in `#[zrpc(…)]`, in front of methods and of their arguments.

use proc_macro2::Span;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, LitStr, Meta, MetaList, Token, Type};

use crate::problems::Problems;

/// What is said about a method.
#[derive(Default)]
pub(super) struct MethodWords {
    pub(super) skip: Option<Span>,
    pub(super) blocking: Option<Span>,
    pub(super) name: Option<LitStr>,
    /// The items of a stream whose type does not tell.
    pub(super) stream: Option<Type>,
    /// What callers get where the type of the result does not tell.
    pub(super) reply: Option<Type>,
}

/// What is said about an argument.
#[derive(Default)]
pub(super) struct ArgumentWords {
    pub(super) default: Option<(Span, DefaultWord)>,
    pub(super) rest: Option<Span>,
    pub(super) context: Option<Span>,
    pub(super) name: Option<LitStr>,
}

/// What an argument is when it is left out.
pub(super) enum DefaultWord {
    /// `#[zrpc(default)]`
    OfType,
    /// `#[zrpc(default = …)]`
    Value(Box<Expr>),
}

impl MethodWords {
    /// Takes the words out of the attributes of a method.
    pub(super) fn take(attributes: &mut Vec<Attribute>, problems: &mut Problems) -> Self {
        let mut words = Self::default();
        each(attributes, problems, |meta| {
            let span = meta.path.get_ident().map(Ident::span);
            if meta.path.is_ident("skip") {
                words.skip = span;
            } else if meta.path.is_ident("blocking") {
                words.blocking = span;
            } else if meta.path.is_ident("name") {
                words.name = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("stream") {
                words.stream = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("reply") {
                words.reply = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error(
                    "unknown word; `skip`, `blocking`, `name = \"…\"`, `stream = Type` and \
                     `reply = Type` can be said about a method",
                ));
            }
            Ok(())
        });
        words
    }
}

impl ArgumentWords {
    /// Takes the words out of the attributes of an argument.
    pub(super) fn take(attributes: &mut Vec<Attribute>, problems: &mut Problems) -> Self {
        let mut words = Self::default();
        each(attributes, problems, |meta| {
            let span = meta.path.get_ident().map(Ident::span);
            if meta.path.is_ident("default") {
                let default = match meta.value() {
                    Ok(value) => DefaultWord::Value(value.parse()?),
                    Err(_) => DefaultWord::OfType,
                };
                words.default = span.map(|span| (span, default));
            } else if meta.path.is_ident("rest") {
                words.rest = span;
            } else if meta.path.is_ident("context") {
                words.context = span;
            } else if meta.path.is_ident("name") {
                words.name = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error(
                    "unknown word; `default`, `default = …`, `rest`, `context` and `name = \"…\"` \
                     can be said about an argument",
                ));
            }
            Ok(())
        });
        words
    }
}

/// Takes the attributes `#[zrpc(…)]` out, and reads each word in them.
fn each(
    attributes: &mut Vec<Attribute>,
    problems: &mut Problems,
    mut read: impl FnMut(ParseNestedMeta<'_>) -> syn::Result<()>,
) {
    for attribute in attributes.extract_if(.., |attribute| attribute.path().is_ident("zrpc")) {
        problems.take(attribute.parse_nested_meta(&mut read));
    }
}

/// Returns what of an attribute in front of a method also belongs in front of what is made of it:
/// conditions, `deprecated`, and lints, which are allowed where they may not fire.
pub(super) fn carried(attribute: &Attribute) -> Option<Attribute> {
    let mut carried = attribute.clone();
    carried.meta = carried_meta(&attribute.meta)?;
    Some(carried)
}

fn carried_meta(meta: &Meta) -> Option<Meta> {
    let path = meta.path();
    if ["cfg", "deprecated", "allow"]
        .iter()
        .any(|word| path.is_ident(word))
    {
        return Some(meta.clone());
    }
    match meta {
        Meta::List(list) if path.is_ident("expect") => Some(Meta::List(MetaList {
            path: Ident::new("allow", Span::call_site()).into(),
            ..list.clone()
        })),
        Meta::List(list) if path.is_ident("cfg_attr") => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let mut parts = parts.ok()?.into_iter();
            let condition = parts.next()?;
            let parts: Vec<Meta> = parts.filter_map(|part| carried_meta(&part)).collect();
            let tokens = (!parts.is_empty()).then(|| quote!(#condition, #(#parts),*))?;
            Some(Meta::List(MetaList {
                tokens,
                ..list.clone()
            }))
        }
        _ => None,
    }
}
