//! The typed clients.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Generics, Ident, Type};

use super::{docs, generics, lints};
use crate::model::{Argument, Calls, Client, Method, Presence, Results, Service};

/// Writes the clients that are wanted.
pub(super) fn expand(service: &Service) -> TokenStream {
    let clients = service.clients.iter();
    clients.map(|client| expand_one(service, client)).collect()
}

fn expand_one(service: &Service, client: &Client) -> TokenStream {
    let generics = generics::of_client(service);
    let definition = definition(service, client, &generics);
    let functions = functions(service, client);
    let methods = service
        .methods
        .iter()
        .map(|method| call(service, client, method));
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let ident = &client.ident;
    let allowed = lints::in_written();
    quote! {
        #definition

        #allowed
        impl #parameters #ident #arguments #conditions {
            #functions
            #(#methods)*
        }
    }
}

/// The type, and the traits that all clients have.
fn definition(service: &Service, client: &Client, generics: &Generics) -> TokenStream {
    let krate = &service.krate;
    let inner = inner(service, client);
    let Client {
        visibility,
        ident,
        calls,
    } = client;
    let calls = match calls {
        Calls::Async => "",
        Calls::Blocking(_) => ", whose calls block the thread",
    };
    let doc = format!(
        "A client of the service [`{}`]{calls}. Cloning it is cheap, and all clones share the \
         connection.",
        service.ident.unraw()
    );
    let (parameters, arguments, conditions) = generics.split_for_impl();
    let sent = generics::sent(service);
    let name = ident.unraw().to_string();
    let allowed = lints::in_written();
    quote! {
        #[doc = #doc]
        #allowed
        #visibility struct #ident #parameters #conditions {
            stub: #krate::Stub,
            types: ::std::marker::PhantomData<fn() -> (#(#sent,)*)>,
        }

        #[automatically_derived]
        impl #parameters ::std::clone::Clone for #ident #arguments #conditions {
            fn clone(&self) -> Self {
                Self {
                    stub: ::std::clone::Clone::clone(&self.stub),
                    types: ::std::marker::PhantomData,
                }
            }
        }

        #[automatically_derived]
        impl #parameters ::std::fmt::Debug for #ident #arguments #conditions {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#name).field("stub", &self.stub).finish()
            }
        }

        #[automatically_derived]
        impl #parameters ::std::convert::From<#inner> for #ident #arguments #conditions {
            fn from(client: #inner) -> Self {
                Self {
                    stub: <#krate::Stub as ::std::convert::From<#inner>>::from(client),
                    types: ::std::marker::PhantomData,
                }
            }
        }
    }
}

