//! What a method gives.

use syn::spanned::Spanned;
use syn::{ReturnType, Type, parse_quote, parse_quote_spanned};

use super::attributes::MethodWords;
use super::types::{is_named, item_of, last_segment, traits, type_arguments};
use crate::model::{Failure, Output, Results, Source, Style};
use crate::problems::Problems;

/// Reads what a method gives.
pub(super) fn read(
    output: &ReturnType,
    words: &MethodWords,
    style: Style,
    problems: &mut Problems,
) -> Output {
    let ty = match output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    let (failure, given) = split_result(&ty);
    let items = match &words.stream {
        Some(item) => Some((declared_source(style), item.clone())),
        None => items_of(&given),
    };
    let results = match items {
        Some((source, item)) => {
            if (source, style) == (Source::Stream, Style::Blocking) {
                problems.add(
                    output,
                    "a blocking method cannot wait for a stream; return an iterator, or leave out \
                     `blocking`",
                );
            }
            let (failure, item) = match is_named(&given, "ReplyStream") {
                // Its items may fail, and their type does not show that.
                true => (Failure::Possible(None), item),
                false => split_result(&item),
            };
            Results::Items {
                source,
                failure,
                received: words.reply.clone().unwrap_or_else(|| owned(&item)),
            }
        }
        None => Results::Value {
            received: words.reply.clone().unwrap_or_else(|| owned(&given)),
            given: Box::new(given),
        },
    };
    Output { failure, results }
}

/// What `#[zrpc(stream = …)]` says the results come from.
fn declared_source(style: Style) -> Source {
    match style {
        Style::Blocking => Source::Iterator,
        Style::Async | Style::Sync => Source::Stream,
    }
}

/// Splits `Result<T, E>` into its parts.
fn split_result(ty: &Type) -> (Failure, Type) {
    if let Some(segment) = last_segment(ty)
        && segment.ident == "Result"
        && let [value, rest @ ..] = &type_arguments(segment)[..]
    {
        let error = rest.first().map(|&error| Box::new(error.clone()));
        return (Failure::Possible(error), (*value).clone());
    }
    (Failure::Impossible, ty.clone())
}

/// Returns where the items come from, and their type, if a type is known to be a number of them.
fn items_of(ty: &Type) -> Option<(Source, Type)> {
    let bounds = match ty {
        Type::ImplTrait(ty) => &ty.bounds,
        Type::TraitObject(ty) => &ty.bounds,
        _ => return named_items(ty),
    };
    traits(bounds).find_map(|segment| {
        let source = match segment.ident.to_string().as_str() {
            "Stream" | "FusedStream" => Source::Stream,
            "Iterator"
            | "DoubleEndedIterator"
            | "ExactSizeIterator"
            | "FusedIterator"
            | "IntoIterator" => Source::Iterator,
            _ => return None,
        };
        item_of(segment).map(|item| (source, item.clone()))
    })
}

/// The same for a type that has a name.
fn named_items(ty: &Type) -> Option<(Source, Type)> {
    let segment = last_segment(ty)?;
    let arguments = type_arguments(segment);
    let first = *arguments.first()?;
    match segment.ident.to_string().as_str() {
        // Of a `Box` of anything else there is one.
        "Box" | "Pin" => items_of(first),
        "BoxStream" | "ReplyStream" => Some((Source::Stream, first.clone())),
        _ => None,
    }
}

/// Returns the type in which callers get what a method may lend.
fn owned(ty: &Type) -> Type {
    let Type::Reference(reference) = ty else {
        return ty.clone();
    };
    let span = ty.span();
    match &*reference.elem {
        Type::Slice(slice) => {
            let element = &slice.elem;
            parse_quote_spanned!(span=> ::std::vec::Vec<#element>)
        }
        ty if is_named(ty, "str") => parse_quote_spanned!(span=> ::std::string::String),
        ty => owned(ty),
    }
}
