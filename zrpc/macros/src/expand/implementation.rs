//! `impl Name for Type { … }`, where the trait is a service.

use proc_macro2::TokenStream;
use quote::quote;

use super::lints;
use crate::parse::Implementation;

/// Writes the block as it is, and the service that the trait makes of it.
pub(super) fn expand(implementation: &Implementation) -> TokenStream {
    let Implementation { krate, item } = implementation;
    let (parameters, _, conditions) = item.generics.split_for_impl();
    let ty = &item.self_ty;
    let definition = item.trait_.as_ref().map(|(_, path, _)| path);
    let allowed = lints::in_calls();
    quote! {
        #item

        #[automatically_derived]
        #allowed
        impl #parameters #krate::Service for #ty #conditions {
            fn name(&self) -> ::std::string::String {
                <Self as #definition>::__zrpc_name(self)
            }

            fn into_methods(self: ::std::sync::Arc<Self>) -> ::std::vec::Vec<#krate::Method> {
                <Self as #definition>::__zrpc_methods(self)
            }
        }
    }
}
