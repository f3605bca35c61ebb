//! The `impl` block or the `trait`.

use proc_macro2::TokenStream;
use quote::format_ident;
use syn::{ImplItem, ItemImpl, ItemTrait, Path, TraitItem, Visibility};

use super::check::check;
use super::method::{Reader, Source, Types};
use super::options::{ClientName, Options, Wanted, misplaced};
use super::parameter::Arguments;
use super::types::last_segment;
use crate::model::{Calls, Client, Method, Service};
use crate::problems::Problems;

/// What the attribute stands in front of.
pub(crate) enum Item {
    Block(Block),
    Definition(Definition),
    Implementation(Implementation),
}

/// `impl Type { … }`: the methods of a type are the service.
pub(crate) struct Block {
    pub(crate) service: Service,
    /// Without what was meant for us.
    pub(crate) item: ItemImpl,
}

/// `trait Name { … }`: the service is whatever implements the trait.
pub(crate) struct Definition {
    pub(crate) service: Service,
    pub(crate) server: Server,
    /// Without what was meant for us.
    pub(crate) item: ItemTrait,
}

/// Whether a trait can be served here, or is only called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Here,
    Elsewhere,
}

/// `impl Name for Type { … }`, where the trait is a service.
pub(crate) struct Implementation {
    pub(crate) krate: Path,
    pub(crate) item: ItemImpl,
}

const NOT_A_SERVICE: &str =
    "a service is an `impl` block or a `trait`; move the attribute in front of one";

impl Item {
    /// Reads what the attribute stands in front of.
    pub(crate) fn parse(
        options: TokenStream,
        item: TokenStream,
        problems: &mut Problems,
    ) -> Option<Self> {
        let options = problems.take(syn::parse2::<Options>(options));
        let options = options.unwrap_or_default();
        match problems.take(syn::parse2::<syn::Item>(item))? {
            syn::Item::Impl(item) if item.trait_.is_some() => {
                if let Some(span) = misplaced(&options) {
                    problems.push(syn::Error::new(
                        span,
                        "this is said where the trait is defined",
                    ));
                }
                check_server(&options, problems);
                let krate = options.krate();
                Some(Self::Implementation(Implementation { krate, item }))
            }
            syn::Item::Impl(item) => block(options, item, problems).map(Self::Block),
            syn::Item::Trait(item) => Some(Self::Definition(definition(options, item, problems))),
            item => {
                problems.add(first_token(&item), NOT_A_SERVICE);
                None
            }
        }
    }
}

/// Reads `impl Type { … }`.
fn block(options: Options, mut item: ItemImpl, problems: &mut Problems) -> Option<Block> {
    check_server(&options, problems);
    let Some(segment) = last_segment(&item.self_ty) else {
        problems.add(&item.self_ty, "a service is a type that has a name");
        return None;
    };
    let ident = segment.ident.clone();
    let mut reader = Reader {
        problems,
        arguments: Arguments::Decoded,
        types: types(&options),
    };
    let mut methods = Vec::new();
    for (position, inner) in item.items.iter_mut().enumerate() {
        if let ImplItem::Fn(function) = inner {
            methods.extend(reader.read(Source {
                position,
                attributes: &mut function.attrs,
                visibility: function.vis.clone(),
                signature: &mut function.sig,
            }));
        }
    }
    let visibility = widest(&methods);
    let service = Service {
        krate: options.krate(),
        name: name(&options, &ident),
        clients: clients(options, &ident, &visibility),
        ident,
        generics: item.generics.clone(),
        methods,
    };
    check(&service, problems);
    Some(Block { service, item })
}

