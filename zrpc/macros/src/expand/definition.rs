//! `trait Name { … }`: the service is whatever implements the trait.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::visit_mut::VisitMut;
use syn::{Ident, ItemTrait, ReturnType, TraitItem, TraitItemFn, Type, TypeImplTrait, parse_quote};

use super::{client, generics, lints, methods};
use crate::model::{Method, Results, Service, Style};
use crate::parse::{Definition, Server};

/// Writes the trait, with what makes a service of its implementations, and the client.
pub(super) fn expand(mut definition: Definition) -> TokenStream {
    let provided = match definition.server {
        Server::Here => provided(&definition.service, &definition.item),
        Server::Elsewhere => Vec::new(),
    };
    desugar(&mut definition);
    definition.item.items.extend(provided);
    let item = &definition.item;
    let allowed = lints::in_definition();
    let client = client::expand(&definition.service);
    quote! {
        #allowed
        #item

        #client
    }
}

/// Writes the trait alone.
pub(super) fn rewrite(definition: &Definition) -> TokenStream {
    let item = &definition.item;
    quote!(#item)
}

/// The provided methods by which an implementation becomes a service.
fn provided(service: &Service, item: &ItemTrait) -> Vec<TraitItem> {
    let (krate, name) = (&service.krate, &service.name);
    let (_, arguments, _) = item.generics.split_for_impl();
    let ident = &item.ident;
    let this = Ident::new("this", Span::mixed_site());
    let methods = methods::all(service, &this, &quote!(<Self as #ident #arguments>));
    let bounds = generics::server_bounds(service);
    let allowed = lints::in_calls();
    vec![
        parse_quote! {
            /// Makes a service of this implementation, which a server can offer.
            fn into_service(self) -> #krate::MethodSet
            where
                Self: ::std::marker::Sized,
                #(#bounds,)*
            {
                let mut service = #krate::MethodSet::new(Self::__zrpc_name(&self));
                ::std::iter::Extend::extend(
                    &mut service,
                    Self::__zrpc_methods(::std::sync::Arc::new(self)),
                );
                service
            }
        },
        parse_quote! {
            #[doc(hidden)]
            fn __zrpc_name(&self) -> ::std::string::String {
                ::std::string::String::from(#name)
            }
        },
        parse_quote! {
            #[doc(hidden)]
            #allowed
            fn __zrpc_methods(self: ::std::sync::Arc<Self>) -> ::std::vec::Vec<#krate::Method>
            where
                Self: ::std::marker::Sized,
                #(#bounds,)*
            {
                let #this = self;
                #methods
            }
        },
    ]
}

/// Says what `async` and `impl Trait` leave open in a trait: that results can change threads.
fn desugar(definition: &mut Definition) {
    if definition.server == Server::Here {
        let supertraits = &mut definition.item.supertraits;
        supertraits.push(parse_quote!(::std::marker::Send));
        supertraits.push(parse_quote!(::std::marker::Sync));
        supertraits.push(parse_quote!('static));
    }
    // By their places, because of those of one name each may have a condition.
    for method in &definition.service.methods {
        if let Some(TraitItem::Fn(function)) = definition.item.items.get_mut(method.position) {
            desugar_method(function, method);
        }
    }
}

fn desugar_method(function: &mut TraitItemFn, method: &Method) {
    // What a thread makes stays on it.
    let stays =
        matches!(method.output.results, Results::Items { .. }) && method.style == Style::Blocking;
    if !stays && let ReturnType::Type(_, ty) = &mut function.sig.output {
        AddSend.visit_type_mut(ty);
    }
    if function.sig.asyncness.take().is_none() {
        return;
    }
    let output: Type = match &function.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    function.sig.output =
        parse_quote!(-> impl ::std::future::Future<Output = #output> + ::std::marker::Send);
    if let Some(body) = &mut function.default {
        *body = parse_quote!({ async move #body });
    }
}

/// Adds `Send` to each `impl Trait`.
struct AddSend;

impl VisitMut for AddSend {
    fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
        ty.bounds.push(parse_quote!(::std::marker::Send));
    }
}
