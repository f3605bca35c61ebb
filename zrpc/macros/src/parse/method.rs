//! One method.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Generics, Receiver as SelfArgument, Signature, Type, Visibility};

use super::attributes::{MethodWords, carried};
use super::parameter::{self, Arguments};
use super::types::{is_named, last_segment, type_arguments};
use super::{output, types::Obstacles};
use crate::model::{Method, Output, Parameter, Presence, Receiver, Results, Style};
use crate::problems::Problems;

/// Reads methods.
pub(super) struct Reader<'a> {
    pub(super) problems: &'a mut Problems,
    pub(super) arguments: Arguments,
    /// Whether types are written down in a client as well.
    pub(super) types: Types,
}

/// Where the types of a method are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Types {
    InService,
    InClientToo,
}

/// A method as it stands in the source.
pub(super) struct Source<'a> {
    /// Where among the items.
    pub(super) position: usize,
    pub(super) attributes: &'a mut Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) signature: &'a mut Signature,
}

impl Reader<'_> {
    /// Reads a method, and takes the words out that are meant for us. Returns `None` if it is left
    /// out of the service, or nothing can be made of it.
    pub(super) fn read(&mut self, source: Source<'_>) -> Option<Method> {
        let Source {
            position,
            attributes,
            visibility,
            signature,
        } = source;
        let words = MethodWords::take(attributes, self.problems);
        let mut parameters = Vec::new();
        let mut receiver = None;
        for input in &mut signature.inputs {
            match input {
                FnArg::Receiver(argument) => receiver = Some(argument.clone()),
                FnArg::Typed(_) if words.skip.is_some() => {}
                FnArg::Typed(typed) => {
                    let read = parameter::read(typed, self.arguments, self.problems);
                    if let Some(Parameter::Context(_)) = read
                        && parameters.iter().any(is_context)
                    {
                        self.problems
                            .add(&*typed, "a call has one context; take it once");
                    }
                    parameters.extend(read);
                }
            }
        }
        if words.skip.is_some() {
            self.check_skipped(&words);
            return None;
        }
        parameter::check_order(&parameters, self.problems);
        self.check_signature(signature);
        let style = self.style(signature, &words);
        let output = output::read(&signature.output, &words, style, self.problems);
        self.check_output(&output);
        let receiver = self.receiver(signature, receiver.as_ref())?;
        let name = match &words.name {
            Some(name) => name.value(),
            None => signature.ident.unraw().to_string(),
        };
        self.check_name(&name, &words, signature);
        Some(Method {
            ident: signature.ident.clone(),
            name,
            docs: docs(attributes),
            attributes: attributes.iter().filter_map(carried).collect(),
            position,
            visibility,
            receiver,
            style,
            parameters,
            output,
        })
    }

    fn check_skipped(&mut self, words: &MethodWords) {
        if let (Some(skip), true) = (words.skip, words.name.is_some() || words.blocking.is_some()) {
            self.problems.push(syn::Error::new(
                skip,
                "a method that is left out needs no other words",
            ));
        }
    }

    fn check_name(&mut self, name: &str, words: &MethodWords, signature: &Signature) {
        let message = match name {
            "" => "a method needs a name",
            name if name.starts_with("_zerorpc_") => {
                "names that begin with `_zerorpc_` are kept for what a server tells about itself"
            }
            _ => return,
        };
        match &words.name {
            Some(given) => self.problems.add(given, message),
            None => self.problems.add(&signature.ident, message),
        }
    }

    fn check_signature(&mut self, signature: &Signature) {
        let Generics {
            params,
            where_clause,
            ..
        } = &signature.generics;
        if !params.is_empty() {
            self.problems.add(
                params,
                "a caller cannot choose types or lifetimes; name types, or leave the method out of \
                 the service with `#[zrpc(skip)]`",
            );
        } else if let Some(clause) = where_clause {
            self.problems.add(
                clause,
                "conditions belong to the `impl` block or the `trait`",
            );
        }
        if let Some(word) = &signature.unsafety {
            self.problems
                .add(word, "what anybody can call cannot be `unsafe`");
        }
        if let Some(abi) = &signature.abi {
            self.problems
                .add(abi, "a method of a service is a function of Rust");
        }
    }

    fn style(&mut self, signature: &Signature, words: &MethodWords) -> Style {
        match (&signature.asyncness, words.blocking) {
            (Some(word), Some(_)) => {
                self.problems.add(
                    word,
                    "a blocking method has a thread of its own and is not `async`; leave out one of \
                     the two",
                );
                Style::Async
            }
            (Some(_), None) => Style::Async,
            (None, Some(_)) => Style::Blocking,
            (None, None) => Style::Sync,
        }
    }

    fn receiver(
        &mut self,
        signature: &Signature,
        receiver: Option<&SelfArgument>,
    ) -> Option<Receiver> {
        let Some(receiver) = receiver else {
            self.problems.add(
                &signature.ident,
                "a method of a service takes `&self`; add it, or leave the function out of the \
                 service with `#[zrpc(skip)]`",
            );
            return None;
        };
        match &*receiver.ty {
            Type::Reference(reference) if is_named(&reference.elem, "Self") => {
                if reference.mutability.is_some() {
                    self.problems.add(
                        receiver,
                        "calls run at the same time and share the service; take `&self`, and keep \
                         what changes in a lock or an atomic",
                    );
                }
                Some(Receiver::Reference)
            }
            ty if is_shared_self(ty) => Some(Receiver::Shared),
            _ => {
                self.problems.add(
                    receiver,
                    "the service must be there for the next call; take `&self` or `self: Arc<Self>`",
                );
                None
            }
        }
    }

    fn check_output(&mut self, output: &Output) {
        let (Results::Value { received, .. } | Results::Items { received, .. }) = &output.results;
        if self.types == Types::InService {
            return;
        }
        let obstacles = Obstacles::of(received);
        if let Some(impl_trait) = obstacles.impl_trait {
            self.problems.add(
                impl_trait,
                "the client must know what it gets; name the type, say it with \
                 `#[zrpc(reply = Type)]`, or leave out the client with \
                 `#[zrpc::service(no_client)]`",
            );
        }
        if let Some(reference) = obstacles.reference {
            self.problems.add(
                reference,
                "the client cannot borrow what it gets; say what that is with \
                 `#[zrpc(reply = Type)]`, or leave out the client with \
                 `#[zrpc::service(no_client)]`",
            );
        }
    }
}