/// The client of methods by their names that a client is made of.
fn inner(service: &Service, client: &Client) -> TokenStream {
    let krate = &service.krate;
    match client.calls {
        Calls::Async => quote!(#krate::Client),
        // Where this was asked for, the compiler says that the feature is not on.
        Calls::Blocking(span) => quote_spanned!(span=> #krate::blocking::Client),
    }
}

/// What every client can do.
fn functions(service: &Service, client: &Client) -> TokenStream {
    let krate = &service.krate;
    let visibility = &client.visibility;
    let inner = inner(service, client);
    let (asynchronous, wait) = match client.calls {
        Calls::Async => (quote!(async), quote!(.await)),
        Calls::Blocking(_) => (TokenStream::new(), TokenStream::new()),
    };
    let warning = match client.calls {
        Calls::Async => TokenStream::new(),
        Calls::Blocking(_) => quote! {
            ///
            /// What was made on `IoRuntime::Current` must not be waited for on the thread of that
            /// runtime, if it is the only one: it would wait for ever.
        },
    };
    quote! {
        /// Makes a client of the service that is offered where `client` is connected to.
        #warning
        #visibility fn new(client: #inner) -> Self {
            <Self as ::std::convert::From<#inner>>::from(client)
        }

        /// Makes a client of a service that is offered under a prefix, or with options.
        #warning
        #visibility fn from_stub(stub: #krate::Stub) -> Self {
            Self {
                stub,
                types: ::std::marker::PhantomData,
            }
        }

        /// Connects to a server. Returns at once; the server may come later.
        ///
        /// # Errors
        ///
        /// The endpoint cannot be used.
        #visibility #asynchronous fn connect(
            endpoint: impl ::std::convert::Into<::std::string::String>,
        ) -> ::std::result::Result<Self, #krate::ConnectError> {
            <#inner>::connect(endpoint)#wait.map(Self::new)
        }

        /// Returns the client of methods by their names that this one is made of.
        #visibility fn stub(&self) -> &#krate::Stub {
            &self.stub
        }

        /// Returns a client of the service that is offered under this prefix.
        #[must_use = "the client itself does not change"]
        #visibility fn with_prefix(&self, prefix: &str) -> Self {
            Self::from_stub(self.stub.with_prefix(prefix))
        }

        /// Returns a client whose calls wait no longer for their first reply.
        #[must_use = "the client itself does not change"]
        #visibility fn with_timeout(&self, timeout: ::std::time::Duration) -> Self {
            Self::from_stub(self.stub.with_timeout(timeout))
        }

        /// Returns a client whose calls have other options, for which `options` is asked each time.
        #[must_use = "the client itself does not change"]
        #visibility fn with(
            &self,
            options: impl ::std::ops::Fn(#krate::Request) -> #krate::Request
                + ::std::marker::Send
                + ::std::marker::Sync
                + 'static,
        ) -> Self {
            Self::from_stub(self.stub.with(options))
        }
    }
}

