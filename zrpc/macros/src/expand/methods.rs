//! The methods that a server offers.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Meta, Token, Type};

use super::{docs, generics};
use crate::model::{
    Argument, ContextBy, Failure, Method, Parameter, Presence, Receiver, Results, Service, Source,
    Style,
};

/// Writes a block whose value is the `Vec` of all methods of `this`, which is an `Arc<Self>`.
///
/// `target` is whose functions are called, such as `Self`.
pub(super) fn all(service: &Service, this: &Ident, target: &TokenStream) -> TokenStream {
    let methods = service.methods.iter().map(|method| {
        // `deprecated` says nothing of a block, and lints are those of the function.
        let conditions = method.attributes.iter().filter(|attribute| {
            let path = attribute.path();
            path.is_ident("cfg") || (path.is_ident("cfg_attr") && is_condition(attribute))
        });
        let writer = Writer {
            service,
            method,
            this,
            target,
        };
        let assertions = writer.assertions();
        let method = writer.method();
        quote! {
            #(#conditions)*
            {
                #assertions
                methods.push(#method);
            }
        }
    });
    let krate = &service.krate;
    quote! {{
        let mut methods = ::std::vec::Vec::<#krate::Method>::new();
        #(#methods)*
        methods
    }}
}

/// Whether all that a `cfg_attr` adds is conditions.
fn is_condition(attribute: &Attribute) -> bool {
    let parts = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    parts.is_ok_and(|parts| parts.iter().skip(1).all(|part| part.path().is_ident("cfg")))
}

/// Writes one method.
struct Writer<'a> {
    service: &'a Service,
    method: &'a Method,
    this: &'a Ident,
    target: &'a TokenStream,
}