fn is_context(parameter: &Parameter) -> bool {
    matches!(parameter, Parameter::Context(_))
}

fn is_shared_self(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| {
        segment.ident == "Arc"
            && matches!(&type_arguments(segment)[..], [only] if is_named(only, "Self"))
    })
}

fn docs(attributes: &[Attribute]) -> Vec<Attribute> {
    let is_doc = |attribute: &&Attribute| attribute.path().is_ident("doc");
    attributes.iter().filter(is_doc).cloned().collect()
}

/// Finds `Self` where it would be another type in the client.
pub(super) fn check_self_types(method: &Method, problems: &mut Problems) {
    let (Results::Value { received, .. } | Results::Items { received, .. }) =
        &method.output.results;
    let types = method.arguments().map(|argument| &argument.ty);
    for ty in types.chain([received]) {
        if let Some(word) = Obstacles::of(ty).self_type {
            problems.push(syn::Error::new(
                word.span(),
                "`Self` would be the client in the client; write the name of the type",
            ));
        }
    }
    for argument in method.arguments() {
        if let Presence::Default(default) = &argument.presence
            && let Some(word) = self_word(default.to_token_stream())
        {
            problems.push(syn::Error::new(
                word.span(),
                "a default goes into the client too, where `Self` would be the client; write the \
                 name of the type",
            ));
        }
    }
}

/// Finds `Self` in an expression.
fn self_word(tokens: TokenStream) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "Self" => Some(word),
        TokenTree::Group(group) => self_word(group.stream()),
        _ => None,
    })
}
