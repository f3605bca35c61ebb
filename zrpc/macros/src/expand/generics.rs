//! Type parameters, carried over.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{GenericParam, Generics, Ident, Token, WherePredicate, parse_quote};

use crate::model::{Results, Service};

/// Returns the type parameters that callers send or get.
pub(super) fn sent(service: &Service) -> Vec<Ident> {
    let words = words_of_types(service);
    let parameters = service.generics.type_params();
    parameters
        .map(|parameter| parameter.ident.clone())
        .filter(|ident| words.contains(ident))
        .collect()
}

/// Returns the conditions under which values of `types` can be arguments and results of a server.
pub(super) fn server_bounds(service: &Service) -> Vec<WherePredicate> {
    let private = private(service);
    let bounds = sent(service).into_iter().map(|ident| {
        parse_quote!(#ident: #private::Serialize + #private::DeserializeOwned
            + ::std::marker::Send + 'static)
    });
    bounds.collect()
}

/// Returns the generics of a client: the parameters that it sends or gets, and the conditions that
/// concern no other ones.
pub(super) fn of_client(service: &Service) -> Generics {
    let private = private(service);
    let sent = sent(service);
    let kept: Punctuated<GenericParam, Token![,]> = service
        .generics
        .params
        .iter()
        .filter(|parameter| is_kept(parameter, service, &sent))
        .map(|parameter| without_default(parameter.clone()))
        .collect();
    // In a client, `Self` is another type.
    let dropped: HashSet<Ident> = names(&service.generics.params)
        .filter(|name| !names(&kept).any(|kept| kept == *name))
        .chain([Ident::new("Self", Span::call_site())])
        .collect();
    let concerns_dropped = |tokens: TokenStream| {
        let mut words = HashSet::new();
        collect(tokens, &mut words);
        !words.is_disjoint(&dropped)
    };
    let kept = kept.into_iter().map(|mut parameter| {
        if let GenericParam::Type(parameter) = &mut parameter {
            let bounds = std::mem::take(&mut parameter.bounds).into_iter();
            parameter.bounds = bounds
                .filter(|bound| !concerns_dropped(bound.to_token_stream()))
                .collect();
        }
        parameter
    });
    let kept = kept.collect();
    let mut generics = Generics {
        params: kept,
        ..Generics::default()
    };
    for ident in &sent {
        let bound: WherePredicate =
            parse_quote!(#ident: #private::Serialize + #private::DeserializeOwned);
        generics.make_where_clause().predicates.push(bound);
    }
    for predicate in service
        .generics
        .where_clause
        .iter()
        .flat_map(|clause| &clause.predicates)
    {
        if !sent.is_empty() && !concerns_dropped(predicate.to_token_stream()) {
            generics
                .make_where_clause()
                .predicates
                .push(predicate.clone());
        }
    }
    generics
}

/// Returns where the items are that are not for users.
pub(super) fn private(service: &Service) -> TokenStream {
    let krate = &service.krate;
    quote!(#krate::__private)
}

fn is_kept(parameter: &GenericParam, service: &Service, sent: &[Ident]) -> bool {
    match parameter {
        GenericParam::Type(parameter) => sent.contains(&parameter.ident),
        GenericParam::Lifetime(_) => false,
        GenericParam::Const(parameter) => words_of_types(service).contains(&parameter.ident),
    }
}

fn without_default(mut parameter: GenericParam) -> GenericParam {
    match &mut parameter {
        GenericParam::Type(parameter) => {
            parameter.eq_token = None;
            parameter.default = None;
        }
        GenericParam::Const(parameter) => {
            parameter.eq_token = None;
            parameter.default = None;
        }
        GenericParam::Lifetime(_) => {}
    }
    parameter
}

fn names(parameters: &Punctuated<GenericParam, Token![,]>) -> impl Iterator<Item = Ident> {
    parameters.iter().map(|parameter| match parameter {
        GenericParam::Type(parameter) => parameter.ident.clone(),
        GenericParam::Const(parameter) => parameter.ident.clone(),
        GenericParam::Lifetime(parameter) => parameter.lifetime.ident.clone(),
    })
}

/// Returns all identifiers in the types that callers send or get.
fn words_of_types(service: &Service) -> HashSet<Ident> {
    let mut words = HashSet::new();
    for method in &service.methods {
        let (Results::Value { received, .. } | Results::Items { received, .. }) =
            &method.output.results;
        let types = method.arguments().map(|argument| &argument.ty);
        for ty in types.chain([received]) {
            collect(ty.to_token_stream(), &mut words);
        }
    }
    words
}

/// Adds all identifiers in `tokens`.
fn collect(tokens: TokenStream, words: &mut HashSet<Ident>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => {
                words.insert(word);
            }
            TokenTree::Group(group) => collect(group.stream(), words),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}