impl Writer<'_> {
    /// Code that compiles if the types of the method can be sent, and points at them if not.
    fn assertions(&self) -> TokenStream {
        let private = generics::private(self.service);
        let arguments = self.method.arguments().map(
            |Argument { ty, .. }| quote_spanned!(ty.span()=> #private::assert_argument::<#ty>();),
        );
        let output = &self.method.output;
        let of_items = match &output.results {
            Results::Items { failure, .. } => Some(failure),
            Results::Value { .. } => None,
        };
        let errors = [Some(&output.failure), of_items]
            .into_iter()
            .filter_map(|failure| match failure {
                Some(Failure::Possible(Some(error))) => Some(error),
                _ => None,
            })
            .map(|error| quote_spanned!(error.span()=> #private::assert_error::<#error>();));
        quote!(#(#arguments)* #(#errors)*)
    }

    fn method(&self) -> TokenStream {
        let krate = &self.service.krate;
        let private = generics::private(self.service);
        let this = self.this;
        let body = self.body();
        let mut method = quote! {{
            let #this = ::std::sync::Arc::clone(&#this);
            #body
        }};
        if let (Failure::Impossible, Results::Value { given, .. }) =
            (&self.method.output.failure, &self.method.output.results)
            && !matches!(**given, Type::ImplTrait(_))
        {
            method = quote_spanned! {given.span()=>
                #private::assert_reply::<_, #given>(#method)
            };
        }
        if let Some(rest) = self.method.rest() {
            let name = &rest.name;
            let head = self.head_type();
            method = quote!(#private::with_rest::<#head>(#method, #name));
        }
        if let Some(doc) = docs::text(&self.method.docs) {
            method = quote!(#method.doc(#doc));
        }
        if self.method.head().next().is_some() {
            let arguments = self.method.head().map(|argument| {
                let Argument { name, ty, .. } = argument;
                let described = quote!(#krate::Argument::new(#name));
                match &argument.presence {
                    Presence::Default(value) => quote!(#described.default::<#ty>(#value)),
                    _ => described,
                }
            });
            method = quote!(#method.args([#(#arguments),*]));
        }
        method
    }

    /// The method without its description.
    fn body(&self) -> TokenStream {
        let this = self.this;
        let context = self.context();
        let share = quote!(let #this = ::std::sync::Arc::clone(&#this););
        match (&self.method.output.results, self.method.style) {
            (Results::Value { .. }, Style::Blocking) => self.blocking(&quote!(#share #context)),
            (Results::Value { .. }, Style::Async | Style::Sync) => self.task(&share, &context),
            (Results::Items { failure, .. }, Style::Blocking) => {
                self.blocking_stream(failure, &quote!(#share #context))
            }
            (
                Results::Items {
                    source, failure, ..
                },
                Style::Async | Style::Sync,
            ) => {
                let send = match source {
                    Source::Stream => quote!(send),
                    Source::Iterator => quote!(send_iter),
                };
                let kind = self.kind(failure);
                self.stream(&quote!(#send::<#kind, _>), &share, &context)
            }
        }
    }

    fn task(&self, share: &TokenStream, context: &TokenStream) -> TokenStream {
        let private = self.private();
        let name = &self.method.name;
        let (pattern, ty) = (self.pattern(), self.arguments_type());
        let reply = self.reply();
        quote_spanned! {self.span()=>
            #private::task(#name, move |#pattern: #ty| {
                #share
                async move { #context #reply }
            })
        }
    }

    fn stream(
        &self,
        send: &TokenStream,
        share: &TokenStream,
        context: &TokenStream,
    ) -> TokenStream {
        let private = self.private();
        let name = &self.method.name;
        let (pattern, ty) = (self.pattern(), self.arguments_type());
        let given = self.given();
        let items = Ident::new("items", Span::mixed_site());
        quote_spanned! {self.span()=>
            #private::stream(#name, move |#pattern: #ty| {
                #share
                move |#items: #private::Items| async move {
                    #context
                    #items.#send(#given).await
                }
            })
        }
    }

    fn blocking(&self, prepare: &TokenStream) -> TokenStream {
        let krate = &self.service.krate;
        let private = self.private();
        let name = &self.method.name;
        let (pattern, ty) = (self.pattern(), self.arguments_type());
        let reply = self.reply();
        quote_spanned! {self.span()=>
            #private::blocking(
                #name,
                move |#pattern: #ty| -> ::std::result::Result<#krate::Reply, #krate::Fault> {
                    #prepare
                    #reply
                },
            )
        }
    }

    fn blocking_stream(&self, failure: &Failure, prepare: &TokenStream) -> TokenStream {
        let krate = &self.service.krate;
        let private = self.private();
        let name = &self.method.name;
        let (pattern, ty) = (self.pattern(), self.arguments_type());
        let (kind, given) = (self.kind(failure), self.given());
        let items = Ident::new("items", Span::mixed_site());
        quote_spanned! {self.span()=>
            #private::blocking_stream(
                #name,
                move |#pattern: #ty, #items: &mut #private::BlockingItems<'_>|
                    -> ::std::result::Result<(), #krate::Fault> {
                        #prepare
                        #items.send::<#kind, _>(#given)
                    },
            )
        }
    }

    /// Where the items are that are not for users. It is as if the user had written this at the
    /// method, so that messages about calls of them point there.
    fn private(&self) -> TokenStream {
        let tokens = generics::private(self.service).into_iter();
        let here = tokens.map(|mut token| {
            token.set_span(self.span());
            token
        });
        here.collect()
    }

    /// Where a future or a closure is not `Send`, the message points at the method.
    fn span(&self) -> Span {
        self.method.ident.span()
    }

    /// The call of the user's method.
    fn call(&self) -> TokenStream {
        let (this, target, ident) = (self.this, self.target, &self.method.ident);
        let receiver = match self.method.receiver {
            Receiver::Reference => quote!(&#this),
            Receiver::Shared => quote!(::std::sync::Arc::clone(&#this)),
        };
        let context = context_ident();
        let parameters = self
            .method
            .parameters
            .iter()
            .map(|parameter| match parameter {
                Parameter::Context(ContextBy::Reference) => quote!(&#context),
                Parameter::Context(ContextBy::Value) => quote!(#context),
                Parameter::Argument(argument) => {
                    let ident = &argument.ident;
                    quote!(#ident)
                }
            });
        let wait = match self.method.style {
            Style::Async => quote!(.await),
            Style::Sync | Style::Blocking => TokenStream::new(),
        };
        quote!(#target::#ident(#receiver #(, #parameters)*) #wait)
    }

    fn context(&self) -> TokenStream {
        let takes = self.method.parameters.iter();
        match takes
            .into_iter()
            .any(|p| matches!(p, Parameter::Context(_)))
        {
            true => {
                let private = self.private();
                let context = context_ident();
                quote!(let #context = #private::context()?;)
            }
            false => TokenStream::new(),
        }
    }

    /// The one result, encoded.
    fn reply(&self) -> TokenStream {
        let call = self.call();
        let private = self.private();
        let kind = self.kind(&self.method.output.failure);
        quote_spanned!(self.span()=> #private::reply::<#kind, _>(#call))
    }

    /// What items come from, unless the method failed before there are any.
    fn given(&self) -> TokenStream {
        let call = self.call();
        let krate = &self.service.krate;
        match self.method.output.failure {
            Failure::Impossible => call,
            Failure::Possible(_) => quote! {
                ::std::result::Result::map_err(#call, ::std::convert::Into::<#krate::Fault>::into)?
            },
        }
    }

    /// The kind of a reply. Where the spelling of a type does not tell, the type does.
    fn kind(&self, failure: &Failure) -> TokenStream {
        let krate = &self.service.krate;
        match failure {
            Failure::Impossible => quote!(_),
            Failure::Possible(_) => quote!(#krate::Fallible),
        }
    }

    fn head_type(&self) -> TokenStream {
        let types = self.method.head().map(|argument| &argument.ty);
        quote!((#(#types,)*))
    }

    fn arguments_type(&self) -> TokenStream {
        let head = self.head_type();
        match (self.method.rest(), self.method.head().next()) {
            (None, _) => head,
            (Some(Argument { ty, .. }), None) => quote!(#ty),
            (Some(Argument { ty, .. }), Some(_)) => {
                let private = self.private();
                quote!(#private::WithRest<#head, #ty>)
            }
        }
    }

    fn pattern(&self) -> TokenStream {
        let idents = self.method.head().map(|argument| &argument.ident);
        let head = quote!((#(#idents,)*));
        match (self.method.rest(), self.method.head().next()) {
            (None, _) => head,
            (Some(Argument { ident, .. }), None) => quote!(#ident),
            (Some(Argument { ident, .. }), Some(_)) => {
                let private = self.private();
                quote!(#private::WithRest(#head, #ident))
            }
        }
    }
}

fn context_ident() -> Ident {
    Ident::new("context", Span::mixed_site())
}