/// One method.
fn call(service: &Service, client: &Client, method: &Method) -> TokenStream {
    let krate = &service.krate;
    let visibility = &client.visibility;
    let Method {
        ident,
        docs,
        attributes,
        ..
    } = method;
    let summary = docs
        .is_empty()
        .then(|| format!("Calls the method `{}`.", method.name));
    let summary = summary.iter();
    let errors = (!docs::has_errors_section(docs)).then(|| {
        quote! {
            ///
            /// # Errors
            ///
            /// The call failed, here, on the way, or there.
        }
    });
    let parameters = method.arguments().map(parameter);
    let request = request(method);
    let (output, finish) = match (&method.output.results, client.calls) {
        (Results::Value { received, .. }, Calls::Async) => {
            (quote!(#received), quote!(call::<#received>().await))
        }
        (Results::Value { received, .. }, Calls::Blocking(_)) => {
            (quote!(#received), quote!(blocking_call::<#received>()))
        }
        (Results::Items { received, .. }, Calls::Async) => (
            quote!(#krate::ReplyStream<#received>),
            quote!(stream::<#received>().await),
        ),
        (Results::Items { received, .. }, Calls::Blocking(span)) => (
            quote_spanned!(span=> #krate::blocking::Items<#received>),
            quote!(blocking_stream::<#received>()),
        ),
    };
    let asynchronous = match client.calls {
        Calls::Async => quote!(async),
        Calls::Blocking(_) => TokenStream::new(),
    };
    let body = private_body(service, &request, &finish);
    quote_spanned! {ident.span().resolved_at(Span::call_site())=>
        #(#docs)*
        #(#[doc = #summary])*
        #errors
        #(#attributes)*
        #visibility #asynchronous fn #ident(
            &self #(, #parameters)*
        ) -> ::std::result::Result<#output, #krate::CallError> {
            #body
        }
    }
}

fn private_body(service: &Service, request: &Request<'_>, finish: &TokenStream) -> TokenStream {
    let private = generics::private(service);
    let Request {
        prepare,
        name,
        arguments,
    } = request;
    let arguments = arguments.write(&private, name);
    quote! {
        #prepare
        #arguments.#finish
    }
}

/// How an argument is taken.
fn parameter(argument: &Argument) -> TokenStream {
    let Argument { ident, ty, .. } = argument;
    match argument.presence {
        Presence::Default(_) => {
            quote_spanned!(ty.span()=> #ident: ::std::option::Option<#ty>)
        }
        Presence::Required if is_string(ty) => {
            quote_spanned!(ty.span()=> #ident: impl ::std::convert::Into<#ty>)
        }
        _ => quote!(#ident: #ty),
    }
}

/// Whether an argument is a `String`, for which callers often have a `&str`.
fn is_string(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("String"))
}

/// A request before it is written.
struct Request<'a> {
    /// Statements in front of it.
    prepare: TokenStream,
    name: &'a str,
    arguments: Arguments,
}

/// What is sent.
enum Arguments {
    /// Some, of which the last ones may be left out.
    Counted {
        required: Vec<TokenStream>,
        optional: Vec<OptionalArgument>,
    },
    /// Some, and any number behind them.
    Spread {
        head: Vec<TokenStream>,
        rest: TokenStream,
    },
}

/// An argument that is left out where it is `None`, if nothing follows.
struct OptionalArgument {
    ident: Ident,
    /// What is sent where something follows.
    value: TokenStream,
}

fn request(method: &Method) -> Request<'_> {
    let prepare = method.arguments().filter_map(|argument| {
        let Argument { ident, ty, .. } = argument;
        let is_text = matches!(argument.presence, Presence::Required) && is_string(ty);
        is_text.then(|| quote!(let #ident: #ty = ::std::convert::Into::into(#ident);))
    });
    let prepare = quote!(#(#prepare)*);
    let value = |argument: &Argument| {
        let Argument { ident, ty, .. } = argument;
        match &argument.presence {
            Presence::Default(default) => quote! {
                ::std::option::Option::unwrap_or_else(#ident, || -> #ty { #default })
            },
            _ => quote!(#ident),
        }
    };
    let arguments = match method.rest() {
        Some(rest) => Arguments::Spread {
            head: method.head().map(value).collect(),
            rest: value(rest),
        },
        None => {
            let all: Vec<&Argument> = method.head().collect();
            let may_be_left_out =
                |argument: &&&Argument| !matches!(argument.presence, Presence::Required);
            let optional = all.iter().rev().take_while(may_be_left_out).count();
            let (required, optional) = all.split_at(all.len() - optional);
            Arguments::Counted {
                required: required.iter().map(|argument| value(argument)).collect(),
                optional: optional
                    .iter()
                    .map(|argument| OptionalArgument {
                        ident: argument.ident.clone(),
                        value: value(argument),
                    })
                    .collect(),
            }
        }
    };
    Request {
        prepare,
        name: &method.name,
        arguments,
    }
}

impl Arguments {
    /// Writes an expression for the request.
    fn write(&self, private: &TokenStream, name: &str) -> TokenStream {
        match self {
            Self::Spread { head, rest } => {
                let head = head
                    .iter()
                    .rev()
                    .fold(quote!(()), |behind, value| quote!((#value, #behind)));
                quote! {
                    self.stub.request(
                        #name,
                        #private::Spread(#head, ::std::iter::Iterator::collect(
                            ::std::iter::IntoIterator::into_iter(#rest),
                        )),
                    )
                }
            }
            Self::Counted { required, optional } => {
                let send = |sent: &[OptionalArgument]| {
                    let values = sent.iter().map(|argument| &argument.value);
                    quote!(self.stub.request(#name, (#(#required,)* #(#values,)*)))
                };
                // The last one that is given decides how many are sent.
                let cases = (1..=optional.len()).rev().filter_map(|count| {
                    let sent = optional.get(..count)?;
                    let last = &sent.last()?.ident;
                    let request = send(sent);
                    Some(quote!(if ::std::option::Option::is_some(&#last) { #request } else))
                });
                let none = send(&[]);
                match optional.is_empty() {
                    true => none,
                    false => quote!((#(#cases)* { #none })),
                }
            }
        }
    }
}
