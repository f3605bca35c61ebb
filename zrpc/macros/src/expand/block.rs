//! `impl Type { … }`: the methods of a type are the service.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::{client, generics, lints, methods};
use crate::parse::Block;

/// Writes the block as it is, the service, and the client.
pub(super) fn expand(block: &Block) -> TokenStream {
    let Block { service, item } = block;
    let (krate, name, ty) = (&service.krate, &service.name, &item.self_ty);
    let private = generics::private(service);
    let mut generics = item.generics.clone();
    generics
        .make_where_clause()
        .predicates
        .extend(generics::server_bounds(service));
    let (parameters, _, conditions) = generics.split_for_impl();
    let this = Ident::new("this", Span::mixed_site());
    let methods = methods::all(service, &this, &quote!(Self));
    let allowed = lints::in_calls();
    let shared = quote_spanned!(ty.span()=> #private::assert_service::<Self>(););
    let client = client::expand(service);
    quote! {
        #item

        #[automatically_derived]
        #allowed
        impl #parameters #krate::Service for #ty #conditions {
            fn name(&self) -> ::std::string::String {
                ::std::string::String::from(#name)
            }

            fn into_methods(self: ::std::sync::Arc<Self>) -> ::std::vec::Vec<#krate::Method> {
                #shared
                let #this = self;
                #methods
            }
        }

        #client
    }
}