/// Reads `trait Name { … }`.
fn definition(options: Options, mut item: ItemTrait, problems: &mut Problems) -> Definition {
    let (server, arguments) = match options.server {
        Wanted::Not(_) => (Server::Elsewhere, Arguments::Sent),
        Wanted::Unsaid | Wanted::As(..) => (Server::Here, Arguments::Decoded),
    };
    let mut reader = Reader {
        problems,
        arguments,
        types: types(&options),
    };
    let mut methods = Vec::new();
    for (position, inner) in item.items.iter_mut().enumerate() {
        match inner {
            TraitItem::Fn(function) => {
                methods.extend(reader.read(Source {
                    position,
                    attributes: &mut function.attrs,
                    visibility: item.vis.clone(),
                    signature: &mut function.sig,
                }));
            }
            TraitItem::Type(item) => reader.problems.add(&item.ident, ONLY_METHODS),
            TraitItem::Const(item) => reader.problems.add(&item.ident, ONLY_METHODS),
            _ => {}
        }
    }
    let ident = item.ident.clone();
    let elsewhere = match options.server {
        Wanted::Not(span) => Some(span),
        Wanted::Unsaid | Wanted::As(..) => None,
    };
    let service = Service {
        krate: options.krate(),
        name: name(&options, &ident),
        clients: clients(options, &ident, &item.vis),
        ident,
        generics: item.generics.clone(),
        methods,
    };
    check(&service, problems);
    if let (Some(span), []) = (elsewhere, &*service.clients) {
        problems.push(syn::Error::new(
            span,
            "without a client and without a server nothing is left",
        ));
    }
    Definition {
        service,
        server,
        item,
    }
}

const ONLY_METHODS: &str = "callers see methods only; the definition of a service has nothing else";

fn check_server(options: &Options, problems: &mut Problems) {
    if let Wanted::Not(span) = options.server {
        problems.push(syn::Error::new(
            span,
            "an `impl` block is a server; define a service that somebody else serves as a `trait`",
        ));
    }
}

fn types(options: &Options) -> Types {
    match (&options.client, &options.blocking_client) {
        (Wanted::Not(_), None) => Types::InService,
        (Wanted::Not(_), Some(_)) | (Wanted::Unsaid | Wanted::As(..), _) => Types::InClientToo,
    }
}

fn name(options: &Options, ident: &syn::Ident) -> String {
    use syn::ext::IdentExt;
    match &options.name {
        Some(name) => name.value(),
        None => ident.unraw().to_string(),
    }
}

fn clients(options: Options, ident: &syn::Ident, visibility: &Visibility) -> Vec<Client> {
    let client = |name: Option<ClientName>, default, calls| match name {
        Some(name) => Client {
            visibility: name.visibility.unwrap_or_else(|| visibility.clone()),
            ident: name.ident,
            calls,
        },
        None => Client {
            visibility: visibility.clone(),
            ident: default,
            calls,
        },
    };
    let name = match options.client {
        Wanted::Not(_) => None,
        Wanted::Unsaid => Some(None),
        Wanted::As(_, name) => Some(Some(name)),
    };
    let by_tasks = name.map(|name| client(name, format_ident!("{ident}Client"), Calls::Async));
    let by_threads = options.blocking_client.map(|(span, name)| {
        let default = format_ident!("{ident}BlockingClient");
        client(name, default, Calls::Blocking(span))
    });
    by_tasks.into_iter().chain(by_threads).collect()
}

/// Returns the visibility of the methods that most can see.
fn widest(methods: &[Method]) -> Visibility {
    let rank = |visibility: &Visibility| match visibility {
        Visibility::Inherited => 0,
        Visibility::Restricted(_) => 1,
        Visibility::Public(_) => 2,
    };
    let visibilities = methods.iter().map(|method| &method.visibility);
    visibilities
        .max_by_key(|visibility| rank(visibility))
        .cloned()
        .unwrap_or(Visibility::Inherited)
}

/// Returns the first token of an item, so that a message does not underline all of it.
fn first_token(item: &syn::Item) -> TokenStream {
    use quote::ToTokens;
    item.to_token_stream().into_iter().take(1).collect()
}
