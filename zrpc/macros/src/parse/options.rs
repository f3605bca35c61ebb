//! The words behind `#[zrpc::service]`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Ident, LitStr, Path, Token, Visibility, parse_quote};

/// What is asked for behind `#[zrpc::service]`.
#[derive(Default)]
pub(super) struct Options {
    pub(super) name: Option<LitStr>,
    pub(super) krate: Option<Path>,
    pub(super) client: Wanted<ClientName>,
    /// A client whose calls block the thread is made only if that is said.
    pub(super) blocking_client: Option<(Span, Option<ClientName>)>,
    pub(super) server: Wanted<()>,
}

/// Whether something is to be made.
#[derive(Default)]
pub(super) enum Wanted<T> {
    /// Nothing was said, so it is.
    #[default]
    Unsaid,
    As(Span, T),
    /// It is not, and where that was said.
    Not(Span),
}

/// What the client is to be called, and who sees it.
pub(super) struct ClientName {
    pub(super) visibility: Option<Visibility>,
    pub(super) ident: Ident,
}

const KNOWN: &str = "unknown option; `name = \"…\"`, `client = Name`, `no_client`, `blocking_client`, `no_server` \
     and `crate = path` can be chosen for a service";

impl Options {
    pub(super) fn krate(&self) -> Path {
        self.krate.clone().unwrap_or_else(|| parse_quote!(::zrpc))
    }
}

impl Parse for ClientName {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let visibility = match input.parse()? {
            Visibility::Inherited => None,
            visibility => Some(visibility),
        };
        let ident = input.parse()?;
        Ok(Self { visibility, ident })
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            options.parse_one(input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn parse_one(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        if input.peek(Token![crate]) {
            let word: Token![crate] = input.parse()?;
            input.parse::<Token![=]>()?;
            return set(
                &mut self.krate,
                word.span,
                input.call(Path::parse_mod_style)?,
            );
        }
        let word: Ident = input
            .parse()
            .map_err(|error| syn::Error::new(error.span(), KNOWN))?;
        let span = word.span();
        match word.to_string().as_str() {
            "name" => {
                input.parse::<Token![=]>()?;
                set(&mut self.name, span, input.parse()?)
            }
            "client" => {
                input.parse::<Token![=]>()?;
                let name = input.parse()?;
                want(&mut self.client, span, Wanted::As(span, name))
            }
            "blocking_client" => {
                let name = match input.parse::<Option<Token![=]>>()? {
                    Some(_) => Some(input.parse()?),
                    None => None,
                };
                set(&mut self.blocking_client, span, (span, name))
            }
            "no_client" => want(&mut self.client, span, Wanted::Not(span)),
            "no_server" => want(&mut self.server, span, Wanted::Not(span)),
            _ => Err(syn::Error::new(span, KNOWN)),
        }
    }
}

fn set<T>(option: &mut Option<T>, span: Span, value: T) -> syn::Result<()> {
    match option.replace(value) {
        None => Ok(()),
        Some(_) => Err(syn::Error::new(span, "this is said twice")),
    }
}

fn want<T>(option: &mut Wanted<T>, span: Span, wanted: Wanted<T>) -> syn::Result<()> {
    match std::mem::replace(option, wanted) {
        Wanted::Unsaid => Ok(()),
        Wanted::As(..) | Wanted::Not(_) => Err(syn::Error::new(
            span,
            "this contradicts what is said before",
        )),
    }
}

/// Returns where something was said about the service that only its definition can say.
pub(super) fn misplaced(options: &Options) -> Option<Span> {
    let name = options.name.as_ref().map(Spanned::span);
    let client = match options.client {
        Wanted::Unsaid => None,
        Wanted::As(span, _) | Wanted::Not(span) => Some(span),
    };
    let blocking_client = options.blocking_client.as_ref().map(|(span, _)| *span);
    name.or(client).or(blocking_client)
}
